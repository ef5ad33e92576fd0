"""A pool says on a real cluster what is odd about its labels."""

from __future__ import annotations

import pytest

from e2e.authored import AGENT_POOL, PRODUCT, Setup
from e2e.faults import Lab

pytestmark = pytest.mark.e2e


def test_a_person_reads_what_is_odd_about_a_pools_labels(lab: Lab) -> None:
    """A label that a new node lacks, with the one to use; nodes that are spot in the old spelling and a pool that is not."""
    with lab.operator() as operator:
        world = lab.world(Setup("labels", mode="Off", expects_move=False), operator).build()
        pool = world.path_of_pool("gpu")
        world.admin.merge(pool, {"spec": {"nodeSelector": {AGENT_POOL: None, PRODUCT: "gpu-labels"}}})
        assert f"select by {AGENT_POOL}: labels-gpu" in world.told(
            "SelectorStable", "False", "SelectorUnstable", pool
        )
        label = {"kubernetes.azure.com/scalesetpriority": "spot"}
        world.admin.merge("/api/v1/nodes/labels-gpu-0", {"metadata": {"labels": label}})
        words = world.told("CapacityTypeAsDeclared", "False", "CapacityTypeMismatch", pool)
        assert "1 of 5 nodes say Spot" in words
        world.admin.merge(pool, {"spec": {"nodeSelector": {AGENT_POOL: "labels-gpu", PRODUCT: None}}})
        lab.within(20, lambda: "SelectorStable" not in world.conditions(pool), "it is mended")
