"""The room that each pool has for the workloads under decision, and what a node of it would cost.

Everything else that sits on a node (foreign pods, pinned workloads, DaemonSets, Terminating pods) has been taken off; unbound pods
that ask for the pool's chips are reservations, where there is room for them beside what runs. What runs keeps its room: a node that is
cordoned or not Ready, or whose allocatable has fallen, still offers what the workloads under decision hold there, and no more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from chipwise.autoscaling.placeholders import CPU_MILLI, MEMORY_BYTES, Placeholders
from chipwise.cluster.facts import PodFact
from chipwise.cluster.landing import awaiting, may_land, may_land_on_new
from chipwise.cluster.pools import PoolView
from chipwise.cluster.rooms import PODS, NodeRoom, fits, pod_amounts, total
from chipwise.cluster.sharing import Ledger
from chipwise.cluster.snapshot import Snapshot
from chipwise.placement.problem import Billing, Bucket, Footprint, Pool, Room, Spare, Standing
from chipwise.rendering.footprint import Amounts


@dataclass(slots=True)
class _Node:
    """One node while reservations are made. ``room`` is what the plan may use, ``free`` what is free with everything in place.

    ``alive``: others keep it, so it costs nothing more.
    """

    room: Amounts
    free: Amounts
    leaving: Amounts
    alive: bool
    standing: Counter[Footprint] = field(default_factory=Counter)

    def take(self, wanted: Amounts) -> None:
        """Set ``wanted`` aside: free room first, else what is leaving first."""
        ahead: Amounts = {} if fits(wanted, self.free) else self.leaving
        for name, count in wanted.items():
            late = min(count, ahead.get(name, 0))
            if late:
                self.leaving[name] -= late
            self.free[name] = self.free.get(name, 0) - count + late
            self.room[name] = self.room.get(name, 0) - count + late


@dataclass(frozen=True, slots=True)
class Guest:
    """One replica of a workload of this pool that has spilled to a node of another, where its share costs ``price_per_hour``."""

    footprint: Footprint
    price_per_hour: float


@dataclass(frozen=True, slots=True)
class _Coming:
    """Nodes to come: what one offers, and the most that there may be."""

    room: Room
    most: int


def supply(
    view: PoolView,
    snapshot: Snapshot,
    released: Collection[str],
    standing: Mapping[str, Footprint] | None = None,
    guests: Iterable[Guest] = (),
    ledger: Ledger | None = None,
) -> Pool:
    """The pool for the solver. ``released`` are the UIDs of pods that the plan may take away: their room counts as free.

    ``standing`` has the footprint of each of those that are where their workload may stay. ``guests`` of other pools count as so many
    small nodes of this one, with what stands on them: the workload holds them, and pays for them. ``ledger`` is told how many nodes
    waiting pods open, for pools that draw on one limit; the pools after this one find less.
    """
    ledger = ledger or Ledger(())
    rooms = [snapshot.rooms[node.name] for node in view.nodes]
    takes_pods = {node.name for node in view.usable_nodes}
    nodes = {
        room.node.name: _node(room, released, standing or {}, is_open=room.node.name in takes_pods)
        for room in rooms
    }
    others = total(pod for room in rooms for pod in room.pods if pod.uid not in released)
    waiting = [pod for pod in awaiting(view, snapshot) if pod.uid not in released]
    coming = _Coming(empty_room(view, snapshot), ledger.most(view))
    opened = _reserve(nodes, view, waiting, coming)
    ledger.open(view, len(opened))
    known, to_come = [*nodes.values(), *opened], view.to_come - len(opened)
    claims = _claims(view, known, to_come, _committed_chips(view, others))
    counted = min(to_come, ledger.counted(view, len(opened)))
    lots = ((to_come - counted, False), (counted, True))
    buckets, on_nodes = _priced(view, known, lots, coming.room, _unused(view, known) - claims)
    away = Counter(map(_away, guests))
    return Pool(
        name=view.name,
        class_name=view.class_name,
        billing=view.billing,
        price_per_hour=view.price_per_hour,
        chips_per_node=view.room.chips,
        buckets=(*buckets, *(Bucket(s.room, n, s.price_per_hour) for s, n in sorted(away.items()))),
        committed_chips=_committed_chips(view, others) - (claims if view.billing is Billing.CHIP else 0),
        standing=tuple(sorted((*on_nodes, *away.elements()))),
        spare=Spare(_placeholder(view.spare), view.spare.replicas, claims) if view.spare else None,
    )


def _away(guest: Guest) -> Standing:
    taken = guest.footprint
    room = Room(taken.chips, taken.cpu_milli, taken.memory_bytes, 1)
    return Standing(room, guest.price_per_hour, ((taken, 1),))


def empty_room(view: PoolView, snapshot: Snapshot) -> Room:
    """What a node to come will offer: as declared, at most what its like were seen to offer, less the largest share of DaemonSets."""
    seen = [node for node in view.usable_nodes if dict(node.chips).get(view.resource_name)]
    daemons = [total(pod for pod in snapshot.rooms[node.name].pods if pod.daemon) for node in view.nodes]
    declared = view.room

    def left(name: str, stated: int, most: int) -> int:
        return max(0, min(stated, most) - max((each.get(name, 0) for each in daemons), default=0))

    return Room(
        chips=left(view.resource_name, declared.chips, declared.chips),
        cpu_milli=left(
            "cpu", declared.cpu_milli, max((n.cpu_milli for n in seen), default=declared.cpu_milli)
        ),
        memory_bytes=left(
            "memory",
            declared.memory_bytes,
            max((n.memory_bytes for n in seen), default=declared.memory_bytes),
        ),
        pods=left(PODS, declared.pods, max((n.pods for n in seen), default=declared.pods)),
    )


def _placeholder(asked: Placeholders) -> Footprint:
    return Footprint(asked.chips, CPU_MILLI, MEMORY_BYTES)


def _claims(view: PoolView, nodes: Collection[_Node], to_come: int, committed_chips: int) -> int:
    """How much of what costs nothing the placeholders have before any workload: who takes it from them sends them where it costs.

    Not more than there is elsewhere: where all that there is is paid for anyway nothing is saved by leaving them alone. Placeholders that are
    smaller than a node have no claim to nodes, which they share.
    """
    if view.spare is None:
        return 0
    if view.billing is Billing.CHIP:
        there = sum(node.room.get(view.resource_name, 0) for node in nodes) + to_come * view.room.chips
        return max(0, min(view.spare.replicas * view.spare.chips, committed_chips, there - committed_chips))
    if view.spare.chips < view.room.chips:
        return 0
    unused = _unused(view, nodes)
    usable = sum(not node.alive and node.room.get(view.resource_name, 0) > 0 for node in nodes) + to_come
    return max(0, min(view.spare.replicas, unused, usable - unused))


def _unused(view: PoolView, nodes: Iterable[_Node]) -> int:
    """Committed and minimum nodes that nobody else keeps alive."""
    return max(0, max(view.minimum, view.committed) - sum(node.alive for node in nodes))


def _committed_chips(view: PoolView, others: Amounts) -> int:
    """Chips that are paid for anyway and that nobody else holds, where chips are billed."""
    if view.billing is not Billing.CHIP:
        return 0
    taken = others.get(view.resource_name, 0)
    return max(0, max(view.minimum, view.committed) * view.room.chips - taken)


def _node(
    room: NodeRoom, released: Collection[str], standing: Mapping[str, Footprint], *, is_open: bool
) -> _Node:
    ours = [pod for pod in room.pods if pod.uid in released]
    held = [pod for pod in room.pods if pod.uid not in released]
    gone = total(held)
    left = (
        {name: count - gone.get(name, 0) for name, count in room.offered.items()} if is_open else total(ours)
    )
    return _Node(
        room=left,
        free=dict(room.free) if is_open else {},
        leaving=dict(room.leaving),
        alive=any(pod.chips and not pod.daemon and not pod.deleting for pod in held),
        standing=Counter(standing[pod.uid] for pod in ours if pod.uid in standing),
    )


def _reserve(
    nodes: Mapping[str, _Node], view: PoolView, waiting: Iterable[PodFact], coming: _Coming
) -> list[_Node]:
    """The nodes to come that waiting pods open, less what they take there; none takes from those that run.

    First fit beside all that is bound, then where Terminating pods leave, then on nodes that were opened before. A pod that not even an
    empty node takes is bound nowhere and reserves nothing. What no pool declares (storage, say) an empty node is taken to have.
    """
    opened: list[_Node] = []
    offer = {
        view.resource_name: coming.room.chips,
        "cpu": coming.room.cpu_milli,
        "memory": coming.room.memory_bytes,
        PODS: coming.room.pods,
    }
    for pod in waiting:
        wanted = pod_amounts(pod)
        allowed = [nodes[node.name] for node in view.usable_nodes if may_land(pod, node)]
        chosen = next((node for node in allowed if fits(wanted, node.free)), None) or next(
            (node for node in allowed if fits(wanted, node.free, node.leaving)), None
        )
        if chosen is not None:
            chosen.take(wanted)
        elif may_land_on_new(pod, view):
            known = {name: count for name, count in wanted.items() if name in offer}
            place = next((node for node in opened if fits(known, node.free)), None)
            if place is None and len(opened) < coming.most and fits(known, offer):
                place = _Node(room=dict(offer), free=dict(offer), leaving={}, alive=True)
                opened.append(place)
            if place is not None:
                place.take(known)
    return opened


def _priced(
    view: PoolView, nodes: Iterable[_Node], to_come: Iterable[tuple[int, bool]], empty: Room, unused: int
) -> tuple[tuple[Bucket, ...], tuple[Standing, ...]]:
    """Nodes alike, and what stands on which. ``unused`` committed and minimum nodes, and those that others keep alive, cost nothing more.

    ``to_come`` are numbers of nodes, and whether other pools draw on what these take.
    """
    price = 0.0 if view.billing is Billing.CHIP else view.price_per_hour
    buckets: Counter[tuple[Room, float, bool]] = Counter()
    standing: list[Standing] = []
    for node in nodes:
        room = _room(node.room, view.resource_name)
        is_free = node.alive
        if room.chips and not node.alive and unused:
            unused -= 1
            is_free = True
        buckets[room, 0.0 if is_free else price, False] += 1
        if node.standing:
            standing.append(Standing(room, 0.0 if is_free else price, tuple(sorted(node.standing.items()))))
    for count, counts in to_come:
        committed = min(unused, count)
        unused -= committed
        buckets[empty, 0.0, counts] += committed
        buckets[empty, price, counts] += count - committed
    return (
        tuple(
            Bucket(room, count, each, counts)
            for (room, each, counts), count in sorted(buckets.items())
            if room.chips > 0 and count
        ),
        tuple(sorted(standing)),
    )


def _room(left: Amounts, resource: str) -> Room:
    return Room(
        chips=max(0, left.get(resource, 0)),
        cpu_milli=max(0, left.get("cpu", 0)),
        memory_bytes=max(0, left.get("memory", 0)),
        pods=max(0, left.get(PODS, 0)),
    )
