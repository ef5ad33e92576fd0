"""What warm spare room costs: what a pool is billed with placeholders beside its workloads, less what it is billed without.

A placeholder takes free room of nodes that are kept anyway, and costs nothing there; else it keeps a node of its own. Those for which
there is no room beside the workloads wait, and cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chipwise.placement.billing import Bill, nodes_paid
from chipwise.placement.exact import cheapest
from chipwise.placement.instance import by_chip
from chipwise.placement.layout import lay_out
from chipwise.placement.plan import SpareUse
from chipwise.placement.problem import Footprint, Option, Pool, Problem, Spare


def spare_uses(problem: Problem, assignment: Mapping[str, Option], billed: Bill) -> tuple[SpareUse, ...]:
    """Of each pool that keeps spare room, in order of name, beside workloads placed as ``assignment`` says.

    Never below zero: where workloads hold every node there is, those that the placeholders had the first claim to are billed to them.
    """
    costs = {use.pool: use.cost_per_hour for use in billed.pools}
    found = []
    for pool in sorted(problem.pools, key=lambda pool: pool.name):
        if pool.spare is None:
            continue
        held: dict[Footprint, int] = {}
        for option in assignment.values():
            if option.pool == pool.name:
                held[option.footprint] = held.get(option.footprint, 0) + option.replicas
        kept, whole = Beside(pool, pool.spare, held).beside(held)
        cost = 0.0 if whole is None else round(max(0.0, whole - costs[pool.name]), 9)
        found.append(SpareUse(pool.name, pool.spare.replicas, kept, pool.spare.footprint.chips, cost))
    return tuple(found)


class Beside:
    """One pool and its placeholders, among replicas of ``footprints``."""

    def __init__(self, pool: Pool, spare: Spare, footprints: Iterable[Footprint]) -> None:
        self._pool = pool
        self._spare = spare
        self._layout = lay_out(pool, {*footprints, spare.footprint})

    def beside(self, held: Mapping[Footprint, int]) -> tuple[int, float | None]:
        """How many placeholders find room beside ``held``, and what all of it costs in dollars per hour; None if even that does not fit."""
        whole = self._bill(held, self._spare.replicas)
        if whole is not None:
            return self._spare.replicas, whole
        low, high = 0, self._spare.replicas
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._bill(held, middle) is not None else (low, middle)
        return low, self._bill(held, low)

    def _bill(self, held: Mapping[Footprint, int], placeholders: int) -> float | None:
        """None where they do not fit. What the placeholders had the first claim to costs nothing, whoever has it."""
        counts = tuple(
            held.get(footprint, 0) + (placeholders if footprint == self._spare.footprint else 0)
            for footprint in self._layout.footprints
        )
        packing = cheapest(self._layout, counts)
        if packing is None:
            return None
        pool, free = self._pool, self._spare.claims
        if by_chip(pool):
            chips = sum(n * f.chips for n, f in zip(counts, self._layout.footprints, strict=True))
            return pool.price_per_hour * max(0, chips - pool.committed_chips - free)
        return packing.price - pool.price_per_hour * min(free, nodes_paid(self._layout, packing))
