"""A workload whose two replicas on H100 become three on Maia, which is half as fast and cheaper: a move over a bridge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chipwise.kube.resources import DEPLOYMENTS, INFERENCE_WORKLOADS, PODS
from chipwise.rendering import bridge as bridges

from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.world import World
from tests.control.carrying import carry_out

#: What one replica is worth, in replicas of Maia's.
RATES = {"nvidia.com/gpu": 2.0, "example.com/maia": 1.0, "amd.com/gpu": 2.0}
NEEDED = 3.0


def slow_maia(**fields: Any) -> Document:
    """Three replicas of Maia carry what two of H100 or MI300X do."""
    maia = docs.variant("maia", tpot=40, **fields)
    return docs.profile(docs.variant("h100", container=None), docs.variant("mi300x"), maia)


def growing(*more: Document, replicas: int = 2) -> World:
    """Before the move, with three Maia nodes: room for six replicas."""
    return World.standard(slow_maia(), docs.node("maia", 2), docs.deployment(replicas=replicas), *more)


def bridge_of(world: World) -> Document | None:
    return next((each for each in world.all(DEPLOYMENTS) if bridges.read(each) is not None), None)


def the_bridge(world: World) -> Document:
    found = bridge_of(world)
    assert found is not None
    return found


def capacity(world: World, rates: Mapping[str, float] = RATES) -> float:
    """Of all pods that a Service with the author's selector finds."""
    found = 0.0
    for pod in world.all(PODS):
        ready = any(
            c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", ())
        )
        if ready and pod["metadata"].get("labels", {}).get("app") == "chat":
            (resource,) = pod["spec"]["containers"][0]["resources"]["limits"]
            found += rates[resource]
    return found


def turn(world: World) -> list[str]:
    """One round of everybody, one pod getting Ready; what was written. Nothing that is needed is ever lost."""
    said = [act.kind.value for act in carry_out(world)]
    for step in (world.roll, world.schedule, lambda: world.become_ready(1)):
        step()
        assert capacity(world) >= NEEDED
    return said


def until(world: World, kind: str, most: int = 20) -> None:
    """Turns up to and with the write of this kind."""
    for _ in range(most):
        if kind in turn(world):
            return
    raise AssertionError(f"never {kind}")


def to_the_end(world: World, most: int = 40) -> list[str]:
    """Turns until nothing happens any more; the writes in order."""
    said = []
    for _ in range(most):
        version, found = world.kube.version, turn(world)
        said += found
        if not found and world.kube.version == version:
            return said
    raise AssertionError(f"never quiet: {said}")


def ahead() -> World:
    """The bridge serves, and the author's template is still to be written."""
    world = growing()
    until(world, "Bridged")
    return world


def behind() -> World:
    """The template has just been written: old pods run beside the bridge."""
    world = growing()
    until(world, "Moving")
    return world


def arrived() -> World:
    """No old pod runs: the bridge is being taken in."""
    world = growing()
    until(world, "Scaled")
    return world


def spec(world: World, **fields: Any) -> None:
    world.edit(INFERENCE_WORKLOADS, "chat", lambda document: document["spec"].update(fields))
