"""Each state of a Deployment leads to one write or to none."""

from __future__ import annotations

from typing import Any

import pytest
from chipwise.cluster.decide import Standing
from chipwise.cluster.orphans import CONFIRM_RESTORE
from chipwise.control.act import AnyAct, Kind
from chipwise.control.conditions import timed
from chipwise.control.status import workload_status
from chipwise.kube.resources import (
    ACCELERATOR_POOLS,
    DEPLOYMENTS,
    INFERENCE_WORKLOADS,
    MODEL_PROFILES,
    NODES,
    PLACEMENT_POLICIES,
)
from chipwise.rendering import record as records
from chipwise.rendering.manifest import manifest_of

from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.world import World, delete_workload, serving
from tests.control.carrying import acts, carry_out, only_act, until_quiet

MAIA = {"example.com/maia": 2}
H100 = {"nvidia.com/gpu": 2}


def moved(*more: Document) -> World:
    """The standard workload after its move from H100 to Maia."""
    world = World.standard(*more)
    until_quiet(world)
    return world


def spec(world: World, **fields: Any) -> None:
    world.edit(INFERENCE_WORKLOADS, "chat", lambda document: document["spec"].update(fields))


def policy(world: World, **fields: Any) -> None:
    world.put(docs.policy(**fields))


def author_applies(world: World, content: Document, **fields: Any) -> None:
    """The author's file replaces template and strategy, as kubectl replace with the annotations kept would."""
    stored = docs.deployment(content=content)["spec"]

    def change(document: Document) -> None:
        document["spec"] |= {"template": stored["template"], "strategy": stored["strategy"], **fields}

    world.edit(DEPLOYMENTS, "chat", change)


def set_image(world: World, image: str) -> None:
    """``kubectl set image``: one field over whatever is there."""

    def change(document: Document) -> None:
        document["spec"]["template"]["spec"]["containers"][0]["image"] = image

    world.edit(DEPLOYMENTS, "chat", change)


def retune(world: World, **fields: Any) -> None:
    """The profile's Maia variant changes."""

    def change(document: Document) -> None:
        next(v for v in document["spec"]["variants"] if v["className"] == "maia").update(fields)

    world.edit(MODEL_PROFILES, "llama", change)


def record(world: World) -> records.Record:
    found = records.read(world.deployment())
    assert found is not None
    return found


def kinds(found: list[AnyAct]) -> list[Kind]:
    return [act.kind for act in found]


# moving


def test_a_move_is_one_write_of_the_template_and_then_nothing():
    world = World.standard()
    assert until_quiet(world) == ["Moving"]
    assert serving(world) == MAIA
    assert record(world).base == manifest_of(docs.deployment())


def test_without_the_right_to_write_there_is_no_act():
    world = World.standard()
    assert acts(world, standing=Standing(writes=False)) == []


@pytest.mark.parametrize("fields", [{"mode": "Off"}, {"allowedPools": ["h100"]}])
def test_a_workload_that_is_off_or_at_home_is_left_alone(fields: dict[str, Any]):
    world = World.standard()
    spec(world, **fields)
    assert acts(world) == []


def test_a_freeze_of_the_operator_or_of_the_default_policy_stops_every_move():
    world = World.standard()
    assert acts(world, standing=Standing(frozen=True)) == []
    policy(world, freeze=True)
    assert acts(world) == []


def test_the_freeze_of_a_policy_stops_only_its_own_workloads():
    world = World.standard(docs.policy("careful", freeze=True))
    spec(world, policyName="careful")
    assert acts(world) == []
    world.edit(INFERENCE_WORKLOADS, "chat", lambda document: document["spec"].pop("policyName"))
    assert kinds(acts(world)) == [Kind.MOVE]


def test_fewer_replicas_are_scaled_down_to_after_the_new_ones_are_ready():
    """Never in the write of the template, and never before enough new ones serve."""
    world = World.standard()
    world.edit(DEPLOYMENTS, "chat", lambda d: d["spec"].update(replicas=4))
    world.settle()
    assert kinds(carry_out(world)) == [Kind.MOVE]
    world.roll()
    world.schedule()
    assert acts(world) == []
    world.become_ready(1)
    assert acts(world) == []
    world.become_ready(1)
    act = only_act(world)
    assert (act.kind, act.replicas) == (Kind.SCALE, 2)
    until_quiet(world)
    assert serving(world) == MAIA


def test_replicas_under_an_autoscaler_are_never_written():
    world = World.standard()
    world.edit(DEPLOYMENTS, "chat", lambda d: d["spec"].update(replicas=4))
    spec(world, replicas={"min": 1, "managedBy": "External"})
    world.settle()
    assert until_quiet(world) == ["Moving"]
    assert serving(world) == {"example.com/maia": 4}
    assert record(world).base_replicas is None


def test_replicas_follow_the_traffic_where_the_workload_runs():
    world = moved()
    spec(world, traffic={"meanRequestsPerSecond": "20.0", "inputTokens": 512, "outputTokens": 100})
    act = only_act(world)
    assert (act.kind, act.replicas) == (Kind.SCALE, 3)
    until_quiet(world)
    spec(world, traffic={"meanRequestsPerSecond": "5.0", "inputTokens": 512, "outputTokens": 100})
    until_quiet(world)
    assert serving(world) == {"example.com/maia": 1}


def test_what_serves_is_not_scaled_down_when_nobody_knows_what_it_needs():
    """The record says two, traffic made it three, and now the variant is not usable any more: three stay."""
    world = moved()
    spec(world, traffic={"meanRequestsPerSecond": "20.0", "inputTokens": 512, "outputTokens": 100})
    until_quiet(world)
    spec(world, allowedVariants=["mi300x-x4"])
    policy(world, freeze=True)
    assert acts(world) == []
    policy(world, minimumStay="24h")
    assert acts(world) == []
    assert serving(world) == {"example.com/maia": 3}


def test_a_workload_held_where_it_is_still_gets_the_replicas_it_needs_there():
    """The plan would rather have it elsewhere; until it may go, it must serve."""
    world = moved()
    world.edit(ACCELERATOR_POOLS, "mi300x", lambda d: d["spec"]["price"].update(amount="4.00"))
    policy(world, minimumStay="24h")
    assert acts(world) == []
    spec(world, traffic={"meanRequestsPerSecond": "20.0", "inputTokens": 512, "outputTokens": 100})
    assert only_act(world).replicas == 3


def test_initial_places_once_and_never_goes_below_what_it_placed():
    world = World.standard()
    spec(world, mode="Initial")
    assert until_quiet(world) == ["Moving"]
    world.edit(ACCELERATOR_POOLS, "mi300x", lambda d: d["spec"]["price"].update(amount="0.10"))
    world.pass_time(days=2)
    spec(world, traffic={"meanRequestsPerSecond": "5.0", "inputTokens": 512, "outputTokens": 100})
    assert acts(world) == []


def test_a_freeze_stops_the_next_step_of_a_move_in_flight():
    world = World.standard()
    world.edit(DEPLOYMENTS, "chat", lambda d: d["spec"].update(replicas=4))
    world.settle()
    carry_out(world)
    world.roll()
    world.schedule()
    world.become_ready()
    assert kinds(acts(world)) == [Kind.SCALE]
    policy(world, freeze=True)
    assert acts(world) == []


def test_a_changed_deletion_policy_is_noted_on_the_deployment_and_nothing_restarts():
    world = moved()
    before = world.deployment()["spec"]
    spec(world, deletionPolicy="Retain")
    assert until_quiet(world) == ["AuthorChanged"]
    assert record(world).deletion_policy == "Retain"
    assert world.deployment()["spec"] == before


# the author


def test_a_reassertion_is_healed_by_the_very_template_that_served():
    world = moved()
    before = world.deployment()["spec"]["template"]
    author_applies(world, docs.template())
    assert kinds(carry_out(world)) == [Kind.HEAL]
    assert world.deployment()["spec"]["template"] == before
    assert len(record(world).reverts) == 1


def test_a_reassertion_is_healed_though_profile_and_pool_changed_since():
    """What the author's fields are is read from our own last rendering, not from what it would be today."""
    world = moved()
    retune(world, container={"image": "example.com/maia/engine:2", "env": [{"name": "A", "value": "1"}]})
    policy(world, freeze=True)
    author_applies(world, docs.template())
    assert kinds(carry_out(world)) == [Kind.HEAL]
    assert record(world).base == manifest_of(docs.deployment())


def test_three_reassertions_are_a_tug_of_war_and_chipwise_waits():
    world = moved()
    for _ in range(3):
        author_applies(world, docs.template())
        assert kinds(carry_out(world)) == [Kind.HEAL]
    author_applies(world, docs.template())
    decision = world.decide()
    assert acts(world) == []
    assert decision.due_seconds == pytest.approx(600, abs=1)
    world.pass_time(seconds=601)
    assert kinds(acts(world)) == [Kind.HEAL]


def test_a_new_value_of_the_authors_is_the_new_base_under_the_placement():
    world = moved()
    content = docs.template()
    content["spec"]["containers"][0]["args"] += ["--seed", "7"]
    author_applies(world, content)
    assert kinds(carry_out(world)) == [Kind.ADOPT]
    assert record(world).base == manifest_of(docs.deployment(content=content))
    container = world.deployment()["spec"]["template"]["spec"]["containers"][0]
    assert "--seed" in container["args"]
    assert container["resources"]["limits"] == {"example.com/maia": "4"}
    assert until_quiet(world) == []


def test_a_new_value_that_leaves_the_rendering_as_it_is_changes_only_the_record():
    """The variant sets the image; the author's new one shows when the variant no longer does."""
    world = moved()
    content = docs.template(image="example.com/engine:2")
    author_applies(world, content)
    carry_out(world)
    before = world.deployment()["spec"]["template"]
    assert before["spec"]["containers"][0]["image"] == "example.com/maia/engine:1"
    assert record(world).base.template["spec"]["containers"][0]["image"] == "example.com/engine:2"


@pytest.fixture
def outdated() -> World:
    """Maia's variant was made for version 1 only, and the author now applies version 2."""
    maia = docs.variant("maia", baseImages=["example.com/engine:1"])
    world = moved(docs.profile(docs.variant("h100", container=None), maia))
    assert serving(world) == MAIA
    author_applies(world, docs.template(image="example.com/engine:2"))
    return world


def test_an_outdated_variant_is_held_on_the_old_image_by_default(outdated: World):
    assert set(until_quiet(outdated)) == {"AuthorChanged"}
    container = outdated.deployment()["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "example.com/maia/engine:1"
    assert serving(outdated) == MAIA


def test_an_outdated_variant_goes_back_to_the_author_where_the_policy_says_so(outdated: World):
    policy(outdated, onOutdatedVariant="ReturnToAuthor")
    assert until_quiet(outdated) == ["Restoring", "Restored"]
    container = outdated.deployment()["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "example.com/engine:2"
    assert serving(outdated) == H100


def test_a_policy_that_changes_its_mind_gives_back_what_was_held(outdated: World):
    until_quiet(outdated)
    policy(outdated, onOutdatedVariant="ReturnToAuthor", freeze=True)
    assert acts(outdated) == []
    policy(outdated, onOutdatedVariant="ReturnToAuthor")
    assert until_quiet(outdated) == ["Restoring", "Restored"]


def test_returning_scales_up_first_when_the_author_had_more_replicas():
    maia = docs.variant("maia", tpot=10, baseImages=["example.com/engine:1"])
    world = moved(docs.profile(docs.variant("h100", container=None), maia))
    assert serving(world) == {"example.com/maia": 1}
    author_applies(world, docs.template(image="example.com/engine:2"))
    policy(world, onOutdatedVariant="ReturnToAuthor")
    assert until_quiet(world) == ["Scaled", "Restoring", "Restored"]
    assert serving(world) == H100


# giving back


def test_restoring_goes_step_by_step_to_the_authors_own_deployment():
    """Replicas up, template, wait, release: the author's document to the letter, with no trace of ours."""
    world = World.standard(docs.profile(docs.variant("h100", container=None), docs.variant("maia", tpot=10)))
    author = world.deployment()
    until_quiet(world)
    assert serving(world) == {"example.com/maia": 1}
    delete_workload(world)
    steps = []
    while found := carry_out(world):
        steps += kinds(found)
        assert acts(world) == [] or found[0].kind is Kind.SCALE
        world.settle()
    assert steps == [Kind.SCALE, Kind.RESTORE, Kind.RESTORED]
    after = world.deployment()
    assert after["spec"] == author["spec"]
    assert "annotations" not in after["metadata"]
    assert "labels" not in after["metadata"]
    assert serving(world) == H100


def test_restoring_keeps_replicas_until_the_authors_template_serves():
    world = World.standard()
    spec(world, replicas={"min": 3})
    world.edit(DEPLOYMENTS, "chat", lambda d: d["spec"].update(replicas=3))
    until_quiet(world)
    world.edit(DEPLOYMENTS, "chat", lambda d: d["spec"].update(replicas=4))
    delete_workload(world)
    assert until_quiet(world) == ["Restoring", "Scaled", "Restored"]
    assert serving(world) == {"nvidia.com/gpu": 3}


def test_a_retained_deployment_only_loses_our_traces():
    world = moved()
    spec(world, deletionPolicy="Retain")
    until_quiet(world)
    before = world.deployment()["spec"]
    delete_workload(world)
    assert until_quiet(world) == ["Released"]
    assert world.deployment()["spec"] == before
    assert not records.is_managed(world.deployment())


def test_a_freeze_holds_a_restore_too():
    world = moved()
    delete_workload(world)
    policy(world, freeze=True)
    assert acts(world) == []


def test_what_the_author_changed_while_nobody_looked_survives_the_restore():
    """Mode Off writes nothing, so a new image waits over the placement; deleting the workload must not undo it."""
    world = moved()
    spec(world, mode="Off")
    set_image(world, "example.com/engine:2-fixed")
    assert acts(world) == []
    delete_workload(world)
    until_quiet(world)
    container = world.deployment()["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "example.com/engine:2-fixed"
    assert serving(world) == H100


def test_what_the_author_changes_during_a_restore_survives_it():
    world = moved()
    delete_workload(world)
    carry_out(world)
    set_image(world, "example.com/engine:3")
    assert until_quiet(world) == ["Restored"]
    container = world.deployment()["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "example.com/engine:3"
    assert serving(world) == H100


def test_off_leaves_even_a_restore_where_it_is(outdated: World):
    policy(outdated, onOutdatedVariant="ReturnToAuthor")
    carry_out(outdated)
    assert record(outdated).restoring
    spec(outdated, mode="Off")
    outdated.settle()
    assert acts(outdated) == []
    spec(outdated, mode="Rollout")
    assert until_quiet(outdated)[0] == "Restored"


def five_moved() -> World:
    names = [f"w{n}" for n in range(5)]
    world = World.standard(
        docs.policy(maxConcurrentMoves=5),
        docs.node("maia", 2),
        docs.node("h100", 2),
        *(docs.workload(name, rate="5.0") for name in names),
        *(docs.deployment(name, replicas=1) for name in names),
    )
    delete_workload(world)
    world.kube.drop(DEPLOYMENTS, docs.NAMESPACE, "chat")
    for pod in world.pods():
        world._delete(pod)
    until_quiet(world)
    assert all(records.is_managed(world.deployment(name)) for name in names)
    return world


def test_many_workloads_that_vanish_together_are_held_until_a_person_confirms():
    world = five_moved()
    for number in range(5):
        delete_workload(world, f"w{number}")
    decision = world.decide()
    assert len(decision.orphans_held) == 5
    assert acts(world) == []
    world.edit(DEPLOYMENTS, "w3", lambda d: d["metadata"]["annotations"].update({CONFIRM_RESTORE: "true"}))
    assert only_act(world).deployment.name == "w3"


# an undo


def undo(world: World, before: Document) -> None:
    """``kubectl rollout undo``: the old template with the annotations of its ReplicaSet; labels and strategy stay."""

    def change(document: Document) -> None:
        document["spec"]["template"] = before["spec"]["template"]
        document["metadata"]["annotations"] = before["metadata"].get("annotations", {})

    world.edit(DEPLOYMENTS, "chat", change)


def noticed(world: World) -> None:
    """The reporter's condition."""
    status = workload_status("prod/chat", world.decide())
    status["conditions"] = timed(status["conditions"], {}, "2026-01-01T12:00:00Z")
    document = world.kube.peek(INFERENCE_WORKLOADS, docs.NAMESPACE, "chat")
    world.kube.put(INFERENCE_WORKLOADS, {**document, "status": status})


def test_an_undo_is_respected_until_the_workload_is_edited():
    world = World.standard()
    before = world.deployment()
    until_quiet(world)
    undo(world, before)
    assert until_quiet(world) == []
    noticed(world)
    assert acts(world) == []
    spec(world, priorityClassName=None, allowedPools=["h100", "maia"])
    assert kinds(acts(world)) == [Kind.MOVE]


def test_an_edit_after_an_undo_is_not_forgotten_while_the_move_waits_for_its_turn():
    world = World.standard()
    before = world.deployment()
    until_quiet(world)
    undo(world, before)
    world.settle()
    noticed(world)
    spec(world, allowedPools=["h100", "maia"])
    policy(world, freeze=True)
    noticed(world)
    policy(world)
    assert kinds(acts(world)) == [Kind.MOVE]


def test_an_undo_to_an_earlier_rendering_still_knows_the_authors_base():
    world = moved()
    first = world.deployment()
    world.edit(ACCELERATOR_POOLS, "mi300x", lambda d: d["spec"]["price"].update(amount="0.10"))
    world.pass_time(days=1)
    assert until_quiet(world) == ["Moving"]
    undo(world, first)
    assert until_quiet(world) == []
    noticed(world)
    spec(world, allowedPools=["mi300x"])
    world.pass_time(days=1)
    carry_out(world)
    assert record(world).base.template == docs.deployment()["spec"]["template"]


def test_a_workload_that_is_gone_releases_what_was_undone():
    world = World.standard()
    before = world.deployment()
    until_quiet(world)
    undo(world, before)
    delete_workload(world)
    assert until_quiet(world) == ["Released"]
    assert serving(world) == H100


# a changed profile


def test_a_changed_profile_renders_the_template_anew_once():
    world = moved()
    retune(world, container={"image": "example.com/maia/engine:2"})
    assert until_quiet(world) == ["Renewed"]
    container = world.deployment()["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "example.com/maia/engine:2"
    assert record(world).moved_at == world.now.isoformat(timespec="seconds")


def test_a_profile_that_changes_only_its_figures_restarts_nothing():
    world = moved()
    retune(world, performance=docs.points(21), startupSeconds=90)
    assert until_quiet(world) == []


@pytest.mark.parametrize("stop", ["freeze", "Off", "Initial", "writes"])
def test_a_template_out_of_date_waits_like_any_other_move(stop: str):
    world = moved()
    retune(world, container={"image": "example.com/maia/engine:2"})
    if stop == "freeze":
        policy(world, freeze=True)
    elif stop == "writes":
        world.standing = Standing(writes=False)
    else:
        spec(world, mode=stop)
    assert acts(world) == []


def test_templates_are_rendered_anew_one_workload_at_a_time():
    """Whatever the budget for moves: a profile that breaks its pods breaks one workload."""
    world = five_moved()
    retune(world, container={"image": "example.com/maia/engine:2"})
    assert [(act.kind, act.deployment.name) for act in carry_out(world)] == [(Kind.RENEW, "w0")]
    world.roll()
    assert acts(world) == []
    world.settle()
    assert only_act(world).deployment.name == "w1"
    assert until_quiet(world, most=60) == ["Renewed"] * 4


def test_a_template_is_not_rendered_anew_without_room_for_both_copies():
    world = moved()
    world.kube.drop(ACCELERATOR_POOLS, None, "maia")
    world.put(docs.pool("maia", nodes={"min": 1, "max": 1}))
    for node in ("maia-0", "maia-1"):
        held = {pod["spec"]["nodeName"] for pod in world.pods()}
        if node not in held:
            world.kube.drop(NODES, None, node)
    assert serving(world) == MAIA
    retune(world, container={"image": "example.com/maia/engine:2"})
    decision = world.decide()
    refusal = decision.renewals["prod/chat"]
    assert refusal is not None
    assert refusal.reason.value == "NoSurgeCapacity"
    assert acts(world) == []


def test_more_replicas_that_a_changed_profile_needs_come_before_its_template():
    world = moved()
    retune(world, container={"image": "example.com/maia/engine:2"}, maxConcurrency=8)
    assert until_quiet(world)[0] == "Scaled"
    assert serving(world)["example.com/maia"] > 2


# what cannot be done


def test_a_placement_whose_pool_is_gone_can_be_left_for_another():
    """An author's change over it is not adopted, for nothing can be rendered there; the move takes it along."""
    world = moved()
    world.kube.drop(ACCELERATOR_POOLS, None, "maia")
    content = docs.template(image="example.com/engine:2")
    author_applies(world, content)
    world.pass_time(days=1)
    until_quiet(world)
    assert record(world).base == manifest_of(docs.deployment(content=content))


def test_the_freeze_in_the_default_policy_reaches_workloads_of_other_policies():
    world = World.standard(docs.policy("fast"), docs.policy(freeze=True))
    spec(world, policyName="fast")
    assert acts(world) == []
    world.kube.drop(PLACEMENT_POLICIES, None, "default")
    assert kinds(acts(world)) == [Kind.MOVE]
