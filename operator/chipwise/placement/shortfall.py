"""Why a workload was left out, and the smallest change that would let it in beside everything that the plan places."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from chipwise.placement.ceilings import nodes_to_come
from chipwise.placement.exact import certain, fits
from chipwise.placement.inplace import holds
from chipwise.placement.instance import Instance, Seat, amortised, by_chip
from chipwise.placement.layout import Layout, lay_out
from chipwise.placement.occupancy import Occupancy
from chipwise.placement.problem import Bucket, Candidate, Footprint, Pool, Room, Workload
from chipwise.reasons import Reason, Refusal

#: What stands in the way of a workload without any option and is no fault of its variants.
_NOT_IMPOSSIBLE = (Reason.SCALED_TO_ZERO, Reason.FRAGMENTED)
#: Reasons found late in the checks are nearer misses than those found early.
_NEAREST = (
    Reason.QUOTA_EXCEEDED,
    Reason.REPLICAS_EXCEEDED,
    Reason.OBJECTIVE_MISSED,
    Reason.NODE_TOO_SMALL,
    Reason.MEMORY_EXCEEDED,
)


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What one option lacks: ``nodes`` more of its pool, and ``amounts`` more of limits by key. ``price_per_hour`` is what both cost.

    ``alone``: it would not fit either if no other workload of the plan were there. ``certain``: no packing of all together exists;
    otherwise none was found, and not all were tried.
    """

    pool: str
    variant: str
    replicas: int
    chips: int
    nodes: int
    amounts: tuple[tuple[str, int], ...]
    price_per_hour: float
    alone: bool
    certain: bool = True

    def sentence(self) -> str:
        """The change in words."""
        wants = []
        if self.nodes:
            wants.append(f"{self.nodes} more {'node' if self.nodes == 1 else 'nodes'} of pool {self.pool}")
        wants += [f"{amount} more of {key}" for key, amount in self.amounts]
        each = f"{self.replicas} x {self.chips // self.replicas} chips"
        return f"{self.variant} on {self.pool} ({each}) would fit with {' and '.join(wants)}"


def refusal(workload: Workload, instance: Instance, occupancy: Occupancy, owner: int | None) -> Refusal:
    """Why ``workload`` has no place; ``owner`` is its number in the instance, None when it had no option at all."""
    if owner is None:
        for whole in _NOT_IMPOSSIBLE:
            such = [c.refusal for c in workload.refused if c.refusal.reason is whole]
            if such:
                return min(such, key=lambda one: one.message)
        return Refusal(Reason.NO_FEASIBLE_VARIANT, nearest_miss(workload.refused))
    found = [
        s for s in (shortfall(instance, occupancy, seat) for seat in instance.of[owner]) if s is not None
    ]
    if not found:
        return Refusal(
            Reason.CAPACITY_EXHAUSTED,
            "No node of the pools that it could use holds one replica, even when empty of our own workloads",
        )
    least = min(
        found, key=lambda s: (s.price_per_hour, s.nodes, sum(n for _, n in s.amounts), s.pool, s.variant)
    )
    if least.alone:
        why = "There is too little room even without the other workloads"
    elif all(s.certain for s in found):
        why = "Others of equal or higher priority hold the room"
    else:
        why = "No way was found to pack it beside others of equal or higher priority, and not every way was tried"
    return Refusal(Reason.CAPACITY_EXHAUSTED, f"{why}: {least.sentence()}, {least.price_per_hour:.2f} $/h")


def nearest_miss(refused: tuple[Candidate, ...]) -> str:
    """How many candidates were refused for what, and the message of the one that came nearest."""
    if not refused:
        return "No variant of the profile has a pool to run in"
    counts = Counter(candidate.refusal.reason for candidate in refused)
    tally = ", ".join(
        f"{n} {reason.value}" for reason, n in sorted(counts.items(), key=lambda c: (-c[1], c[0]))
    )
    nearest = min(
        refused, key=lambda c: (_distance(c.refusal.reason), c.variant, c.pool or "", c.refusal.message)
    )
    where = f"{nearest.variant} on {nearest.pool}" if nearest.pool else nearest.variant
    noun = "candidate" if len(refused) == 1 else "candidates"
    return f"{len(refused)} {noun} refused ({tally}); nearest is {where}: {nearest.refusal.message}"


def _distance(reason: Reason) -> int:
    return _NEAREST.index(reason) if reason in _NEAREST else len(_NEAREST)


def shortfall(instance: Instance, occupancy: Occupancy, seat: Seat) -> Shortfall | None:
    """What this option lacks beside ``occupancy``; None when no number of nodes would do.

    ``instance`` has all the nodes that each pool alone may have, that of ``occupancy`` those that it was granted.
    """
    pool, layout = occupancy.instance.pools[seat.pool], occupancy.instance.layouts[seat.pool]
    counts = list(occupancy.counts[seat.pool])
    counts[seat.footprint] += seat.replicas
    nodes = nodes_missing(pool, layout, tuple(counts), seat.replicas)
    if nodes is None:
        return None
    amounts = tuple(
        (seat_key, over)
        for limit, seat_key, amount in ((i, k, n) for (i, n), k in zip(seat.limits, _keys(seat), strict=True))
        if (over := occupancy.limits[limit] + amount - instance.limits[limit]) > 0
    )
    amounts += _over_ceilings(instance, occupancy, seat, nodes)
    price = amortised(pool, seat.chips) if by_chip(pool) or not nodes else pool.price_per_hour * nodes
    return Shortfall(
        pool=pool.name,
        variant=seat.option.variant,
        replicas=seat.replicas,
        chips=seat.chips,
        nodes=nodes,
        amounts=amounts,
        price_per_hour=price,
        alone=_exceeds_alone(instance, seat),
        certain=not nodes or certain(layout, tuple(counts)),
    )


def _over_ceilings(
    instance: Instance, occupancy: Occupancy, seat: Seat, nodes: int
) -> tuple[tuple[str, int], ...]:
    """What so many more nodes of the pool would take of ceilings beyond what nobody was granted."""
    found = []
    for key, (amount, each) in zip(instance.ceiling_keys, instance.ceilings, strict=True):
        taken = sum(n * nodes_to_come(occupancy.instance.pools[p]) for p, n in each)
        over = nodes * dict(each).get(seat.pool, 0) + taken - amount
        if nodes and seat.pool in dict(each) and over > 0:
            found.append((key, over))
    return tuple(found)


def _exceeds_alone(instance: Instance, seat: Seat) -> bool:
    layout = instance.layouts[seat.pool]
    counts = tuple(seat.replicas if f == seat.footprint else 0 for f in range(len(layout.footprints)))
    return not fits(layout, counts) or any(amount > instance.limits[limit] for limit, amount in seat.limits)


def _keys(seat: Seat) -> list[str]:
    return [key for key, amount in seat.option.usage if amount][: len(seat.limits)]


def nodes_missing(pool: Pool, layout: Layout, counts: tuple[int, ...], most: int) -> int | None:
    """The fewest whole nodes that let ``counts`` fit, at most ``most``; None when that is not enough."""
    if fits(layout, counts):
        return 0
    room = whole_node(pool, layout.footprints)
    low, high = 1, most
    if not fits(_with_nodes(pool, layout, room, high), counts):
        return None
    while low < high:
        middle = (low + high) // 2
        if not fits(_with_nodes(pool, layout, room, middle), counts):
            low = middle + 1
        else:
            high = middle
    return low


def whole_node(pool: Pool, footprints: tuple[Footprint, ...]) -> Room:
    """An empty node of the pool as far as known: its roomiest, or one with all chips and enough of the rest."""
    best = max((bucket.room for bucket in pool.buckets), default=Room(0, 0, 0, 0))
    if best.chips >= pool.chips_per_node and any(holds(best, f) for f in footprints):
        return best
    chips = pool.chips_per_node
    return Room(
        chips=chips,
        cpu_milli=max((f.cpu_milli for f in footprints), default=0) * chips,
        memory_bytes=max((f.memory_bytes for f in footprints), default=0) * chips,
        pods=max(chips, best.pods),
    )


def _with_nodes(pool: Pool, layout: Layout, room: Room, nodes: int) -> Layout:
    more = Pool(
        pool.name,
        pool.class_name,
        pool.billing,
        pool.price_per_hour,
        pool.chips_per_node,
        (*pool.buckets, Bucket(room, nodes, 0.0)),
        pool.committed_chips,
        pool.standing,
    )
    return lay_out(more, layout.footprints)
