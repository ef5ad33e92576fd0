"""What is known of providers' labels, and that the page says the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from chipwise.autoscaling.platforms import PLATFORMS, Terms, handle, terms_of, unstable

PAGE = Path(__file__).parents[2] / "docs" / "platforms.md"


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"kubernetes.azure.com/priority": "spot"}, Terms.SPOT),
        ({"kubernetes.azure.com/scalesetpriority": "spot"}, Terms.SPOT),
        ({"kubernetes.azure.com/priority": "regular"}, Terms.ON_DEMAND),
        ({"eks.amazonaws.com/capacityType": "SPOT"}, Terms.SPOT),
        ({"eks.amazonaws.com/capacityType": "ON_DEMAND"}, Terms.ON_DEMAND),
        ({"karpenter.sh/capacity-type": "reserved"}, Terms.RESERVED),
        ({"karpenter.sh/capacity-type": "on-demand"}, Terms.ON_DEMAND),
        ({"cloud.google.com/gke-spot": "true"}, Terms.SPOT),
        ({"cloud.google.com/gke-provisioning": "standard", "cloud.google.com/gke-spot": "true"}, Terms.SPOT),
        (
            {"kubernetes.azure.com/priority": "regular", "kubernetes.azure.com/scalesetpriority": "spot"},
            Terms.SPOT,
        ),
        ({"cloud.google.com/gke-spot": "false"}, None),
        ({"karpenter.sh/capacity-type": "odd"}, None),
        ({}, None),
    ],
)
def test_on_what_terms_a_node_is_lent(labels, expected):
    said = terms_of(labels)
    assert (said.terms if said else None) == expected


@pytest.mark.parametrize(
    "key",
    [
        "nvidia.com/gpu.product",
        "amd.com/gpu.product-name",
        "beta.amd.com/gpu.family",
        "feature.node.kubernetes.io/pci-10de.present",
        "gpu.intel.com/family",
        "habana.ai/hpu-present",
        "kubernetes.io/hostname",
    ],
)
def test_what_an_agent_writes_later_is_unstable(key):
    assert unstable(["kubernetes.azure.com/agentpool", key]) == (key,)


def test_no_handle_of_a_provider_and_no_label_of_people_is_unstable():
    keys = [key for platform in PLATFORMS for key in platform.handles]
    assert unstable([*keys, "example.com/maia", "topology.kubernetes.io/zone"]) == ()


def test_the_best_handle_comes_first():
    labels = {
        "agentpool": "old",
        "kubernetes.azure.com/agentpool": "h100",
        "node.kubernetes.io/instance-type": "x",
    }
    assert handle(labels) == ("kubernetes.azure.com/agentpool", "h100")
    assert handle({"node.kubernetes.io/instance-type": "x"}) == ("node.kubernetes.io/instance-type", "x")
    assert handle({"app": "x"}) is None


def test_the_page_has_every_platform_with_its_labels():
    rows = {
        row[0].strip(): " ".join(row[1:])
        for row in re.findall(r"^\| ([^|]+)\|([^|]+)\|([^|]*)\|$", PAGE.read_text(), re.MULTILINE)
    }
    for platform in PLATFORMS:
        for key in platform.handles:
            assert f"`{key}`" in rows[platform.name]
    told = PAGE.read_text()
    assert all(f"`{key}`" in told for platform in PLATFORMS for key in platform.terms)
