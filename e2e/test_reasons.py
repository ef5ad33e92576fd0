"""Why not: what stands in the way of a variant on a pool, or of a place for everybody, reaches the person who must act.

With its typed reason, its figures and an Event; and where somebody does what it says, the move follows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from e2e import authored, platform_team
from e2e.admin import GROUP, Document
from e2e.authored import MINE, NVIDIA, Setup
from e2e.cluster.fleet import apply
from e2e.staging import case
from e2e.world import World, server

pytestmark = pytest.mark.e2e

DEPLOYMENT = "/apis/apps/v1/namespaces/{}/deployments/chat"


def price_in_euro(world: World) -> None:
    """By name the other pool comes first, so its dollars are the standard."""
    price = {"amount": "40.00", "currency": "EUR"}
    world.admin.merge(world.path_of_pool("gpu"), {"spec": {"price": price}})


def delete_class(world: World) -> None:
    world.admin.delete(f"{GROUP}/acceleratorclasses/{world.namespace}-alt")


def name_a_node_pool(world: World) -> None:
    """Karpenter is not read by this operator."""
    world.admin.merge(world.path_of_pool("alt"), {"spec": {"karpenter": {"nodePool": "maia"}}})


def change_architecture(world: World) -> None:
    """The other pool's machines turn out to be ARM, and the author's image is not made for them."""
    world.kubectl(
        "label", "nodes", "--overwrite", "kubernetes.io/arch=arm64", "--selector", of_pool(world, "alt")
    )
    edit_pod(world, {"nodeSelector": {"kubernetes.io/arch": "amd64"}})


def mount_a_claim(world: World) -> None:
    """Weights on a disk that attaches to one node."""
    name, size = f"{world.namespace}-weights", {"storage": "200Gi"}
    common = {"accessModes": ["ReadWriteOnce"], "storageClassName": ""}
    disk = {**common, "capacity": size, "hostPath": {"path": "/weights"}}
    claim = {**common, "volumeName": name, "resources": {"requests": size}}
    world.kubectl_apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name, "labels": {MINE: world.setup.name}},
            "spec": disk,
        }
    )
    world.kubectl_apply(
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "weights"}, "spec": claim}
    )
    volume = {"name": "weights", "persistentVolumeClaim": {"claimName": "weights"}}
    edit_pod(world, {"volumes": [volume, *world.deployment()["spec"]["template"]["spec"]["volumes"]]})


def set_quota(world: World, chips: int) -> None:
    world.kubectl_apply(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "chips"},
            "spec": {"hard": {f"requests.{NVIDIA}": str(chips)}},
        }
    )


def edit_pod(world: World, spec: Document) -> None:
    """The author changes the pod template of a Deployment that nobody has moved yet."""
    world.admin.merge(DEPLOYMENT.format(world.namespace), {"spec": {"template": {"spec": spec}}})


def of_pool(world: World, chip: str) -> str:
    return f"{authored.AGENT_POOL}={world.namespace}-{chip}"


def candidate(world: World, variant: str, reason: str) -> str:
    """Wait until the variant is refused for this reason; its sentence."""

    def refused() -> list[str]:
        every = world.status().get("candidates", ())
        return [c["message"] for c in every if (c["variant"], c.get("reason")) == (variant, reason)]

    return world.eventually(refused, f"{variant} is refused: {reason}")[0]


def off(name: str, **more: Any) -> Setup:
    """A world in which nothing moves before the test says so."""
    return Setup(name, mode="Off", expects_move=False, **more)


CURRENCY = "pool {0}-gpu is priced in EUR, and pool "
CLASS = "pool {0}-alt: no AcceleratorClass is named {0}-alt"
UNREAD = (
    "pool {0}-alt: it names NodePool maia, and chipwise does not read Karpenter: start it with --karpenter"
)
ARCHITECTURE = "nodes of pool {0}-alt are arm64, the Deployment asks for amd64"
VOLUME = "claim weights is ReadWriteOnce and cannot attach to both copies during a move"
QUOTA = (
    "needs 8 nvidia.com/gpu in namespace {0} while both copies run; quota {0}/chips/nvidia.com/gpu leaves 6"
)


@pytest.mark.parametrize(
    ("spoil", "variant", "reason", "words"),
    [
        case(off("euro"), price_in_euro, "gpu", "CurrencyMismatch", CURRENCY),
        case(off("no-class"), delete_class, "alt", "ClassMissing", CLASS),
        case(off("unread"), name_a_node_pool, "alt", "KarpenterNotRead", UNREAD),
        case(off("arm"), change_architecture, "alt", "ArchitectureMismatch", ARCHITECTURE),
        case(off("disk"), mount_a_claim, "alt", "VolumeNotMovable", VOLUME),
    ],
)
def test_what_refuses_a_variant_is_said(
    world: World, spoil: Callable[[World], None], variant: str, reason: str, words: str
) -> None:
    """Of the pool where it is the pool's fault, of the candidate, and where no other is allowed of the workload."""
    words = words.format(world.namespace)
    spoil(world)
    if reason in ("CurrencyMismatch", "ClassMissing", "KarpenterNotRead"):
        assert words in world.told("Ready", "False", reason, world.path_of_pool(variant))
    assert_nothing_else_will_do(world, variant, reason, words)
    assert world.operator.is_alive


@pytest.mark.setup(off("quota", alternative=NVIDIA))
def test_a_quota_without_room_for_both_copies_is_said(world: World) -> None:
    """Six chips for four that serve and four more; eight let it move, and no pod is ever refused."""
    set_quota(world, 6)
    assert_nothing_else_will_do(world, "alt", "QuotaExceeded", QUOTA.format(world.namespace))
    set_quota(world, 8)
    world.settled("alt")
    world.nothing_lost()
    assert "exceeded quota" not in world.kubectl("get", "events")


def assert_nothing_else_will_do(world: World, variant: str, reason: str, words: str) -> None:
    """The candidate has the reason; allowed alone it is the workload's, in its condition and in an Event. Nothing is written."""
    assert words in candidate(world, variant, reason)
    world.edit_workload(mode="Rollout", allowedVariants=[variant])
    message = world.told("Feasible", "False", "NoFeasibleVariant")
    assert f"1 {reason}" in message
    if variant == "alt":  # by name it is the first of the two that are refused
        assert words in message
    assert message in world.event("NoFeasibleVariant")["note"]
    assert world.condition("Ready") == ("False", "NoFeasibleVariant")
    assert not world.writes()


@pytest.mark.setup(Setup("full"))
def test_who_finds_no_room_is_told_what_it_would_take(world: World) -> None:
    """Two machines, one workload on them, and one that needs both: it stays where it serves, says so, and moves when there are more."""
    in_use = {pod["spec"]["nodeName"] for pod in world.pods()}
    others = [f"{world.namespace}-alt-{number}" for number in range(5)]
    kept = [*in_use, *(name for name in others if name not in in_use)][:2]
    world.edit_workload(allowedVariants=["alt"])
    world.kubectl("cordon", *(name for name in others if name not in kept))
    world.joined_by("late", 4, allowedVariants=["alt"])
    late = world.path_of("late")

    message = world.told("Feasible", "False", "CapacityExhausted", late)
    assert message == (
        f"Others of equal or higher priority hold the room: alt on {world.namespace}-alt (4 x 4 chips) would fit with "
        f"1 more node of pool {world.namespace}-alt, 10.00 $/h"
    )
    held = world.told("Placed", "False", "CapacityExhausted", late)
    assert held == f"Stays on gpu on {world.namespace}-gpu: {message}"
    assert world.event("CapacityExhausted", "late")["note"] == held
    assert len(world.writes()) == 1  # the first move of all; nobody makes way

    world.kubectl("uncordon", *others)
    world.eventually(lambda: world.is_on("alt"), "the machines are used", 40)
    world.nothing_lost()


def faster(world: World) -> Document:
    """The profile with a third variant: as many chips of the first kind, and twice as fast."""
    profile = platform_team.profile(world.setup)
    quick = platform_team.profile(replace(world.setup, tpot=world.setup.tpot // 2))["spec"]["variants"][0]
    more = {"args": {"set": [{"flag": "--quantization", "value": "fp8"}]}}
    profile["spec"]["variants"].append({**quick, "name": "quick", "precision": "fp8", "container": more})
    return profile


@pytest.mark.setup(off("surge", replicas=8, machines=3))
def test_who_finds_no_room_for_both_copies_is_held(world: World) -> None:
    """Half the machines would do, but all are full: it waits for a spare one, with the figures, and moves when there is one."""
    full = f"{world.namespace}-gpu"
    world.kubectl("cordon", f"{full}-2")
    world.eventually(lambda: pool_status(world, "gpu")["nodes"]["ready"] == 2, "two machines are left")
    world.kubectl_apply(faster(world))
    world.edit_workload(mode="Rollout", allowedVariants=["gpu", "quick"])
    message = world.told("Placed", "False", "NoSurgeCapacity")
    assert message == (
        f"quick on {full} is proposed: 4 x 2 chips do not fit beside what {full} holds "
        f"(gpu on {full} keeps its copy until the new one is Ready): 1 node missing"
    )
    assert world.event("NoSurgeCapacity")["note"] == message
    assert world.condition("Ready") == ("False", "NoSurgeCapacity")
    assert not world.writes()

    apply(world.cluster, platform_team.nodes(replace(world.setup, machines=5)))
    deployment = world.settled("gpu", replicas=4)
    assert "--quantization" in server(deployment["spec"]["template"])["args"]


def pool_status(world: World, chip: str) -> Document:
    status: Document = world.admin.get(world.path_of_pool(chip))["status"]
    return status


@pytest.mark.setup(Setup("pause-before", mode="Off", expects_move=False))
def test_a_paused_deployment_is_held_until_it_is_resumed(world: World) -> None:
    """Nothing is written that would not be carried out; who paused it reads what to do."""
    world.kubectl("rollout", "pause", "deployment/chat")
    world.edit_workload(mode="Rollout")
    message = world.told("Placed", "False", "RolloutPaused")
    assert message.endswith(f"resume it with kubectl rollout resume deployment/chat -n {world.namespace}")
    assert world.event("RolloutPaused")["note"] == message
    assert world.condition("Ready") == ("False", "RolloutPaused")
    time.sleep(2)
    assert not world.writes()
    world.kubectl("rollout", "resume", "deployment/chat")
    world.settled("alt")
    world.nothing_lost()


@pytest.mark.setup(Setup("pause-amid", mode="Off", expects_move=False, replicas=4, ready_delay="4s"))
def test_a_move_paused_under_way_says_so_and_holds_nobody_up(world: World) -> None:
    """Both copies stand; the status says where it runs, and the next workload has the one place in the budget.

    Three of the four replicas would do. With as many new ones as old ones Kubernetes would end the rollout, paused or not.
    """
    rate = 20.0
    traffic = {"meanRequestsPerSecond": str(rate), "peakRequestsPerSecond": str(rate)}
    world.edit_workload(mode="Rollout", traffic=traffic)
    world.eventually(world.writes, "the template is written")
    world.eventually(lambda: len(world.pods()) == 7, "the new pods start")
    world.kubectl("rollout", "pause", "deployment/chat")
    world.told("Placed", "False", "RolloutPaused")
    world.eventually(
        lambda: [one.get("ready") for one in world.status()["placements"]] == [None, 3], "the new are Ready"
    )
    gpu, alt = (f"{world.namespace}-{chip}" for chip in ("gpu", "alt"))
    assert [(one["pool"], one["replicas"]) for one in world.status()["placements"]] == [(gpu, 4), (alt, 3)]
    summary = world.status()["summary"]
    assert (summary["pool"], summary["variant"], summary["reason"]) == (gpu, "gpu", "RolloutPaused")

    world.joined_by("late", 1, mode="Rollout")
    world.told("Ready", "True", "Placed", world.path_of("late"))
    assert world.admin.get(world.path_of("late"))["status"]["summary"]["pool"] == alt
    assert world.condition("Placed") == ("False", "RolloutPaused")
    assert len(world.pods()) == 8

    world.kubectl("rollout", "resume", "deployment/chat")
    world.eventually(lambda: world.condition("Placed") == ("True", "Placed"), "the move is done", 40)
    assert [(one["pool"], one["replicas"]) for one in world.status()["placements"]] == [(alt, 3)]
    world.log.capacity_never_below(rate, world.since)
