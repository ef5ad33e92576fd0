"""Random fleets for the solver, the same for the same seed: node and chip billing, committed nodes, three priorities, switching costs.

Capacity is what one random allocation needs, divided by ``FILL``, so that cheap pools are contested and everything can be placed.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from random import Random

from chipwise.placement.problem import Billing, Bucket, Footprint, Option, Pool, Problem, Room, Workload

FILL = 0.8
_GIB = 2**30


@dataclass(frozen=True, slots=True)
class Chip:
    """``speed`` in units of work a second, ``price`` in dollars an hour, chips to a node."""

    name: str
    speed: float
    price: float
    node: int


CHIPS = (
    Chip("a", 1.0, 12.29, 8),
    Chip("b", 0.9, 6.0, 8),
    Chip("c", 0.75, 4.25, 4),
    Chip("d", 0.25, 0.95, 8),
    Chip("e", 0.4, 1.7, 4),
)
_COMMITTED_SHARE = 0.2
_PRIORITIES = (0, 0, 0, 0, 0, 0, 0, 10, 10, 100)
_RUNNING_SHARE = 0.7


@dataclass(frozen=True, slots=True)
class _Kind:
    """A pool before its capacity is known."""

    name: str
    chip: Chip
    price: float
    billing: Billing


def instance(workloads: int, pools: int, seed: int) -> Problem:
    """A quarter of the pools, at least three and at most twelve, can serve each workload."""
    random = Random(seed)  # noqa: S311 - a benchmark, the same each time
    kinds = [_kind(number, random) for number in range(pools)]
    found = tuple(_workload(number, kinds, random) for number in range(workloads))
    needed = dict.fromkeys((kind.name for kind in kinds), 0)
    for workload in found:
        option = random.choice(workload.options)
        needed[option.pool] += option.chips
    return Problem(found, tuple(_pool(kind, needed[kind.name], random) for kind in kinds))


def _kind(number: int, random: Random) -> _Kind:
    chip = CHIPS[number % len(CHIPS)]
    price = round(chip.price * random.uniform(0.85, 1.25), 4)
    billing = Billing.CHIP if number % 7 == 6 else Billing.NODE
    return _Kind(f"pool-{number:02d}", chip, price, billing)


def _pool(kind: _Kind, chips: int, random: Random) -> Pool:
    nodes = max(1, ceil(chips / FILL / kind.chip.node))
    committed = round(nodes * _COMMITTED_SHARE) if random.random() < 1 / 3 else 0
    room = Room(kind.chip.node, 12_000 * kind.chip.node, 230 * _GIB * kind.chip.node, 110)
    if kind.billing is Billing.CHIP:
        free = committed * kind.chip.node
        bucket = Bucket(room, nodes, 0.0)
        return Pool(kind.name, kind.chip.name, kind.billing, kind.price, kind.chip.node, (bucket,), free)
    price = round(kind.price * kind.chip.node, 4)
    buckets = (Bucket(room, nodes - committed, price), Bucket(room, committed, 0.0))
    some = tuple(bucket for bucket in buckets if bucket.count)
    return Pool(kind.name, kind.chip.name, kind.billing, price, kind.chip.node, some)


def _workload(number: int, kinds: list[_Kind], random: Random) -> Workload:
    work = random.lognormvariate(1.0, 0.9)
    size = random.choice((1, 1, 2, 2, 4))
    chosen = random.sample(kinds, min(len(kinds), 12, max(3, len(kinds) // 4)))
    home = random.choice(chosen).name if random.random() < _RUNNING_SHARE else None
    cpu, memory = random.choice((4, 8, 8, 12)), random.choice((64, 100, 100, 200))
    options = tuple(_option(kind, work, size, cpu, memory, home, random) for kind in chosen)
    return Workload(f"bench/w{number:05d}", random.choice(_PRIORITIES), options)


def _option(
    kind: _Kind, work: float, size: int, cpu: int, memory: int, home: str | None, random: Random
) -> Option:
    replicas = ceil(work * random.uniform(0.9, 1.1) / (kind.chip.speed * size))
    footprint = Footprint(size, cpu * 1000 * size, memory * _GIB * size)
    moves = home is not None and kind.name != home
    switching = replicas * size * kind.price * random.uniform(0.002, 0.02) if moves else 0.0
    return Option(kind.name, f"{kind.chip.name}-x{size}", replicas, footprint, round(switching, 6))
