"""A move to more replicas goes over a bridge, ends with everything in the author's Deployment, and leaves no bridge however it ends."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from chipwise.cluster.decide import Standing
from chipwise.control.act import BridgeAct, Delete
from chipwise.control.conditions import timed
from chipwise.control.journeys import Journeys
from chipwise.control.status import decision_entry, workload_status
from chipwise.control.status_of_others import other_statuses
from chipwise.kube.resources import (
    ACCELERATOR_POOLS,
    DEPLOYMENTS,
    INFERENCE_WORKLOADS,
    MODEL_PROFILES,
    NODES,
    PODS,
)
from chipwise.rendering import bridge as bridges
from chipwise.rendering import record as records
from chipwise.rendering.manifest import RenderingRefused, manifest_of

from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.world import World, delete_workload, serving
from tests.control.carrying import acts, carry, until_quiet
from tests.control.crossing import (
    ahead,
    arrived,
    behind,
    bridge_of,
    capacity,
    growing,
    slow_maia,
    spec,
    the_bridge,
    to_the_end,
    turn,
    until,
)
from tests.control.test_restoring import ask

H100 = {"nvidia.com/gpu": 2}
MAIA = {"example.com/maia": 3}


def reason(world: World) -> str:
    return str(world.decide().move("prod/chat").reason.value)


def author_applies(world: World, content: Document) -> None:
    """Template and strategy of the author's file."""
    stored = docs.deployment(content=content)["spec"]

    def change(document: Document) -> None:
        document["spec"] |= {"template": stored["template"], "strategy": stored["strategy"]}

    world.edit(DEPLOYMENTS, "chat", change)


def undo(world: World, before: Document) -> None:
    def change(document: Document) -> None:
        document["spec"]["template"] = before["spec"]["template"]
        document["metadata"]["annotations"] = {}

    world.edit(DEPLOYMENTS, "chat", change)


def impossible_on_maia(world: World) -> None:
    spec(world, objectives=[{"metric": "TPOT", "threshold": "30ms"}])


# the way there


def test_one_write_after_the_other_and_nothing_afterwards():
    """The bridge, the template, the replicas, and the bridge is gone: with what is needed serving at every turn."""
    world = growing()
    assert to_the_end(world) == ["Bridged", "Moving", "Scaled", "BridgeRemoved"]
    assert bridge_of(world) is None
    assert serving(world) == MAIA
    assert until_quiet(world) == []
    found = records.read(world.deployment())
    assert found is not None
    assert (found.base_replicas, found.replicas) == (2, 3)
    assert found.base == manifest_of(docs.deployment())


def test_the_template_waits_for_the_bridge_and_replicas_for_the_template():
    world = growing()
    carry(world, acts(world)[0])
    world.roll()
    world.schedule()
    assert serving(world) == H100
    assert acts(world) == []
    assert reason(world) == "MoveInProgress"
    world.become_ready()
    assert turn(world) == ["Moving"]
    while serving(world).get("nvidia.com/gpu"):
        assert world.deployment()["spec"]["replicas"] == 2
        assert turn(world) == []
    assert turn(world) == ["Scaled"]
    assert world.deployment()["spec"]["replicas"] == 3


def test_services_find_the_bridge_and_the_authors_deployment_does_not():
    """Its pods carry the author's labels and one more, by which alone it selects; the author's own labels and annotations are not copied."""
    world = growing()
    world.edit(DEPLOYMENTS, "chat", lambda d: d["metadata"].update(labels={"argocd": "tracks"}))
    until(world, "Bridged")
    bridge, author = the_bridge(world), world.deployment()
    labels = bridge["spec"]["template"]["metadata"]["labels"]
    assert labels.items() > author["spec"]["template"]["metadata"]["labels"].items()
    assert bridge["spec"]["selector"]["matchLabels"].keys() == {bridges.BRIDGE_LABEL}
    assert "argocd" not in bridge["metadata"]["labels"]
    (owner,) = bridge["metadata"]["ownerReferences"]
    assert (owner["name"], owner["uid"]) == ("chat", author["metadata"]["uid"])
    assert "controller" not in owner
    assert "blockOwnerDeletion" not in owner


def test_with_room_for_one_it_is_taken_in_one_by_one():
    """One replica becomes three, and the pool holds four: two steps up and two down, and never a pod without a place."""
    pool = docs.pool("maia", nodes={"min": 2, "max": 2})
    world = World.standard(slow_maia(), pool, docs.deployment(replicas=1))
    kinds = []
    for _ in range(20):
        kinds += [act.kind.value for act in acts(world)]
        for act in acts(world):
            carry(world, act)
        world.roll()
        world.schedule()
        unbound = [pod for pod in world.pods() if not pod["spec"].get("nodeName")]
        assert not unbound
        world.become_ready(1)
    assert kinds == ["Bridged", "Moving", "Scaled", "BridgeScaled", "Scaled", "BridgeRemoved"]
    assert serving(world) == MAIA


def test_without_room_for_one_more_it_does_not_begin():
    """Two nodes hold four replicas; three are needed, and a foreign pod has the place of the fourth."""
    pool = docs.pool("maia", nodes={"min": 2, "max": 2})
    foreign = docs.pod("foreign", on="maia-1", chips=4, resource="example.com/maia")
    world = World.standard(slow_maia(), pool, foreign)
    assert reason(world) == "NoSurgeCapacity"
    assert acts(world) == []


def test_mode_initial_goes_to_the_end_of_its_one_move():
    world = growing()
    spec(world, mode="Initial")
    assert to_the_end(world) == ["Bridged", "Moving", "Scaled", "BridgeRemoved"]
    assert serving(world) == MAIA


def test_pods_on_nodes_that_are_gone_do_not_serve_whatever_their_status_says():
    """The bridge stays until the author's Deployment has its replicas elsewhere."""
    world = arrived()
    node = world.pods()[0]["spec"]["nodeName"]
    world.settle()
    assert [act.kind.value for act in acts(world)] == ["BridgeRemoved"]
    world.kube.drop(NODES, None, node)
    assert "BridgeRemoved" not in [act.kind.value for act in acts(world)]


def test_a_rendering_too_large_to_be_noted_gets_no_bridge():
    """Its template will be refused; the refusal is told, and nothing stands for nothing."""
    env = [{"name": f"V{number}", "value": "x" * 4000} for number in range(16)]
    world = growing()
    world.put(slow_maia(container={"image": "example.com/maia/engine:1", "env": env}))
    content = docs.template()
    content["spec"]["containers"][0]["env"] = [{"name": "BIG", "value": "y" * 30_000}]
    author_applies(world, content)
    world.settle()
    (act,) = acts(world)
    with pytest.raises(RenderingRefused):
        act.write({act.deployment.key: world.deployment()})


def test_more_traffic_widens_the_bridge_and_less_needs_none():
    world = ahead()
    spec(world, traffic={"meanRequestsPerSecond": "13.0", "inputTokens": 512, "outputTokens": 100})
    assert [(act.kind.value, act.message) for act in acts(world)] == [
        ("BridgeScaled", "4 replicas are needed by now: the bridge carries 2")
    ]
    spec(world, traffic={"meanRequestsPerSecond": "5.0", "inputTokens": 512, "outputTokens": 100})
    assert [act.kind.value for act in acts(world)] == ["Moving"]
    until_quiet(world)
    assert (bridge_of(world), serving(world)) == (None, {"example.com/maia": 2})


def test_an_author_who_scales_up_himself_needs_no_bridge_any_more():
    world = growing()
    carry(world, acts(world)[0])
    world.edit(DEPLOYMENTS, "chat", lambda d: d["spec"].update(replicas=3))
    world.roll()
    assert [act.kind.value for act in acts(world)] == ["Moving"]
    to_the_end(world)
    assert (bridge_of(world), serving(world)) == (None, MAIA)


def test_a_move_that_has_its_bridge_is_finished_before_another_is_thought_of():
    """Another pool is the cheaper one by now; the budget goes to nobody else meanwhile either."""
    world = ahead()
    world.edit(ACCELERATOR_POOLS, "mi300x", lambda d: d["spec"]["price"].update(amount="0.10"))
    decision = world.decide()
    assert decision.move("prod/chat").reason.value == "MoveInProgress"
    until(world, "BridgeRemoved")
    assert serving(world) == MAIA


def test_a_bridge_that_somebody_deletes_is_built_again_or_made_up_for():
    world = ahead()
    world.remove_deployment(the_bridge(world)["metadata"]["name"])
    assert turn(world) == ["Bridged"]
    until(world, "Moving")
    world.remove_deployment(the_bridge(world)["metadata"]["name"])
    assert until_quiet(world) == ["Scaled"]
    assert serving(world) == MAIA


# somebody else scales


def hpa(least: int, most: int) -> Document:
    target = {"kind": "Deployment", "name": "chat"}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "chat", "namespace": docs.NAMESPACE},
        "spec": {"scaleTargetRef": target, "minReplicas": least, "maxReplicas": most},
    }


@pytest.mark.parametrize("most", [3, 6])
def test_an_autoscaler_that_comes_after_the_template_is_handed_the_bridge(most: int):
    """It counts the bridge's pods as its own and would never make the missing one: written once, within its bounds, and nothing is lost."""
    world = behind()
    world.put(hpa(1, most))
    assert to_the_end(world) == ["Scaled", "BridgeRemoved"]
    assert bridge_of(world) is None
    assert serving(world) == MAIA
    assert reason(world) != "MoveInProgress"


def test_more_than_an_autoscaler_allows_is_not_carried_for_ever():
    """Its maximum is what its owner wants: with so many Ready the bridge goes, its budget is free, and what is missing is said."""
    world = behind()
    world.put(hpa(1, 2))
    said = until_quiet(world)
    assert said == ["BridgeRemoved"]
    assert bridge_of(world) is None
    assert world.deployment()["spec"]["replicas"] == 2


def test_a_bridge_goes_when_somebody_unknown_has_come_to_own_replicas():
    """Nobody knows what it allows, so nothing is written for it."""
    world = behind()
    spec(world, replicas={"managedBy": "External"})
    assert until_quiet(world) == ["BridgeRemoved"]
    assert world.deployment()["spec"]["replicas"] == 2


# given up


def test_what_cannot_be_any_more_is_given_up_before_the_template_is_written():
    """The author's Deployment is as it was, to the letter."""
    world = growing()
    before = world.deployment()
    until(world, "Bridged")
    impossible_on_maia(world)
    spec(world, allowedPools=["h100", "maia"])
    assert to_the_end(world) == ["BridgeRemoved"]
    assert world.deployment()["spec"] == before["spec"]
    assert bridge_of(world) is None


def test_a_move_elsewhere_that_needs_no_bridge_does_not_wait_for_the_removal_of_one():
    """Two replicas on MI300X will do: the bridge on Maia goes on serving until they do."""
    world = ahead()
    impossible_on_maia(world)
    assert to_the_end(world) == ["Moving", "BridgeRemoved"]
    assert serving(world) == {"amd.com/gpu": 2}


def test_what_cannot_be_any_more_turns_back_and_keeps_its_bridge_until_it_is_back():
    world = behind()
    world.put(docs.policy(minimumStay="0s"))
    impossible_on_maia(world)
    spec(world, allowedPools=["h100", "maia"])
    assert to_the_end(world) == ["Moving", "BridgeRemoved"]
    assert serving(world) == H100


def test_what_cannot_be_any_more_and_must_stay_a_while_is_taken_in():
    """Nothing leaves within its minimum stay, and no bridge stands for so long."""
    world = behind()
    impossible_on_maia(world)
    assert to_the_end(world) == ["Scaled", "BridgeRemoved"]
    assert serving(world) == MAIA
    world.pass_time(hours=1)
    assert to_the_end(world) == ["Moving", "Scaled"]
    assert serving(world) == {"amd.com/gpu": 2}


def test_the_next_move_to_more_replicas_waits_until_the_bridge_of_the_last_is_taken_in():
    """There is one bridge for a Deployment. What it serves goes into the author's first, also where nothing should stay."""
    world = arrived()
    maia = docs.variant("maia", tpot=40)
    slow = docs.variant("mi300x", tpot=80)
    world.put(docs.profile(docs.variant("h100", container=None), slow, maia))
    spec(world, allowedPools=["mi300x"], objectives=[{"metric": "TPOT", "threshold": "90ms"}])
    world.put(docs.node("mi300x", 2))
    world.put(docs.node("mi300x", 3))
    world.pass_time(days=1)
    said = []
    for _ in range(60):
        for act in acts(world):
            said.append(act.kind.value)
            carry(world, act)
        world.roll()
        world.schedule()
        world.become_ready(1)
    assert said[0] == "BridgeRemoved"
    assert said[1:3] == ["Bridged", "Moving"]
    assert bridge_of(world) is None
    assert set(serving(world)) == {"amd.com/gpu"}


def test_a_bridge_that_never_serves_goes_at_once_and_one_that_serves_only_when_it_is_not_needed():
    """The author's Deployment lost a pod: what the bridge serves is needed, until it is back."""
    world = growing()
    carry(world, acts(world)[0])
    spec(world, allowedPools=["h100"])
    lose_a_pod(world)
    assert [act.kind.value for act in acts(world)] == ["BridgeRemoved"]
    world = ahead()
    spec(world, allowedPools=["h100"])
    lose_a_pod(world)
    assert acts(world) == []
    world.settle()
    assert [act.kind.value for act in acts(world)] == ["BridgeRemoved"]


def lose_a_pod(world: World) -> None:
    world._delete(world.pods()[0])
    world._count(world.deployment())


def test_an_autoscaler_that_comes_before_the_template_sends_the_bridge_away():
    world = ahead()
    target = {"kind": "Deployment", "name": "chat"}
    metadata = {"name": "chat", "namespace": docs.NAMESPACE}
    hpa = {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": metadata,
        "spec": {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 6},
    }  # fmt: skip
    world.put(hpa)
    assert reason(world) == "NeedsBridge"
    assert until_quiet(world) == ["BridgeRemoved"]
    assert serving(world) == H100


# a bridge that fails


def told(world: World) -> list[Document]:
    """The status is written as decided; the cool-downs in it."""
    known = world.kube.peek(INFERENCE_WORKLOADS, docs.NAMESPACE, "chat")
    status = workload_status("prod/chat", world.decide())
    status["conditions"] = timed(status["conditions"], known.get("status"), world.stamp)
    world.kube.put(INFERENCE_WORKLOADS, {**known, "status": status})
    found: list[Document] = status.get("coolDowns", [])
    return found


def test_a_bridge_that_never_serves_cools_its_variant_down_and_goes():
    """The author's template was not touched: there is nothing to take back. Told first, as every failure."""
    world = growing()
    before = world.deployment()
    world.ailing["example.com/maia/engine:1"] = {"name": "server", "state": {"running": {}}}
    carry(world, acts(world)[0])
    world.settle()
    world.pass_time(seconds=419)
    assert told(world) == []
    assert acts(world) == []
    world.pass_time(seconds=1)
    (noted,) = told(world)
    assert (noted["reason"], noted["variant"]) == ("NeverReady", "maia-x4")
    spec(world, allowedPools=["h100", "maia"])
    assert to_the_end(world) == ["BridgeRemoved"]
    assert world.deployment()["spec"] == before["spec"]
    assert reason(world) == "Stays"


def test_a_bridge_that_finds_no_node_cools_the_pool_down_and_goes():
    """The pool said that nodes would come, and none did."""
    world = World.standard(slow_maia())
    for number in (0, 1):
        world.kube.drop(NODES, None, f"maia-{number}")
    carry(world, acts(world)[0])
    world.settle()
    world.pass_time(hours=1)
    (noted,) = told(world)
    assert (noted["reason"], noted["pool"], noted["chips"]) == ("Unschedulable", "maia", 4)
    spec(world, allowedPools=["h100", "maia"])
    assert to_the_end(world) == ["BridgeRemoved"]


def test_a_bridge_whose_room_somebody_took_waits_and_nothing_is_rescued():
    """It cannot be taken in while the pool is full; it serves for as long as that takes, so nothing has failed."""
    world = growing()
    until(world, "Moving")
    while serving(world).get("nvidia.com/gpu"):
        turn(world)
    for number in range(6):
        world.put(docs.pod(f"foreign-{number}", chips=4, resource="example.com/maia"))
    world.schedule()
    assert turn(world) == ["Scaled"]
    assert [pod for pod in world.pods() if not pod["spec"].get("nodeName")]
    world.pass_time(hours=2)
    assert told(world) == []
    assert to_the_end(world) == []
    assert capacity(world) == 3.0
    for number in range(6):
        world.kube.drop(PODS, "other", f"foreign-{number}")
    assert to_the_end(world) == ["BridgeRemoved"]
    assert serving(world) == MAIA


# Off, freeze, the author


@pytest.mark.parametrize("begin", [ahead, behind, arrived])
@pytest.mark.parametrize("stop", ["off", "freeze", "writes"])
def test_what_stops_a_move_stops_it_between_any_two_writes(begin: Any, stop: str):
    """The bridge goes on serving; afterwards the move goes on."""
    world = begin()
    if stop == "off":
        spec(world, mode="Off")
    elif stop == "freeze":
        world.put(docs.policy(freeze=True))
    else:
        world.standing = Standing(writes=False)
    assert to_the_end(world) == []
    assert bridge_of(world) is not None
    spec(world, mode="Rollout")
    world.put(docs.policy(freeze=False))
    world.standing = Standing()
    assert to_the_end(world)[-1] == "BridgeRemoved"
    assert serving(world) == MAIA


def test_an_undo_is_respected_and_the_bridge_goes_when_the_author_has_all():
    world = growing()
    before = world.deployment()
    until(world, "Scaled")
    undo(world, before)
    world.edit(DEPLOYMENTS, "chat", lambda d: d["spec"].update(replicas=2))
    assert reason(world) == "Paused"
    assert to_the_end(world) == ["BridgeRemoved"]
    assert serving(world) == H100


def test_a_file_that_is_applied_again_is_healed_and_the_bridge_stays_meanwhile():
    world = arrived()
    before = world.deployment()["spec"]["template"]
    author_applies(world, docs.template())
    assert bridge_of(world) is not None
    assert turn(world) == ["Healed"]
    assert world.deployment()["spec"]["template"] == before
    assert to_the_end(world)[-1] == "BridgeRemoved"
    assert serving(world) == MAIA


def test_a_tug_of_war_leaves_the_bridge_alone():
    world = arrived()
    for _ in range(3):
        author_applies(world, docs.template())
        assert turn(world) == ["Healed"]
    author_applies(world, docs.template())
    assert acts(world) == []
    assert bridge_of(world) is not None


@pytest.mark.parametrize("change", ["image", "profile"])
def test_a_bridge_that_would_be_made_differently_by_now_is_made_anew(change: str):
    """Before the template is written: the author has a new image, or the profile another rendering. Removed, not rolled."""
    world = ahead()
    if change == "image":
        author_applies(world, docs.template(image="example.com/engine:2"))
    else:
        retune(world)
    said = to_the_end(world)
    assert said[:3] == ["BridgeRemoved", "Bridged", "Moving"]
    assert said[-1] == "BridgeRemoved"
    assert serving(world) == MAIA


def retune(world: World) -> None:
    """The variant has another image from now on."""

    def change(document: Document) -> None:
        found = next(v for v in document["spec"]["variants"] if v["className"] == "maia")
        found["container"] = {"image": "example.com/maia/engine:2"}

    world.edit(MODEL_PROFILES, "llama", change)


def test_a_bridge_that_cannot_be_spared_is_used_as_it_is():
    """The author's Deployment lacks a pod, so what the bridge serves is needed, though it would be made differently by now."""
    world = ahead()
    retune(world)
    lose_a_pod(world)
    assert [act.kind.value for act in acts(world)] == ["Moving"]
    assert to_the_end(world)[-1] == "BridgeRemoved"
    assert serving(world) == MAIA


def test_a_new_image_behind_the_template_is_adopted_and_the_old_bridge_serves_until_it_is_out():
    world = arrived()
    content = docs.template()
    content["spec"]["containers"][0]["args"] += ["--seed", "7"]
    author_applies(world, content)
    assert turn(world) == ["AuthorChanged"]
    assert bridge_of(world) is not None
    assert to_the_end(world)[-1] == "BridgeRemoved"
    assert serving(world) == MAIA
    assert "--seed" in world.deployment()["spec"]["template"]["spec"]["containers"][0]["args"]


# giving back


def test_a_workload_deleted_before_the_template_leaves_no_trace():
    world = growing()
    before = world.deployment()
    until(world, "Bridged")
    delete_workload(world)
    assert to_the_end(world) == ["BridgeRemoved"]
    after = world.deployment()
    assert (after["spec"], after["metadata"].get("annotations")) == (before["spec"], None)


@pytest.mark.parametrize("begin", [behind, arrived])
def test_a_deleted_workload_gives_back_and_then_takes_the_bridge_away(begin: Any):
    world = begin()
    delete_workload(world)
    said = to_the_end(world)
    assert [kind for kind in said if kind != "Scaled"] == ["Restoring", "BridgeRemoved", "Restored"]
    after = world.deployment()
    assert after["spec"] == {**docs.deployment()["spec"], "replicas": 2}
    assert "labels" not in after["metadata"]
    assert serving(world) == H100
    assert bridge_of(world) is None


@pytest.mark.parametrize("begin", [behind, arrived])
def test_what_is_retained_is_first_taken_in(begin: Any):
    """The bridge goes in any case: so all of it has to serve in the author's Deployment before."""
    world = begin()
    spec(world, deletionPolicy="Retain")
    until(world, "AuthorChanged")
    delete_workload(world)
    assert to_the_end(world)[-2:] == ["BridgeRemoved", "Released"]
    assert serving(world) == MAIA
    assert not records.is_managed(world.deployment())


@pytest.mark.parametrize("mode", ["Rollout", "Off"])
@pytest.mark.parametrize("begin", [ahead, behind, arrived])
def test_a_restore_that_a_person_asks_for_takes_the_bridge_along(begin: Any, mode: str):
    """In mode Off too. Before the template is written there is nothing to restore, and the bridge goes alone."""
    world = begin()
    spec(world, mode=mode)
    ask(world)
    assert [kind for kind in to_the_end(world) if kind != "Scaled"] == (
        ["BridgeRemoved"] if begin is ahead else ["Restoring", "BridgeRemoved", "Restored"]
    )
    assert serving(world) == H100
    assert world.deployment()["spec"] == {**docs.deployment()["spec"], "replicas": 2}
    assert reason(world) == "Restored"


def test_a_move_over_a_bridge_is_told_as_one_journey():
    """It arrives when the bridge is gone, not when the rollout is."""
    world, journeys = growing(), Journeys()
    journeys.advance(world.decide())
    told_of = []
    for _ in range(20):
        turn(world)
        told_of += [(one.arrived, bridge_of(world) is None) for one in journeys.advance(world.decide())]
    assert told_of == [(None, False), (True, True)]


def test_a_freeze_holds_what_is_given_back_too():
    world = arrived()
    delete_workload(world)
    world.put(docs.policy(freeze=True))
    assert acts(world) == []


def test_a_bridge_whose_deployment_is_gone_goes():
    """The garbage collector takes it, unless somebody deleted the Deployment alone."""
    world = ahead()
    name = the_bridge(world)["metadata"]["name"]
    world.kube.drop(DEPLOYMENTS, docs.NAMESPACE, "chat")
    (act,) = acts(world)
    assert isinstance(act, BridgeAct)
    bridge = world.deployment(name)
    only = {"uid": bridge["metadata"]["uid"], "resourceVersion": bridge["metadata"]["resourceVersion"]}
    assert act.write({act.deployment.key: bridge}) == Delete(docs.NAMESPACE, name, only)
    world.put(docs.deployment())
    assert "BridgeRemoved" in [act.kind.value for act in acts(world)]


def test_a_workload_that_cannot_be_decided_about_needs_no_bridge():
    """Its profile is gone: the author's Deployment was not touched yet, and nobody knows when it will be."""
    world = ahead()
    world.kube.drop(MODEL_PROFILES, None, "llama")
    assert until_quiet(world) == ["BridgeRemoved"]


def test_a_workload_that_is_off_and_cannot_be_decided_about_is_left_alone():
    world = ahead()
    spec(world, mode="Off")
    world.kube.drop(MODEL_PROFILES, None, "llama")
    assert acts(world) == []


def test_what_only_looks_like_a_bridge_is_not_touched():
    """A copy under another name, and a bridge of which somebody made something of his own."""
    world = ahead()
    copied = deepcopy(the_bridge(world))
    copied["metadata"] = {**copied["metadata"], "name": "copy", "uid": "copy"}
    to_the_end(world)
    world.put(copied)
    delete_workload(world)
    world.kube.drop(DEPLOYMENTS, docs.NAMESPACE, "chat")
    assert acts(world) == []


# what is shown


def test_nobody_may_name_a_bridge_as_a_target():
    world = ahead()
    name = the_bridge(world)["metadata"]["name"]
    world.put(docs.workload("rival", targetRef={"apiVersion": "apps/v1", "kind": "Deployment", "name": name}))
    refusal = world.decide().refused["prod/rival"]
    assert refusal.reason.value == "TargetOwned"
    assert "bridge beside chat" in refusal.message


def test_status_shows_the_bridge_and_how_far_it_is():
    world = growing()
    carry(world, acts(world)[0])
    world.roll()
    status = workload_status("prod/chat", world.decide())
    home, bridge = status["placements"]
    assert (home["pool"], home["replicas"]) == ("h100", 2)
    assert {key: bridge[key] for key in ("pool", "variant", "replicas", "ready", "chips", "reason")} == {
        "pool": "maia", "variant": "maia-x4", "replicas": 1, "ready": 0, "chips": 4, "reason": "Bridge"
    }  # fmt: skip
    placed = next(each for each in status["conditions"] if each["type"] == "Placed")
    assert (placed["status"], placed["reason"]) == ("False", "MoveInProgress")
    assert placed["message"].endswith("bridge: 0 of 1 Ready")
    assert decision_entry("prod/chat", world.decide(), "now")["message"] == placed["message"]
    world.settle()
    assert workload_status("prod/chat", world.decide())["placements"][1]["ready"] == 1


def test_pods_of_a_bridge_are_ours_and_hold_room():
    """In a pool's status they are used, not used by others; and no other workload is promised their chips."""
    world = ahead()
    (pool,) = [
        each.wanted
        for each in other_statuses(world.decide())
        if (each.resource, each.name) == (ACCELERATOR_POOLS, "maia")
    ]
    assert pool["chips"]["used"] == 4
    assert pool["chips"]["usedByOthers"] == 0
    spec(world, mode="Off")
    found = {each.name: each for each in world.decide().acting.problem.pools}
    assert sum(bucket.count * bucket.room.chips for bucket in found["maia"].buckets) == 4 * 8 - 4


def test_capacity_is_counted_as_a_service_would():
    """The tests' own yardstick."""
    assert capacity(ahead()) == 5.0
