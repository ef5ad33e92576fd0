"""Nodes that are paid for whatever runs on them: a static NodePool of the real Karpenter, and reserved capacity.

Karpenter's gate StaticCapacity (alpha) is on. Its provider here has no label for the id of a reservation, so that reserved is tested as
a capacity type with a price and a limit, and not Karpenter's counting of reservations.
"""

from __future__ import annotations

import pytest

from e2e.cluster.fleet import apply
from e2e.nodepools import EVERY_TERMS, Fleet
from e2e.nodestage import Stage

pytestmark = pytest.mark.e2e

CAPACITY_TYPE = "karpenter.sh/capacity-type"


def static(stage: Stage) -> None:
    """Its nodes are dearer than any, and stand idle: moving there saves all that H100 costs."""
    stage.eventually(lambda: len(stage.nodes("idle")) == 2, "its nodes are there before any pod")
    stage.begin()
    stage.settled("idle")
    (moving,) = stage.events("Moving")
    assert "saves 100.00 $/h" in moving["note"]
    stage.costs("idle", "0.00")
    limit = {"nodes": 2, "source": "spec.replicas of NodePool static-idle"}
    assert stage.pool_status("idle")["limitInForce"] == limit
    stage.gone("h100")
    assert len(stage.nodes("idle")) == 2

    scale(stage, 3)
    stage.eventually(
        lambda: stage.pool_status("idle")["limitInForce"]["nodes"] == 3, "one more is counted on"
    )
    stage.eventually(lambda: len(stage.nodes("idle")) == 3, "and comes")
    scale(stage, 1)
    stage.settled("h100", 150)
    stage.eventually(lambda: len(stage.nodes("idle")) == 1, "Karpenter took two away", 90)


def scale(stage: Stage, replicas: int) -> None:
    stage.cluster.run_kubectl("scale", "nodepool/static-idle", f"--replicas={replicas}")


STATIC = Fleet(
    "static",
    prices={"h100": "50.00", "maia": "60.00", "idle": "70.00"},
    more={"idle": "maia"},
    static={"idle": 2},
)


@pytest.mark.story(STATIC, static)
def test_a_static_node_pool_is_used_first_since_it_is_paid_for(story: None) -> None:
    """Its nodes cost nothing more, as many as ``spec.replicas`` says; with fewer the workload leaves."""


def reserved(stage: Stage) -> None:
    """Two nodes by contract, dearer by the hour than H100; on their own NodePool with no other terms."""
    fleet = stage.fleet
    node_pool, pool = fleet.node_pool("h100", limits={"nodes": "2"}), fleet.accelerator_pool("h100")
    for document in (node_pool, pool):
        document["metadata"]["name"] = fleet.pool("own")
    for requirement in node_pool["spec"]["template"]["spec"]["requirements"]:
        requirement["values"] = ["reserved"] if requirement["key"] == CAPACITY_TYPE else [EVERY_TERMS]
    pool["spec"] |= {
        "karpenter": {"nodePool": fleet.pool("own")},
        "capacityType": "Reserved",
        "committedNodes": 2,
        "price": {"amount": "65.00"},
    }
    apply(stage.cluster, [node_pool, pool])
    stage.begin()
    stage.settled("own")
    assert {node["metadata"]["labels"][CAPACITY_TYPE] for node in stage.nodes("own")} == {"reserved"}
    stage.costs("own", "0.00")
    stage.gone("h100")
    assert (
        stage.condition(f"/apis/chipwise.dev/v1alpha1/acceleratorpools/{fleet.pool('own')}")["status"]
        == "True"
    )
    assert not stage.admin.find(f"/apis/karpenter.sh/v1alpha1/nodeoverlays/chipwise-{fleet.pool('own')}")
    assert f"pool {fleet.pool('own')}: no NodeOverlay: it is reserved" in stage.operator.log


@pytest.mark.story(Fleet("reserved", prices={"h100": "50.00"}), reserved)
def test_reserved_capacity_is_used_first_and_keeps_its_own_price_with_karpenter(story: None) -> None:
    """``committedNodes`` cost nothing more; the node says reserved; no overlay puts it behind spot."""
