"""Carries acts out on the cluster in memory, checking each patch on its way."""

from __future__ import annotations

from typing import Any

from chipwise.control.acts import Act, acts_of
from chipwise.kube.resources import DEPLOYMENTS

from tests.cluster.world import World
from tests.kube.patching import patched


def acts(world: World, **changes: Any) -> list[Act]:
    return list(acts_of(world.decide(**changes)))


def only_act(world: World, **changes: Any) -> Act:
    (act,) = acts(world, **changes)
    return act


def carry_out(world: World) -> list[Act]:
    """One round of the operator."""
    found = acts(world)
    for act in found:
        before = world.kube.peek(DEPLOYMENTS, act.deployment.namespace, act.deployment.name)
        operations = act.patch(before)
        after = patched(before, operations)
        changed = {key for key in ("replicas", "template") if before["spec"][key] != after["spec"][key]}
        assert len(changed) <= 1, f"{act.kind} writes replicas and template at once"
        assert operations, f"{act.kind} writes nothing and would come again and again"
        world.kube.put(DEPLOYMENTS, after)
    return found


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
