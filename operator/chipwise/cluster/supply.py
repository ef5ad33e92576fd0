"""The room that each pool has for the workloads under decision, and what a node of it would cost.

Everything else that sits on a node (foreign pods, pinned workloads, DaemonSets, Terminating pods) has been taken off; unbound pods
that ask for the pool's chips are reservations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from chipwise.cluster.facts import NodeFact, PodFact
from chipwise.cluster.pools import PoolView
from chipwise.cluster.snapshot import Snapshot
from chipwise.placement.problem import Billing, Bucket, Pool, Room


@dataclass(frozen=True, slots=True)
class Census:
    """What the chips of a pool do now, for its status. Counts of chips on usable nodes; ``reserved`` awaits binding."""

    nodes: int
    ready_nodes: int
    allocatable: int
    used_by_others: int
    used: int
    reserved: int

    @property
    def free(self) -> int:
        """Chips that nobody holds or awaits."""
        return max(0, self.allocatable - self.used_by_others - self.used - self.reserved)


def supply(view: PoolView, snapshot: Snapshot, released: Collection[str]) -> Pool:
    """The pool for the solver. ``released`` are the UIDs of pods that the plan may take away: their room counts as free."""
    rooms, kept, taken = [], [], 0
    for node in view.usable_nodes:
        held = [pod for pod in snapshot.pods_by_node.get(node.name, ()) if pod.uid not in released]
        rooms.append(_room(node, view.resource_name, held))
        taken += sum(dict(pod.chips).get(view.resource_name, 0) for pod in held)
        kept.append(any(pod.chips and not pod.daemon and not pod.deleting for pod in held))
    potential = _potential(view, snapshot)
    rooms, potential = _reserve(
        rooms, potential, view, [p for p in awaiting(view, snapshot) if p.uid not in released]
    )
    free_nodes = max(0, max(view.minimum, view.committed) - sum(kept))
    buckets: Counter[tuple[Room, float]] = Counter()
    for room, alive in zip(rooms, kept, strict=True):
        if not alive and free_nodes:
            free_nodes -= 1
            alive = True  # noqa: PLW2901 - a committed or minimum node costs nothing more
        buckets[room, 0.0 if alive or view.billing is Billing.CHIP else view.price_per_hour] += 1
    committed_potential = min(free_nodes, potential)
    empty = view.room
    if committed_potential:
        buckets[empty, 0.0] += committed_potential
    if potential - committed_potential:
        price = 0.0 if view.billing is Billing.CHIP else view.price_per_hour
        buckets[empty, price] += potential - committed_potential
    return Pool(
        name=view.name,
        class_name=view.class_name,
        billing=view.billing,
        price_per_hour=view.price_per_hour,
        chips_per_node=view.room.chips,
        buckets=tuple(
            Bucket(room, count, price) for (room, price), count in sorted(buckets.items()) if room.chips > 0
        ),
        committed_chips=_committed_chips(view, taken),
    )


def _committed_chips(view: PoolView, taken: int) -> int:
    """Chips that are paid for anyway and that nobody else holds, where chips are billed."""
    if view.billing is not Billing.CHIP:
        return 0
    return max(0, max(view.minimum, view.committed) * view.room.chips - taken)


def census(view: PoolView, snapshot: Snapshot, ours: Collection[str]) -> Census:
    """``ours`` are namespace/name of the Deployments that workloads name."""
    others = used = 0
    for node in view.usable_nodes:
        for pod in snapshot.pods_by_node.get(node.name, ()):
            chips = dict(pod.chips).get(view.resource_name, 0)
            if pod.deployment and f"{pod.namespace}/{pod.deployment}" in ours:
                used += chips
            else:
                others += chips
    return Census(
        nodes=len(view.nodes),
        ready_nodes=len(view.usable_nodes),
        allocatable=sum(dict(node.chips).get(view.resource_name, 0) for node in view.usable_nodes),
        used_by_others=others,
        used=used,
        reserved=sum(dict(pod.chips).get(view.resource_name, 0) for pod in awaiting(view, snapshot)),
    )


def awaiting(view: PoolView, snapshot: Snapshot) -> tuple[PodFact, ...]:
    """Unbound pods that ask for this pool's chips and whose node selector does not exclude it, in order of namespace/name.

    Where several pools could take a pod each of them reserves for it: room is never promised twice.
    """
    selector = dict(view.selector)
    return tuple(
        pod
        for _, pod in sorted(snapshot.pods.items())
        if pod.node is None
        and not pod.deleting
        and dict(pod.chips).get(view.resource_name)
        and all(selector.get(key, value) == value for key, value in pod.selector)
    )


def _room(node: NodeFact, resource: str, held: list[PodFact]) -> Room:
    return Room(
        chips=max(
            0, dict(node.chips).get(resource, 0) - sum(dict(pod.chips).get(resource, 0) for pod in held)
        ),
        cpu_milli=max(0, node.cpu_milli - sum(pod.cpu_milli for pod in held)),
        memory_bytes=max(0, node.memory_bytes - sum(pod.memory_bytes for pod in held)),
        pods=max(0, node.pods - len(held)),
    )


def _potential(view: PoolView, snapshot: Snapshot) -> int:
    """Nodes that do not exist yet but may come: all up to the maximum where something scales the pool, none in a static pool."""
    if snapshot.assume_nodes:
        return view.maximum
    return max(0, view.maximum - len(view.nodes)) if view.minimum < view.maximum else 0


def _reserve(
    rooms: list[Room], potential: int, view: PoolView, pods: list[PodFact]
) -> tuple[list[Room], int]:
    """First fit on the nodes that exist; a pod that fits none of them takes a whole node to come."""
    rooms = list(rooms)
    for pod in pods:
        chips = dict(pod.chips)[view.resource_name]
        for index, room in enumerate(rooms):
            if (
                room.chips >= chips
                and room.cpu_milli >= pod.cpu_milli
                and room.memory_bytes >= pod.memory_bytes
                and room.pods
            ):
                rooms[index] = Room(
                    room.chips - chips,
                    room.cpu_milli - pod.cpu_milli,
                    room.memory_bytes - pod.memory_bytes,
                    room.pods - 1,
                )
                break
        else:
            potential = max(0, potential - 1)
    return rooms, potential
