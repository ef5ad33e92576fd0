"""Packing that leaves what stands where it stands and puts the rest into what is left.

The rules of ``layout`` are closed formulas over any replicas, and refuse some mixes that real nodes hold. What runs is proof of itself:
with everybody in place it fits. So where the formulas are not exact this way is tried as well. For replicas of one more footprint it is
exact; for several it is first fit by decreasing size into the fullest node that takes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chipwise.placement.problem import Footprint, Pool, Room


@dataclass(frozen=True, slots=True)
class Lot:
    """Nodes alike in room, price and what stands on them: so many replicas of each footprint of the layout."""

    room: Room
    price: float
    count: int
    standing: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stand:
    """Nodes used, those among them that cost something, and what they cost in dollars per hour."""

    nodes: int
    paid: int
    price: float


@dataclass(slots=True)
class _Node:
    lot: Lot
    room: Room


def lots_of(pool: Pool, footprints: Sequence[Footprint]) -> tuple[Lot, ...]:
    """All nodes of a pool. Replicas of footprints that are not asked about stand nowhere."""
    numbers = {footprint: f for f, footprint in enumerate(footprints)}
    left = {(bucket.room, bucket.price_per_hour): 0 for bucket in pool.buckets}
    for bucket in pool.buckets:
        left[bucket.room, bucket.price_per_hour] += bucket.count
    found: dict[tuple[Room, float, tuple[int, ...]], int] = {}
    for node in pool.standing:
        place = (node.room, node.price_per_hour)
        if not left.get(place):
            continue
        left[place] -= 1
        counts = [0] * len(footprints)
        for footprint, replicas in node.replicas:
            if footprint in numbers:
                counts[numbers[footprint]] = replicas
        key = (*place, tuple(counts))
        found[key] = found.get(key, 0) + 1
    for (room, price), count in left.items():
        if count:
            key = (room, price, (0,) * len(footprints))
            found[key] = found.get(key, 0) + count
    lots = [Lot(room, price, count, standing) for (room, price, standing), count in found.items()]
    return tuple(sorted(lots, key=lambda lot: (-sum(lot.standing), lot.price, lot.room, lot.standing)))


def stand(lots: Sequence[Lot], footprints: Sequence[Footprint], counts: Sequence[int]) -> Stand | None:
    """Place ``counts`` replicas of each footprint, or None."""
    left = list(counts)
    used, spare = _kept(lots, footprints, left)
    for f in sorted(range(len(footprints)), key=lambda f: (-footprints[f].chips, footprints[f])):
        if left[f] and not _fill(used, spare, footprints[f], left[f]):
            return None
    paid = [node.lot.price for node in used if node.lot.price]
    return Stand(len(used), len(paid), sum(paid))


def _kept(
    lots: Sequence[Lot], footprints: Sequence[Footprint], left: list[int]
) -> tuple[list[_Node], list[tuple[Lot, int]]]:
    """Who stays in place, taken off ``left``; and the nodes on which nobody does."""
    used: list[_Node] = []
    spare: list[tuple[Lot, int]] = []
    for lot in lots:
        empty = lot.count
        for _ in range(lot.count if any(lot.standing) else 0):
            node = _Node(lot, lot.room)
            for f, standing in enumerate(lot.standing):
                stays = min(left[f], standing)
                if stays:
                    left[f] -= stays
                    node.room = less(node.room, footprints[f], stays)
            if node.room is not lot.room:
                used.append(node)
                empty -= 1
        if empty:
            spare.append((lot, empty))
    return used, spare


def _fill(used: list[_Node], spare: list[tuple[Lot, int]], footprint: Footprint, replicas: int) -> bool:
    """Into the fullest nodes in use first, then into the cheapest others, the roomiest first."""
    for node in sorted(used, key=lambda node: node.room):
        here = min(replicas, holds(node.room, footprint))
        if here:
            node.room = less(node.room, footprint, here)
            replicas -= here
    order = sorted(
        range(len(spare)), key=lambda i: (spare[i][0].price, -holds(spare[i][0].room, footprint), i)
    )
    for i in order:
        lot, empty = spare[i]
        each = holds(lot.room, footprint)
        while replicas and empty and each:
            here = min(replicas, each)
            used.append(_Node(lot, less(lot.room, footprint, here)))
            replicas, empty = replicas - here, empty - 1
        spare[i] = (lot, empty)
    return not replicas


def holds(room: Room, footprint: Footprint) -> int:
    """How many replicas fit beside what ``room`` no longer counts."""
    counts = [room.pods]
    if footprint.chips:
        counts.append(room.chips // footprint.chips)
    if footprint.cpu_milli:
        counts.append(room.cpu_milli // footprint.cpu_milli)
    if footprint.memory_bytes:
        counts.append(room.memory_bytes // footprint.memory_bytes)
    return max(0, min(counts))


def less(room: Room, footprint: Footprint, replicas: int) -> Room:
    """What is left of a node."""
    return Room(
        room.chips - replicas * footprint.chips,
        room.cpu_milli - replicas * footprint.cpu_milli,
        room.memory_bytes - replicas * footprint.memory_bytes,
        room.pods - replicas,
    )
