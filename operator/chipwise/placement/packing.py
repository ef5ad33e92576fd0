"""How many replicas of which sizes fit the nodes of a pool, and how many nodes must be bought for them.

The rule. A footprint of size s (its chips) is *regular* on a node when it asks per chip for no more CPU, memory and pod slots than the
node has per chip; then any replicas whose chips fit also fit in CPU, memory and pods, because shares add up. Regular sizes that divide
one another (1, 2, 4, 8) share nodes, and they fit exactly when for each size s_j

    sum over sizes s_k >= s_j of n_k * s_k / s_j  <=  sum over nodes of floor(chips / s_j).

Proof sketch: the left side counts slots of size s_j, of which a node has floor(chips / s_j), so the condition is necessary. It is
sufficient because first fit by decreasing size cannot get stuck: everything placed so far is a multiple of s_j, so a node with u slots
taken has exactly floor(chips / s_j) - u left, and if no node has one then all of them together are full and the condition is broken.

Two conservative steps keep the rule sound beyond that case. A node that is short of CPU, memory or pods for its chips counts with fewer
chips, the most at which every regular footprint is regular again. Any other footprint (an odd size, or hungry for CPU) either gets
nodes of its own, as many replicas on each as every resource allows, or shares a node as if it had the next size of the chain at which it
is regular. What is promised therefore always fits; a mix that a luckier bin packing would fit may be refused. Which footprints are
regular, and as what size the others share, follows from the kinds of nodes in the pool and not from their numbers: more of one kind only
ever helps, while a node of another kind can make the rule refuse a mix of odd footprints that it let in before.

Where the rule is not exact and replicas already stand on nodes, packing them in place (``inplace``) is tried as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

from chipwise.placement.inplace import Lot, Stand, holds, lots_of, stand
from chipwise.placement.problem import Billing, Footprint, Pool, Room

#: With more odd footprints than this in one pool, the quick search treats the rest alike.
_ODD_COMBINED = 4


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes that are alike for packing. ``floors``: replicas of each level on one; ``alone``: replicas of each odd footprint."""

    price: float
    count: int
    floors: tuple[int, ...]
    alone: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """How the footprints of one pool pack. ``groups`` are in order of price, the roomier first.

    ``levels`` are the sizes of the chain, ascending. ``slots[f]`` is what one replica of footprint f takes of each level when it
    shares a node, None when it cannot. ``odd`` lists the footprints that may have nodes of their own. ``free`` and ``total`` are the
    slots of the nodes that cost nothing and of all nodes. ``ordered`` says that buying groups in order is the cheapest way. ``lots`` are all
    nodes with what stands on them, where the formulas are not exact.
    """

    footprints: tuple[Footprint, ...]
    levels: tuple[int, ...]
    slots: tuple[tuple[int, ...] | None, ...]
    odd: tuple[int, ...]
    groups: tuple[Group, ...]
    free: tuple[int, ...]
    total: tuple[int, ...]
    ordered: bool
    lots: tuple[Lot, ...] = ()

    @property
    def closed(self) -> bool:
        """Whether the cheapest nodes follow from a formula, without a search."""
        return self.ordered and self.formal

    @property
    def formal(self) -> bool:
        """Whether what fits follows from a formula."""
        return not self.odd and not self.lots


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


def size(footprint: Footprint) -> int:
    """Chips, at least one: what takes none still takes a place."""
    return max(1, footprint.chips)


def regular(footprint: Footprint, as_size: int, room: Room, chips: int) -> bool:
    """Whether replicas counted as ``as_size`` of ``chips`` chips can never exhaust the node's other resources first."""
    return (
        footprint.chips <= as_size
        and footprint.cpu_milli * chips <= room.cpu_milli * as_size
        and footprint.memory_bytes * chips <= room.memory_bytes * as_size
        and chips <= room.pods * as_size
    )


def lay_out(pool: Pool, footprints: Iterable[Footprint]) -> Layout:
    """The layout of a pool for all footprints that may come; it depends on the set of them, not on their order."""
    known = tuple(sorted(set(footprints)))
    chained = _regular_chain(pool, known)
    rooms = {bucket.room: _effective(bucket.room, chained) for bucket in pool.buckets}
    as_size = {f: size(f) for f in chained} | _padded(known, chained, rooms)
    levels = tuple(sorted({s for s in as_size.values() if s}))
    odd = tuple(i for i, f in enumerate(known) if f not in chained)
    groups = _groups(pool, levels, [known[i] for i in odd], rooms)
    exact = not odd and all(chips == room.chips for room, chips in rooms.items())
    return Layout(
        footprints=known,
        levels=levels,
        slots=tuple(_slots(as_size[f], levels) for f in known),
        odd=odd,
        groups=groups,
        free=_capacity([g for g in groups if not g.price], len(levels)),
        total=_capacity(groups, len(levels)),
        ordered=_ordered([g for g in groups if g.price]),
        lots=lots_of(pool, known) if pool.standing and not exact else (),
    )


def _regular_chain(pool: Pool, footprints: Sequence[Footprint]) -> frozenset[Footprint]:
    """The regular footprints of the best chain of sizes: most footprints, then the largest sizes.

    The roomiest node is the model, however few there are of it: were it the commonest, more nodes could change how everything packs,
    and make it dearer.
    """
    usable = [bucket.room for bucket in pool.buckets if bucket.room.chips > 0 and bucket.count > 0]
    if not usable:
        return frozenset()
    model = max(usable)
    fitting = [f for f in footprints if regular(f, size(f), model, model.chips)]
    best: dict[int, tuple[int, tuple[int, ...]]] = {}
    for s in sorted({size(f) for f in fitting}):
        here = sum(1 for f in fitting if size(f) == s)
        before = max((best[t] for t in best if s % t == 0), default=(0, ()))
        best[s] = (before[0] + here, (*before[1], s))
    chain = max(best.values(), default=(0, ()), key=lambda b: (b[0], b[1][::-1]))[1]
    return frozenset(f for f in fitting if size(f) in chain)


def _effective(room: Room, chained: frozenset[Footprint]) -> int:
    """Chips of a node that regular footprints may count on: all, unless another resource is short."""
    return next(
        (
            chips
            for chips in range(room.chips, 0, -1)
            if all(regular(f, size(f), room, chips) for f in chained if size(f) <= chips)
        ),
        0,
    )


def _padded(
    known: Sequence[Footprint], chained: frozenset[Footprint], rooms: dict[Room, int]
) -> dict[Footprint, int | None]:
    """For each odd footprint the smallest size of the refined chain at which it may share any node, if there is one."""
    largest = max(rooms.values(), default=0)
    steps = _refined(sorted({size(f) for f in chained}), largest)
    return {
        f: next(
            (
                s
                for s in steps
                if size(f) <= s <= largest
                and all(regular(f, s, room, chips) for room, chips in rooms.items() if chips >= s)
            ),
            None,
        )
        for f in known
        if f not in chained
    }


def _refined(chain: Sequence[int], largest: int) -> list[int]:
    """The chain from 1 with as many sizes in between as divisibility allows, then doubled up to the largest node."""
    steps = [1]
    for target in chain:
        while steps[-1] < target:
            ratio = target // steps[-1]
            steps.append(steps[-1] * next(p for p in range(2, ratio + 1) if ratio % p == 0))
    while steps[-1] * 2 <= largest:
        steps.append(steps[-1] * 2)
    return steps


def _slots(as_size: int | None, levels: Sequence[int]) -> tuple[int, ...] | None:
    return None if as_size is None else tuple(as_size // s if s <= as_size else 0 for s in levels)


def _groups(
    pool: Pool, levels: Sequence[int], odd: Sequence[Footprint], rooms: dict[Room, int]
) -> tuple[Group, ...]:
    merged: dict[tuple[float, tuple[int, ...], tuple[int, ...]], int] = {}
    for bucket in pool.buckets:
        price = bucket.price_per_hour if pool.billing is Billing.NODE else 0.0
        floors = tuple(rooms[bucket.room] // s for s in levels)
        key = (price, floors, tuple(holds(bucket.room, f) for f in odd))
        if any(floors) or any(key[2]):
            merged[key] = merged.get(key, 0) + bucket.count
    found = [Group(price, count, floors, own) for (price, floors, own), count in merged.items() if count > 0]
    return tuple(
        sorted(found, key=lambda g: (g.price, tuple(-n for n in g.floors), tuple(-n for n in g.alone)))
    )


def _capacity(groups: Iterable[Group], levels: int) -> tuple[int, ...]:
    found = [0] * levels
    for group in groups:
        for j, floor in enumerate(group.floors):
            found[j] += floor * group.count
    return tuple(found)


def _ordered(paid: Sequence[Group]) -> bool:
    """Whether each group is at least as roomy as every dearer one: then an exchange shows that filling them in order is cheapest."""
    return all(
        all(a >= b for a, b in zip(first.floors, second.floors, strict=True))
        for first, second in pairwise(paid)
    )


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
    found = _by_the_rules(layout, counts)
    if not layout.lots or (found is not None and not found.price):
        return found
    standing = stand(layout.lots, layout.footprints, counts)
    if standing is None or (found is not None and found.price <= standing.price):
        return found
    return Packing(standing.price, (0,) * len(layout.groups), (), (0,) * len(layout.odd), standing)


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
