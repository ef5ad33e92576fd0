"""A paused Deployment: nothing that would not take effect is written, it is said what to do, and nobody waits for it."""

from __future__ import annotations

import pytest
from chipwise.cluster.decide import Decision
from chipwise.control.act import Kind
from chipwise.control.status import workload_status
from chipwise.kube.resources import DEPLOYMENTS, INFERENCE_WORKLOADS, MODEL_PROFILES
from chipwise.placement.moves import Decision as Verdict
from chipwise.reasons import Reason

from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.world import World, delete_workload, serving
from tests.control.carrying import acts, carry_out, until_quiet

RESUME = "kubectl rollout resume deployment/chat -n prod"


def pause(world: World, *, paused: bool = True) -> None:
    world.edit(DEPLOYMENTS, "chat", lambda d: d["spec"].update(paused=paused))
    world.roll()


def told(decision: Decision) -> tuple[Verdict, Reason, str]:
    move = decision.move("prod/chat")
    return move.decision, move.reason, move.message


def status(world: World) -> Document:
    return workload_status("prod/chat", world.decide())


def in_mid_move(*more: Document) -> World:
    """Paused when one of the two new pods serves and the four old ones are still there, of which two are too many."""
    world = World.standard(*more)
    world.edit(DEPLOYMENTS, "chat", lambda d: d["spec"].update(replicas=4))
    world.settle()
    carry_out(world)
    world.roll()
    world.schedule()
    pause(world)
    world.become_ready(1)
    return world


def test_a_paused_deployment_is_not_moved_before_it_is_resumed():
    world = World.standard()
    pause(world)
    verdict, reason, message = told(world.decide())
    assert (verdict, reason) == (Verdict.HOLD, Reason.ROLLOUT_PAUSED)
    assert RESUME in message
    assert until_quiet(world) == []
    pause(world, paused=False)
    assert until_quiet(world) == ["Moving"]


def test_a_move_that_is_paused_under_way_says_what_it_waits_for():
    world = in_mid_move()
    verdict, reason, message = told(world.decide())
    assert (verdict, reason) == (Verdict.HOLD, Reason.ROLLOUT_PAUSED)
    assert RESUME in message
    assert acts(world) == []
    pause(world, paused=False)
    assert told(world.decide())[1] is Reason.MOVE_IN_PROGRESS
    until_quiet(world)
    assert serving(world) == {"example.com/maia": 2}


def test_a_move_that_is_paused_under_way_leaves_its_place_in_the_budget():
    """One move at once is allowed, and nobody knows how long the pause will be."""
    world = in_mid_move(docs.workload("second"), docs.deployment("second"), docs.node("h100", 2))
    until_quiet(world)
    assert serving(world, "second") == {"example.com/maia": 2}


def test_replicas_are_not_scaled_down_while_two_templates_stand_still():
    """The controller would take them from both."""
    world = in_mid_move()
    world.become_ready()
    assert acts(world) == []
    pause(world, paused=False)
    assert [act.kind for act in acts(world)] == [Kind.SCALE]


def test_what_is_placed_still_follows_its_traffic():
    """A paused Deployment scales."""
    world = World.standard()
    until_quiet(world)
    pause(world)
    more = {"meanRequestsPerSecond": "20.0", "inputTokens": 512, "outputTokens": 100}
    world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(traffic=more))
    assert [(act.kind, act.replicas) for act in acts(world)] == [(Kind.SCALE, 3)]


def test_a_template_out_of_date_waits_until_it_would_be_rolled_out():
    world = World.standard()
    until_quiet(world)
    pause(world)

    def change(document: Document) -> None:
        next(v for v in document["spec"]["variants"] if v["className"] == "maia")["container"] = {
            "image": "e:2"
        }

    world.edit(MODEL_PROFILES, "llama", change)
    assert acts(world) == []
    (outdated,) = (c for c in status(world)["conditions"] if c["type"] == "TemplateOutdated")
    assert outdated["reason"] == "RolloutPaused"
    pause(world, paused=False)
    assert [act.kind for act in acts(world)] == [Kind.RENEW]


@pytest.mark.parametrize("half_way", [False, True])
def test_a_restore_waits_until_the_deployment_is_resumed(*, half_way: bool):
    world = World.standard()
    until_quiet(world)
    delete_workload(world)
    if half_way:
        carry_out(world)
    pause(world)
    decision = world.decide()
    ((deployment, refusal),) = decision.orphans_waiting
    assert (deployment.name, refusal.reason) == ("chat", Reason.ROLLOUT_PAUSED)
    assert acts(world) == []
    pause(world, paused=False)
    until_quiet(world)
    assert serving(world) == {"nvidia.com/gpu": 2}


def test_in_mid_move_the_status_says_where_it_still_runs():
    """Not where it goes: nothing serves there yet, and what comes is not what is paid."""
    world = World.standard()
    carry_out(world)
    world.roll()
    world.schedule()
    world.become_ready(1)
    found = status(world)
    here, there = found["placements"]
    assert (here["pool"], here["variant"], here["replicas"], here["chips"]) == ("h100", "h100-x4", 2, 8)
    assert here["costPerHour"] == "80.00"
    assert (there["pool"], there["reason"]) == ("maia", "MoveInProgress")
    assert (there["replicas"], there["ready"], there["chips"]) == (2, 1, 8)
    summary = {key: found["summary"][key] for key in ("pool", "variant", "acceleratorClass", "costPerHour")}
    assert summary == {
        "pool": "h100",
        "variant": "h100-x4",
        "acceleratorClass": "h100",
        "costPerHour": "80.00",
    }
    until_quiet(world)
    (here,) = status(world)["placements"]
    assert (here["pool"], here["costPerHour"]) == ("maia", "16.00")
