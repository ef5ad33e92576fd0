"""Room that is kept warm on a real control plane: the real scheduler pushes placeholders out, the garbage collector takes them away."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial

import pytest

from e2e import authored, platform_team
from e2e.admin import Document
from e2e.authored import AMD, Setup
from e2e.faults import Lab, granted
from e2e.operator_process import OperatorProcess, install_chart
from e2e.rendered import NAMESPACE
from e2e.world import World

pytestmark = pytest.mark.e2e

LABEL, WRITTEN = "chipwise.dev/spare-for", "chipwise.dev/spare-written"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
#: No more than the scheduler and the kubelet that is played take: a machine takes minutes.
AT_ONCE = 10.0


@pytest.fixture
def warm(lab: Lab) -> Iterator[Lab]:
    """The chart with the feature; taken back afterwards, which takes the placeholders away."""
    install_chart(lab.cluster, values={"autoscaling.spare.enabled": "true"})
    try:
        yield lab
    finally:
        install_chart(lab.cluster)
        lab.within(30, lambda: not placeholders(lab), "placeholders went with the feature")


def placeholders(lab: Lab) -> list[Document]:
    found: list[Document] = lab.admin.get(f"/api/v1/namespaces/{NAMESPACE}/pods?labelSelector={LABEL}")[
        "items"
    ]
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def on_nodes(lab: Lab) -> list[str]:
    """Nodes with a placeholder."""
    return sorted(pod["spec"]["nodeName"] for pod in placeholders(lab) if "nodeName" in pod["spec"])


def machine(setup: Setup, number: int) -> Document:
    """One more of the other pool."""
    return next(
        each
        for each in platform_team.nodes(replace(setup, alternative_machines=number + 1))
        if each["metadata"]["name"] == f"{setup.name}-alt-{number}"
    )


def keeping(lab: Lab, setup: Setup, operator: OperatorProcess, **spare: int) -> World:
    """The author's pods serve, and the cheaper pool keeps room warm."""
    world = lab.world(setup, operator)
    world.build_author()
    world.admin.merge(world.path_of_pool("alt"), {"spec": {"spare": spare}})
    return world


def spare_status(world: World) -> Document:
    status = world.admin.get(world.path_of_pool("alt")).get("status") or {}
    found: Document = status.get("spare") or {}
    return found


def planned(lab: Lab, pool: str) -> tuple[Document, Document]:
    """The summary and one pool of `chipwise plan`, as a person sees it."""
    command = [sys.executable, "-m", "chipwise.cli", "plan", "-o", "json", "--kubeconfig"]
    done = subprocess.run(
        [*command, str(lab.cluster.kubeconfig)], capture_output=True, text=True, check=False, timeout=60
    )
    document = json.loads(done.stdout)
    return document["summary"], next(each for each in document["pools"] if each["name"] == pool)


def seconds_to_a_node(pod: Document) -> float:
    bound = next(c for c in pod["status"]["conditions"] if c["type"] == "PodScheduled")
    assert bound["status"] == "True"
    created = datetime.fromisoformat(pod["metadata"]["creationTimestamp"])
    return (datetime.fromisoformat(bound["lastTransitionTime"]) - created).total_seconds()


def test_a_move_takes_warm_room_at_once_and_it_is_kept_warm_again(warm: Lab) -> None:
    """All nodes of the pool are held by placeholders; the move is planned there all the same, and bound without waiting for anything."""
    lab = warm
    setup = Setup("moves-in", expects_move=False, alternative_machines=2)
    with lab.operator("--spare") as operator:
        world = keeping(lab, setup, operator, replicas=2)
        pool = "moves-in-alt"
        lab.within(20, lambda: on_nodes(lab) == [f"{pool}-0", f"{pool}-1"], "a placeholder on each node")
        world.told("SpareKept", "True", "Accepted", world.path_of_pool("alt"))
        assert lab.pool(pool)["chips"] == {
            "allocatable": 16,
            "usedByOthers": 0,
            "used": 0,
            "reserved": 0,
            "free": 16,
        }
        assert spare_status(world) == {"replicas": 2, "chips": 8, "warm": 2, "costPerHour": "20.0000"}
        before, of_pool = planned(lab, pool)
        assert before["sparePerHour"] == "20.0000"
        assert of_pool["spare"] == {"replicas": 2, "chips": 8, "kept": 2, "costPerHour": "20.0000"}

        world.kubectl_apply(authored.workload(setup))
        world.settled("alt")
        world.nothing_lost()
        assert max(map(seconds_to_a_node, world.pods())) <= AT_ONCE
        world.told("SpareKept", "False", "SpareWaiting", world.path_of_pool("alt"))
        assert len(placeholders(lab)) == 2
        assert len(on_nodes(lab)) < 2
        world.told("Ready", "True", "Placed")

        number = 2
        while len(on_nodes(lab)) < 2:
            lab.apply(machine(setup, number))
            lab.within(20, lambda: f"{pool}-{number}" in on_nodes(lab), "the new node is warm")  # noqa: B023 - asked at once
            number += 1
        world.told("SpareKept", "True", "Accepted", world.path_of_pool("alt"))
        after, of_pool = planned(lab, pool)
        assert after["sparePerHour"] == of_pool["spare"]["costPerHour"] == "20.0000"
        assert operator.is_alive
        assert "Traceback" not in operator.log
    assert [each for each in lab.audit.requests() if each["responseStatus"].get("code") == 403] == []


def test_more_replicas_take_it_too(warm: Lab) -> None:
    """Of a Deployment that is there already, whose traffic doubles."""
    lab = warm
    setup = Setup("scales-up", alternative_machines=1)
    with lab.operator("--spare") as operator:
        world = lab.world(setup, operator).build()
        lab.apply(machine(setup, 1))
        world.admin.merge(world.path_of_pool("alt"), {"spec": {"spare": {"replicas": 1}}})
        lab.within(20, lambda: on_nodes(lab) == ["scales-up-alt-1"], "the free node is warm")
        twice = {"meanRequestsPerSecond": str(2 * setup.requests_per_second)}
        world.edit_workload(traffic=twice)
        world.eventually(lambda: len(world.pods()) == 4 and world.is_on("alt"), "all four serve", 30)
        assert max(map(seconds_to_a_node, world.pods())) <= AT_ONCE
        world.told("SpareKept", "False", "SpareWaiting", world.path_of_pool("alt"))
        assert on_nodes(lab) == []


def test_placeholders_are_written_once_and_go_with_the_wish(warm: Lab) -> None:
    """Neither a restart nor a heart-beat writes; a person's scaling is taken back; changed chips are; and without the option nothing is left."""
    lab = warm
    setup = Setup("writes", expects_move=False, mode="Off", alternative_machines=2)
    name = "chipwise-spare-writes-alt"
    with lab.operator("--spare") as operator:
        world = keeping(lab, setup, operator, replicas=1, chips=4)
        lab.within(20, lambda: len(on_nodes(lab)) == 1, "warm")
        world.told("SpareKept", "True", "Accepted", world.path_of_pool("alt"))
        (pod,) = placeholders(lab)
        (container,) = pod["spec"]["containers"]
        assert container["resources"]["limits"][AMD] == "4"
        assert pod["spec"]["priority"] == -10
        assert [each["verb"] for each in lab.audit.writes("deployments", NAMESPACE)] == ["create"]
    lab.forget_lease()
    with lab.operator("--spare", name="second") as operator:
        world.operator = operator
        lab.within(30, lambda: "leading" in operator.log or lab.lease_holder(), "the second leads")
        world.set_price("gpu", "41.00")
        world.eventually(lambda: lab.pool("writes-gpu")["priceInForce"]["amount"] == "41.00", "it tells")
        time.sleep(3)  # for a write that should not come
        assert [each["verb"] for each in lab.audit.writes("deployments", NAMESPACE)] == ["create"]

        lab.admin.merge(f"{DEPLOYMENTS}/{name}", {"spec": {"replicas": 0}})
        lab.within(20, lambda: len(lab.audit.writes("deployments", NAMESPACE)) == 2, "scaled back")
        lab.within(20, lambda: len(on_nodes(lab)) == 1, "warm again")
        world.admin.merge(world.path_of_pool("alt"), {"spec": {"spare": {"chips": 8}}})

        def is_whole() -> bool:
            found = placeholders(lab)
            return len(found) == 1 and found[0]["spec"]["containers"][0]["resources"]["limits"][AMD] == "8"

        lab.within(20, is_whole, "the whole node")
        verbs = [each["verb"] for each in lab.audit.writes("deployments", NAMESPACE)]
        assert verbs == ["create", "patch", "patch"]

        world.admin.merge(world.path_of_pool("alt"), {"spec": {"spare": None}})
        lab.within(20, lambda: lab.admin.find(f"{DEPLOYMENTS}/{name}") is None, "without the option it goes")
        lab.within(20, lambda: not placeholders(lab), "and its pods")
        assert spare_status(world) == {}
        for reason in ("SpareSet", "SpareRemoved"):
            lab.within(10, partial(lab.events, "default", reason), f"an Event {reason}")
    assert [each for each in lab.audit.requests() if each["responseStatus"].get("code") == 403] == []


def test_without_the_feature_it_is_said_and_what_was_there_is_gone(warm: Lab) -> None:
    """The chart takes the PriorityClass away, and the garbage collector what hangs on it, with no operator there to do it."""
    lab = warm
    setup = Setup("goes", expects_move=False, mode="Off", alternative_machines=1)
    with lab.operator("--spare") as operator:
        world = keeping(lab, setup, operator, replicas=1)
        lab.within(20, lambda: len(on_nodes(lab)) == 1, "warm")
    assert granted(lab.cluster, "create", "deployments.apps", "--namespace", NAMESPACE)
    install_chart(lab.cluster)
    lab.within(30, lambda: not placeholders(lab), "the garbage collector")
    assert lab.admin.find(f"{DEPLOYMENTS}/chipwise-spare-goes-alt") is None
    lab.forget_lease()
    with lab.operator(name="second") as operator:
        world.operator = operator
        said = world.told("SpareKept", "False", "SpareNotEnabled", world.path_of_pool("alt"))
        assert "autoscaling.spare.enabled" in said
        assert placeholders(lab) == []
