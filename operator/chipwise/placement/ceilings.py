"""Nodes to come that pools share under ceilings, shared out: with its own share each pool is packed and billed as if it had no other.

The program knows the ceilings themselves and so weighs all the ways to share. Everything else (rounding, repair, the bill, moves and what
they are promised) works within one of them, so that pools together never open more nodes than there may be. Nodes that nobody needs yet go
first to pools that need some, then to the others by price, one after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import floor

from chipwise.placement.instance import Instance, book
from chipwise.placement.layout import lay_out
from chipwise.placement.problem import Bucket, Pool, Problem

_EPSILON = 1e-6

Grant = tuple[int, ...]
"""Nodes to come of each pool of an instance."""


def nodes_to_come(pool: Pool) -> int:
    """How many a pool may have, or was granted."""
    return sum(bucket.count for bucket in pool.buckets if bucket.to_come)


def shared_out(instance: Instance, wanted: Sequence[float]) -> Grant:
    """A grant under all ceilings, as near as can be to the nodes ``wanted`` of each pool, which may be fractions; then all that is left."""
    shares = _Shares(instance)
    for p, nodes in enumerate(wanted):
        shares.give(p, floor(nodes + _EPSILON))
    part = [nodes - floor(nodes + _EPSILON) for nodes in wanted]
    for p in sorted(shares.pools, key=lambda p: (-part[p], p)):
        if part[p] > _EPSILON:
            shares.give(p, 1)
    by_price = sorted(shares.pools, key=lambda p: (instance.pools[p].price_per_chip, p))
    shares.give_all([p for p in by_price if wanted[p] > _EPSILON])
    shares.give_all(by_price)
    return tuple(shares.given)


class _Shares:
    """What has been given so far; pools under no ceiling have all they may."""

    def __init__(self, instance: Instance) -> None:
        self.most = [nodes_to_come(pool) for pool in instance.pools]
        self.left = [amount for amount, _ in instance.ceilings]
        self.takes: dict[int, list[tuple[int, int]]] = {}
        for ceiling, (_, each) in enumerate(instance.ceilings):
            for p, amount in each:
                self.takes.setdefault(p, []).append((ceiling, amount))
        self.given = [0 if p in self.takes else most for p, most in enumerate(self.most)]

    @property
    def pools(self) -> list[int]:
        return sorted(self.takes)

    def give(self, p: int, nodes: int) -> bool:
        """So many more, or as many as there are."""
        if p not in self.takes:
            return False
        fitting = [self.left[ceiling] // amount for ceiling, amount in self.takes[p] if amount]
        nodes = min(nodes, self.most[p] - self.given[p], *fitting)
        if nodes <= 0:
            return False
        self.given[p] += nodes
        for ceiling, amount in self.takes[p]:
            self.left[ceiling] -= nodes * amount
        return True

    def give_all(self, pools: Sequence[int]) -> None:
        """One to each in turn, until none can have more."""
        able = list(pools)
        while able:
            able = [p for p in able if self.give(p, 1)]


def within(instance: Instance, grant: Grant) -> Instance:
    """The instance with no more nodes to come than were granted, and without ceilings. Seats, levels and groups keep their numbers."""
    if not instance.ceilings:
        return instance
    pools, layouts, books = list(instance.pools), list(instance.layouts), list(instance.books)
    for p in _under(instance.ceilings):
        pools[p] = _cut(pools[p], grant[p])
        layouts[p] = lay_out(pools[p], layouts[p].footprints)
        books[p] = book(layouts[p], instance.most[p])
    return replace(instance, pools=tuple(pools), layouts=tuple(layouts), books=tuple(books), ceilings=())


def granted(problem: Problem, grants: Mapping[str, int]) -> Problem:
    """The same of a problem; ``grants`` are those of a plan, by pool. Pools that are not there keep what they have."""
    pools = tuple(_cut(pool, grants[pool.name]) if pool.name in grants else pool for pool in problem.pools)
    return replace(problem, pools=pools, ceilings=())


def nobody_s(instance: Instance) -> tuple[tuple[str, int], ...]:
    """What pools are granted where nobody needs a node, by name."""
    shared = within(instance, shared_out(instance, [0.0] * len(instance.pools)))
    return grants_of(instance, shared.pools)


def grants_of(instance: Instance, pools: Sequence[Pool]) -> tuple[tuple[str, int], ...]:
    """What ``pools``, those of the instance within a grant, were granted, by name, where there are ceilings over them."""
    return tuple((pools[p].name, nodes_to_come(pools[p])) for p in sorted(_under(instance.ceilings)))


def _under(ceilings: Iterable[tuple[int, Iterable[tuple[int, int]]]]) -> set[int]:
    return {p for _, each in ceilings for p, _ in each}


def _cut(pool: Pool, nodes: int) -> Pool:
    """The cheapest first. Buckets stay, even empty: how replicas pack depends on the roomiest."""
    buckets: list[Bucket] = []
    for bucket in sorted(pool.buckets, key=lambda bucket: bucket.price_per_hour):
        count = min(bucket.count, nodes) if bucket.to_come else bucket.count
        nodes -= count if bucket.to_come else 0
        buckets.append(replace(bucket, count=count))
    return replace(pool, buckets=tuple(sorted(buckets)))
