"""A canonical problem as numbered options, laid-out pools and numbered limits: what the program and the rounding both read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chipwise.placement.layout import Layout, lay_out
from chipwise.placement.patterns import Book, book_of
from chipwise.placement.problem import Billing, Footprint, Option, Pool, Problem, Workload


@dataclass(frozen=True, slots=True)
class Seat:
    """One option of one workload by numbers. ``slots`` is what all its replicas take of each level, None if they cannot share."""

    index: int
    owner: int
    pool: int
    footprint: int
    replicas: int
    chips: int
    slots: tuple[int, ...] | None
    limits: tuple[tuple[int, int], ...]
    switching: float
    option: Option


@dataclass(frozen=True, slots=True)
class Instance:
    """``workloads`` are those with an option. ``ranks`` are their priorities as 0 for the highest; ``of`` the seats of each.

    ``books`` has the patterns of the nodes of each pool, None where a formula does, or where they are too many. ``ceilings`` are amounts
    with what a node to come of each pool takes of them. ``most`` are the replicas of each footprint that could be wanted in each pool.
    """

    workloads: tuple[Workload, ...]
    ranks: tuple[int, ...]
    rank_count: int
    of: tuple[tuple[Seat, ...], ...]
    seats: tuple[Seat, ...]
    pools: tuple[Pool, ...]
    layouts: tuple[Layout, ...]
    limits: tuple[int, ...]
    books: tuple[Book | None, ...]
    ceilings: tuple[tuple[int, tuple[tuple[int, int], ...]], ...] = ()
    ceiling_keys: tuple[str, ...] = ()
    most: tuple[tuple[int, ...], ...] = ()

    @property
    def exact(self) -> bool:
        """Whether it is known of every pool what fits there, by a formula or by all the patterns of its nodes."""
        return all(self.known(p) for p in range(len(self.pools)))

    def known(self, p: int) -> bool:
        """The same of one pool."""
        return self.layouts[p].formal or self.books[p] is not None


def layouts_of(problem: Problem, more: dict[str, set[Footprint]] | None = None) -> dict[str, Layout]:
    """The layout of each pool for every footprint among the options, and ``more`` by pool."""
    footprints: dict[str, set[Footprint]] = {pool.name: set() for pool in problem.pools}
    for workload in problem.workloads:
        for option in workload.options:
            footprints[option.pool].add(option.footprint)
    for pool, others in (more or {}).items():
        if pool in footprints:
            footprints[pool] |= others
    return {pool.name: lay_out(pool, footprints[pool.name]) for pool in problem.pools}


def number(problem: Problem) -> Instance:
    """The instance of a canonical problem."""
    workloads = tuple(w for w in problem.workloads if w.options)
    by_name = layouts_of(problem)
    layouts = tuple(by_name[pool.name] for pool in problem.pools)
    pool_numbers = {pool.name: p for p, pool in enumerate(problem.pools)}
    footprint_numbers = [{f: i for i, f in enumerate(layout.footprints)} for layout in layouts]
    limit_numbers = {limit.key: i for i, limit in enumerate(problem.limits)}
    ranks = {priority: r for r, priority in enumerate(sorted({w.priority for w in workloads}, reverse=True))}
    seats: list[Seat] = []
    of: list[tuple[Seat, ...]] = []
    for owner, workload in enumerate(workloads):
        start = len(seats)
        for option in workload.options:
            p = pool_numbers[option.pool]
            f = footprint_numbers[p][option.footprint]
            slots = layouts[p].slots[f]
            seats.append(
                Seat(
                    index=len(seats),
                    owner=owner,
                    pool=p,
                    footprint=f,
                    replicas=option.replicas,
                    chips=option.chips,
                    slots=None if slots is None else tuple(option.replicas * s for s in slots),
                    limits=tuple((limit_numbers[k], n) for k, n in option.usage if n and k in limit_numbers),
                    switching=option.switching_cost_per_hour,
                    option=option,
                )
            )
        of.append(tuple(seats[start:]))
    most = _most(layouts, of)
    return Instance(
        workloads=workloads,
        ranks=tuple(ranks[w.priority] for w in workloads),
        rank_count=len(ranks),
        of=tuple(of),
        seats=tuple(seats),
        pools=problem.pools,
        layouts=layouts,
        limits=tuple(limit.amount for limit in problem.limits),
        books=tuple(book(layout, counts) for layout, counts in zip(layouts, most, strict=True)),
        ceilings=tuple(
            (ceiling.amount, tuple((pool_numbers[name], n) for name, n in ceiling.each))
            for ceiling in problem.ceilings
        ),
        ceiling_keys=tuple(ceiling.key for ceiling in problem.ceilings),
        most=most,
    )


def _most(layouts: tuple[Layout, ...], of: list[tuple[Seat, ...]]) -> tuple[tuple[int, ...], ...]:
    """As many replicas of each footprint as all workloads together could want in each pool."""
    most = [[0] * len(layout.footprints) for layout in layouts]
    for seats in of:
        wanted: dict[tuple[int, int], int] = {}
        for seat in seats:
            place = (seat.pool, seat.footprint)
            wanted[place] = max(wanted.get(place, 0), seat.replicas)
        for (p, f), replicas in wanted.items():
            most[p][f] += replicas
    return tuple(map(tuple, most))


def book(layout: Layout, most: Sequence[int]) -> Book | None:
    """The patterns of one pool for at most so many replicas of each footprint."""
    return None if layout.formal else book_of(layout.kinds, layout.footprints, most)


def by_chip(pool: Pool) -> bool:
    """Whether the pool is billed by the chip."""
    return pool.billing is Billing.CHIP


def amortised(pool: Pool, chips: int) -> float:
    """Dollars per hour for ``chips`` chips as if every node were full and nothing were committed."""
    if by_chip(pool):
        return pool.price_per_hour * chips
    return pool.price_per_hour * chips / max(1, pool.chips_per_node)
