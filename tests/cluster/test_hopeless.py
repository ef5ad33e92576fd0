"""A pod that may go to several pools has lost hope when none of them brings it a node, and not sooner."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from chipwise.autoscaling.status import GroupState
from chipwise.cluster.hopeless import TOLD, TURN, Autoscaling, by_cluster_autoscaler, by_karpenter
from chipwise.cluster.pools import PoolView, view_pools
from chipwise.reasons import Reason
from hypothesis import given
from hypothesis import strategies as st

from tests.cluster import karpenter_documents as kd
from tests.cluster.documents import Document
from tests.cluster.test_karpenter import CLASS, SHAPE, snapshot

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
#: Karpenter's evidence by what it comes to for each pool: no hope, or hope.
NOTHING: tuple[Document, ...] = ()
GRACE = 60.0


def view(name: str, state: str) -> PoolView:
    """A pool whose NodePool is in one of these states."""
    spec: Document = {"limits": {"nodes": "0"}} if state == "limited" else {}
    if state == "unready":
        spec["conditions"] = [
            kd.condition("NodeClassReady", "False", "NoQuota", at=kd.LATE),
            kd.condition("Ready", "False", "NoQuota", at=kd.LATE),
        ]
    events = {
        "failing": (kd.launch_event(f"{name}-aaaaa"), kd.launch_event(f"{name}-bbbbb", kd.LATER)),
        "tried": (kd.launch_event(f"{name}-aaaaa"),),
    }.get(state, NOTHING)
    found = snapshot(
        CLASS, kd.pool(name, class_name="h100", shape=SHAPE), kd.node_pool(name, **spec), *events
    )
    return view_pools(found)[name]


def told(first: str, *further: str) -> tuple[Reason, float, str] | None:
    others = [view(f"other{number}", state) for number, state in enumerate(further)]
    found = by_karpenter(view("h100", first), Autoscaling(further=others), kd.EARLY, GRACE)
    return (found.reason, found.patience, found.since) if found else None


def test_alone_its_own_evidence_is_enough():
    assert told("limited") == (Reason.LIMIT_REACHED, GRACE, kd.EARLY)
    assert told("unready") == (Reason.NODE_POOL_NOT_READY, TOLD, kd.LATE)
    assert told("failing") == (Reason.LAUNCH_FAILED, TOLD, kd.LATER)
    assert told("open") is None


@pytest.mark.parametrize("first", ["limited", "unready", "failing"])
def test_a_further_pool_that_may_launch_is_waited_for(first: str):
    """Karpenter turns to it by itself; after a failure it may not, so it is given half a minute."""
    expected = (Reason.LAUNCH_FAILED, TURN, kd.LATER) if first == "failing" else None
    assert told(first, "open") == expected
    assert told(first, "limited", "open") == expected


def test_karpenter_that_has_turned_to_the_next_is_let_go_on():
    assert told("failing", "tried") is None


def test_where_all_say_no_the_first_says_why():
    assert told("limited", "unready") == (Reason.LIMIT_REACHED, GRACE, kd.LATE)
    assert told("unready", "limited") == (Reason.NODE_POOL_NOT_READY, GRACE, kd.LATE)
    assert told("failing", "unready") == (Reason.LAUNCH_FAILED, TOLD, kd.LATER)
    found = by_karpenter(
        view("h100", "limited"), Autoscaling(further=[view("other", "unready")]), kd.EARLY, GRACE
    )
    assert found is not None
    assert "limits.nodes of NodePool h100 is reached" in found.message
    assert "launches nothing for NodePool other" in found.message


STATES = st.sampled_from(["open", "limited", "unready", "failing", "tried"])


@given(STATES, st.lists(STATES, max_size=3), st.randoms(use_true_random=False))
def test_the_order_of_further_pools_means_nothing_and_more_of_them_never_take_hope(first, further, dice):
    before = told(first, *further)
    shuffled = list(further)
    dice.shuffle(shuffled)
    assert told(first, *shuffled) == before
    if before is None:
        assert told(first, *further, "open") is None


@pytest.mark.parametrize(
    ("group", "reason"),
    [
        (GroupState("a", 4, backoff="quota"), Reason.STOCKOUT),
        (GroupState("a", 4, unhealthy="1 of 4 nodes are ready"), Reason.SCALE_UP_REFUSED),
    ],
)
def test_a_group_that_gets_no_node_ends_the_wait_unless_another_may(group: GroupState, reason: Reason):
    plain = replace(view("h100", "open"), launches=None)
    dry, open_ = replace(plain, group_state=group), replace(plain, group_state=GroupState("b", 4))
    alone = by_cluster_autoscaler(dry, Autoscaling(), "uid", kd.EARLY, NOON, GRACE)
    assert alone is not None
    assert (alone.reason, alone.patience) == (reason, TOLD)
    assert by_cluster_autoscaler(dry, Autoscaling(further=[dry]), "uid", kd.EARLY, NOON, GRACE) == alone
    for other in (open_, plain):
        assert by_cluster_autoscaler(dry, Autoscaling(further=[other]), "uid", kd.EARLY, NOON, GRACE) is None
    assert by_cluster_autoscaler(open_, Autoscaling(), "uid", kd.EARLY, NOON, GRACE) is None


def test_documents_are_those_of_the_fleet():
    """What the states above stand for."""
    assert view("h100", "limited").to_come == view("h100", "unready").to_come == 0
    assert view("h100", "open").to_come > 0
