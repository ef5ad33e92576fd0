"""NodeOverlays that chipwise writes are taken by the real Karpenter, and its consolidation goes by their prices.

One NodePool makes two machines with the same chips. By the provider's list the first is cheaper; by what the pools say, the second.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from e2e.admin import Document
from e2e.cluster.fleet import apply
from e2e.nodepools import CHIPS, NODE_POOL, SECOND, Fleet
from e2e.nodestage import Stage

pytestmark = pytest.mark.e2e

OVERLAYS = "/apis/karpenter.sh/v1alpha1/nodeoverlays"
MACHINE = "node.kubernetes.io/instance-type"
NAME = "overlaid"
DUO = f"{NAME}-duo"


def machines(stage: Stage) -> list[str]:
    """Of the nodes of the NodePool with two."""
    return [node["metadata"]["labels"][MACHINE] for node in stage.nodes("duo")]


def overlay(stage: Stage, name: str) -> Document:
    """One as it is, empty if it is not there."""
    return stage.admin.find(f"{OVERLAYS}/{name}") or {}


def price(stage: Stage, machine: str) -> str:
    """What our overlay says of one machine."""
    return str(overlay(stage, f"chipwise-{NAME}-{machine}").get("spec", {}).get("price", ""))


def is_taken(stage: Stage, path: str) -> None:
    """Wait until Karpenter says that it has taken an overlay."""

    def check() -> bool:
        kinds = ("ValidationSucceeded", "Ready")
        return all(stage.condition(path, kind).get("status") == "True" for kind in kinds)

    stage.eventually(check, f"Karpenter takes {path}")


def overlaid(stage: Stage) -> None:
    """A pod of somebody else's on the machine that the list calls cheaper, then prices, then their changes."""
    fleet = stage.fleet
    theirs = _theirs(fleet)
    apply(stage.cluster, [_node_pool(fleet), theirs, _batch(fleet)])
    stage.eventually(lambda: machines(stage) == [CHIPS["h100"][1]], "it landed where the list is lower", 60)

    apply(stage.cluster, [_pool(fleet, CHIPS["h100"][1], "90.00"), _pool(fleet, SECOND, "40.00")])
    for machine in (CHIPS["h100"][1], SECOND):
        is_taken(stage, f"{OVERLAYS}/chipwise-{NAME}-{machine}")
    assert price(stage, SECOND) == "40.00"
    stage.eventually(lambda: machines(stage) == [SECOND], "consolidated by our prices", 150)

    _reprice(stage, "42.00")
    time.sleep(4)  # for a write that should not come
    assert price(stage, SECOND) == "40.00"
    _reprice(stage, "45.00")
    stage.eventually(lambda: price(stage, SECOND) == "45.00", "a tenth more is written")

    stage.admin.delete(f"/apis/chipwise.dev/v1alpha1/acceleratorpools/{NAME}-{SECOND}")
    stage.eventually(lambda: not overlay(stage, f"chipwise-{NAME}-{SECOND}"), "without its pool it goes")
    left = overlay(stage, theirs["metadata"]["name"])
    assert left["spec"] == theirs["spec"]
    assert left["metadata"]["generation"] == 1


@pytest.mark.story(Fleet(NAME), overlaid)
def test_karpenter_consolidates_by_the_prices_that_are_told_to_it(story: None) -> None:
    """Absolute prices, taken as valid, used; small changes are not written; somebody else's overlay is left alone."""


def _reprice(stage: Stage, amount: str) -> None:
    path = f"/apis/chipwise.dev/v1alpha1/acceleratorpools/{NAME}-{SECOND}"
    stage.admin.merge(path, {"spec": {"price": {"amount": amount}}})


def _node_pool(fleet: Fleet) -> Document:
    found = fleet.node_pool("h100")
    found["metadata"]["name"] = DUO
    for requirement in found["spec"]["template"]["spec"]["requirements"]:
        if requirement["key"] == MACHINE:
            requirement["values"] = [CHIPS["h100"][1], SECOND]
    return found


def _pool(fleet: Fleet, machine: str, amount: str) -> Document:
    found = fleet.accelerator_pool("h100")
    found["metadata"]["name"] = f"{NAME}-{machine}"
    found["spec"] |= {
        "karpenter": {"nodePool": DUO},
        "nodeSelector": {MACHINE: machine},
        "price": {"amount": amount},
    }
    return found


def _theirs(fleet: Fleet) -> Document:
    found = fleet.node_pool("maia")
    requirements: list[dict[str, Any]] = [
        {"key": NODE_POOL, "operator": "In", "values": [fleet.pool("maia")]}
    ]
    return {
        "apiVersion": "karpenter.sh/v1alpha1",
        "kind": "NodeOverlay",
        "metadata": {"name": f"{NAME}-theirs", "labels": found["metadata"]["labels"]},
        "spec": {"requirements": requirements, "price": "3.5"},
    }


def _batch(fleet: Fleet) -> Document:
    found = fleet.deployment()
    found["metadata"]["name"] = "batch"
    found["spec"]["replicas"] = 1
    found["spec"]["selector"]["matchLabels"] = {"app": "batch"}
    found["spec"]["template"]["metadata"]["labels"] = {"app": "batch"}
    found["spec"]["template"]["spec"]["nodeSelector"] = {NODE_POOL: DUO}
    return found
