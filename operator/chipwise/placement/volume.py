"""What any packing at all must keep to: laws that are necessary, never sufficient, so that breaking one proves that replicas do not fit.

Each law gives a replica a weight and a node a capacity such that no node can hold replicas of more weight than its capacity:

- the amounts of each resource themselves;
- for a size s, floor(amount / s): a sum of whole parts is at most the whole part of the sum (a dual feasible function: Lueker 1983;
  Fekete and Schepers 2001);
- one for each replica that asks for at least as much of everything as a given footprint: a node holds no more of them than of that one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chipwise.placement.inplace import holds
from chipwise.placement.problem import Bucket, Footprint, Room

#: Of each resource at most so many sizes make a law, the largest.
_SIZES = 8
_EPSILON = 1e-9


@dataclass(frozen=True, slots=True)
class Law:
    """``weights`` of one replica of each footprint, ``capacities`` of one node of each kind, and of ``all`` nodes together."""

    weights: tuple[int, ...]
    capacities: tuple[int, ...]
    all: int


def laws_of(kinds: Sequence[Bucket], footprints: Sequence[Footprint]) -> tuple[Law, ...]:
    """The laws of nodes of these ``kinds`` for these ``footprints``."""
    asked = [_asked(footprint) for footprint in footprints]
    given = [_given(kind.room) for kind in kinds]
    found: dict[tuple[tuple[int, ...], tuple[int, ...]], None] = {}
    for r in range(4):
        amounts, rooms = tuple(a[r] for a in asked), tuple(max(0, g[r]) for g in given)
        found[amounts, rooms] = None
        for size in sorted({a for a in amounts if a}, reverse=True)[:_SIZES]:
            found[tuple(a // size for a in amounts), tuple(room // size for room in rooms)] = None
    for footprint, least in zip(footprints, asked, strict=True):
        weights = tuple(int(all(one >= other for one, other in zip(a, least, strict=True))) for a in asked)
        found[weights, tuple(holds(kind.room, footprint) for kind in kinds)] = None
    counts = [kind.count for kind in kinds]
    return tuple(
        Law(weights, rooms, sum(n * room for n, room in zip(counts, rooms, strict=True)))
        for weights, rooms in found
        if any(weights)
    )


def _asked(footprint: Footprint) -> tuple[int, int, int, int]:
    return (footprint.chips, footprint.cpu_milli, footprint.memory_bytes, 1)


def _given(room: Room) -> tuple[int, int, int, int]:
    return (room.chips, room.cpu_milli, room.memory_bytes, room.pods)


def _weight(law: Law, counts: Sequence[int]) -> int:
    return sum(weight * n for weight, n in zip(law.weights, counts, strict=True) if n)


def exceeded(laws: Iterable[Law], counts: Sequence[int]) -> bool:
    """Whether ``counts`` replicas of each footprint cannot fit, for certain."""
    return any(_weight(law, counts) > law.all for law in laws)


def least_price(kinds: Sequence[Bucket], laws: Iterable[Law], counts: Sequence[int]) -> float:
    """Dollars per hour below which no packing of ``counts`` can be: so many nodes at least, each as cheap as there are."""
    free = [k for k, kind in enumerate(kinds) if not kind.price_per_hour]
    paid = [k for k, kind in enumerate(kinds) if kind.price_per_hour]
    nodes = 0
    for law in laws:
        need = _weight(law, counts) - sum(law.capacities[k] * kinds[k].count for k in free)
        taken = 0
        for k in sorted(paid, key=lambda k: -law.capacities[k]):
            each = law.capacities[k]
            if need <= 0 or not each:
                break
            some = min(kinds[k].count, -(-need // each))
            taken, need = taken + some, need - some * each
        nodes = max(nodes, taken)
    price = 0.0
    for k in sorted(paid, key=lambda k: kinds[k].price_per_hour):
        some = min(nodes, kinds[k].count)
        price, nodes = price + some * kinds[k].price_per_hour, nodes - some
    return price - _EPSILON
