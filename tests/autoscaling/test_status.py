"""What Cluster Autoscaler's status says of a node group, as it was recorded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from chipwise.autoscaling.status import GroupState, GroupStates, group_states
from chipwise.reasons import Reason

STATUS = """\
time: 2026-08-21 10:00:00.123456789 +0000 UTC
autoscalerStatus: Running
clusterWide:
  health: {status: Healthy}
nodeGroups:
- name: h100-b
  health:
    status: Healthy
    nodeCounts: {registered: {total: 2, ready: 2, notStarted: 0}}
    cloudProviderTarget: 2
    minSize: 0
    maxSize: 10
    lastProbeTime: "2026-08-21T10:00:00Z"
  scaleUp:
    status: NoActivity
    lastProbeTime: "2026-08-21T10:00:00Z"
- name: h100-a
  health: {status: Healthy, cloudProviderTarget: 0, minSize: 0, maxSize: 4}
  scaleUp:
    status: Backoff
    backoffInfo:
      errorCode: cloudProviderError
      errorMessage: 'failed to create node: denied: no capacity'
- name: maia
  health: {status: Healthy, cloudProviderTarget: 3, minSize: 1, maxSize: 3}
  scaleUp: {status: InProgress}
"""


def test_groups_as_recorded():
    found = group_states(STATUS)
    assert found.groups == (
        GroupState("h100-a", 4, "cloudProviderError: failed to create node: denied: no capacity"),
        GroupState("h100-b", 10, target=2),
        GroupState("maia", 3, target=3),
    )
    assert found.at == datetime(2026, 8, 21, 10, tzinfo=UTC)


def test_how_many_nodes_may_come():
    """None while the provider refuses; else up to the maximum, of which a group that has reached it says nothing."""
    found = group_states(STATUS)
    assert found.groups[2].to_come(3) == 0
    assert [group.to_come(1) for group in found.groups] == [0, 9, 2]
    assert GroupState("untold").to_come(1) is None


def test_a_group_that_is_unhealthy_is_not_scaled_up_until_it_is_well():
    """Cluster Autoscaler's own rule; a back-off says more, and goes first."""
    sick = STATUS.replace("status: Healthy\n", "status: Unhealthy\n").replace("ready: 2", "ready: 1")
    found = group_states(sick).of("h100-b")
    assert found is not None
    assert found.refusal is not None
    assert found.refusal.reason is Reason.SCALE_UP_REFUSED
    assert "node group h100-b is unhealthy (1 of 2 nodes are ready)" in found.refusal.message
    assert found.to_come(2) == 0
    assert (
        GroupState("a", backoff="quota", unhealthy="1 of 2").refusal
        == GroupState("a", backoff="quota").refusal
    )
    (bare,) = group_states("nodeGroups: [{name: a, health: {status: Unhealthy}}]").groups
    assert bare.unhealthy


def test_a_loop_without_news_is_none():
    later = group_states(STATUS.replace("10:00:00", "10:00:10"))
    assert later != group_states(STATUS)
    assert later.decisive == group_states(STATUS).decisive


@pytest.mark.parametrize(
    "at", ["2026-08-21 10:00:00 +0000 UTC", "'2026-08-21 12:00:00.5 +0200 CEST'", "2026-08-21T10:00:00Z"]
)
def test_when_it_was_said(at):
    assert group_states(f"time: {at}").at in (
        datetime(2026, 8, 21, 10, tzinfo=UTC),
        datetime(2026, 8, 21, 10, 0, 0, 500000, tzinfo=UTC),
    )


def test_an_autoscaler_that_fell_silent_is_not_believed():
    said = group_states(STATUS)
    assert said.at is not None
    assert said.is_current(said.at + timedelta(minutes=9))
    assert not said.is_current(said.at + timedelta(minutes=11))
    assert GroupStates().is_current(said.at)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Cluster-autoscaler status at 2023-01-01 10:00:00:\nCluster-wide:\n  Health: Healthy (ready=3)",
        "- a",
        "a: [",
        "\t",
    ],
)
def test_what_is_no_status_is_refused(text):
    with pytest.raises(ValueError, match="cluster-autoscaler-status"):
        group_states(text)


@pytest.mark.parametrize(
    "text",
    ["nodeGroups: [3]", "nodeGroups: [{name: a, health: 3, scaleUp: [1]}]", "time: soon", "nodeGroups: 0"],
)
def test_what_is_odd_in_it_is_passed_over(text):
    assert all(group.maximum is None for group in group_states(text).groups)
