"""What one node of a NodePool offers, and who says so: a NodePool at zero nodes says nothing of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chipwise.api import AcceleratorPool, NodeShape, ShapeInForce
from chipwise.cluster.facts import NodeClaimFact, NodeFact
from chipwise.placement.problem import Room
from chipwise.rendering.quantity import milli, whole

PODS = "pods"


@dataclass(frozen=True, slots=True)
class Shape:
    """What one node offers, and who says so; None where nobody does."""

    room: Room | None
    source: str


def shape_of(
    pool: AcceleratorPool, resource_name: str, nodes: Iterable[NodeFact], claims: Iterable[NodeClaimFact]
) -> Shape:
    """As declared, else of the nodes, else of the NodeClaims, else as it was last seen: a NodePool at zero says nothing of it."""
    assert pool.spec.karpenter is not None  # noqa: S101
    if pool.spec.shape is not None:
        return Shape(room_of(pool.spec.shape), "spec.shape")
    whose = f"NodePool {pool.spec.karpenter.node_pool}"
    seen = [
        Room(dict(n.chips).get(resource_name, 0), n.cpu_milli, n.memory_bytes, n.pods)
        for n in nodes
        if n.usable
    ]
    if room := _smallest(seen):
        return Shape(room, f"nodes of {whose}")
    promised = [_room_of(dict(c.allocatable), resource_name) for c in claims if c.launched]
    if room := _smallest(promised):
        return Shape(room, f"NodeClaims of {whose}")
    last = pool.status.shape_in_force if pool.status else None
    if last is not None and last.source.endswith(whose):
        return Shape(room_of(last), f"last seen of {whose}")
    return Shape(None, "")


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
