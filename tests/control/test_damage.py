"""A record that was edited by hand: nothing is written over it, and whoever looks is told what to do."""

from __future__ import annotations

from typing import Any

import pytest
from chipwise.control.status import workload_status
from chipwise.kube.resources import DEPLOYMENTS, INFERENCE_WORKLOADS
from chipwise.reasons import Reason
from chipwise.rendering.record import ANNOTATIONS, BASE_ANNOTATION

from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.world import World, delete_workload, serving
from tests.control.carrying import acts, until_quiet

MAIA = {"example.com/maia": 2}


def moved() -> World:
    world = World.standard()
    until_quiet(world)
    return world


def annotate(world: World, **values: Any) -> Document:
    """``kubectl annotate --overwrite``; the Deployment as it was before."""
    before = world.deployment()
    found = {f"chipwise.dev/{key}": value for key, value in values.items()}
    world.edit(DEPLOYMENTS, "chat", lambda d: d["metadata"]["annotations"].update(found))
    return before


def conditions(world: World) -> dict[str, Document]:
    status = workload_status("prod/chat", world.decide())
    return {each["type"]: each for each in status["conditions"]}


@pytest.mark.parametrize("pools", [["h100", "maia"], ["h100"]])
def test_damage_is_told_and_never_as_an_undo(pools: list[str]):
    """Whether or not the plan would have it elsewhere; and no move is proposed over a base that nobody knows."""
    world = moved()
    annotate(world, base="{}")
    world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(allowedPools=pools))
    found = conditions(world)
    assert "Paused" not in found
    assert (found["RecordDamaged"]["status"], found["RecordDamaged"]["reason"]) == ("True", "RecordDamaged")
    assert "'template' is missing" in found["RecordDamaged"]["message"]
    assert "kubectl rollout undo deployment/chat -n prod" in found["RecordDamaged"]["message"]
    assert (found["Ready"]["status"], found["Ready"]["reason"]) == ("False", "RecordDamaged")
    assert found["Placed"]["reason"] == "RecordDamaged"
    assert "is proposed" not in found["Placed"]["message"]
    assert acts(world) == []


def test_the_annotation_put_back_is_the_end_of_it():
    world = moved()
    before = annotate(world, base="{}")
    annotate(world, base=before["metadata"]["annotations"][BASE_ANNOTATION])
    assert conditions(world)["Ready"]["status"] == "True"
    assert "RecordDamaged" not in conditions(world)


def test_an_undo_to_the_author_mends_it():
    """The author's ReplicaSet has no record, and is the author's word: an undo like any other."""
    world = moved()
    annotate(world, base="{}")

    def undo(document: Document) -> None:
        document["spec"]["template"] = docs.deployment()["spec"]["template"]
        document["metadata"]["annotations"] = {}

    world.edit(DEPLOYMENTS, "chat", undo)
    world.settle()
    found = conditions(world)
    assert "RecordDamaged" not in found
    assert found["Paused"]["status"] == "True"


@pytest.mark.parametrize("removed", [False, True])
def test_a_damaged_deployment_is_not_given_back_to_nobody_knows_what(*, removed: bool):
    """Its traces would be lost, and our rendering pass for the author's word."""
    world = moved()
    if removed:
        world.edit(DEPLOYMENTS, "chat", lambda d: d["metadata"].update(annotations={}))
    else:
        annotate(world, **{key.removeprefix("chipwise.dev/"): "{" for key in ANNOTATIONS})
    delete_workload(world)
    ((deployment, refusal),) = world.decide().orphans_waiting
    assert (deployment.name, refusal.reason) == ("chat", Reason.RECORD_DAMAGED)
    assert acts(world) == []
    assert serving(world) == MAIA
