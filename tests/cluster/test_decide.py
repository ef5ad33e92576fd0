"""One snapshot, one decision: who may move, who only shows what it would do, and when to look again."""

from __future__ import annotations

import random
from dataclasses import fields, replace
from typing import Any

import pytest
from chipwise.cluster.decide import Decision, Standing, decide
from chipwise.kube.resources import ACCELERATOR_POOLS, DEPLOYMENTS, INFERENCE_WORKLOADS, NODES
from chipwise.placement.moves import Decision as Verdict
from chipwise.reasons import Reason
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cluster import documents as docs
from tests.cluster.world import NOON, World, delete_workload
from tests.control.carrying import carry_out, until_quiet


def spec(world: World, name: str = "chat", **changes: Any) -> None:
    world.edit(INFERENCE_WORKLOADS, name, lambda d: d["spec"].update(changes))


def told(decision: Decision, key: str = "prod/chat") -> tuple[Verdict, Reason]:
    move = decision.move(key)
    return move.decision, move.reason


def two(mode: str) -> World:
    """Maia has one node: room for one of two workloads of two times four chips."""
    world = World.standard(
        docs.workload("second", mode=mode), docs.deployment("second"), docs.node("h100", 2)
    )
    world.edit(ACCELERATOR_POOLS, "maia", lambda d: d["spec"].update(nodes={"min": 1, "max": 1}))
    world.kube.drop(NODES, None, "maia-1")
    world.settle()
    return world


def test_a_workload_that_is_off_is_shown_its_proposal_and_never_moved():
    world = World.standard()
    spec(world, mode="Off")
    decision = world.decide()
    assert told(decision) == (Verdict.HOLD, Reason.MODE_OFF)
    option = decision.choice("prod/chat").option
    assert option is not None
    assert option.pool == "maia"
    assert decision.acting.moves == ()


def test_nobody_counts_on_room_that_a_workload_in_mode_off_will_not_give():
    """The one that is off serves on Maia; the other must not be sent to the room it holds."""
    world = two("Rollout")
    spec(world, "second", allowedPools=["maia"])
    spec(world, mode="Off")
    until_quiet(world)
    assert told(world.decide(), "prod/second") == (Verdict.STAY, Reason.STAYS)
    spec(world, "second", mode="Off", allowedPools=["h100", "mi300x", "maia"])
    spec(world, "chat", mode="Rollout", allowedPools=["maia"])
    decision = world.decide()
    assert decision.active == {"prod/chat"}
    assert decision.choice("prod/chat").option is None
    assert told(decision) == (Verdict.HOLD, Reason.CAPACITY_EXHAUSTED)
    assert decision.choice("prod/second").option is not None


def test_a_move_in_flight_is_finished_before_another_is_thought_of():
    world = World.standard()
    carry_out(world)
    world.roll()
    world.edit(ACCELERATOR_POOLS, "mi300x", lambda d: d["spec"]["price"].update(amount="0.10"))
    decision = world.decide()
    assert told(decision) == (Verdict.MOVE, Reason.MOVE_IN_PROGRESS)
    option = decision.choice("prod/chat").option
    assert option is not None
    assert option.pool == "maia"


def test_the_end_of_a_minimum_stay_is_when_to_decide_again():
    world = World.standard()
    until_quiet(world)
    world.edit(ACCELERATOR_POOLS, "mi300x", lambda d: d["spec"]["price"].update(amount="0.10"))
    world.pass_time(minutes=4)
    decision = world.decide()
    assert told(decision) == (Verdict.HOLD, Reason.MINIMUM_STAY)
    assert decision.due_seconds is not None
    assert decision.due_seconds == pytest.approx(360, abs=1)
    world.pass_time(seconds=decision.due_seconds)
    assert told(world.decide()) == (Verdict.MOVE, Reason.MOVED)


def test_with_nothing_to_wait_for_there_is_no_time_to_look_again():
    assert World.standard().decide().due_seconds is None


def test_the_budget_lets_one_move_start_and_the_other_wait():
    world = World.standard(docs.workload("second"), docs.deployment("second"), docs.node("h100", 2))
    world.settle()
    decision = world.decide()
    verdicts = sorted(told(decision, key) for key in ("prod/chat", "prod/second"))
    assert verdicts == [(Verdict.HOLD, Reason.CONCURRENCY_BUDGET), (Verdict.MOVE, Reason.MOVED)]


@pytest.mark.parametrize(
    ("policies", "frozen", "who"),
    [
        ((docs.policy("careful", freeze=True),), False, "policy careful is frozen"),
        ((docs.policy("careful", freeze=True), docs.policy(freeze=True)), False, "policy default is frozen"),
        ((docs.policy("careful"),), True, "the installation (chart value freeze, flag --freeze) is frozen"),
    ],
)
def test_who_froze_is_named(policies, frozen, who):
    """Whoever reads it must know what to unfreeze."""
    world = World.standard(*policies)
    spec(world, policyName="careful")
    decision = world.decide(standing=Standing(frozen=frozen))
    assert told(decision) == (Verdict.HOLD, Reason.FROZEN)
    assert decision.move("prod/chat").message.endswith(who)


def test_the_authors_own_rollout_is_let_finish():
    world = World.standard()
    world.edit(DEPLOYMENTS, "chat", lambda d: d["spec"]["template"]["metadata"].update(labels={"v": "2"}))
    world.roll()
    assert told(world.decide()) == (Verdict.HOLD, Reason.ROLLOUT_IN_PROGRESS)


def test_what_runs_is_billed_by_the_rules_of_the_plan():
    """Two replicas of four chips fill one H100 node."""
    current = World.standard().decide().current
    assert current is not None
    assert current.cost_per_hour == pytest.approx(80.0)


def test_a_deployment_whose_workload_is_gone_is_an_orphan():
    world = World.standard()
    until_quiet(world)
    assert world.decide().orphans == ()
    delete_workload(world)
    assert [one.name for one in world.decide().orphans] == ["chat"]


def test_a_workload_that_cannot_be_read_any_more_is_not_gone():
    world = World.standard()
    until_quiet(world)
    spec(world, mode="Sometimes")
    decision = world.decide()
    assert decision.orphans == ()
    assert [one.name for one in decision.snapshot.unreadable] == ["chat"]


def test_a_deployment_that_another_workload_names_is_no_orphan():
    world = World.standard()
    until_quiet(world)
    delete_workload(world)
    world.put(docs.workload("heir", targetRef=docs.workload()["spec"]["targetRef"]))
    assert world.decide().orphans == ()


@settings(max_examples=8, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_a_snapshot_carries_no_meaning(order: random.Random):
    """The same facts in any order give the same plan, moves and candidates."""
    world = two("Off")
    world.put(docs.workload("third"))
    snapshot = world.snapshot()
    changed: dict[str, Any] = {}
    for each in fields(snapshot):
        value = getattr(snapshot, each.name)
        if isinstance(value, dict):
            items = list(value.items())
            order.shuffle(items)
            changed[each.name] = dict(items)
    one, other = decide(snapshot, now=NOON), decide(replace(snapshot, **changed), now=NOON)
    assert (one.acting.plan, one.acting.moves) == (other.acting.plan, other.acting.moves)
    assert (one.shown.plan, one.shown.moves) == (other.shown.plan, other.shown.moves)
    assert one.refused == other.refused
    for key in one.subjects:
        explainers = (one.round_of(key).explainer, other.round_of(key).explainer)
        assert explainers[0].candidates(key) == explainers[1].candidates(key)
