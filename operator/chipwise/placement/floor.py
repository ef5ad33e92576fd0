"""Who holds what in every pool at one moment, including both copies of what is moving, and what that is billed."""

from __future__ import annotations

from collections.abc import Iterable

from chipwise.placement.billing import pool_cost
from chipwise.placement.canonical import canonical
from chipwise.placement.exact import cheapest, fits
from chipwise.placement.instance import by_chip, layouts_of
from chipwise.placement.problem import Footprint, Problem
from chipwise.placement.rules import Running
from chipwise.placement.shortfall import nodes_missing
from chipwise.placement.spare import Beside

Holding = tuple[str, Footprint, int]


def held(running: Running) -> Holding | None:
    """(pool, footprint, replicas) of what runs now, as far as it is known; a bridge to where it is moving counts there."""
    if running.pool is None or running.footprint is None:
        return None
    replicas = running.replicas + (running.bridge if running.moving_to is None else 0)
    return (running.pool, running.footprint, replicas) if replicas else None


def occupied(running: Running) -> Holding | None:
    """The same as far as it has a node: what only waits for one is in nobody's way."""
    holding = held(running)
    if holding is None or running.bound is None:
        return holding
    return (*holding[:2], running.bound) if running.bound else None


class Floor:
    """A mutable picture of all pools. Holdings in pools that the problem does not know take nothing and cost nothing."""

    def __init__(self, problem: Problem, running: Iterable[Running]) -> None:
        problem = canonical(problem)
        more: dict[str, set[Footprint]] = {}
        for one in running:
            for pool, footprint in _footprints(one):
                more.setdefault(pool, set()).add(footprint)
        self._pools = {pool.name: pool for pool in problem.pools}
        self._layouts = layouts_of(problem, more)
        self._numbers = {
            name: {f: i for i, f in enumerate(layout.footprints)} for name, layout in self._layouts.items()
        }
        self._counts = {name: [0] * len(layout.footprints) for name, layout in self._layouts.items()}
        self._beside = {
            pool.name: Beside(pool, pool.spare, self._numbers[pool.name])
            for pool in problem.pools
            if pool.spare is not None
        }

    def add(self, holding: Holding | None, sign: int = 1) -> None:
        """Add a holding, or with ``sign`` -1 take it away."""
        if holding is not None and holding[0] in self._pools:
            pool, footprint, replicas = holding
            self._counts[pool][self._numbers[pool][footprint]] += sign * replicas

    def fits(self, pool: str) -> bool:
        """Whether what the pool holds fits its nodes."""
        return pool in self._pools and fits(self._layouts[pool], tuple(self._counts[pool]))

    def missing(self, pool: str) -> int | None:
        """How many whole nodes the pool lacks for what it holds; None if no number would do or it is unknown."""
        if pool not in self._pools:
            return None
        counts = tuple(self._counts[pool])
        return nodes_missing(self._pools[pool], self._layouts[pool], counts, sum(counts))

    def cost(self, pools: Iterable[str | None]) -> float:
        """The bill of some pools in dollars per hour, with what they keep warm; nodes beyond those there are cost the list price.

        So a node that a placeholder keeps, or has waited for, is not saved by who leaves it.
        """
        return sum(
            self._cost(name) for name in sorted({p for p in pools if p is not None and p in self._pools})
        )

    def _cost(self, name: str) -> float:
        pool, layout, counts = self._pools[name], self._layouts[name], tuple(self._counts[name])
        chips = sum(n * f.chips for n, f in zip(counts, layout.footprints, strict=True))
        packing = cheapest(layout, counts)
        if packing is not None:
            whole = self._with_spare(name, counts)
            return pool_cost(pool, packing, chips) if whole is None else whole
        if by_chip(pool):
            return pool.price_per_hour * max(0, chips - pool.committed_chips)
        most = sum(counts)
        bought = sum(bucket.price_per_hour * bucket.count for bucket in pool.buckets)
        return bought + pool.price_per_hour * (nodes_missing(pool, layout, counts, most) or most)

    def _with_spare(self, name: str, counts: tuple[int, ...]) -> float | None:
        beside = self._beside.get(name)
        return (
            None if beside is None else beside.beside(dict(zip(self._numbers[name], counts, strict=True)))[1]
        )


def _footprints(running: Running) -> list[tuple[str, Footprint]]:
    found = []
    if running.pool is not None and running.footprint is not None:
        found.append((running.pool, running.footprint))
    if running.moving_to is not None:
        found.append((running.moving_to.pool, running.moving_to.footprint))
    return found
