"""The nodes of every pool as the scheduler will find them: what is free beside all that is bound, and which pods are about to come."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from chipwise.cluster.facts import PodFact
from chipwise.cluster.landing import Queue, may_land, may_land_on_new, queues
from chipwise.cluster.pools import PoolView
from chipwise.cluster.quotas import Quota
from chipwise.cluster.rooms import PODS, pod_amounts
from chipwise.cluster.situation import Pods
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.subject import Subject
from chipwise.cluster.supply import empty_room
from chipwise.placement.ground import FIRST, Crowd, Ground, Site, Truth, Vector, need_of
from chipwise.placement.problem import Option
from chipwise.placement.terms import Terms
from chipwise.rendering.footprint import Amounts

#: What every node has and no pool declares: at zero nodes it is taken on trust.
_LOCAL_STORAGE = "ephemeral-storage"
_PLENTY = 2**62


@dataclass(frozen=True, slots=True)
class Flight:
    """A workload with its pods, and ``home``, what it needs where it is or is on its way to (``moving``).

    ``ahead``: only its bridge is there yet. ``further`` is the same in the other pools that its template names.
    """

    subject: Subject
    pods: Pods
    home: Option | None
    moving: bool
    ahead: bool = False
    further: tuple[Option, ...] = ()

    @property
    def arrived(self) -> tuple[PodFact, ...]:
        """Its pods there."""
        return self.pods.bridge if self.ahead else (*self.pods.new, *self.pods.bridge)

    @property
    def present(self) -> tuple[PodFact, ...]:
        """All of its pods."""
        return (*self.pods.new, *self.pods.old, *self.pods.bridge)

    @property
    def missing(self) -> int:
        """Pods that have still to be created there. Over a bridge one replica runs twice at the end."""
        if self.home is None:
            return 0
        wanted = self.subject.deployment.replicas
        if self.moving:
            twice = 1 if self.pods.bridge else 0
            return max(0, max(wanted, self.home.replicas) + twice - len(self.arrived))
        return max(0, wanted - len(self.pods.new) - len(self.pods.old))


def truth_of(
    snapshot: Snapshot, views: Iterable[PoolView], flights: Collection[Flight], found: Collection[Quota]
) -> Truth:
    """Nothing is known of nodes where none was given at all, as in a plan from manifests alone."""
    left = {quota.key: quota.left for quota in found}
    for flight in flights:
        if flight.home is not None and flight.missing:
            for key, amount in flight.home.usage:
                left[key] -= -(-amount * flight.missing // flight.home.replicas)
    if snapshot.assume_nodes:
        return Truth({}, left)
    waiting = queues(snapshot)
    grounds = {view.name: _ground(view, snapshot, flights, waiting) for view in views if view.refusal is None}
    return Truth(grounds, left)


def _ground(
    view: PoolView, snapshot: Snapshot, flights: Collection[Flight], waiting: Collection[Queue]
) -> Ground:
    names = _resources(view, snapshot)
    sites = [
        Site(node.name, _vector(room.free, names), _vector(room.leaving, names))
        for node in view.nodes
        for room in (snapshot.rooms[node.name],)
    ]
    if view.to_come:
        sites.append(Site("", _new_node(view, snapshot, names), (0,) * len(names), count=view.to_come))
    return Ground(
        pool=view.name,
        resources=(*FIRST, *names[len(FIRST) :]),
        sites=tuple(sites),
        held={flight.subject.key: held for flight in flights if (held := _held(flight, view, names))},
        crowds=(*_waiting(view, waiting, flights, names, snapshot), *_missing(view, flights, names)),
    )


def _resources(view: PoolView, snapshot: Snapshot) -> tuple[str, ...]:
    """The chips of the pool, CPU, memory and pods, and what else its nodes hand out or a node to come is known to."""
    first = (view.resource_name, "cpu", "memory", PODS)
    more = {name for node in view.nodes for name in snapshot.rooms[node.name].free} | {_LOCAL_STORAGE}
    return (*first, *sorted(more - set(first)))


def _vector(amounts: Amounts, names: tuple[str, ...]) -> Vector:
    return tuple(amounts.get(name, 0) for name in names)


def _new_node(view: PoolView, snapshot: Snapshot, names: tuple[str, ...]) -> Vector:
    """An empty node to come: of what no pool declares, as much as was seen on any other."""
    room = empty_room(view, snapshot)
    seen: Amounts = {} if view.nodes else {_LOCAL_STORAGE: _PLENTY}
    for node in view.nodes:
        for name, count in (*node.chips, *node.others):
            seen[name] = max(seen.get(name, 0), count)
    return (
        room.chips,
        room.cpu_milli,
        room.memory_bytes,
        room.pods,
        *(seen.get(name, 0) for name in names[len(FIRST) :]),
    )


def _held(flight: Flight, view: PoolView, names: tuple[str, ...]) -> dict[str, Vector]:
    found: dict[str, Vector] = {}
    for pod in flight.present:
        if pod.node in view.node_names:
            before = found.get(pod.node or "", (0,) * len(names))
            amounts = _vector(pod_amounts(pod), names)
            found[pod.node or ""] = tuple(one + more for one, more in zip(before, amounts, strict=True))
    return found


def _waiting(
    view: PoolView,
    waiting: Iterable[Queue],
    flights: Iterable[Flight],
    names: tuple[str, ...],
    snapshot: Snapshot,
) -> list[Crowd]:
    """Unbound pods that could land here. Those of Deployments that chipwise wrote, and of bridges, were promised their room."""
    owners = {pod.uid: flight for flight in flights for pod in flight.present}
    found = []
    for queue in waiting:
        asked = pod_amounts(queue.pod)
        nodes = frozenset(node.name for node in view.nodes if may_land(queue.pod, node))
        on_new = view.to_come > 0 and may_land_on_new(queue.pod, view)
        if (nodes or on_new) and all(name in names for name, count in asked.items() if count):
            flight = owners.get(queue.pod.uid)
            found.append(
                Crowd(
                    _vector(asked, names),
                    len(queue.pods),
                    Terms(nodes, on_new),
                    flight.subject.key if flight else "",
                    promised=_is_ours(queue.pod, snapshot),
                )
            )
    return found


def _is_ours(pod: PodFact, snapshot: Snapshot) -> bool:
    made_by = snapshot.deployments.get(f"{pod.namespace}/{pod.deployment}")
    return pod.deployment is not None and (made_by is None or made_by.managed)


def _missing(view: PoolView, flights: Iterable[Flight], names: tuple[str, ...]) -> list[Crowd]:
    """Pods that Deployments have still to create."""
    found = []
    for flight in flights:
        ways = (flight.home, *flight.further) if flight.home is not None else ()
        option = next((way for way in ways if way.pool == view.name), None)
        if option is None or option.terms is None or not flight.missing:
            continue
        need = need_of(option, (*FIRST, *names[len(FIRST) :]))
        if need is not None:
            found.append(
                Crowd(need, flight.missing, option.terms, flight.subject.key, promised=flight.moving)
            )
    return found
