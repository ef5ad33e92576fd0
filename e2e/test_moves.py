"""Moves of real Deployments between chips: what is written, in which order, and that nothing that serves is lost."""

import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from e2e import authored, platform_team
from e2e.admin import GROUP
from e2e.authored import AGENT_POOL, ALT_IMAGE, AMD, NVIDIA, PRODUCT, ZONE, Setup
from e2e.staging import case
from e2e.world import World, server

pytestmark = pytest.mark.e2e

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
TEMPLATE = {"template", "strategy"}


def writes(world: World) -> list[set[str]]:
    """Which of template, strategy and replicas each change of the Deployment touched."""
    steps = pairwise(revision.document["spec"] for revision in world.revisions())
    found = [{part for part in ("template", "strategy", "replicas") if a[part] != b[part]} for a, b in steps]
    return [changed for changed in found if changed]


def assert_restored(world: World) -> None:
    """The author's own ReplicaSet, replicas and strategy, no trace of ours, and nothing lost on the way."""
    before = world.revisions()[0].document
    world.delete_workload()
    back = world.restored()
    assert world.hashes() == {world.author_hash}
    assert back["spec"] == before["spec"]
    for kind in ("labels", "annotations"):
        kept = [key for key in back["metadata"][kind] if "chipwise.dev" in key]
        assert not kept
    world.nothing_lost()


@pytest.mark.parametrize(
    "resource",
    [
        case(Setup("same-number-cross", replicas=4), AMD),
        case(Setup("same-number-vendor", alternative=NVIDIA), NVIDIA),
    ],
)
def test_to_the_same_number_and_back(world: World, resource: str) -> None:
    """One write takes the losing chip's keys and leaves the author's own; deleting the workload restores the author's Deployment."""
    setup, spec = world.setup, world.deployment()["spec"]
    pod, container = spec["template"]["spec"], server(spec["template"])

    assert writes(world) == [TEMPLATE]
    assert len(world.writes()) == 1
    assert spec["replicas"] == setup.replicas
    assert container["resources"]["limits"] == {resource: str(setup.chips)}
    assert container["image"] == ALT_IMAGE
    assert "nodeSelector" not in pod
    assert [toleration["key"] for toleration in pod["tolerations"]] == [resource]
    (term,) = pod["affinity"]["nodeAffinity"][REQUIRED]["nodeSelectorTerms"]
    assert [(e["key"], e["values"]) for e in term["matchExpressions"]] == [
        (ZONE, ["westus3-1"]),
        (AGENT_POOL, [f"{setup.name}-alt"]),
    ]
    names = [variable["name"] for variable in container["env"]]
    assert names == ["PORT", "TEAM", "MODEL", "HF_HOME", "ENGINE_TUNING"]
    flags = ["--model=$(MODEL)", "--tensor-parallel-size", str(setup.chips), "--port=$(PORT)"]
    assert container["args"] == flags

    assert_restored(world)
    assert PRODUCT in world.deployment()["spec"]["template"]["spec"]["nodeSelector"]


@pytest.mark.setup(Setup("fewer", replicas=4, alternative_tpot=10))
def test_to_fewer_and_back(world: World) -> None:
    """Template first, replicas once the new pods are Ready; on the way back replicas first. Never both in one write."""
    world.settled("alt", replicas=2)
    assert writes(world) == [TEMPLATE, {"replicas"}]
    assert len(world.writes()) == 2
    world.nothing_lost()

    assert_restored(world)
    assert [step for step in writes(world) if "replicas" in step] == [{"replicas"}, {"replicas"}]


@pytest.mark.setup(Setup("off", mode="Off", expects_move=False))
def test_off_shows_and_writes_nothing(world: World) -> None:
    """Off proposes with the savings, and leaves the Deployment alone."""
    assert world.condition("Placed") == ("False", "ModeOff")
    status = world.status()
    assert status["proposed"][0]["pool"] == f"{world.namespace}-alt"
    assert status["placements"][0]["pool"] == f"{world.namespace}-gpu"
    assert float(status["savingsPerHour"]) == 30.0
    assert not world.writes()
    assert len(world.revisions()) == 1


@pytest.mark.setup(Setup("initial", mode="Initial"))
def test_initial_places_once(world: World) -> None:
    """A price change moves it no more, however much there is to be saved."""
    world.set_price("alt", "400.00")
    world.eventually(lambda: world.condition("Placed") == ("False", "AlreadyPlaced"), "held where it is")
    assert world.is_on("alt")
    assert len(world.writes()) == 1
    world.nothing_lost()


@pytest.mark.setup(Setup("price"))
def test_rollout_follows_the_price(world: World) -> None:
    """In mode Rollout a price change moves it again; the author's own ReplicaSet is still what a restore returns to."""
    world.set_price("alt", "400.00")
    world.settled("gpu")
    assert writes(world)[0] == TEMPLATE
    assert_restored(world)


@pytest.mark.setup(Setup("set-off"))
def test_set_off_leaves_what_runs(world: World) -> None:
    """Off writes nothing: no move back, no restore, and no heal either."""
    before = len(world.writes())
    world.edit_workload(mode="Off")
    world.set_price("alt", "400.00")
    world.eventually(lambda: world.condition("Placed") == ("False", "ModeOff"), "Off noticed")
    world.author_applies()
    time.sleep(2)
    assert world.log.ready_now() == world.setup.replicas
    assert len(world.writes()) == before
    world.nothing_lost()


def delete_deployment(world: World) -> None:
    world.kubectl("delete", "deployment", "chat", "--wait=false")


def own_deployment(world: World) -> None:
    world.kubectl("create", "configmap", "owner")
    owner = world.admin.get(f"/api/v1/namespaces/{world.namespace}/configmaps/owner")
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "controller": True}
    path = f"/apis/apps/v1/namespaces/{world.namespace}/deployments/chat"
    references = [{**reference, "uid": owner["metadata"]["uid"]}]
    world.admin.merge(path, {"metadata": {"ownerReferences": references}})


def claim_twice(world: World) -> None:
    world.kubectl_apply(authored.workload(world.setup, name="rival"))


def lose_resource_name(world: World) -> None:
    world.admin.merge(f"{GROUP}/acceleratorclasses/{world.namespace}-alt", {"spec": {"resourceName": None}})


def lose_price(world: World) -> None:
    world.admin.merge(f"{GROUP}/acceleratorpools/{world.namespace}-alt", {"spec": {"price": None}})


def overlap(world: World) -> None:
    world.kubectl_apply(platform_team.pool(world.setup, "alt", "9.00", name="again", selects="alt"))


def ask_the_impossible(world: World) -> None:
    world.edit_workload(objectives=[{"metric": "TPOT", "statistic": "Mean", "threshold": "1ms"}])


def name_no_profile(world: World) -> None:
    world.edit_workload(modelProfileName="nowhere")


def name_no_policy(world: World) -> None:
    world.edit_workload(policyName="nowhere")


def name_no_priority(world: World) -> None:
    world.edit_workload(priorityClassName="nowhere")


def name_no_container(world: World) -> None:
    world.edit_workload(container="nowhere")


def unknown(spoil: Callable[[World], None], where: str, kind: str, reason: str) -> object:
    """One case; ``where`` is the kind and name of the object that shows the condition, the workload if empty."""
    name = spoil.__name__.replace("_", "-")
    return case(Setup(name, mode="Off", replicas=1, expects_move=False), spoil, where, kind, reason)


@pytest.mark.parametrize(
    ("spoil", "where", "kind", "reason"),
    [
        unknown(delete_deployment, "", "Accepted", "TargetMissing"),
        unknown(own_deployment, "", "Accepted", "TargetOwned"),
        unknown(claim_twice, "", "Accepted", "TargetClaimed"),
        unknown(name_no_profile, "", "Accepted", "ProfileMissing"),
        unknown(name_no_policy, "", "Accepted", "PolicyMissing"),
        unknown(name_no_priority, "", "Accepted", "PriorityClassMissing"),
        unknown(name_no_container, "", "Accepted", "ContainerMissing"),
        unknown(ask_the_impossible, "", "Feasible", "NoFeasibleVariant"),
        unknown(lose_resource_name, "acceleratorclasses", "Ready", "ResourceNameMissing"),
        unknown(lose_price, "acceleratorpools", "Ready", "Unpriced"),
        unknown(overlap, "acceleratorpools", "Ready", "Overlapping"),
    ],
)
def test_what_cannot_be_decided_is_said(
    world: World, spoil: Callable[[World], None], where: str, kind: str, reason: str
) -> None:
    """A condition with its typed reason, on the workload or on the object at fault; what is refused of a pool shows as a candidate."""
    spoil(world)
    path = f"{GROUP}/{where}/{world.namespace}-alt" if where else None

    def said() -> bool:
        found = world.conditions(path).get(kind, {})
        return (found.get("status"), found.get("reason")) == ("False", reason)

    world.eventually(said, f"{kind}=False, {reason}")
    assert world.conditions(path)[kind]["message"]
    if where:
        reasons = {candidate.get("reason") for candidate in world.status()["candidates"]}
        assert reason in reasons
    else:
        assert world.condition("Ready") == ("False", reason)
    assert not world.writes()
    assert world.operator.is_alive
