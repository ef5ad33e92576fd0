"""A placement that does not come to serve on a real control plane: recognised in time, told, taken back or left, and tried again later."""

from __future__ import annotations

import time
from datetime import datetime

import pytest

from e2e.admin import GROUP
from e2e.authored import AGENT_POOL, ALT_IMAGE, AMD, MINE, Document, Setup, workload
from e2e.cluster.fleet import apply
from e2e.failing import (
    AGED,
    FIRST,
    GRACE,
    HASTE,
    ROUNDING,
    Hasty,
    Patient,
    ails,
    back_with_the_author,
    cool_downs,
    turns,
)
from e2e.faults import Lab
from e2e.platform_team import nodes, profile
from e2e.staging import case
from e2e.watchlog import moment_of
from e2e.world import World

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    ("reason", "allowed"),
    [
        # 2 s to pull, 2 s to start, and the grace.
        case(ails("ready"), "NeverReady", 4 + GRACE),
        case(ails("crash"), "CrashLoop", GRACE),
        case(ails("pull"), "ImagePullFailed", 2 + GRACE),
        case(ails("config"), "ContainerNotStarted", GRACE),
    ],
)
def test_a_move_that_fails_is_taken_back(world: World, reason: str, allowed: float) -> None:
    """Within its deadline, to the author's own ReplicaSet, and nothing that serves is lost. Then it is left alone for a while."""
    world.eventually(back_with_the_author(world), "the author's pods alone", 40)
    (_, _), (placed, amd), (taken_back, nvidia) = turns(world)[:3]
    assert (amd, nvidia) == ("amd.com/gpu", "nvidia.com/gpu")
    assert allowed - ROUNDING <= taken_back - placed <= allowed + HASTE
    (noted,) = cool_downs(world)
    assert (noted["reason"], noted["variant"], noted["failures"]) == (reason, "alt", 1)
    seconds = datetime.fromisoformat(noted["until"]) - datetime.fromisoformat(noted["at"])
    assert seconds.total_seconds() == FIRST
    world.nothing_lost()


@pytest.mark.setup(ails("crash"))
def test_it_is_tried_again_and_stays_once_it_serves(world: World) -> None:
    """After the cool-down; the second failure cools down twice as long; a mended variant is taken at the next try."""
    world.eventually(lambda: [one["failures"] for one in cool_downs(world)] == [2], "it failed twice", 60)
    first, second = turns(world)[1][0], turns(world)[3][0]
    assert FIRST - ROUNDING <= second - first <= FIRST + 2 * HASTE
    (noted,) = cool_downs(world)
    seconds = datetime.fromisoformat(noted["until"]) - datetime.fromisoformat(noted["at"])
    assert seconds.total_seconds() == 2 * FIRST
    mended = Hasty(world.setup.name)
    assert mended.alternative_image == ALT_IMAGE
    apply(world.cluster, [profile(mended)])
    world.settled("alt", deadline=60)
    world.nothing_lost()


@pytest.mark.setup(
    Hasty(
        "ails-too-often",
        alternative_image="example.com/ails/crash:1",
        policy={
            "failureGrace": f"{GRACE}s",
            "coolDown": {"first": "2s", "longest": f"{AGED}s"},
            "maxFailures": 1,
        },
    )
)
def test_too_many_failures_stop_moves_for_savings_until_they_are_old(world: World) -> None:
    """The cool-down is over long before; the next try comes when the failure has aged out."""
    held = "TooManyFailures"
    world.eventually(
        lambda: world.status().get("summary", {}).get("reason") == held, "it is told why it is held", 40
    )
    failed = moment_of(cool_downs(world)[0]["at"])

    def again() -> list[float]:
        return [moment for moment, chip in turns(world) if chip == AMD and moment > failed]

    world.eventually(again, "it is tried again", AGED + HASTE)
    assert AGED - ROUNDING <= again()[0] - failed <= AGED + HASTE
    world.nothing_lost()


@pytest.mark.setup(Hasty("starves", alternative_machines=0))
def test_pods_that_find_no_node_are_taken_back(world: World) -> None:
    """The pool could grow and does not: after the time a node takes to boot, and the pool is told to cool down for this size."""
    world.eventually(back_with_the_author(world), "the author's pods alone", 40)
    (_, _), (placed, _), (taken_back, _) = turns(world)[:3]
    assert 4 + GRACE - ROUNDING <= taken_back - placed <= 4 + GRACE + HASTE
    (noted,) = cool_downs(world)
    pool = f"{world.namespace}-alt"
    assert (noted["reason"], noted["pool"], noted["chips"]) == ("Unschedulable", pool, 4)

    def shown() -> list[tuple[int, str]]:
        status = world.admin.get(f"{GROUP}/acceleratorpools/{pool}")["status"]
        return [(one["chips"], one["reason"]) for one in status.get("coolDowns", ())]

    world.eventually(lambda: shown() == [(4, "Unschedulable")], "the pool tells of it")
    candidates = {one["pool"]: one for one in world.status()["candidates"]}
    assert candidates[pool]["reason"] == "CoolingDown"
    assert "is not tried again before" in candidates[pool]["message"]
    # Machines come: the next try succeeds, which on a slow machine is after a longest cool-down.
    apply(
        world.cluster,
        [node for node in nodes(Hasty(world.setup.name)) if "-alt-" in node["metadata"]["name"]],
    )
    world.settled("alt", deadline=120)
    world.nothing_lost()


def broken(setup: Setup) -> list[Document]:
    """An author's own Deployment on the other pool whose volume nobody made, and a workload that names it."""
    labels, pool = {"app": "broken"}, f"{setup.name}-alt"
    server = {
        "name": "server",
        "image": ALT_IMAGE,
        "resources": {"requests": {"cpu": "1"}, "limits": {AMD: "4"}},
    }
    pod = {
        "nodeSelector": {AGENT_POOL: pool},
        "tolerations": [{"operator": "Exists"}],
        "containers": [server],
        "volumes": [{"name": "weights", "persistentVolumeClaim": {"claimName": "weights"}}],
    }
    template = {"metadata": {"labels": labels}, "spec": pod}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "broken", "labels": {MINE: setup.name}},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
    }
    found = workload(setup, name="broken", mode="Rollout", allowedPools=[pool])
    found["spec"]["traffic"]["meanRequestsPerSecond"] = "1"
    found["spec"]["targetRef"]["name"] = "broken"
    return [deployment, found]


@pytest.mark.setup(Hasty("volume", mode="Off"))
def test_a_pod_that_waits_for_a_volume_closes_no_pool(world: World) -> None:
    """The scheduler says that it is not room that is missing: a neighbour still moves there, however long the pod waits."""
    for document in broken(world.setup):
        world.kubectl_apply(document)

    def waits() -> bool:
        pods = [pod for pod in world.pods() if pod["metadata"]["name"].startswith("broken-")]
        said = [each.get("message", "") for pod in pods for each in pod["status"].get("conditions", ())]
        return any('persistentvolumeclaim "weights" not found' in each for each in said)

    world.eventually(waits, "the scheduler names the volume")
    time.sleep(4 + GRACE + HASTE / 2)  # boot, grace, and a cool-down would have been told
    told = world.admin.get(world.path_of("broken"))["status"]
    assert "coolDowns" not in told
    assert "coolDowns" not in world.admin.get(world.path_of_pool("alt"))["status"]
    assert "CoolingDown" not in {one.get("reason") for one in world.status()["candidates"]}
    world.edit_workload(mode="Rollout")

    def moved() -> bool:
        where = world.status()["summary"].get("pool")
        return where == f"{world.namespace}-alt" and world.condition("Ready") == ("True", "Placed")

    world.eventually(moved, "the neighbour moved there", 60)
    world.kubectl("delete", "inferenceworkload,deployment", "broken")
    world.settled("alt")
    world.nothing_lost()


@pytest.mark.setup(Hasty("vanish", expects_move=True))
def test_a_pool_whose_nodes_vanish_is_left_and_returned_to(world: World) -> None:
    """A rescue, though it costs more: the dearer pool serves again within seconds, and the cheaper one after its cool-down."""
    world.settled("alt")
    vanish(world)
    gone = time.monotonic()
    world.settled("gpu", deadline=40)
    assert cool_downs(world)[0]["reason"] == "Unschedulable"
    reasons = [(one["decision"], one["reason"]) for one in world.status()["decisions"]]
    assert ("Move", "Rescued") in reasons
    apply(world.cluster, [node for node in nodes(world.setup) if "-alt-" in node["metadata"]["name"]])
    world.settled("alt", deadline=60)
    assert [chip for _, chip in turns(world)] == ["nvidia.com/gpu", "amd.com/gpu"] * 2
    assert turns(world)[3][0] - gone > FIRST
    # Between the loss and the rescue nobody could serve; from the rescue on nothing is lost.
    rescued = next(step.moment for step in world.log.instants if step.moment > gone and step.ready == 2)
    world.log.capacity_never_below(world.demand, rescued)


def vanish(world: World) -> None:
    """The machines of the other pool are gone, and what ran on them is collected, which takes Kubernetes a minute otherwise."""
    labels = f"kubernetes.azure.com/agentpool={world.namespace}-alt"
    names = [pod["metadata"]["name"] for pod in world.pods()]
    world.cluster.run_kubectl("delete", "nodes", "--selector", labels)
    world.kubectl("delete", "pods", "--force", "--grace-period=0", *names)


def test_a_cool_down_outlives_the_leader(lab: Lab) -> None:
    """The next one reads it in the status: it does not try again before it is over, and counts on from the failures before."""
    setup = Patient("outlives", alternative_image="example.com/ails/crash:1")
    first = lab.operator(name="first")
    first.start()
    world = lab.world(setup, first).build()
    lab.within(40, back_with_the_author(world), "taken back")
    (noted,) = cool_downs(world)
    first.kill()
    lab.forget_lease()
    with lab.operator(name="second") as second:
        lab.within(20, lambda: "every list is complete" in second.log, "it decides")
        lab.within(
            90, lambda: [one["failures"] for one in cool_downs(world)] == [2], "tried again, and failed"
        )
        assert turns(world)[3][0] >= moment_of(noted["until"])
        assert cool_downs(world)[0]["at"] >= noted["until"]
    world.nothing_lost()
