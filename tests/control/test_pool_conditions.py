"""What a pool says beside Ready: only what is wrong, with what to do about it."""

from __future__ import annotations

from typing import Any

import pytest
from chipwise.control.status_of_others import other_statuses

from tests.cluster import documents as docs
from tests.cluster.world import World

SPOT = "kubernetes.azure.com/priority"
OLD_SPOT = "kubernetes.azure.com/scalesetpriority"


def said(world: World, pool: str = "h100") -> dict[str, tuple[str, str, str]]:
    for report in other_statuses(world.decide()):
        if report.resource.kind == "AcceleratorPool" and report.name == pool:
            return {c["type"]: (c["status"], c["reason"], c["message"]) for c in report.wanted["conditions"]}
    raise AssertionError(pool)


def of(*nodes: Any, **pool: Any) -> dict[str, tuple[str, str, str]]:
    return said(World(docs.chip_class("h100"), docs.pool("h100", **pool), *nodes))


def test_a_sound_pool_says_nothing_more():
    assert set(said(World.standard())) == {"Ready"}


def test_a_selector_that_a_new_node_lacks_is_told_with_the_label_to_use():
    selector = {"nvidia.com/gpu.product": "H100"}
    node = docs.node("h100", labels=selector)
    status, reason, message = of(node, nodeSelector=selector)["SelectorStable"]
    assert (status, reason) == ("False", "SelectorUnstable")
    assert message.startswith("nvidia.com/gpu.product: ")
    assert "select by kubernetes.azure.com/agentpool: h100" in message
    assert "a label that the provider sets" in of(nodeSelector=selector)["SelectorStable"][2]


@pytest.mark.parametrize("labels", [{SPOT: "spot"}, {OLD_SPOT: "spot"}])
def test_spot_nodes_of_a_pool_that_is_not_spot_are_told_in_either_spelling(labels):
    status, reason, message = of(docs.node("h100", labels=labels), docs.node("h100", 1))[
        "CapacityTypeAsDeclared"
    ]
    assert (status, reason) == ("False", "CapacityTypeMismatch")
    ((key, _),) = labels.items()
    assert message == f"1 of 2 nodes say Spot ({key}=spot), and spec.capacityType is OnDemand"


def test_a_taint_says_it_too():
    taint = {"key": OLD_SPOT, "value": "spot", "effect": "NoSchedule"}
    assert "CapacityTypeAsDeclared" in of(docs.node("h100", taints=[taint]))


def test_the_selector_itself_says_it_at_zero_nodes():
    found = of(nodeSelector={docs.NODE_LABEL: "h100", SPOT: "spot"})["CapacityTypeAsDeclared"]
    assert found[2] == f"spec.nodeSelector says Spot ({SPOT}=spot), and spec.capacityType is OnDemand"


@pytest.mark.parametrize(
    ("labels", "declared", "odd"),
    [
        ({SPOT: "spot"}, "Spot", False),
        ({SPOT: "regular"}, "Spot", True),
        ({SPOT: "regular"}, "Reserved", False),
        ({}, "Spot", False),
    ],
)
def test_only_spot_and_not_spot_contradict(labels, declared, odd):
    found = of(docs.node("h100", labels=labels), capacityType=declared)
    assert ("CapacityTypeAsDeclared" in found) is odd
