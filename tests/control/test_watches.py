"""What is watched is what the command line asks for, and each kind that may be missing names the flag that asks for it."""

from __future__ import annotations

from typing import Any

import pytest
from chipwise.cluster.extract import FOREIGN
from chipwise.cluster.state import ClusterState
from chipwise.control.options import RunOptions
from chipwise.control.watches import reflectors
from chipwise.kube.reflector import Need
from chipwise.kube.resources import (
    LAUNCH_EVENTS,
    NODE_CLAIMS,
    NODE_OVERLAYS,
    NODE_POOLS,
    PROVISIONING_REQUESTS,
)

from tests.kube.fake import FakeKube


def needs(**options: Any) -> dict[Any, Need]:
    found = reflectors(FakeKube(), ClusterState(), RunOptions(**options))
    return {each.resource: each._need for each in found if each.resource not in FOREIGN}


def test_nothing_is_watched_that_was_not_asked_for():
    assert needs() == {}


@pytest.mark.parametrize("writes", [False, True])
def test_overlays_are_read_where_they_are_served_and_needed_only_to_be_written(writes: bool):
    found = needs(karpenter=True, node_overlays=writes)
    assert found == {
        **dict.fromkeys((NODE_POOLS, NODE_CLAIMS, LAUNCH_EVENTS), Need("--karpenter")),
        NODE_OVERLAYS: Need("--node-overlays", optional=not writes),
    }


def test_probes_name_their_flag():
    found = needs(cluster_autoscaler="kube-system", provisioning_requests=True)
    assert found[PROVISIONING_REQUESTS] == Need("--provisioning-requests")
    assert PROVISIONING_REQUESTS not in needs(cluster_autoscaler="kube-system")
