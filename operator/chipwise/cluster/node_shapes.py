"""What one node of a NodePool offers, and who says so: a NodePool at zero nodes says nothing of it.

What was seen last is remembered in the pool's status, with a digest of what made those nodes: another class, another selector or another
choice of machines makes other nodes. Zones and capacity types change nothing of a machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chipwise.api import AcceleratorPool, NodeShape, ShapeInForce
from chipwise.cluster.facts import NodeClaimFact, NodeFact, NodePoolFact, Pairs
from chipwise.cluster.facts.karpenter import CAPACITY_TYPE_LABEL
from chipwise.cluster.facts.needs import Counts
from chipwise.cluster.facts.nodes import ZONE_LABEL
from chipwise.placement.problem import Room
from chipwise.rendering.quantity import milli, whole

PODS = "pods"
_MACHINE = ("cpu", "memory")
_WHERE_AND_HOW = frozenset({ZONE_LABEL, "topology.kubernetes.io/region", CAPACITY_TYPE_LABEL})


@dataclass(frozen=True, slots=True)
class Shape:
    """What one node offers, and who says so; None where nobody does.

    ``made_by`` is the digest of what makes the nodes, ``machine`` the CPU (millicores) and memory (bytes) of a whole one, as far as one was
    seen: more than pods can use.
    """

    room: Room | None
    source: str
    made_by: str = ""
    machine: Counts = ()


@dataclass(frozen=True)
class Maker:
    """What nodes come from: a pool, the resource of its class, and the NodePool, None where that is not there."""

    pool: AcceleratorPool
    resource_name: str
    selector: Pairs
    fact: NodePoolFact | None

    @property
    def digest(self) -> str:
        """Of everything that says which machines come."""
        fact = self.fact
        choice = fact.requirements if fact is not None else ()
        told = (
            self.pool.spec.class_name,
            self.resource_name,
            [pair for pair in self.selector if pair[0] not in _WHERE_AND_HOW],
            [(each.key, each.operator, each.values) for each in choice if each.key not in _WHERE_AND_HOW],
        )
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def shape_of(maker: Maker, nodes: Iterable[NodeFact], claims: Iterable[NodeClaimFact]) -> Shape:
    """As declared, else of the nodes, else of the NodeClaims, else as it was last seen: a NodePool at zero says nothing of it."""
    own = tuple(claims)
    digest = maker.digest
    last = maker.pool.status.shape_in_force if maker.pool.status else None
    if last is not None and (maker.fact is None or not maker.resource_name):
        # Gone, or not read: what was seen waits for it.
        digest = last.made_by
    # A status of an earlier version has no digest.
    if last is not None and last.made_by not in ("", digest):
        last = None
    room, source = _known(maker, nodes, own, last)
    pods = {"cpu": room.cpu_milli, "memory": room.memory_bytes} if room is not None else {}
    machine = _machine(own) or _machine_of(last)
    # A provider that gives a node as capacity what was asked of it says nothing of the machine.
    return Shape(room, source, digest, tuple(one for one in machine if one[1] > pods.get(one[0], 0)))


def _known(
    maker: Maker, nodes: Iterable[NodeFact], claims: Iterable[NodeClaimFact], last: ShapeInForce | None
) -> tuple[Room | None, str]:
    pool, resource_name = maker.pool, maker.resource_name
    assert pool.spec.karpenter is not None  # noqa: S101
    if pool.spec.shape is not None:
        return room_of(pool.spec.shape), "spec.shape"
    whose = f"NodePool {pool.spec.karpenter.node_pool}"
    seen = [
        Room(dict(n.chips).get(resource_name, 0), n.cpu_milli, n.memory_bytes, n.pods)
        for n in nodes
        if n.usable
    ]
    if room := _smallest(seen):
        return room, f"nodes of {whose}"
    promised = [_room_of(dict(c.allocatable), resource_name) for c in claims if c.launched]
    if room := _smallest(promised):
        return room, f"NodeClaims of {whose}"
    if last is not None and last.source.endswith(f" of {whose}"):
        return room_of(last), f"last seen of {whose}"
    return None, ""


def _machine(claims: Iterable[NodeClaimFact]) -> Counts:
    """The largest of each among machines that are there: so many are sure to fit a limit."""
    seen = [dict(claim.capacity) for claim in claims if claim.launched]
    most = {name: max((one.get(name, 0) for one in seen), default=0) for name in _MACHINE}
    return tuple((name, amount) for name, amount in most.items() if amount)


def _machine_of(last: ShapeInForce | None) -> Counts:
    if last is None:
        return ()
    found = {
        "cpu": milli(last.machine_cpu) if last.machine_cpu else 0,
        "memory": whole(last.machine_memory) if last.machine_memory else 0,
    }
    return tuple((name, amount) for name, amount in found.items() if amount)


def room_of(shape: NodeShape | ShapeInForce) -> Room:
    """A shape of our API as room."""
    return Room(shape.chips, milli(shape.cpu), whole(shape.memory), shape.pods)


def _room_of(amounts: Mapping[str, int], resource_name: str) -> Room:
    return Room(
        amounts.get(resource_name, 0),
        amounts.get("cpu", 0),
        amounts.get("memory", 0),
        amounts.get(PODS, 110),
    )


def _smallest(rooms: Iterable[Room]) -> Room | None:
    """What all of them offer; those without chips have not registered them yet."""
    able = [room for room in rooms if room.chips]
    if not able:
        return None
    return Room(
        min(r.chips for r in able),
        min(r.cpu_milli for r in able),
        min(r.memory_bytes for r in able),
        min(r.pods for r in able),
    )
