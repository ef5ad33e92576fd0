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
is regular. What is promised therefore always fits. But a mix may be refused that real nodes hold, so there the rule is only the quick way:
what fits then follows from all the patterns of a node (``patterns``), and where these are too many, the laws that every packing keeps
(``volume``) say what is certain.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from chipwise.placement.inplace import Lot, holds, lots_of
from chipwise.placement.problem import Billing, Bucket, Footprint, Pool, Room
from chipwise.placement.volume import Law, laws_of


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes that are alike for packing. ``floors``: replicas of each level on one; ``alone``: replicas of each odd footprint.

    ``to_come``: they do not exist yet and count against ceilings.
    """

    price: float
    count: int
    floors: tuple[int, ...]
    alone: tuple[int, ...]
    to_come: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """How the footprints of one pool pack. ``groups`` are in order of price, the roomier first.

    ``levels`` are the sizes of the chain, ascending. ``slots[f]`` is what one replica of footprint f takes of each level when it
    shares a node, None when it cannot. ``odd`` lists the footprints that may have nodes of their own. ``free`` and ``total`` are the
    slots of the nodes that cost nothing and of all nodes. ``ordered`` says that buying groups in order is the cheapest way. Where the
    formulas are not exact, ``kinds`` are all nodes, ``lots`` the same with what stands on them, and ``laws`` what any packing keeps to.
    """

    footprints: tuple[Footprint, ...]
    levels: tuple[int, ...]
    slots: tuple[tuple[int, ...] | None, ...]
    odd: tuple[int, ...]
    groups: tuple[Group, ...]
    free: tuple[int, ...]
    total: tuple[int, ...]
    ordered: bool
    kinds: tuple[Bucket, ...] = ()
    lots: tuple[Lot, ...] = ()
    laws: tuple[Law, ...] = field(default=(), compare=False)

    @property
    def closed(self) -> bool:
        """Whether the cheapest nodes follow from a formula, without a search."""
        return self.ordered and self.formal

    @property
    def formal(self) -> bool:
        """Whether what fits follows from a formula, which then is exact."""
        return not self.odd and not self.kinds


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
    exact = (
        not odd
        and all(f.chips for f in known)
        and all(_wasteless(room, chips, chained) for room, chips in rooms.items())
    )
    kinds = () if exact else _kinds(pool)
    return Layout(
        footprints=known,
        levels=levels,
        slots=tuple(_slots(as_size[f], levels) for f in known),
        odd=odd,
        groups=groups,
        free=_capacity([g for g in groups if not g.price], len(levels)),
        total=_capacity(groups, len(levels)),
        ordered=_ordered([g for g in groups if g.price]),
        kinds=kinds,
        lots=() if exact else lots_of(pool, known),
        laws=() if exact else laws_of(kinds, known),
    )


def _kinds(pool: Pool) -> tuple[Bucket, ...]:
    """The nodes of a pool by room and price."""
    counts: dict[tuple[Room, float, bool], int] = {}
    for bucket in pool.buckets:
        price = bucket.price_per_hour if pool.billing is Billing.NODE else 0.0
        key = (bucket.room, price, bucket.to_come)
        counts[key] = counts.get(key, 0) + bucket.count
    return tuple(
        Bucket(room, count, price, to_come)
        for (room, price, to_come), count in sorted(counts.items())
        if count > 0
    )


def _wasteless(room: Room, chips: int, chained: frozenset[Footprint]) -> bool:
    """Whether regular footprints cannot use more than these ``chips`` of the node, as even the leanest of them cannot use the next."""
    step = min((size(f) for f in chained), default=1)
    more = (chips // step + 1) * step
    if more > room.chips or not chained:
        return True
    return (
        all(f.cpu_milli * more > room.cpu_milli * size(f) for f in chained)
        or all(f.memory_bytes * more > room.memory_bytes * size(f) for f in chained)
        or all(more > room.pods * size(f) for f in chained)
    )


def _regular_chain(pool: Pool, footprints: Sequence[Footprint]) -> frozenset[Footprint]:
    """The regular footprints of the best chain of sizes: most footprints, then the largest sizes.

    The roomiest node is the model, however few there are of it, even none: were it the commonest, more nodes could change how everything
    packs, and make it dearer.
    """
    usable = [bucket.room for bucket in pool.buckets if bucket.room.chips > 0]
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
    merged: dict[tuple[float, tuple[int, ...], tuple[int, ...], bool], int] = {}
    for bucket in pool.buckets:
        price = bucket.price_per_hour if pool.billing is Billing.NODE else 0.0
        floors = tuple(rooms[bucket.room] // s for s in levels)
        key = (price, floors, tuple(holds(bucket.room, f) for f in odd), bucket.to_come)
        if any(floors) or any(key[2]):
            merged[key] = merged.get(key, 0) + bucket.count
    found = [Group(price, n, floors, own, coming) for (price, floors, own, coming), n in merged.items()]
    return tuple(
        sorted(
            (group for group in found if group.count > 0 or group.to_come),
            key=lambda g: (g.price, tuple(-n for n in g.floors), tuple(-n for n in g.alone), g.to_come),
        )
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
