"""A restore that a person asks for: a move back that waits for room and budget, and then holds until the workload is edited."""

from __future__ import annotations

from typing import Any

import pytest
from chipwise.api import parse
from chipwise.cluster.decide import Decision, Standing
from chipwise.cluster.orphans import CONFIRM_RESTORE
from chipwise.cluster.situation import RESTORE
from chipwise.control.act import Kind
from chipwise.control.conditions import timed
from chipwise.control.status import decision_entry, workload_status
from chipwise.kube.resources import ACCELERATOR_POOLS, DEPLOYMENTS, INFERENCE_WORKLOADS, NODES, PODS
from chipwise.reasons import Reason
from chipwise.rendering import record as records

from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.world import World, delete_workload, serving
from tests.control.carrying import acts, carry_out, only_act, until_quiet
from tests.control.test_acts import (
    H100,
    MAIA,
    author_applies,
    five_moved,
    kinds,
    moved,
    noticed,
    policy,
    spec,
    undo,
)


def ask(world: World, name: str = "chat", value: str | None = None) -> None:
    """What ``chipwise restore`` writes."""

    def change(document: Document) -> None:
        generation = value or str(document["metadata"]["generation"])
        document["metadata"].setdefault("annotations", {})[RESTORE] = generation

    world.edit(INFERENCE_WORKLOADS, name, change)


def verdict(decision: Decision, name: str = "chat") -> tuple[str, str]:
    move = decision.move(f"{docs.NAMESPACE}/{name}")
    return move.decision.value, move.reason.value


def conditions(world: World) -> dict[str, tuple[str, str]]:
    found = workload_status("prod/chat", world.decide())
    return {c["type"]: (c["status"], c["reason"]) for c in found["conditions"]}


def test_it_goes_back_to_the_authors_own_deployment_and_stays_there():
    world = World.standard()
    author = world.deployment()
    until_quiet(world)
    ask(world)
    assert verdict(world.decide()) == ("Move", "Restoring")
    assert until_quiet(world) == ["Restoring", "Restored"]
    after = world.deployment()
    assert after["spec"] == author["spec"]
    assert "annotations" not in after["metadata"]
    assert serving(world) == H100
    assert verdict(world.decide()) == ("Hold", "Restored")
    assert acts(world) == []


def test_an_edit_of_the_spec_lets_it_be_placed_again():
    world = moved()
    ask(world)
    until_quiet(world)
    spec(world, allowedPools=["h100", "maia"])
    assert kinds(acts(world)) == [Kind.MOVE]


def test_an_edit_on_the_way_lets_it_arrive_and_then_be_placed_again():
    world = moved()
    ask(world)
    carry_out(world)
    spec(world, allowedPools=["h100", "maia"])
    assert until_quiet(world) == ["Restored", "Moving"]


def test_a_wish_for_another_generation_is_void():
    world = moved()
    ask(world, value="99")
    assert verdict(world.decide()) == ("Stay", "Stays")
    assert acts(world) == []


@pytest.mark.parametrize("fields", [{"mode": "Off"}, {"mode": "Initial"}, {"deletionPolicy": "Retain"}])
def test_whatever_the_mode_a_person_is_obeyed(fields: dict[str, Any]):
    """As with a deletion. What would become of a deletion plays no part."""
    world = moved()
    spec(world, **fields)
    until_quiet(world)
    ask(world)
    until_quiet(world)
    assert serving(world) == H100
    assert verdict(world.decide()) == ("Hold", "Restored")


def test_off_said_on_the_way_stops_it_where_it_is():
    world = moved()
    ask(world)
    carry_out(world)
    spec(world, mode="Off")
    world.settle()
    assert acts(world) == []


def test_more_replicas_of_the_authors_come_first():
    world = World.standard(docs.profile(docs.variant("h100", container=None), docs.variant("maia", tpot=10)))
    until_quiet(world)
    assert serving(world) == {"example.com/maia": 1}
    ask(world)
    assert until_quiet(world) == ["Scaled", "Restoring", "Restored"]
    assert serving(world) == H100


def test_in_mid_move_it_turns_round():
    world = World.standard()
    carry_out(world)
    world.roll()
    ask(world)
    assert until_quiet(world) == ["Restoring", "Restored"]
    assert serving(world) == H100


@pytest.mark.parametrize("frozen", ["policy", "operator"])
def test_a_freeze_holds_it(frozen: str):
    world = moved()
    ask(world)
    if frozen == "policy":
        policy(world, freeze=True)
        decision = world.decide()
    else:
        decision = world.decide(standing=Standing(frozen=True))
    assert verdict(decision) == ("Hold", "Frozen")


def test_a_freeze_stops_its_next_step():
    world = moved()
    ask(world)
    carry_out(world)
    world.settle()
    policy(world, freeze=True)
    assert acts(world) == []
    assert verdict(world.decide()) == ("Hold", "Frozen")


def test_without_the_right_to_write_it_says_so():
    world = moved()
    ask(world)
    decision = world.decide(standing=Standing(writes=False))
    assert decision_entry("prod/chat", decision, "2026-01-01T12:00:00Z")["reason"] == "WritesDisabled"
    assert acts(world, standing=Standing(writes=False)) == []


def test_it_waits_for_room_on_the_authors_chip_and_says_how_much_there_is():
    world, foreign = full_house()
    ask(world)
    decision = world.decide()
    assert verdict(decision) == ("Hold", "NoSurgeCapacity")
    assert (
        "its 2 x 4 nvidia.com/gpu must fit beside what runs, and h100 has room for 0"
        in decision.move("prod/chat").message
    )
    assert acts(world) == []
    assert serving(world) == MAIA
    world.kube.drop(*_pod_key(foreign[0]))
    world.kube.drop(*_pod_key(foreign[1]))
    assert until_quiet(world) == ["Restoring", "Restored"]


def full_house() -> tuple[World, list[Document]]:
    """``chat`` moved to Maia, and others hold most chips of the author's pool, which has no more nodes to come."""
    world = moved(docs.node("h100", 2), docs.node("h100", 3))
    foreign = [docs.pod(f"f{n}", on=f"h100-{n}", chips=6) for n in range(4)]
    for pod in foreign:
        world.put(pod)
    return world, foreign


def test_one_whose_workload_is_gone_waits_for_room_too():
    """What serves goes on; the decision has the figures; it goes when two nodes are free."""
    world, foreign = full_house()
    delete_workload(world)
    decision = world.decide()
    assert decision.orphans == ()
    ((waiting, refusal),) = decision.orphans_waiting
    assert (waiting.name, refusal.reason) == ("chat", Reason.NO_SURGE_CAPACITY)
    assert "h100 has room for 0" in refusal.message
    assert acts(world) == []
    assert serving(world) == MAIA
    world.kube.drop(*_pod_key(foreign[0]))
    world.kube.drop(*_pod_key(foreign[1]))
    assert until_quiet(world) == ["Restoring", "Restored"]
    assert serving(world) == H100


def test_those_whose_workloads_are_gone_go_one_after_the_other():
    """As many at once as the policy named default allows, and moves for savings wait meanwhile."""
    world = five_moved()
    world.put(docs.policy(maxConcurrentMoves=2))
    for number in range(4):
        delete_workload(world, f"w{number}")
        world.edit(
            DEPLOYMENTS,
            f"w{number}",
            lambda d: d["metadata"]["annotations"].update({CONFIRM_RESTORE: "true"}),
        )
    assert [act.deployment.name for act in carry_out(world)] == ["w0", "w1"]
    world.roll()
    decision = world.decide()
    assert [(one.name, refusal.reason) for one, refusal in decision.orphans_waiting] == [
        ("w2", Reason.CONCURRENCY_BUDGET),
        ("w3", Reason.CONCURRENCY_BUDGET),
    ]
    assert until_quiet(world, most=80).count("Restored") == 4


def test_a_frozen_default_policy_holds_one_whose_workload_is_gone():
    world = moved()
    delete_workload(world)
    world.put(docs.policy(freeze=True))
    assert [refusal.reason for _, refusal in world.decide().orphans_waiting] == [Reason.FROZEN]
    assert acts(world) == []


def test_an_outdated_variant_waits_for_room_and_serves_the_old_image_meanwhile():
    world, foreign = full_house()
    world.put(
        docs.profile(
            docs.variant("h100", container=None), docs.variant("maia", baseImages=["example.com/engine:1"])
        )
    )
    until_quiet(world)
    policy(world, onOutdatedVariant="ReturnToAuthor")
    author_applies(world, docs.template(image="example.com/engine:2"))
    assert set(until_quiet(world)) == {"AuthorChanged"}
    assert serving(world) == MAIA
    (outdated,) = (
        c
        for c in workload_status("prod/chat", world.decide())["conditions"]
        if c["type"] == "VariantOutdated"
    )
    assert "waits to go back to its author's own chip" in outdated["message"]
    assert "h100 has room for 0" in outdated["message"]
    world.kube.drop(*_pod_key(foreign[0]))
    world.kube.drop(*_pod_key(foreign[1]))
    assert until_quiet(world) == ["Restoring", "Restored"]
    assert serving(world) == H100


def _pod_key(pod: Document) -> Any:
    return PODS, pod["metadata"]["namespace"], pod["metadata"]["name"]


def test_nodes_that_may_come_count_as_room():
    """The pool may have four nodes; the two that are there are full."""
    world = moved(docs.pod("f0", on="h100-0", chips=8), docs.pod("f1", on="h100-1", chips=8))
    ask(world)
    assert verdict(world.decide()) == ("Move", "Restoring")


def test_nodes_that_the_author_excludes_are_no_room():
    """The author's template names a zone; the free nodes are in another."""
    content = docs.template()
    content["spec"]["nodeSelector"][docs.ZONE] = "near"
    near, far = {docs.ZONE: "near"}, {docs.ZONE: "far"}
    world = World.standard(
        docs.pool("h100", nodes={"max": 3}),
        docs.node("h100", 0, labels=near),
        docs.node("h100", 1, labels=near),
        docs.node("h100", 2, labels=far),
        docs.node("maia", 0, labels=near),
        docs.node("maia", 1, labels=near),
        docs.deployment(content=content),
    )
    assert until_quiet(world) == ["Moving"]
    world.put(docs.pod("f0", on="h100-0", chips=8))
    world.put(docs.pod("f1", on="h100-1", chips=4))
    ask(world)
    assert verdict(world.decide()) == ("Hold", "NoSurgeCapacity")


def test_a_pool_that_is_gone_cannot_be_judged_and_holds_nothing_up():
    world = moved()
    world.kube.drop(ACCELERATOR_POOLS, None, "h100")
    ask(world)
    assert until_quiet(world) == ["Restoring", "Restored"]


def test_it_counts_among_the_moves_that_the_policy_allows():
    """Five are asked for, one goes at a time, the one of the highest name last."""
    world = five_moved()
    world.put(docs.policy(maxConcurrentMoves=1))
    for number in range(5):
        ask(world, f"w{number}")
    decision = world.decide()
    assert [verdict(decision, f"w{number}") for number in range(5)] == [
        ("Move", "Restoring"),
        *[("Hold", "ConcurrencyBudget")] * 4,
    ]
    assert [(act.kind, act.deployment.name) for act in carry_out(world)] == [(Kind.RESTORE, "w0")]
    world.roll()
    assert acts(world) == []
    said = until_quiet(world, most=80)
    assert said.count("Restored") == 5
    assert all(not records.is_managed(world.deployment(f"w{n}")) for n in range(5))


def two_moved() -> World:
    """``chat`` and ``other`` on Maia, and MI300X now so cheap that both would go there."""
    world = moved(
        docs.policy(maxConcurrentMoves=2),
        docs.workload("other"),
        docs.deployment("other"),
        docs.node("h100", 2),
    )
    world.put(docs.policy(maxConcurrentMoves=1, minimumStay="0s"))
    world.edit(ACCELERATOR_POOLS, "mi300x", lambda d: d["spec"]["price"].update(amount="0.10"))
    return world


def test_moves_wait_while_one_is_on_its_way_back():
    world = two_moved()
    assert len(acts(world)) == 1
    ask(world)
    assert verdict(world.decide(), "other") == ("Hold", "ConcurrencyBudget")
    assert [(act.kind, act.deployment.name) for act in carry_out(world)] == [(Kind.RESTORE, "chat")]
    world.roll()
    assert verdict(world.decide(), "other") == ("Hold", "ConcurrencyBudget")
    until_quiet(world, most=60)
    assert serving(world) == H100
    assert serving(world, "other") == {"amd.com/gpu": 2}


def test_room_is_not_promised_twice():
    """A move and a restore that would start together want the last node of the author's pool: the restore has it."""
    world = moved(
        docs.pool("h100", nodes={"max": 1}),
        docs.policy(maxConcurrentMoves=5, minimumStay="0s"),
        docs.workload("other", mode="Off", allowedPools=["h100"]),
        docs.deployment("other", content=docs.template("mi300x")),
    )
    world.kube.drop(NODES, None, "h100-0")
    world.edit(INFERENCE_WORKLOADS, "other", lambda d: d["spec"].update(mode="Rollout"))
    assert [act.deployment.name for act in acts(world)] == ["other"]
    ask(world)
    assert [act.deployment.name for act in acts(world)] == ["chat"]
    assert verdict(world.decide(), "other")[0] != "Move"


def test_after_an_undo_only_our_traces_go():
    world = World.standard()
    before = world.deployment()
    until_quiet(world)
    undo(world, before)
    world.settle()
    noticed(world)
    ask(world)
    assert until_quiet(world) == ["Released"]
    assert serving(world) == H100
    assert conditions(world)["Restored"] == ("True", "Restored")
    assert "Paused" not in conditions(world) or conditions(world)["Paused"][0] == "False"


def test_what_was_never_moved_is_held_where_it_is():
    world = World.standard()
    ask(world)
    assert acts(world) == []
    assert verdict(world.decide()) == ("Hold", "Restored")


def test_the_condition_tells_how_far_it_is():
    world = moved()
    assert "Restored" not in conditions(world)
    ask(world)
    assert conditions(world)["Restored"] == ("False", "Restoring")
    assert conditions(world)["Ready"] == ("False", "Restoring")
    until_quiet(world)
    assert conditions(world)["Restored"] == ("True", "Restored")
    assert conditions(world)["Ready"] == ("False", "Restored")
    spec(world, allowedPools=["h100"])
    assert "Restored" not in conditions(world)


def test_the_status_still_passes_its_schema():
    world = moved()
    ask(world)
    for _ in range(2):
        found = workload_status("prod/chat", world.decide())
        found["conditions"] = timed(found["conditions"], {}, "2026-01-01T12:00:00Z")
        found["decisions"] = [decision_entry("prod/chat", world.decide(), "2026-01-01T12:00:00Z")]
        parse({**docs.workload(), "status": found})
        until_quiet(world)


def test_the_log_of_decisions_says_from_where_to_where():
    world = moved()
    ask(world)
    entry = decision_entry("prod/chat", world.decide(), "2026-01-01T12:00:00Z")
    assert (entry["from"], entry["to"]) == ("maia-x4 on maia", "what its author wrote")


def test_an_authors_change_on_the_way_survives():
    world = moved()
    ask(world)
    carry_out(world)

    def change(document: Document) -> None:
        document["spec"]["template"]["spec"]["containers"][0]["image"] = "example.com/engine:3"

    world.edit(DEPLOYMENTS, "chat", change)
    assert until_quiet(world) == ["Restored"]
    assert world.deployment()["spec"]["template"]["spec"]["containers"][0]["image"] == "example.com/engine:3"


def test_the_message_has_a_proposal_only_where_there_is_another():
    world = moved()
    ask(world)
    until_quiet(world)
    said = "runs as its author wrote it, as was asked for, until its spec is edited"
    assert world.decide().move("prod/chat").message == f"{said}; maia-x4 on maia is proposed"
    world.edit(ACCELERATOR_POOLS, "h100", lambda d: d["spec"]["price"].update(amount="0.01"))
    assert world.decide().move("prod/chat").message == said


def test_one_act_only_for_each():
    world = moved()
    ask(world)
    assert only_act(world).kind is Kind.RESTORE
