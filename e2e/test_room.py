"""What befalls nodes moves nobody who runs there, and room that only looks like room sends nobody anywhere."""

from __future__ import annotations

from functools import partial

import pytest

from e2e.admin import Document
from e2e.authored import AMD, MINE, Setup
from e2e.world import World

pytestmark = pytest.mark.e2e

NEAR_NODES = range(4)


def node(world: World, number: int, pool: str = "alt") -> str:
    return f"/api/v1/nodes/{world.namespace}-{pool}-{number}"


def ready_nodes(world: World) -> int:
    """Nodes of the other pool that take pods, as the operator sees them."""
    status = world.admin.get(world.path_of_pool("alt")).get("status") or {}
    return int(status.get("nodes", {}).get("ready", -1))


def free_chips(world: World) -> int:
    status = world.admin.get(world.path_of_pool("alt")).get("status") or {}
    return int(status.get("chips", {}).get("free", -1))


def holds(world: World, number: int, chips: int) -> Document:
    """Somebody else's pod on a node of the other pool."""
    resources = {"requests": {AMD: str(chips)}, "limits": {AMD: str(chips)}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"holds-{number}",
            "namespace": world.namespace,
            "labels": {MINE: world.namespace},
        },
        "spec": {
            "nodeName": f"{world.namespace}-alt-{number}",
            "tolerations": [{"operator": "Exists"}],
            "containers": [{"name": "c", "image": "example/other:1", "resources": resources}],
        },
    }


def refusal(world: World, reason: str) -> str:
    """What is said against the other pool, if it is for that reason."""
    candidates = world.status().get("candidates") or ()
    found = [c for c in candidates if c["variant"] == "alt" and c.get("reason") == reason]
    return str(found[0]["message"]) if found else ""


@pytest.mark.setup(Setup("trouble"))
def test_a_cordon_and_a_lost_device_plugin_move_nobody(world: World) -> None:
    """Every node of the pool at once, there and back: not one write."""
    before = len(world.writes())
    for number in range(5):
        world.admin.merge(node(world, number), {"spec": {"unschedulable": True}})
    world.eventually(lambda: ready_nodes(world) == 0, "the cordon is seen")
    for number in range(5):
        world.admin.merge(f"{node(world, number)}/status", {"status": {"allocatable": {AMD: "0"}}})
    for number in range(5):
        world.admin.merge(node(world, number), {"spec": {"unschedulable": None}})
    world.eventually(lambda: ready_nodes(world) == 5 and free_chips(world) == 0, "no chip is handed out")
    assert world.condition("Placed") == ("True", "Placed")
    assert world.condition("Feasible")[0] == "True"
    for number in range(5):
        world.admin.merge(f"{node(world, number)}/status", {"status": {"allocatable": {AMD: "8"}}})
    world.eventually(lambda: free_chips(world) == 32, "the chips are back")
    assert world.is_on("alt")
    assert len(world.writes()) == before
    world.nothing_lost()


@pytest.mark.setup(Setup("pieces", expects_move=False, mode="Off"))
def test_free_chips_in_pieces_send_nobody_there(world: World) -> None:
    """Three are free on each near node, twelve together, and a replica takes four; eight are free where its zone pin keeps it away."""
    for number in NEAR_NODES:
        world.kubectl_apply(holds(world, number, 5))
    world.eventually(lambda: free_chips(world) == 20, "the others are seen")
    world.edit_workload(mode="Rollout")

    said = world.eventually(partial(refusal, world, "Fragmented"), "it is said")
    where = f"12 chips are free on the 4 of 5 nodes of pool {world.namespace}-alt that take it"
    assert f"{where}, but no node has 4 together" in said
    assert world.status()["placements"][0]["pool"] == f"{world.namespace}-gpu"
    assert not world.writes()
    world.kubectl("delete", "pods", *(f"holds-{number}" for number in (0, 1)), "--wait=false")
    world.settled("alt")
    world.nothing_lost()


@pytest.mark.setup(Setup("pod-quota", expects_move=False, mode="Off"))
def test_a_quota_on_pods_counts_both_copies(world: World) -> None:
    """Two run and three are allowed: the move waits until the quota holds both copies."""
    hard = {"pods": "3"}
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "pods", "namespace": world.namespace, "labels": {MINE: world.namespace}},
        "spec": {"hard": hard},
    }
    world.kubectl_apply(quota)
    world.edit_workload(mode="Rollout")

    said = world.eventually(partial(refusal, world, "QuotaExceeded"), "it is said")
    assert f"needs 4 pods in namespace {world.namespace} while both copies run" in said
    assert not world.writes()
    hard["pods"] = "4"
    world.kubectl_apply(quota)
    world.settled("alt")
    world.nothing_lost()
