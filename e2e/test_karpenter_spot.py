"""One NodePool of the real Karpenter with spot and on-demand: a pool for each, each with its own price.

Karpenter's provider makes no node of a kind fail, so what moves a workload from one to the other here is a price.
"""

from __future__ import annotations

import threading
from typing import Any

import pytest

from e2e.admin import Document
from e2e.authored import MINE
from e2e.cluster.fleet import apply
from e2e.nodepools import EVERY_TERMS, NODE_POOL, Fleet
from e2e.nodestage import Stage

pytestmark = pytest.mark.e2e

CAPACITY_TYPE, MACHINE = "karpenter.sh/capacity-type", "node.kubernetes.io/instance-type"
OVERLAYS = "/apis/karpenter.sh/v1alpha1/nodeoverlays"
TERMS = {"spot": "Spot", "on-demand": "OnDemand"}


def node_pool(fleet: Fleet) -> Document:
    """Both terms of one machine."""
    found = fleet.node_pool("h100")
    found["metadata"]["name"] = fleet.pool("both")
    for requirement in found["spec"]["template"]["spec"]["requirements"]:
        requirement["values"] = list(TERMS) if requirement["key"] == CAPACITY_TYPE else [EVERY_TERMS]
    return found


def pool(fleet: Fleet, kind: str, price: str | None = None) -> Document:
    """The pool of the nodes on one terms."""
    found = fleet.accelerator_pool("h100")
    found["metadata"]["name"] = fleet.pool(kind)
    found["spec"] |= {"karpenter": {"nodePool": fleet.pool("both")}, "capacityType": TERMS[kind]}
    found["spec"].pop("price", None)
    if price is not None:
        found["spec"]["price"] = {"amount": price}
    return found


def overlay(fleet: Fleet, kind: str, price: str) -> Document:
    """A person's."""
    requirements = [
        {"key": key, "operator": "In", "values": [value]}
        for key, value in ((NODE_POOL, fleet.pool("both")), (CAPACITY_TYPE, kind))
    ]
    return {
        "apiVersion": "karpenter.sh/v1alpha1",
        "kind": "NodeOverlay",
        "metadata": {"name": f"{fleet.name}-theirs-{kind}", "labels": {MINE: fleet.name}},
        "spec": {"requirements": requirements, "price": price},
    }


def kinds(stage: Stage) -> list[str]:
    """The terms of each node."""
    return sorted(node["metadata"]["labels"][CAPACITY_TYPE] for node in stage.nodes("both"))


def settled(stage: Stage, kind: str) -> None:
    """Every pod serves on nodes of one terms, the status says so, and the others are gone."""
    stage.eventually(lambda: stage.placed() == kind and stage.is_on("both"), f"settled on {kind}", 90)
    stage.eventually(lambda: kinds(stage) == [kind, kind], f"nothing but {kind} is left", 150)


def reads(stage: Stage, kind: str, amount: str) -> None:
    """Wait until the pool of these terms has the price of a person's overlay."""
    told = {"amount": amount, "currency": "USD", "unit": "Node"}
    source = f"NodeOverlay {stage.fleet.name}-theirs-{kind}"
    stage.eventually(
        lambda: stage.pool_status(kind).get("priceInForce") == {**told, "source": source},
        f"the price of {kind}",
    )


def priced(stage: Stage) -> None:
    """Prices are in overlays alone, one for each terms."""
    fleet = stage.fleet
    theirs = [overlay(fleet, "spot", "12.5"), overlay(fleet, "on-demand", "40")]
    apply(stage.cluster, [node_pool(fleet), *theirs, pool(fleet, "spot"), pool(fleet, "on-demand")])
    reads(stage, "spot", "12.5")
    reads(stage, "on-demand", "40")
    stage.begin()
    settled(stage, "spot")
    stage.gone("h100")
    (moving,) = stage.events("Moving")
    assert "saves 75.00 $/h" in moving["note"]
    stage.admin.merge(f"{OVERLAYS}/priced-theirs-spot", {"spec": {"price": "48"}})
    settled(stage, "on-demand")


@pytest.mark.story(Fleet("priced", prices={"h100": "50.00"}), priced)
def test_each_capacity_type_has_its_own_price(story: None) -> None:
    """Read from the overlay of its terms; from spot to on-demand of one NodePool, and the spot nodes are gone."""


class Order:
    """What our two overlays said at every moment, from a watch: the price of each by name."""

    def __init__(self, stage: Stage) -> None:
        self.seen: list[dict[str, float]] = []
        self._names = [f"chipwise-{stage.fleet.pool(kind)}" for kind in TERMS]
        threading.Thread(target=self._watch, args=(stage,), daemon=True).start()

    def _watch(self, stage: Stage) -> None:
        prices: dict[str, float] = {}
        for event, found in stage.admin.watch(OVERLAYS):
            name = found["metadata"]["name"]
            if name not in self._names:
                continue
            prices.pop(name, None)
            if event != "DELETED":
                prices[name] = float(found["spec"]["price"])
            self.seen.append(dict(prices))

    def now(self) -> list[float]:
        """Spot, then on-demand; fewer where there is none."""
        latest = self.seen[-1] if self.seen else {}
        return [latest[name] for name in self._names if name in latest]

    def becomes(self, stage: Stage, prices: list[float]) -> None:
        """Wait for these."""
        stage.eventually(lambda: self.now() == prices, f"our overlays: {prices}")

    def inverted(self) -> list[dict[str, float]]:
        """Every moment at which spot was not below on-demand."""
        spot, dear = self._names
        return [each for each in self.seen if len(each) == len(TERMS) and each[spot] >= each[dear]]


def taken(stage: Stage, kind: str) -> bool:
    """Karpenter found no fault with our overlay."""
    return stage.condition(f"{OVERLAYS}/chipwise-{stage.fleet.pool(kind)}").get("status") == "True"


def paired(stage: Stage) -> None:
    """Somebody's pod that may have either gets spot, and keeps it whatever the pools say."""
    fleet, order = stage.fleet, Order(stage)
    apply(stage.cluster, [node_pool(fleet), pool(fleet, "spot", "20.00"), pool(fleet, "on-demand", "45.00")])
    order.becomes(stage, [20.0, 45.0])
    stage.eventually(lambda: all(taken(stage, kind) for kind in TERMS), "Karpenter takes both")
    apply(stage.cluster, [_batch(fleet)])
    stage.eventually(lambda: kinds(stage) == ["spot"], "it landed on spot", 60)
    (node,) = (each["metadata"]["name"] for each in stage.nodes("both"))

    words = "spot of NodePool paired-both is not cheaper than on-demand, and an overlay must not say so"
    steps: list[tuple[str, str, list[float]]] = [
        ("on-demand", "90.00", [20.0, 90.0]),
        ("spot", "70.00", [70.0, 90.0]),
        ("on-demand", "30.00", [70.0, 90.0]),  # the wrong way round, which may pass: what is written stays
        ("spot", "25.00", [25.0, 30.0]),
    ]
    for kind, amount, expected in steps:
        stage.set_price(kind, amount)
        if amount == "30.00":
            stage.eventually(lambda: words in stage.operator.log, "it says why nothing is written")
        order.becomes(stage, expected)
    assert order.inverted() == []
    assert [each["metadata"]["name"] for each in stage.nodes("both")] == [node]


@pytest.mark.story(Fleet("paired", prices={"h100": "50.00"}), paired)
def test_no_overlay_ever_puts_on_demand_before_spot(story: None) -> None:
    """At no moment of a watch; both are written or neither; and Karpenter keeps its spot node throughout."""


def _batch(fleet: Fleet) -> Document:
    found: dict[str, Any] = fleet.deployment()
    found["metadata"]["name"] = "batch"
    found["spec"]["replicas"] = 1
    found["spec"]["selector"]["matchLabels"] = {"app": "batch"}
    found["spec"]["template"]["metadata"]["labels"] = {"app": "batch"}
    found["spec"]["template"]["spec"]["nodeSelector"] = {NODE_POOL: fleet.pool("both")}
    return found
