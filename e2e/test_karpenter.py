"""The real Karpenter makes the nodes of the pools that chipwise chose, and takes the old ones away.

Its provider's machines are fake, and `example.com/maia` is a made-up resource on a made-up machine type.
"""

from __future__ import annotations

import time
from concurrent.futures import Future, wait

import pytest

from e2e.audit import AuditTail
from e2e.cluster.fleet import apply
from e2e.nodepools import Fleet
from e2e.nodestage import Stage
from e2e.test_rights import refused, used

pytestmark = pytest.mark.e2e

#: Of a pool that does not say otherwise.
BOOT_SECONDS = 300


def journey(stage: Stage) -> None:
    """From zero to the cheapest, and what was before is gone."""
    stage.begin()
    stage.settled("maia")
    assert len(stage.nodes("maia")) == stage.fleet.replicas
    stage.eventually(
        lambda: stage.pool_status("maia")["nodes"]["total"] == 2, "the pool's status counts them", 90
    )
    stage.gone("h100")
    (moving,) = stage.events("Moving")
    assert "saves" in moving["note"]


@pytest.mark.story(Fleet("journey"), journey)
def test_scaled_from_zero_to_the_pool_that_was_chosen_and_the_old_nodes_are_gone(story: None) -> None:
    """A move from H100 to Maia: no node of it was there before, no toleration or selector was declared, and none of H100 is left."""


def limited(stage: Stage) -> None:
    """The first choice takes one node; two are needed."""
    stage.begin()
    stage.settled("mi300")
    assert not stage.nodes("maia")
    status = stage.pool_status("maia")
    assert status["limitInForce"] == {"nodes": 1, "source": "limits.nodes of NodePool limited-maia"}
    stage.set_limit("maia", nodes="4")
    stage.settled("maia")
    stage.gone("mi300")
    stage.gone("h100")


@pytest.mark.story(Fleet("limited", limits={"maia": {"nodes": "1"}}), limited)
def test_the_second_choice_while_the_first_is_at_its_limit_and_back_when_it_frees(story: None) -> None:
    """``limits.nodes`` bound what is counted on; raised, the workload returns."""


def unready(stage: Stage) -> None:
    """The provider says that it has none of the first choice."""
    said = "no quota for maia in this subscription"
    stage.set_class_ready("maia", ready=False, reason="InsufficientCapacity", message=said)
    stage.eventually(lambda: not stage.ready("NodePool", "unready-maia"), "Karpenter says so")
    stage.begin()
    stage.settled("mi300")
    told = stage.condition(stage.path("AcceleratorPool", "maia"))
    assert (told["status"], told["reason"]) == ("False", "NodePoolNotReady")
    assert said in told["message"]
    stage.set_class_ready("maia", ready=True)
    stage.settled("maia")

    stage.set_class_ready("maia", ready=False, reason="InsufficientCapacity", message=said)
    stage.eventually(lambda: not stage.ready("AcceleratorPool", "unready-maia"), "the pool says so")
    time.sleep(5)  # for a move that should not come
    assert stage.is_on("maia")
    stage.lose_machine("maia")
    stage.settled("mi300")


@pytest.mark.story(Fleet("unready"), unready)
def test_a_node_class_that_is_not_ready_sends_nobody_there_until_it_is(story: None) -> None:
    """``NodePoolNotReady`` in Karpenter's own words. What runs there stays while its nodes do, and leaves when one of them goes."""


def failing(stage: Stage) -> None:
    """Karpenter believes that it may launch, and the provider has no machine for any NodeClaim."""
    stage.keep_node_pool_ready("maia")
    stage.admin.delete(stage.path("KWOKNodeClass", "maia"))
    begun = stage.begin()
    (noted,) = stage.eventually(lambda: stage.cool_downs("maia"), "the pool cools down", 90)
    took = time.monotonic() - begun
    assert noted["reason"] == "LaunchFailed"
    # Karpenter has no words for NodeClaims that it gave up on because of their NodeClass, which it may notice first.
    words = ("InsufficientCapacityError", "deleted before they were launched")
    assert any(each in noted["message"] for each in words)
    assert took < BOOT_SECONDS / 3
    stage.settled("mi300")
    stage.let_node_pool_be("maia")
    apply(stage.cluster, [stage.fleet.node_class("maia")])
    stage.settled("maia", 150)
    stage.gone("mi300")


FAILING = Fleet("failing", policy={"coolDown": {"first": "45s", "longest": "90s"}})


@pytest.mark.story(FAILING, failing)
def test_launches_that_fail_are_believed_long_before_the_boot_deadline(story: None) -> None:
    """``LaunchFailed`` with the provider's words; the second choice serves; when the cool-down is over the workload returns."""


def shrunk(stage: Stage) -> None:
    """A limit is lowered below what stands, and then a machine goes: no condition and no Event says that none will come."""
    stage.begin()
    stage.settled("maia")
    stage.set_limit("maia", nodes="1")
    stage.lose_machine("maia")
    (noted,) = stage.eventually(lambda: stage.cool_downs("maia"), "the pool cools down", 90)
    assert noted["reason"] == "LimitReached"
    assert "limits.nodes of NodePool shrunk-maia is reached" in noted["message"]
    stage.settled("mi300")


@pytest.mark.story(Fleet("shrunk", limits={"maia": {"nodes": "2"}}), shrunk)
def test_a_limit_that_is_reached_is_counted_since_nobody_says_it(story: None) -> None:
    """``LimitReached`` after the grace, not after the time that a node takes to boot; the rest moves on to the second choice."""


def test_nothing_was_asked_for_that_the_chart_does_not_grant(
    played: dict[str, Future[None]], karpenter_requests: AuditTail
) -> None:
    """When all stories are told: no request of the operator was forbidden, and each new right was used."""
    wait(played.values())
    requests = karpenter_requests.requests()
    assert refused(requests) == []
    of_karpenter = {right for right in used(requests) if "karpenter" in right[1] or right[1] == "events"}
    read = {
        (verb, f"{kind}.karpenter.sh") for verb in ("list", "watch") for kind in ("nodepools", "nodeclaims")
    }
    written = {
        (verb, "nodeoverlays.karpenter.sh") for verb in ("list", "watch", "get", "create", "patch", "delete")
    }
    assert of_karpenter == read | written | {("list", "events"), ("watch", "events")}
