"""A workload meets its Deployment: what it names, where it runs, who wrote what."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from chipwise.cluster.authorship import Authorship, read_deployment
from chipwise.cluster.homes import Home
from chipwise.cluster.pools import view_pools
from chipwise.cluster.situation import in_flight, is_contested, pods_of, recent_reverts
from chipwise.cluster.subject import Subject, accept, policy_of
from chipwise.kube.resources import (
    ACCELERATOR_POOLS,
    DEPLOYMENTS,
    INFERENCE_WORKLOADS,
    MODEL_PROFILES,
    PRIORITY_CLASSES,
)
from chipwise.reasons import Reason, Refusal
from chipwise.rendering import record as records
from chipwise.rendering.manifest import manifest_of
from chipwise.rendering.record import ANNOTATIONS, BASE_ANNOTATION

from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.world import NOON, World
from tests.control.carrying import carry_out, until_quiet


def seen(world: World, name: str = "chat") -> Subject | Refusal:
    snapshot = world.snapshot()
    return accept(snapshot.workloads[f"prod/{name}"], snapshot, view_pools(snapshot))


def subject(world: World, name: str = "chat") -> Subject:
    found = seen(world, name)
    assert isinstance(found, Subject), found
    return found


def refusal(world: World) -> Reason:
    found = seen(world)
    assert isinstance(found, Refusal)
    return found.reason


def spec(world: World, **fields: Any) -> World:
    world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(fields))
    return world


def home(world: World) -> Home | None:
    return subject(world).home


# what it names


def test_a_target_that_is_missing_or_going_is_missing():
    world = World(docs.profile(), docs.workload())
    assert refusal(world) is Reason.TARGET_MISSING
    world.put(docs.deployment(deletionTimestamp="2026-01-01T00:00:00Z"))
    assert refusal(world) is Reason.TARGET_MISSING


def test_a_target_with_a_controller_is_owned():
    owner = {"kind": "LLMService", "name": "chat", "controller": True}
    world = World(docs.profile(), docs.workload(), docs.deployment(ownerReferences=[owner]))
    found = seen(world)
    assert isinstance(found, Refusal)
    assert found.reason is Reason.TARGET_OWNED
    assert "LLMService/chat" in found.message


def test_two_workloads_on_one_deployment_are_both_refused():
    world = World.standard(docs.workload("rival", targetRef=docs.workload()["spec"]["targetRef"]))
    decision = world.decide()
    assert {key: one.reason for key, one in decision.refused.items()} == {
        "prod/chat": Reason.TARGET_CLAIMED,
        "prod/rival": Reason.TARGET_CLAIMED,
    }


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"modelProfileName": "none"}, Reason.PROFILE_MISSING),
        ({"policyName": "none"}, Reason.POLICY_MISSING),
        ({"priorityClassName": "none"}, Reason.PRIORITY_CLASS_MISSING),
        ({"container": "none"}, Reason.CONTAINER_MISSING),
    ],
)
def test_a_name_without_an_object_is_refused(fields: dict[str, str], reason: Reason):
    assert refusal(spec(World.standard(), **fields)) is reason


def test_the_serving_container_must_be_plain_to_see():
    content = docs.template()
    content["spec"]["containers"].append(
        {"name": "other", "image": "x", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
    )
    world = World.standard(docs.deployment(content=content))
    assert refusal(world) is Reason.CONTAINER_AMBIGUOUS
    assert subject(spec(world, container="server")).container == "server"


def test_the_priority_is_that_of_the_class():
    world = spec(World.standard(), priorityClassName="high")
    world.kube.put(PRIORITY_CLASSES, {"metadata": {"name": "high"}, "value": 1000})
    assert subject(world).priority == 1000


def test_a_policy_is_the_named_one_or_default_or_built_in():
    world = World.standard(docs.policy("named", minimumStay="1h"))

    def stay() -> float:
        snapshot = world.snapshot()
        found = policy_of(snapshot.workloads["prod/chat"], snapshot)
        assert found is not None
        return found.minimum_stay_seconds

    assert stay() == 600
    world.put(docs.policy(minimumStay="2h"))
    assert stay() == 7200
    spec(world, policyName="named")
    assert stay() == 3600


# where it runs


def test_it_runs_where_most_of_its_pods_are():
    """Pods count, not nodes: three on one node outweigh one here and one there."""
    pools = (docs.pool("h100-b", "h100"), docs.node("h100-b", chips=16))
    content = docs.template()
    del content["spec"]["nodeSelector"]
    world = World.standard(*pools)
    world.put(docs.deployment("spread", replicas=5, content=content))
    world.put(docs.workload("spread"))
    world.settle()
    for number, pod in enumerate(world.pods("spread")):
        place = "h100-b-0" if number < 3 else f"h100-{number - 3}"
        world.put({**pod, "spec": {**pod["spec"], "nodeName": place}})
    found = subject(world, "spread").home
    assert found is not None
    assert found.pool == "h100-b"


def test_without_pods_the_template_tells_where_it_would_run():
    world = World.standard()
    world.edit(DEPLOYMENTS, "chat", lambda d: d["spec"].update(replicas=0))
    world.settle()
    assert home(world) == Home("h100", "h100-x4", "nvidia.com/gpu", 4, 0)


def test_a_template_that_fits_several_pools_tells_nothing():
    content = docs.template()
    del content["spec"]["nodeSelector"]
    world = World.standard(docs.pool("h100-b", "h100"))
    world.put(docs.deployment("idle", replicas=0, content=content))
    world.put(docs.workload("idle"))
    assert subject(world, "idle").home is None


def test_chips_that_no_variant_has_make_a_home_without_a_variant():
    world = World.standard(docs.deployment(content=docs.template(chips=2)))
    assert home(world) == Home("h100", None, "nvidia.com/gpu", 2, 2)


def test_after_a_move_the_record_tells_where_it_runs():
    world = World.standard()
    until_quiet(world)
    assert home(world) == Home("maia", "maia-x4", "example.com/maia", 4, 2)


def test_a_home_keeps_its_size_when_its_variant_changes_or_goes():
    """What runs has the chips that its template asks for, whatever the profile says today."""
    world = World.standard()
    until_quiet(world)
    world.put(docs.profile(docs.variant("h100", container=None)))
    assert home(world) == Home("maia", "maia-x4", "example.com/maia", 4, 2)
    world.put(docs.profile(docs.variant("maia", chips=8, name="maia-x4")))
    assert home(world) == Home("maia", "maia-x4", "example.com/maia", 4, 2)


def test_a_home_whose_pool_is_gone_is_unknown():
    world = World.standard()
    until_quiet(world)
    world.kube.drop(ACCELERATOR_POOLS, None, "maia")
    assert home(world) is None


# who wrote what


def moved() -> World:
    world = World.standard()
    until_quiet(world)
    return world


def authorship(world: World) -> Authorship:
    return read_deployment(world.deployment()).authorship


def test_a_deployment_without_our_label_is_the_authors():
    assert authorship(World.standard()) is Authorship.AUTHOR


def test_our_write_is_ours_and_the_same_values_again_are_a_reassertion():
    world = moved()
    assert authorship(world) is Authorship.OURS
    base = docs.deployment()["spec"]
    world.edit(
        DEPLOYMENTS, "chat", lambda d: d["spec"].update(template=base["template"], strategy=base["strategy"])
    )
    assert authorship(world) is Authorship.REASSERTED


def test_one_field_of_the_authors_changes_the_base_by_just_that_field():
    world = moved()

    def label(document: Document) -> None:
        document["spec"]["template"]["metadata"]["labels"]["release"] = "7"

    world.edit(DEPLOYMENTS, "chat", label)
    reading = read_deployment(world.deployment())
    expected = deepcopy(manifest_of(docs.deployment()).template)
    expected["metadata"]["labels"]["release"] = "7"
    assert reading.authorship is Authorship.CHANGED
    assert reading.base.template == expected


def test_what_our_rendering_was_is_known_even_when_nobody_could_render_it_today():
    """The profile is gone, the pool too: the author's one field is still told from ours."""
    world = moved()
    world.kube.drop(ACCELERATOR_POOLS, None, "maia")
    world.kube.drop(MODEL_PROFILES, None, "llama")

    def image(document: Document) -> None:
        document["spec"]["template"]["spec"]["containers"][0]["image"] = "example.com/engine:2"

    world.edit(DEPLOYMENTS, "chat", image)
    base = read_deployment(world.deployment()).base
    assert (
        base.template
        == docs.deployment(content=docs.template(image="example.com/engine:2"))["spec"]["template"]
    )


def test_a_record_that_vanished_under_our_label_with_our_template_is_an_undo():
    world = moved()
    world.edit(DEPLOYMENTS, "chat", lambda d: d["metadata"].update(annotations={}))
    world.edit(
        DEPLOYMENTS, "chat", lambda d: d["spec"].update(template=docs.deployment()["spec"]["template"])
    )
    assert authorship(world) is Authorship.UNDONE


@pytest.mark.parametrize("author_applies", [False, True])
@pytest.mark.parametrize("key", ANNOTATIONS)
@pytest.mark.parametrize("text", ["{}", "", None])
def test_half_a_record_is_damage_whatever_the_template_is(
    key: str, text: str | None, *, author_applies: bool
):
    """An undo replaces the annotations as a whole."""
    world = moved()

    def change(document: Document) -> None:
        found = document["metadata"]["annotations"]
        found.pop(key) if text is None else found.update({key: text})
        if author_applies:
            document["spec"]["template"] = docs.deployment()["spec"]["template"]

    world.edit(DEPLOYMENTS, "chat", change)
    assert authorship(world) is Authorship.DAMAGED


def test_a_record_that_vanished_from_over_our_template_is_damage():
    world = moved()
    world.edit(DEPLOYMENTS, "chat", lambda d: d["metadata"].update(annotations={}))
    assert authorship(world) is Authorship.DAMAGED


def test_a_record_that_reads_well_and_is_not_ours_is_damage_while_the_template_is():
    world = moved()

    def change(document: Document) -> None:
        found = document["metadata"]["annotations"]
        found[BASE_ANNOTATION] = found[BASE_ANNOTATION].replace(
            "example.com/engine:1", "example.com/engine:9"
        )

    world.edit(DEPLOYMENTS, "chat", change)
    assert authorship(world) is Authorship.DAMAGED


# how it stands


def test_a_move_is_in_flight_until_no_old_pod_runs():
    world = World.standard()
    carry_out(world)

    def flying() -> bool:
        snapshot = world.snapshot()
        views = view_pools(snapshot)
        found = accept(snapshot.workloads["prod/chat"], snapshot, views)
        assert isinstance(found, Subject)
        return in_flight(found, pods_of(found, snapshot, views))

    assert flying()
    world.roll()
    world.schedule()
    assert flying()
    world.settle()
    assert not flying()


def test_reverts_older_than_the_window_are_forgotten():
    world = moved()
    record = records.read(world.deployment())
    assert record is not None
    stamps = tuple(NOON.replace(minute=m).isoformat(timespec="seconds") for m in (0, 5, 9))
    tugged = replace(record, reverts=stamps)
    assert is_contested(tugged, NOON.replace(minute=9, second=59))
    assert not is_contested(tugged, NOON.replace(minute=10))
    assert recent_reverts(tugged, NOON.replace(minute=12)) == stamps[1:]
    assert not is_contested(None, NOON)
