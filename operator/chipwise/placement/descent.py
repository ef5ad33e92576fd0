"""Lowering the bill of a rounded assignment by moving single workloads, on a slope that is tilted step by step into the real bill.

The bill is a staircase: no single move seems to help until a node is empty. So nodes in part use are first charged in part, to the power
of an exponent that falls from nearly 1 (the relaxation's view, a smooth slope) to 0 (the bill). On the way it pays to fill nodes and to
empty those that hold least. Nodes of pools that are full are charged with what the relaxation says their scarcity is worth, so that
their chips go to those who need them. The whole is repeated from where it ended, and the best assignment seen is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chipwise.placement.instance import Instance, Seat, by_chip
from chipwise.placement.layout import Layout
from chipwise.placement.occupancy import Occupancy

_EPSILON = 1e-9
_EXPONENTS = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.0)
#: The first exponents of the sweeps: a little unlike, so that they end in different places.
_STARTS = (0.98, 1.0, 0.96, 0.98, 1.0)
_PASSES = 3
#: How many options beside those that the relaxation likes best are looked at.
_ALTERNATIVES = 1_000


@dataclass(frozen=True, slots=True)
class Guide:
    """What the relaxation tells: the reduced cost of each option, and for each pool the worth of a node of each paid group."""

    reduced_costs: Sequence[float]
    worth: Sequence[dict[int, float]]


def descend(occupancy: Occupancy, guide: Guide) -> None:
    """Leave ``occupancy`` in the cheapest state found."""
    slope = _Slope(occupancy, guide)
    best, least = occupancy.chosen.copy(), occupancy.objective()
    for start in _STARTS:
        for exponent in (start, *_EXPONENTS):
            slope.settle(exponent)
        objective = occupancy.objective()
        if objective >= least - _EPSILON:
            continue
        best, least = occupancy.chosen.copy(), objective
    _become(occupancy, best)


def _become(occupancy: Occupancy, chosen: Sequence[int]) -> None:
    changed = [owner for owner, index in enumerate(chosen) if occupancy.chosen[owner] != index]
    for owner in changed:
        occupancy.take(owner)
    for owner in changed:
        if chosen[owner] >= 0:
            occupancy.put(occupancy.instance.seats[chosen[owner]])


class _Slope:
    """The tilted bill. Pools with odd footprints are left alone: their nodes have no formula."""

    def __init__(self, occupancy: Occupancy, guide: Guide) -> None:
        instance = occupancy.instance
        self._occupancy = occupancy
        self._guide = guide
        self._by_chip = [by_chip(pool) for pool in occupancy.instance.pools]
        even = [
            (owner, [seat for seat in seats if instance.layouts[seat.pool].formal])
            for owner, seats in _movable(instance, guide)
        ]
        self._movable = [(owner, seats) for owner, seats in even if seats]
        self._exponent = 0.0
        self._heights: list[float] = []

    def settle(self, exponent: float) -> None:
        """Move single workloads while that goes down at this tilt, a few times round."""
        self._exponent = exponent
        self._heights = [self._height(p) for p in range(len(self._by_chip))]
        for _ in range(_PASSES):
            if not sum([self._step(owner, seats) for owner, seats in self._movable]):
                return

    def _step(self, owner: int, seats: Sequence[Seat]) -> bool:
        index = self._occupancy.chosen[owner]
        if index < 0:
            return False
        held = self._occupancy.instance.seats[index]
        if not self._occupancy.instance.layouts[held.pool].formal:
            return False
        least = self._heights[held.pool] - self._height(held.pool, held, -1) + held.switching - _EPSILON
        best = None
        for seat in seats:
            if seat.pool == held.pool or not self._fits(seat, held):
                continue
            cost = self._height(seat.pool, seat, 1) - self._heights[seat.pool] + seat.switching
            if cost < least:
                best, least = seat, cost
        if best is None:
            return False
        self._occupancy.take(owner)
        self._occupancy.put(best)
        for p in (held.pool, best.pool):
            self._heights[p] = self._height(p)
        return True

    def _fits(self, seat: Seat, held: Seat) -> bool:
        occupancy, layout = self._occupancy, self._occupancy.instance.layouts[seat.pool]
        if seat.slots is None:
            return False
        for used, slots, total in zip(occupancy.usage[seat.pool], seat.slots, layout.total, strict=True):
            if used + slots > total:
                return False
        if not seat.limits:
            return True
        mine = dict(held.limits)
        return all(
            occupancy.limits[limit] - mine.get(limit, 0) + amount <= occupancy.instance.limits[limit]
            for limit, amount in seat.limits
        )

    def _height(self, p: int, seat: Seat | None = None, sign: int = 0) -> float:
        """The tilted bill of a pool as it is, or with ``seat`` added (1) or taken away (-1)."""
        occupancy = self._occupancy
        layout = occupancy.instance.layouts[p]
        if not layout.formal:
            return 0.0
        if self._by_chip[p]:
            pool = occupancy.instance.pools[p]
            chips = occupancy.chips[p] + (sign * seat.chips if seat else 0)
            return pool.price_per_hour * max(0, chips - pool.committed_chips)
        usage = occupancy.usage[p]
        if seat is not None and seat.slots is not None:
            usage = [used + sign * slots for used, slots in zip(usage, seat.slots, strict=True)]
        return tilted(layout, usage, self._guide.worth[p] if self._exponent else {}, self._exponent)


def tilted(layout: Layout, usage: Sequence[int], worth: dict[int, float], exponent: float) -> float:
    """What ``usage`` slots cost when a node in part use costs that part to the power of ``exponent``; 0 is the bill."""
    left = [used - free for used, free in zip(usage, layout.free, strict=True)]
    cost = 0.0
    for g, group in enumerate(layout.groups):
        if not group.price:
            continue
        need = 0.0
        for want, floor in zip(left, group.floors, strict=True):
            if want > 0:
                need = max(need, want / floor if floor else float(group.count))
        if need <= 0.0:
            break
        price = worth.get(g, group.price)
        if need >= group.count:
            cost += price * group.count
            left = [want - group.count * floor for want, floor in zip(left, group.floors, strict=True)]
            continue
        whole = int(need)
        part = need - whole
        return cost + price * (whole + (part**exponent if part > _EPSILON else 0.0))
    return cost


def candidates(instance: Instance, guide: Guide) -> list[int]:
    """Name the workloads with more than one option worth looking at."""
    return [owner for owner, _ in _movable(instance, guide)]


def _movable(instance: Instance, guide: Guide) -> list[tuple[int, list[Seat]]]:
    costs = guide.reduced_costs
    regrets = []
    for seats in instance.of:
        least = min(costs[seat.index] for seat in seats)
        regrets += [(costs[seat.index] - least, seat.index) for seat in seats]
    regrets.sort()
    kept = {index for _, index in regrets[: len(instance.of) + _ALTERNATIVES]}
    liked = [[seat for seat in seats if seat.index in kept] for seats in instance.of]
    return [(owner, seats) for owner, seats in enumerate(liked) if len(seats) > 1]
