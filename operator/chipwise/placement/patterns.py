"""All the ways to fill one node, with which the fewest nodes for given replicas follow exactly, however many nodes there are.

A pattern says how many replicas of each size one node holds; only those count to which nothing can be added. Any packing is so many
nodes of each pattern (Gilmore and Gomory 1961), so a program over these numbers is true bin packing, in chips, CPU, memory and pods at
once. There are few patterns where there are few replicas, or few sizes. Beyond a limit the list is not made, and nothing is claimed.

A resource that can never run out before the chips do is left out, and footprints that are then the same are one size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from chipwise.placement.inplace import holds, less
from chipwise.placement.problem import Bucket, Footprint, Room

#: Patterns of one pool, and steps of the search for them, beyond which its list is not made.
MOST_PATTERNS = 1_000
_STEPS = 10_000

Pattern = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """``count`` nodes that can be filled in the same ways at the same price, all there or all ``to_come``."""

    price: float
    count: int
    patterns: tuple[Pattern, ...]
    to_come: bool = False


@dataclass(frozen=True, slots=True)
class Book:
    """The patterns of one pool. ``size_of`` has for each footprint the place in a pattern that counts it, -1 for one never asked for."""

    size_of: tuple[int, ...]
    kinds: tuple[Kind, ...]


@dataclass(slots=True)
class _Listing:
    """The search of one room. ``steps`` are those left."""

    sizes: Sequence[Footprint]
    most: Sequence[int]
    steps: int
    found: list[Pattern] = field(default_factory=list)

    def fill(self, room: Room, pattern: Pattern) -> bool:
        """List all that begins with ``pattern`` and has ``room`` left; False when there are too many."""
        self.steps -= 1
        if self.steps < 0 or len(self.found) > MOST_PATTERNS:
            return False
        place = len(pattern)
        if place == len(self.sizes):
            if not any(
                n < most and holds(room, size)
                for n, most, size in zip(pattern, self.most, self.sizes, strict=True)
            ):
                self.found.append(pattern)
            return True
        size = self.sizes[place]
        highest = min(self.most[place], holds(room, size))
        lowest = highest if place == len(self.sizes) - 1 else 0
        return all(
            self.fill(less(room, size, n) if n else room, (*pattern, n))
            for n in range(highest, lowest - 1, -1)
        )


def book_of(kinds: Sequence[Bucket], footprints: Sequence[Footprint], most: Sequence[int]) -> Book | None:
    """The patterns of a pool's ``kinds`` of nodes for at most ``most`` replicas of each footprint; None if there are too many."""
    binding = _binding(kinds, footprints)
    asked: dict[Footprint, int] = {}
    for footprint, replicas in zip(footprints, most, strict=True):
        if replicas:
            size = _seen(footprint, binding)
            asked[size] = asked.get(size, 0) + replicas
    sizes = sorted(asked, reverse=True)
    merged: dict[tuple[float, tuple[Pattern, ...], bool], int] = {}
    steps, patterns = _STEPS, 0
    known: dict[Room, tuple[Pattern, ...]] = {}
    for kind in kinds:
        if kind.room not in known:
            listing = _Listing(sizes, [asked[size] for size in sizes], steps)
            if not listing.fill(kind.room, ()):
                return None
            steps = listing.steps
            known[kind.room] = tuple(pattern for pattern in listing.found if any(pattern))
        key = (kind.price_per_hour, known[kind.room], kind.to_come)
        if not key[1]:
            continue
        patterns += len(key[1]) if key not in merged else 0
        if patterns > MOST_PATTERNS:
            return None
        merged[key] = merged.get(key, 0) + kind.count
    places = {size: place for place, size in enumerate(sizes)}
    return Book(
        tuple(
            places[_seen(footprint, binding)] if replicas else -1
            for footprint, replicas in zip(footprints, most, strict=True)
        ),
        tuple(Kind(price, count, found, coming) for (price, found, coming), count in merged.items()),
    )


def _binding(kinds: Sequence[Bucket], footprints: Sequence[Footprint]) -> tuple[bool, bool]:
    """Whether CPU and memory can run out on some node while chips are left."""
    pairs = [(kind.room, footprint) for kind in kinds for footprint in footprints]
    return (
        any(_scarce(f.cpu_milli, room.cpu_milli, f.chips, room.chips) for room, f in pairs),
        any(_scarce(f.memory_bytes, room.memory_bytes, f.chips, room.chips) for room, f in pairs),
    )


def _scarce(want: int, have: int, chips: int, of_chips: int) -> bool:
    """Per chip more than the node has. What takes no chips may take no other resource either, or it could run out first."""
    return want * of_chips > have * chips or (want > 0 and not chips)


def _seen(footprint: Footprint, binding: tuple[bool, bool]) -> Footprint:
    cpu, memory = binding
    return Footprint(
        footprint.chips, footprint.cpu_milli if cpu else 0, footprint.memory_bytes if memory else 0
    )
