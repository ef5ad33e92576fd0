"""A partial assignment that can be changed one workload at a time, always within capacity and limits, with its bill at hand."""

from __future__ import annotations

from collections.abc import Sequence

from chipwise.placement.exact import cheapest, fits
from chipwise.placement.instance import Instance, Seat, by_chip
from chipwise.placement.layout import Layout
from chipwise.placement.packing import Packing, quick, quickly_fits, shared_nodes


class OverCapacityError(AssertionError):
    """Something was put that had not been asked whether it fits: a mistake in this package."""


class Occupancy:
    """Which option each workload has (-1: none) and what that takes of every pool and limit.

    ``quick`` packing decides what fits, so the state is always feasible, if sometimes dearer than need be with odd footprints.
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.chosen = [-1] * len(instance.workloads)
        self.usage = [[0] * len(layout.levels) for layout in instance.layouts]
        self.counts = [[0] * len(layout.footprints) for layout in instance.layouts]
        self.chips = [0] * len(instance.pools)
        self.limits = [0] * len(instance.limits)
        self.members: list[set[int]] = [set() for _ in instance.pools]
        self._bills = [0.0] * len(instance.pools)
        self._switching = 0.0
        self._by_chip = [by_chip(pool) for pool in instance.pools]

    @classmethod
    def loaded(cls, instance: Instance, chosen: Sequence[int]) -> Occupancy | None:
        """The state with these options, or None when they do not fit together."""
        state = cls(instance)
        for owner, index in enumerate(chosen):
            if index >= 0:
                seat = instance.seats[index]
                state._count(seat, 1)
                state.chosen[owner] = index
                state.members[seat.pool].add(owner)
        if any(used > amount for used, amount in zip(state.limits, instance.limits, strict=True)):
            return None
        for p, layout in enumerate(instance.layouts):
            packing = cheapest(layout, tuple(state.counts[p]))
            if packing is None:
                return None
            state._bills[p] = state._chip_bill(p, state.chips[p]) if state._by_chip[p] else packing.price
        return state

    def fits(self, seat: Seat) -> bool:
        """Whether this option fits beside all others; its own workload must have none."""
        for limit, amount in seat.limits:
            if self.limits[limit] + amount > self.instance.limits[limit]:
                return False
        layout = self.instance.layouts[seat.pool]
        if layout.formal:
            slots, used = seat.slots, self.usage[seat.pool]
            if slots is None:
                return False
            return all(u + s <= t for u, s, t in zip(used, slots, layout.total, strict=True))
        counts = self.counts[seat.pool].copy()
        counts[seat.footprint] += seat.replicas
        return quickly_fits(layout, counts)

    def truly_fits(self, seat: Seat) -> bool:
        """The same, with all the search that it takes."""
        if self.fits(seat):
            return True
        layout = self.instance.layouts[seat.pool]
        if layout.formal or any(self.limits[i] + n > self.instance.limits[i] for i, n in seat.limits):
            return False
        counts = self.counts[seat.pool].copy()
        counts[seat.footprint] += seat.replicas
        return fits(layout, tuple(counts))

    def put(self, seat: Seat) -> None:
        """Give the workload this option, which must fit."""
        self._change(seat, 1)
        self.chosen[seat.owner] = seat.index
        self.members[seat.pool].add(seat.owner)

    def take(self, owner: int) -> Seat | None:
        """Leave the workload without an option; returns the one it had."""
        index = self.chosen[owner]
        if index < 0:
            return None
        seat = self.instance.seats[index]
        self._change(seat, -1)
        self.chosen[owner] = -1
        self.members[seat.pool].discard(owner)
        return seat

    def added(self, seat: Seat) -> float:
        """Dollars per hour that this option, which must fit, adds to the bill, its switching cost included."""
        p = seat.pool
        if self._by_chip[p]:
            before, after = self._bills[p], self._chip_bill(p, self.chips[p] + seat.chips)
        else:
            before, after = self._bills[p], self._node_bill(p, seat, 1)
        return after - before + seat.switching

    def freed(self, seat: Seat) -> float:
        """Dollars per hour that leaving this option, which is held, takes off the bill, its switching cost included."""
        p = seat.pool
        if self._by_chip[p]:
            after = self._chip_bill(p, self.chips[p] - seat.chips)
        else:
            after = self._node_bill(p, seat, -1)
        return self._bills[p] - after + seat.switching

    def objective(self) -> float:
        """Bill plus switching costs in dollars per hour."""
        return sum(self._bills) + self._switching

    def settled(self) -> float:
        """The objective with every pool packed the cheapest way, in dollars per hour."""
        total = self._switching
        for p, layout in enumerate(self.instance.layouts):
            if self._by_chip[p] or layout.closed:
                total += self._bills[p]
            else:
                packing = cheapest(layout, tuple(self.counts[p]))
                total += self._bills[p] if packing is None else packing.price
        return total

    def left_out(self) -> tuple[int, ...]:
        """How many workloads of each priority, highest first, have no option."""
        counts = [0] * self.instance.rank_count
        for owner, index in enumerate(self.chosen):
            if index < 0:
                counts[self.instance.ranks[owner]] += 1
        return tuple(counts)

    def packings(self) -> list[Packing]:
        """How the replicas of each pool pack."""
        return [
            self._pack(layout, counts)
            for layout, counts in zip(self.instance.layouts, self.counts, strict=True)
        ]

    @staticmethod
    def _pack(layout: Layout, counts: list[int]) -> Packing:
        """Quick, or by search where the quick ways do not find what must exist."""
        packing = quick(layout, counts) or cheapest(layout, tuple(counts))
        if packing is None:
            raise OverCapacityError
        return packing

    def _change(self, seat: Seat, sign: int) -> None:
        p = seat.pool
        self._count(seat, sign)
        self._bills[p] = (
            self._chip_bill(p, self.chips[p]) if self._by_chip[p] else self._node_bill(p, seat, 0)
        )

    def _count(self, seat: Seat, sign: int) -> None:
        p = seat.pool
        self.counts[p][seat.footprint] += sign * seat.replicas
        self.chips[p] += sign * seat.chips
        self._switching += sign * seat.switching
        if seat.slots is not None:
            used = self.usage[p]
            for j, slot in enumerate(seat.slots):
                used[j] += sign * slot
        for limit, amount in seat.limits:
            self.limits[limit] += sign * amount

    def _chip_bill(self, p: int, chips: int) -> float:
        pool = self.instance.pools[p]
        return pool.price_per_hour * max(0, chips - pool.committed_chips)

    def _node_bill(self, p: int, seat: Seat, sign: int) -> float:
        layout = self.instance.layouts[p]
        if not layout.formal:
            counts = self.counts[p].copy()
            counts[seat.footprint] += sign * seat.replicas
            return self._pack(layout, counts).price
        usage = self.usage[p]
        if sign and seat.slots is not None:
            usage = [u + sign * s for u, s in zip(usage, seat.slots, strict=True)]
        nodes = shared_nodes(layout, usage)
        if nodes is None:
            raise OverCapacityError
        return sum(g.price * n for g, n in zip(layout.groups, nodes, strict=True) if n and g.price)
