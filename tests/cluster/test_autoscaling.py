"""What is planned for a Deployment that somebody else scales, and what is left alone while it stands at zero."""

from __future__ import annotations

from typing import Any

import pytest
from chipwise.cluster.autoscaling import reserved
from chipwise.cluster.facts import AutoscalerFact, autoscaler_fact
from chipwise.control.status import workload_status
from chipwise.kube.resources import DEPLOYMENTS, HORIZONTAL_POD_AUTOSCALERS, INFERENCE_WORKLOADS
from chipwise.placement.moves import Decision as Verdict
from chipwise.reasons import Reason
from hypothesis import given
from hypothesis import strategies as st

from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.world import World
from tests.control.carrying import acts, carry_out, until_quiet


def hpa(least: int = 1, most: int = 6, **metadata: Any) -> Document:
    return {
        "metadata": {"name": "chat-hpa", "namespace": docs.NAMESPACE, **metadata},
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": "chat"},
            "minReplicas": least,
            "maxReplicas": most,
        },
    }


def keda(least: int = 1, most: int = 6) -> Document:
    """As KEDA makes one for a ScaledObject."""
    return hpa(least, most, labels={"scaledobject.keda.sh/name": "chat-scaler"})


def scaled(world: World, autoscaler: Document) -> World:
    world.kube.put(HORIZONTAL_POD_AUTOSCALERS, autoscaler)
    return world


def scale(world: World, replicas: int) -> None:
    """Somebody writes the scale subresource."""
    world.edit(DEPLOYMENTS, "chat", lambda d: d["spec"].update(replicas=replicas))
    world.settle()


def told(world: World) -> tuple[Verdict, Reason]:
    move = world.decide().move("prod/chat")
    return move.decision, move.reason


def status(world: World) -> Document:
    return workload_status("prod/chat", world.decide())


FACT = AutoscalerFact("prod", "chat-hpa", "", "chat", 2, 6)


@given(st.integers(1, 6), st.integers(1, 8), st.integers(0, 300))
def test_what_is_planned_is_within_its_bounds_and_never_less_than_what_runs(
    needed: int, runs: int, percent: int
):
    """Up to the maximum, unless more than that runs already."""
    planned = reserved(FACT, needed, runs, percent / 100)
    assert max(needed, runs, 2) <= planned <= max(6, runs)


@pytest.mark.parametrize(
    ("needed", "runs", "headroom", "planned"),
    [
        (3, 1, 0.0, 3),
        (3, 1, 0.2, 4),
        (3, 1, 0.34, 5),
        (5, 1, 0.5, 6),
        (1, 1, 0.0, 2),
        (3, 5, 0.0, 5),
        (3, 5, 0.2, 5),
    ],
)
def test_headroom_is_a_share_of_what_the_peak_takes(needed: int, runs: int, headroom: float, planned: int):
    """Rounded up, and on top of the need and not of what happens to run."""
    assert reserved(FACT, needed, runs, headroom) == planned


def test_headroom_is_set_aside_and_counted():
    """Two replicas serve the peak; half as many again are kept on the chip that is chosen, and billed."""
    world = scaled(World.standard(docs.policy(autoscalerHeadroom="50%")), hpa())
    target = world.decide().move("prod/chat").target
    assert target is not None
    assert target.replicas == 3
    until_quiet(world)
    assert world.deployment()["spec"]["replicas"] == 2
    placed = status(world)["placements"][0]
    assert (placed["replicas"], placed["costPerHour"]) == (2, "32.00")


def test_all_that_run_move_though_fewer_would_do():
    """The number is not ours, so the room is counted for all of them."""
    world = scaled(World.standard(docs.workload(rate="5.0"), docs.deployment(replicas=3)), hpa())
    world.settle()
    target = world.decide().move("prod/chat").target
    assert target is not None
    assert target.replicas == 3


def test_a_night_of_few_replicas_is_compared_with_like():
    """One of the two that the peak takes runs now. Moving is judged by two on either side, and not held for want of a bridge."""
    world = scaled(World.standard(docs.deployment(replicas=1)), hpa())
    world.settle()
    move = world.decide().move("prod/chat")
    assert (move.decision, move.reason) == (Verdict.MOVE, Reason.MOVED)
    assert move.savings_per_hour == 64.0


def test_a_slower_chip_waits_until_as_many_run_as_it_needs():
    """Twice as many would serve the same traffic there, and nobody scales them up before the old ones go."""
    slow = docs.profile(docs.variant("h100", container=None), docs.variant("maia", tpot=40))
    world = scaled(World.standard(slow), hpa())
    assert told(world) == (Verdict.HOLD, Reason.NEEDS_BRIDGE)


def test_a_need_above_the_maximum_is_infeasible_and_says_whose_it_is():
    for autoscaler, name in ((hpa(1, 1), "HPA chat-hpa"), (keda(1, 1), "ScaledObject chat-scaler")):
        world = scaled(World.standard(), autoscaler)
        workload = world.decide().acting.problem.workload("prod/chat")
        assert workload is not None
        assert not workload.options
        message = workload.refused[0].refusal.message
        assert f"needs 2 replicas of 7.87 requests/s each for 10 requests/s; {name} allows 1" in message


def test_keda_is_known_by_its_label_or_as_the_owner():
    owned = hpa(ownerReferences=[{"kind": "ScaledObject", "name": "owner", "controller": True}])
    titles = [fact.title for raw in (hpa(), keda(), owned) if (fact := autoscaler_fact(raw))]
    assert titles == ["HPA chat-hpa", "ScaledObject chat-scaler", "ScaledObject owner"]


@pytest.mark.parametrize("moved", [False, True])
def test_what_its_author_scaled_to_zero_is_left_there(moved: bool):
    """Before a move and after one: nothing is written and nothing billed, and Ready says that all is well."""
    world = World.standard()
    if moved:
        until_quiet(world)
    scale(world, 0)
    assert told(world) == (Verdict.STAY, Reason.SCALED_TO_ZERO)
    assert not acts(world)
    said = status(world)
    conditions = {c["type"]: c["status"] for c in said["conditions"]}
    assert (conditions["Ready"], conditions["Placed"]) == ("True", "True")
    assert "Feasible" not in conditions
    assert said["summary"]["reason"] == "ScaledToZero"
    assert said["placements"][0]["costPerHour"] == "0.00"
    current = world.decide().current
    assert current is not None
    assert current.cost_per_hour == 0.0


def test_scaled_up_again_it_is_decided_about_again():
    world = World.standard()
    scale(world, 0)
    assert not carry_out(world)
    scale(world, 2)
    assert told(world) == (Verdict.MOVE, Reason.MOVED)


def test_its_room_goes_to_others_meanwhile():
    """One node of Maia; the one that stands at zero holds nothing of it."""
    world = World.standard(docs.workload("second"), docs.deployment("second"), docs.node("h100", 2))
    world.settle()
    until_quiet(world)
    scale(world, 0)
    decision = world.decide()
    assert decision.choice("prod/chat").option is None
    assert decision.choice("prod/second").option is not None


def test_an_edit_of_the_template_at_zero_waits_for_its_first_replica():
    """Also a file applied anew over the placement: it is healed when it matters."""
    world = World.standard()
    until_quiet(world)
    scale(world, 0)
    world.edit(
        DEPLOYMENTS, "chat", lambda d: d["spec"]["template"]["spec"]["containers"][0].update(image="own:2")
    )
    assert not acts(world)
    world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(deletionPolicy="Retain"))
    assert not acts(world)


def test_what_keda_took_to_zero_keeps_its_place_and_the_headroom():
    """With headroom the chips for it stay where it was; without, they are anybody's."""
    world = scaled(World.standard(docs.policy(autoscalerHeadroom="50%")), keda())
    until_quiet(world)
    scale(world, 0)
    decision = world.decide()
    move = decision.move("prod/chat")
    assert (move.decision, move.reason) == (Verdict.STAY, Reason.SCALED_TO_ZERO)
    assert (
        "ScaledObject chat-scaler has it at 0 replicas for lack of traffic: it keeps its place"
        in move.message
    )
    option = decision.choice("prod/chat").option
    assert option is not None
    assert (option.pool, option.replicas) == ("maia", 1)
    assert not acts(world)
    scale(world, 1)
    assert told(world) == (Verdict.STAY, Reason.STAYS)
    assert not acts(world)


def test_without_headroom_nothing_is_kept_for_what_keda_took_to_zero():
    world = scaled(World.standard(), keda())
    scale(world, 0)
    assert told(world) == (Verdict.STAY, Reason.SCALED_TO_ZERO)
    assert world.decide().choice("prod/chat").option is None


def test_an_hpa_does_not_wake_what_somebody_scaled_to_zero():
    world = scaled(World.standard(docs.policy(autoscalerHeadroom="50%")), hpa())
    scale(world, 0)
    decision = world.decide()
    assert decision.choice("prod/chat").option is None
    assert "where HPA chat-hpa stands still" in decision.move("prod/chat").message


def test_each_chip_has_a_target_for_an_autoscaler():
    """What one replica sustains there: a faster variant may be given more."""
    fast = docs.profile(docs.variant("h100", container=None), docs.variant("maia", tpot=10))
    said = status(World.standard(fast))
    (here,), (there,) = said["placements"], said["proposed"]
    assert here["suggestedTarget"] == {"requestsPerSecondPerReplica": "7.87", "concurrencyPerReplica": 15}
    assert float(there["suggestedTarget"]["requestsPerSecondPerReplica"]) > 15
    assert there["suggestedTarget"]["concurrencyPerReplica"] >= 1
