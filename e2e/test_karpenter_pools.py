"""What a pool's status says of what was read of Karpenter: where each figure is from, and why a pool cannot be used."""

from __future__ import annotations

from typing import Any

import pytest

from e2e.admin import GROUP, Document
from e2e.authored import MINE
from e2e.cluster.fleet import apply
from e2e.nodepools import NODE_POOL, Fleet
from e2e.nodestage import Stage

pytestmark = pytest.mark.e2e

FLEET = Fleet("told", prices={"h100": "50.00", "maia": ""}, spec={"h100": {"shape": None}})


def ready(stage: Stage, name: str) -> tuple[str, str]:
    """Reason and message of a pool's condition."""
    found = stage.condition(f"{GROUP}/acceleratorpools/{name}")
    return str(found.get("reason", "")), str(found.get("message", ""))


def is_told(stage: Stage, name: str, reason: str) -> str:
    """Wait for the reason; the message."""
    stage.eventually(lambda: ready(stage, name)[0] == reason, f"{name}: {reason}")
    return ready(stage, name)[1]


def another(name: str, **spec: Any) -> Document:
    """A pool of MI300 beside those of the fleet."""
    found = FLEET.accelerator_pool("maia")
    found["metadata"]["name"] = f"{FLEET.name}-{name}"
    found["spec"] |= {"className": FLEET.pool("mi300"), "price": {"amount": "30.00"}, **spec}
    found["spec"] = {key: value for key, value in found["spec"].items() if value is not None}
    return found


def told(stage: Stage) -> None:
    """Refusals, sources, and what is remembered when the last node is gone."""
    h100 = (
        stage.eventually(lambda: stage.pool_status("h100").get("shapeInForce"), "its nodes tell the shape")
        or {}
    )
    assert h100.pop("madeBy")
    assert h100 == {
        "chips": 8,
        "cpu": "191900m",
        "memory": str(2048 * 2**30 - 10 * 2**20),
        "pods": 110,
        "source": "nodes of NodePool told-h100",
    }
    offered = {"nodePool": FLEET.pool("mi300")}
    apply(
        stage.cluster,
        [
            another("lost", karpenter={"nodePool": "nowhere"}),
            another("spot", karpenter=offered, capacityType="Spot"),
            another("blank", karpenter=offered, shape=None),
        ],
    )
    assert "no NodePool named nowhere" in is_told(stage, "told-lost", "NodePoolMissing")
    assert "it offers on-demand" in is_told(stage, "told-spot", "NodePoolMismatch")
    assert "declare spec.shape" in is_told(stage, "told-blank", "ShapeUnknown")

    assert "absolute price in a NodeOverlay" in is_told(stage, "told-maia", "Unpriced")
    only = {"key": NODE_POOL, "operator": "In", "values": [FLEET.pool("maia")]}
    overlay = {
        "apiVersion": "karpenter.sh/v1alpha1",
        "kind": "NodeOverlay",
        "metadata": {"name": "told-theirs", "labels": {MINE: FLEET.name}},
        "spec": {"requirements": [only], "price": "12.5"},
    }
    apply(stage.cluster, [overlay])
    is_told(stage, "told-maia", "Accepted")
    price = {"amount": "12.5", "currency": "USD", "unit": "Node", "source": "NodeOverlay told-theirs"}
    assert stage.pool_status("maia")["priceInForce"] == price
    row = stage.cluster.run_kubectl("get", "apool", "told-maia", "--no-headers", "-o", "wide").split()
    assert {"12.5", "Node", "1000", "told-maia", "USD", "True"} <= set(row)

    stage.cluster.run_kubectl("scale", "deployment/chat", "--replicas=0", "-n", FLEET.name)
    stage.gone("h100")
    stage.eventually(
        lambda: stage.pool_status("h100")["shapeInForce"]["source"] == "last seen of NodePool told-h100",
        "the shape is remembered",
    )
    assert ready(stage, "told-h100")[0] == "Accepted"

    pool = "/apis/chipwise.dev/v1alpha1/acceleratorpools/told-h100"
    stage.admin.merge(pool, {"spec": {"nodeSelector": {"team": "ml"}}})
    assert 'label "team" does not have known values' in is_told(stage, "told-h100", "NodePoolMismatch")
    stage.admin.merge(pool, {"spec": {"nodeSelector": {"team": None, "kubernetes.io/os": "linux"}}})
    is_told(stage, "told-h100", "ShapeUnknown")


@pytest.mark.story(FLEET, told)
def test_the_status_of_a_pool_says_what_was_read_and_what_was_not(story: None) -> None:
    """Each refusal in one word with what to do; shape and price with their source; the shape outlives the nodes."""
