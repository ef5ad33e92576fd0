"""Pools at zero nodes on a real control plane: terms in order of cost, pods that spill when the first gets too few nodes, and their return.

Nodes come when the test makes them, as an autoscaler would.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from e2e.authored import AGENT_POOL, AMD, MINE, NEAR, ZONE, Document, Setup
from e2e.cluster.fleet import apply, node_manifest
from e2e.platform_team import pool
from e2e.world import World

pytestmark = pytest.mark.e2e


@dataclass(frozen=True, slots=True)
class Empty(Setup):
    """The other pool, and a third of the same chip, may have nodes and have none yet."""

    expects_move: bool = False
    mode: str = "Off"
    alternative_machines: int = 0


def machine(world: World, chip: str, number: int) -> None:
    """A node that holds one replica."""
    setup = world.setup
    apply(
        world.cluster,
        [
            node_manifest(
                f"{setup.name}-{chip}-{number}",
                labels={AGENT_POOL: f"{setup.name}-{chip}", MINE: setup.name},
                taints=[{"key": AMD, "value": "present", "effect": "NoSchedule"}],
                capacity={AMD: "4"},
                zone=NEAR,
                instance_type=f"example-{chip}",
            )
        ],
    )


def terms(world: World) -> list[dict[str, list[str]]]:
    """The required terms of the template, each as values by label."""
    affinity: Document = world.deployment()["spec"]["template"]["spec"]["affinity"]["nodeAffinity"]
    assert set(affinity) == {"requiredDuringSchedulingIgnoredDuringExecution"}
    found = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    return [{each["key"]: each["values"] for each in term["matchExpressions"]} for term in found]


def placements(world: World) -> list[tuple[str, int, str]]:
    """Pool without the world's name, replicas, reason."""
    found = world.status()["placements"]
    return [
        (each["pool"].removeprefix(f"{world.namespace}-"), each["replicas"], each.get("reason", ""))
        for each in found
    ]


@pytest.mark.setup(Empty("spills"))
def test_pods_spill_in_order_of_cost_and_come_back(world: World) -> None:
    """One replica finds a node of the first pool, the other only one of the next. When the first has nodes again both are there."""
    name = world.namespace
    world.kubectl_apply(pool(world.setup, "alt", "15.00", name="alt2", selects="alt2"))
    world.edit_workload(mode="Rollout")
    world.eventually(lambda: bool(world.writes()), "the template is written")
    assert terms(world) == [
        {ZONE: [NEAR], AGENT_POOL: [f"{name}-alt"]},
        {ZONE: [NEAR], AGENT_POOL: [f"{name}-alt2"]},
    ]
    machine(world, "alt", 0)
    machine(world, "alt2", 0)
    spilled = [("alt", 1, ""), ("alt2", 1, "Spilled")]
    # Enough room for the return only later: it would need two nodes of the first pool beside the one that is taken.
    world.eventually(lambda: placements(world) == spilled, "one of two has spilled", 40)
    for number in (1, 2):
        machine(world, "alt", number)
    world.eventually(lambda: placements(world) == [("alt", 2, "")], "both are back", 60)
    assert terms(world) == [{ZONE: [NEAR], AGENT_POOL: [f"{name}-alt"]}]
    world.settled("alt", 2)
    world.nothing_lost()
