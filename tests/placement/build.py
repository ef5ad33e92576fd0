"""Builders and a brute force: small problems in few words, and the one right answer by trying everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import product

import pytest
from chipwise.placement import exact, patterns
from chipwise.placement.plan import Plan
from chipwise.placement.problem import (
    Billing,
    Bucket,
    Footprint,
    Limit,
    Option,
    Pool,
    Problem,
    Room,
    Workload,
)
from hypothesis import strategies as st

GIB = 2**30
EIGHT = Room(8, 96_000, 1024 * GIB, 110)


def footprint(chips: int, cpu: int | None = None, memory: int | None = None) -> Footprint:
    """In proportion to ``EIGHT`` unless said otherwise: 12 CPU and 128 GiB a chip. ``cpu`` in cores, ``memory`` in GiB."""
    return Footprint(
        chips, (12 * chips if cpu is None else cpu) * 1000, (128 * chips if memory is None else memory) * GIB
    )


def node_pool(name: str, nodes: int, price: float = 8.0, free: int = 0, room: Room = EIGHT) -> Pool:
    """``nodes`` paid nodes and ``free`` ones that cost nothing."""
    buckets = (Bucket(room, nodes, price), Bucket(room, free, 0.0))
    return Pool(name, f"class-{name}", Billing.NODE, price, room.chips, tuple(b for b in buckets if b.count))


def chip_pool(name: str, chips: int, price: float = 1.0, committed: int = 0) -> Pool:
    """Billed by the chip, in nodes of one chip."""
    room = Room(1, 12_000, 128 * GIB, 110)
    return Pool(name, f"class-{name}", Billing.CHIP, price, 1, (Bucket(room, chips, 0.0),), committed)


def option(
    pool: str,
    replicas: int = 1,
    chips: int = 1,
    switching: float = 0.0,
    usage: tuple[tuple[str, int], ...] = (),
    variant: str = "",
) -> Option:
    return Option(pool, variant or f"{pool}-x{chips}", replicas, footprint(chips), switching, usage)


def workload(name: str, *options: Option, priority: int = 0) -> Workload:
    return Workload(f"prod/{name}", priority, options, mean_output_tokens_per_second=1000.0)


def problem(workloads: Sequence[Workload], pools: Sequence[Pool], limits: Sequence[Limit] = ()) -> Problem:
    return Problem(tuple(workloads), tuple(pools), tuple(limits))


def assignment(plan: Plan) -> dict[str, Option]:
    return {choice.workload: choice.option for choice in plan.choices if choice.option is not None}


def assignments(question: Problem) -> Iterator[dict[str, Option]]:
    """Every way to give each workload one of its options or none."""
    ways = [(*w.options, None) for w in question.workloads]
    for chosen in product(*ways):
        yield {w.key: one for w, one in zip(question.workloads, chosen, strict=True) if one is not None}


def within_limits(question: Problem, assignment: dict[str, Option]) -> bool:
    used: dict[str, int] = {}
    for one in assignment.values():
        for key, amount in one.usage:
            used[key] = used.get(key, 0) + amount
    return all(used.get(limit.key, 0) <= limit.amount for limit in question.limits)


def placed_by_priority(question: Problem, assignment: dict[str, Option]) -> tuple[int, ...]:
    """How many are placed at each priority, highest first."""
    levels = sorted({w.priority for w in question.workloads}, reverse=True)
    return tuple(
        sum(1 for w in question.workloads if w.priority == p and w.key in assignment) for p in levels
    )


class Bins:
    """True bin packing of one pool by trying everything: each node in turn takes any of the replicas that are left, or none.

    Written without a line of the product: what it says is what a person with all the time in the world would find.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        chips = pool.billing is Billing.CHIP
        self._nodes = [
            (bucket.room, 0.0 if chips else bucket.price_per_hour)
            for bucket in pool.buckets
            for _ in range(bucket.count)
        ]
        self._rest = cache(self._from)

    def cost(self, replicas: Mapping[Footprint, int]) -> float | None:
        """Dollars per hour of the cheapest nodes, or of the chips, that hold so many replicas of each footprint; None if none do."""
        nodes = self._rest(0, tuple(sorted((f, n) for f, n in replicas.items() if n)))
        if nodes is None or self._pool.billing is Billing.NODE:
            return nodes
        chips = sum(f.chips * n for f, n in replicas.items())
        return self._pool.price_per_hour * max(0, chips - self._pool.committed_chips)

    def _from(self, node: int, left: tuple[tuple[Footprint, int], ...]) -> float | None:
        """The least price of the nodes from this one on for what is left."""
        if not left:
            return 0.0
        if node == len(self._nodes):
            return None
        room, price = self._nodes[node]
        least: float | None = None
        for taken in product(*(range(n + 1) for _, n in left)):
            if not _holds(room, [(f, n) for (f, _), n in zip(left, taken, strict=True)]):
                continue
            rest = tuple((f, n - t) for (f, n), t in zip(left, taken, strict=True) if n > t)
            others = self._rest(node + 1, rest)
            if others is not None:
                cost = others + (price if any(taken) else 0.0)
                least = cost if least is None else min(least, cost)
        return least


def _holds(room: Room, replicas: Sequence[tuple[Footprint, int]]) -> bool:
    return (
        sum(f.chips * n for f, n in replicas) <= room.chips
        and sum(f.cpu_milli * n for f, n in replicas) <= room.cpu_milli
        and sum(f.memory_bytes * n for f, n in replicas) <= room.memory_bytes
        and sum(n for _, n in replicas) <= room.pods
    )


def true_cost(bins: Mapping[str, Bins], assignment: Mapping[str, Option]) -> float | None:
    """Dollars per hour of an assignment, each pool packed as well as can be; None where a pool does not hold it."""
    total = 0.0
    for name, pool in bins.items():
        replicas: dict[Footprint, int] = {}
        for one in assignment.values():
            if one.pool == name:
                replicas[one.footprint] = replicas.get(one.footprint, 0) + one.replicas
        cost = pool.cost(replicas)
        if cost is None:
            return None
        total += cost
    return total


def bins_of(question: Problem) -> dict[str, Bins]:
    return {pool.name: Bins(pool) for pool in question.pools}


def brute_force(question: Problem) -> tuple[tuple[int, ...], float]:
    """(placed by priority, objective) of the best assignment."""
    best: tuple[tuple[int, ...], float] | None = None
    bins = bins_of(question)
    for assignment in assignments(question):
        if not within_limits(question, assignment):
            continue
        placed = placed_by_priority(question, assignment)
        if best is not None and placed < best[0]:
            continue
        cost = true_cost(bins, assignment)
        if cost is None:
            continue
        objective = cost + sum(one.switching_cost_per_hour for one in assignment.values())
        if best is None or placed > best[0] or objective < best[1]:
            best = (placed, objective)
    assert best is not None
    return best


@contextmanager
def without_patterns() -> Iterator[None]:
    """As where a pool has too many of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patterns, "MOST_PATTERNS", -1)
        exact.forget()
        yield
    exact.forget()


any_room = st.one_of(
    st.sampled_from([Room(4, 48_000, 512 * GIB, 20), Room(2, 24_000, 256 * GIB, 20)]),
    st.builds(
        Room,
        st.integers(1, 8),
        st.sampled_from([8_000, 20_000, 48_000, 96_000]),
        st.sampled_from([64 * GIB, 256 * GIB, 1024 * GIB]),
        st.sampled_from([1, 2, 4, 20]),
    ),
)
any_footprint = st.one_of(
    st.builds(footprint, st.integers(1, 4)),
    st.builds(footprint, st.integers(1, 6), st.sampled_from([0, 4, 12, 30]), st.sampled_from([0, 16, 200])),
)


@st.composite
def pools(draw: st.DrawFn) -> tuple[Pool, ...]:
    """One to three small pools, billed either way, some with nodes that are free, partly taken, or short of CPU, memory or pods."""
    found = []
    for n in range(draw(st.integers(1, 3))):
        price = draw(st.sampled_from([0.5, 1.0, 2.5, 3.0]))
        if draw(st.integers(0, 2)) == 0:
            found.append(chip_pool(f"p{n}", draw(st.integers(1, 12)), price, draw(st.integers(0, 3))))
            continue
        buckets = tuple(
            Bucket(draw(any_room), draw(st.integers(1, 2)), draw(st.sampled_from([0.0, price * 4])))
            for _ in range(draw(st.integers(1, 3)))
        )
        found.append(Pool(f"p{n}", "c", Billing.NODE, price * 4, 4, buckets))
    return tuple(found)


@st.composite
def problems(draw: st.DrawFn, most: int = 5) -> Problem:
    """Small enough for brute force, with limits, priorities and switching costs.

    A few footprints meet in every pool, and most divide no node: three chips of eight, or more CPU or memory than their chips' share.
    """
    given = draw(pools())
    sizes = draw(st.lists(any_footprint, min_size=1, max_size=4, unique=True))
    options = st.builds(
        lambda pool, replicas, size, switching, usage: Option(
            pool, f"v{sizes.index(size)}", replicas, size, switching, (("quota", usage),)
        ),
        st.sampled_from([pool.name for pool in given]),
        st.integers(1, 3),
        st.sampled_from(sizes),
        st.sampled_from([0.0, 0.0, 0.3]),
        st.integers(0, 4),
    )
    count = draw(st.integers(1, most))
    workloads = tuple(
        Workload(f"ns/w{n}", draw(st.sampled_from([0, 0, 5])), tuple(draw(st.lists(options, max_size=3))))
        for n in range(count)
    )
    limits = (Limit("quota", draw(st.integers(0, 12))),) if draw(st.booleans()) else ()
    return Problem(workloads, given, limits)
