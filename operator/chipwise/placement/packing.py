"""The nodes that given replicas take of a pool: by the rules of its layout, or in place (``inplace``), whichever is cheaper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from chipwise.placement.inplace import Stand, stand
from chipwise.placement.layout import Layout
from chipwise.placement.volume import exceeded, least_price

#: With more odd footprints than this in one pool, the quick search treats the rest alike.
_ODD_COMBINED = 4


@dataclass(frozen=True, slots=True)
class Packing:
    """Nodes taken: ``shared[g]`` of each group, and (odd footprint, group, nodes) for nodes of their own.

    ``apart[i]`` replicas of ``Layout.odd[i]`` are on nodes of their own. With ``in_place`` all that is said there instead.
    """

    price: float
    shared: tuple[int, ...]
    own: tuple[tuple[int, int, int], ...] = ()
    apart: tuple[int, ...] = ()
    in_place: Stand | None = None


def shared_nodes(layout: Layout, usage: Sequence[int], taken: Sequence[int] = ()) -> tuple[int, ...] | None:
    """Nodes of each group for ``usage`` slots, or None when they do not fit; ``taken`` nodes of each group are already gone.

    Free nodes are all granted; of the paid ones as few as possible, in order. The fewest for the money where ``Layout.ordered``.
    """
    left = list(usage)
    nodes = []
    for g, group in enumerate(layout.groups):
        count = group.count - taken[g] if taken else group.count
        if group.price:
            need = 0
            for want, floor in zip(left, group.floors, strict=True):
                if want > 0:
                    need = max(need, -(-want // floor) if floor else count)
            count = min(count, need)
        nodes.append(count)
        if count:
            for j, floor in enumerate(group.floors):
                left[j] -= floor * count
    return None if any(want > 0 for want in left) else tuple(nodes)


def price_of(layout: Layout, shared: Sequence[int], own: Iterable[tuple[int, int, int]] = ()) -> float:
    """Dollars per hour for nodes of each group."""
    nodes = list(shared)
    for _, g, count in own:
        nodes[g] += count
    return sum(group.price * n for group, n in zip(layout.groups, nodes, strict=True) if group.price)


def usage_of(layout: Layout, counts: Sequence[int]) -> list[int] | None:
    """Slots of each level when all replicas share nodes; None when one of them cannot."""
    usage = [0] * len(layout.levels)
    for f, count in enumerate(counts):
        if count:
            slots = layout.slots[f]
            if slots is None:
                return None
            for j, slot in enumerate(slots):
                usage[j] += slot * count
    return usage


def quick(layout: Layout, counts: Sequence[int]) -> Packing | None:
    """A packing of ``counts`` replicas of each footprint, or None. Sound; the cheapest, and None final, where ``Layout.closed``."""
    if exceeded(layout.laws, counts):
        return None
    found = _by_the_rules(layout, counts)
    if layout.formal or (found is not None and found.price <= bound(layout, counts)):
        return found
    standing = stand(layout.lots, layout.footprints, counts)
    if standing is None or (found is not None and found.price <= standing.price):
        return found
    return on_nodes(layout, standing)


def quickly_fits(layout: Layout, counts: Sequence[int]) -> bool:
    """Whether ``quick`` finds a packing."""
    if exceeded(layout.laws, counts):
        return False
    return _by_the_rules(layout, counts) is not None or (
        not layout.formal and stand(layout.lots, layout.footprints, counts) is not None
    )


def bound(layout: Layout, counts: Sequence[int]) -> float:
    """What any packing costs at least, where ``Layout.formal`` is not so."""
    return least_price(layout.kinds, layout.laws, counts)


def on_nodes(layout: Layout, nodes: Stand) -> Packing:
    """A packing that is known by its nodes."""
    return Packing(nodes.price, (0,) * len(layout.groups), (), (0,) * len(layout.odd), nodes)


def _by_the_rules(layout: Layout, counts: Sequence[int]) -> Packing | None:
    """For each odd footprint it tries three ways: all on nodes of their own, only what fills such nodes, and all shared."""
    present = [i for i, f in enumerate(layout.odd) if counts[f]]
    if not present:
        usage = usage_of(layout, counts)
        shared = None if usage is None else shared_nodes(layout, usage)
        return (
            None if shared is None else Packing(price_of(layout, shared), shared, (), (0,) * len(layout.odd))
        )
    best: Packing | None = None
    for ways in product(range(3), repeat=min(len(present), _ODD_COMBINED)):
        found = _split(layout, counts, {i: ways[min(n, len(ways) - 1)] for n, i in enumerate(present)})
        if found is not None and (best is None or found.price < best.price):
            best = found
    return best


def _split(layout: Layout, counts: Sequence[int], ways: dict[int, int]) -> Packing | None:
    """One way: 0 all on own nodes, 1 what fills own nodes, 2 all shared."""
    taken = [0] * len(layout.groups)
    own: list[tuple[int, int, int]] = []
    apart = [0] * len(layout.odd)
    rest = list(counts)
    for i, way in sorted(ways.items()):
        f = layout.odd[i]
        for g, group in enumerate(layout.groups):
            hold = group.alone[i]
            if way == 2 or not hold or not rest[f]:
                continue
            nodes = min(group.count - taken[g], rest[f] // hold if way else -(-rest[f] // hold))
            if nodes:
                moved = min(rest[f], nodes * hold)
                own.append((i, g, nodes))
                taken[g] += nodes
                apart[i] += moved
                rest[f] -= moved
    usage = usage_of(layout, rest)
    shared = None if usage is None else shared_nodes(layout, usage, taken)
    return (
        None if shared is None else Packing(price_of(layout, shared, own), shared, tuple(own), tuple(apart))
    )


def nodes_touched(layout: Layout, counts: Sequence[int], packing: Packing) -> int:
    """How many nodes hold a replica, paid ones filled first and the rest by decreasing size."""
    if packing.in_place is not None:
        return packing.in_place.nodes
    order = sorted(range(len(layout.groups)), key=lambda g: (not layout.groups[g].price, g))
    rest = list(counts)
    for i, replicas in enumerate(packing.apart):
        rest[layout.odd[i]] -= replicas
    chips = [0] * len(layout.groups)
    touched = [0] * len(layout.groups)
    for j in range(len(layout.levels) - 1, -1, -1):
        step = layout.levels[j]
        left = sum(n for f, n in enumerate(rest) if n and _level(layout, f) == j)
        for g in order:
            floor = layout.groups[g].floors[j]
            fitting = min(left, packing.shared[g] * floor - chips[g] // step)
            if fitting > 0:
                chips[g] += fitting * step
                left -= fitting
                touched[g] = max(touched[g], -(-chips[g] // (step * floor)))
    return sum(touched) + sum(nodes for _, _, nodes in packing.own)


def _level(layout: Layout, footprint: int) -> int:
    slots = layout.slots[footprint]
    return -1 if slots is None else max(j for j, slot in enumerate(slots) if slot)
