"""Carries acts out on the cluster in memory, checking each patch on its way."""

from __future__ import annotations

from typing import Any

from chipwise.control.act import AnyAct, Create, Delete, Patch
from chipwise.control.acts import acts_of
from chipwise.kube.resources import DEPLOYMENTS

from tests.cluster.world import World
from tests.kube.patching import patched


def acts(world: World, **changes: Any) -> list[AnyAct]:
    return list(acts_of(world.decide(**changes)))


def only_act(world: World, **changes: Any) -> AnyAct:
    (act,) = acts(world, **changes)
    return act


def carry_out(world: World) -> list[AnyAct]:
    """One round of the operator."""
    found = acts(world)
    for act in found:
        carry(world, act)
    return found


def carry(world: World, act: AnyAct) -> None:
    """One write. What it was decided on was not changed since."""
    fresh = {each.key: world.kube.peek(DEPLOYMENTS, each.namespace, each.name) for each in act.decided_on}
    write = act.write(fresh)
    assert write is not None, f"{act.kind} writes nothing and would come again and again"
    match write:
        case Create(_, document):
            assert (document["metadata"]["namespace"], document["metadata"]["name"]) not in world.kube.keys(
                DEPLOYMENTS
            )
            world.kube.put(DEPLOYMENTS, document)
        case Delete(namespace, name, only):
            assert only.items() <= world.kube.peek(DEPLOYMENTS, namespace, name)["metadata"].items()
            world.remove_deployment(name)
        case Patch(namespace, name, operations):
            before = world.kube.peek(DEPLOYMENTS, namespace, name)
            after = patched(before, operations)
            changed = {key for key in ("replicas", "template") if before["spec"][key] != after["spec"][key]}
            assert len(changed) <= 1, f"{act.kind} writes replicas and template at once"
            world.kube.put(DEPLOYMENTS, after)


def until_quiet(world: World, most: int = 30) -> list[str]:
    """Operator and cluster take turns until neither does anything; the kinds of act in order."""
    said = []
    for _ in range(most):
        found = carry_out(world)
        said += [act.kind.value for act in found]
        version = world.kube.version
        world.settle()
        if not found and world.kube.version == version:
            return said
    raise AssertionError(f"never quiet: {said}")
