"""What an assignment is billed, and how the bill is shared out.

Whole nodes where nodes are bought: nodes that cost nothing first, then as few paid ones as possible. Chips where the pool is billed by
the chip, beyond the committed ones. Sums are kept in whole nano-dollars, so that the shares of a pool add up to its bill exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chipwise.placement.exact import cheapest
from chipwise.placement.instance import by_chip, layouts_of
from chipwise.placement.layout import Layout
from chipwise.placement.packing import Packing, nodes_touched
from chipwise.placement.plan import PoolUse
from chipwise.placement.problem import Option, Pool, Problem

_NANO = 1_000_000_000


class DoesNotFitError(ValueError):
    """The assignment exceeds a pool. Its message names the pool."""


@dataclass(frozen=True, slots=True)
class Bill:
    """Pools in order of name, the share of each workload, and the sum, in dollars per hour."""

    pools: tuple[PoolUse, ...]
    shares: Mapping[str, float]
    cost_per_hour: float


def bill(problem: Problem, assignment: Mapping[str, Option]) -> Bill:
    """The bill of workloads placed as ``assignment`` says. Raises DoesNotFitError."""
    members: dict[str, list[tuple[str, Option]]] = {pool.name: [] for pool in problem.pools}
    for key, option in sorted(assignment.items(), key=lambda item: item[0]):
        members[option.pool].append((key, option))
    layouts = layouts_of(
        problem, {pool: {option.footprint for _, option in held} for pool, held in members.items()}
    )
    uses: list[PoolUse] = []
    shares: dict[str, float] = {}
    for pool in sorted(problem.pools, key=lambda pool: pool.name):
        here = members[pool.name]
        use, nano = pool_use(pool, layouts[pool.name], [option for _, option in here])
        uses.append(use)
        parts = share_out(nano, [option.chips for _, option in here])
        shares |= {key: part / _NANO for (key, _), part in zip(here, parts, strict=True)}
    total = sum(round(use.cost_per_hour * _NANO) for use in uses)
    return Bill(tuple(uses), shares, total / _NANO)


def pool_use(pool: Pool, layout: Layout, options: Sequence[Option]) -> tuple[PoolUse, int]:
    """What ``options`` take of one pool, and its bill in nano-dollars per hour. Raises DoesNotFitError."""
    counts = count(layout, options)
    packing = cheapest(layout, counts)
    if packing is None:
        raise DoesNotFitError(f"the replicas given to pool {pool.name} do not fit its nodes")
    chips = sum(option.chips for option in options)
    nano = round(pool_cost(pool, packing, chips) * _NANO)
    return (
        PoolUse(
            pool=pool.name,
            chips_used=chips,
            chips_free=sum(b.count * b.room.chips for b in pool.buckets) - chips,
            nodes=nodes_touched(layout, counts, packing),
            nodes_paid=0 if by_chip(pool) else nodes_paid(layout, packing),
            cost_per_hour=nano / _NANO,
        ),
        nano,
    )


def count(layout: Layout, options: Sequence[Option]) -> tuple[int, ...]:
    """Replicas of each footprint of the layout."""
    numbers = {f: i for i, f in enumerate(layout.footprints)}
    counts = [0] * len(numbers)
    for option in options:
        counts[numbers[option.footprint]] += option.replicas
    return tuple(counts)


def pool_cost(pool: Pool, packing: Packing, chips: int) -> float:
    """Dollars per hour for one pool."""
    if by_chip(pool):
        return pool.price_per_hour * max(0, chips - pool.committed_chips)
    return packing.price


def nodes_paid(layout: Layout, packing: Packing) -> int:
    """How many of the nodes of a packing cost something."""
    if packing.in_place is not None:
        return packing.in_place.paid
    shared = sum(n for group, n in zip(layout.groups, packing.shared, strict=True) if group.price)
    return shared + sum(n for _, g, n in packing.own if layout.groups[g].price)


def share_out(total: int, weights: Sequence[int]) -> list[int]:
    """``total`` split by weight into whole parts that add up to it; what is left over goes to the largest fractions, first come."""
    whole = sum(weights)
    if not whole:
        return [total, *[0] * (len(weights) - 1)] if weights else []
    parts = [total * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in order[: total - sum(parts)]:
        parts[i] += 1
    return parts
