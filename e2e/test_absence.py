"""What is not there: machines that go, workloads deleted while nobody looked, and everything in the first second of an operator.

An operator that starts must not take what it has not read yet for deleted, and must take for deleted what is.
"""

from __future__ import annotations

import json
import time
from copy import deepcopy
from datetime import datetime
from typing import Any

import pytest

from e2e import authored, platform_team
from e2e.admin import GROUP, Document
from e2e.audit import READS
from e2e.authored import Setup
from e2e.faults import Lab
from e2e.world import TRACES

pytestmark = pytest.mark.e2e

LISTED = 13  # resources that a decision reads: five kinds of ours, eight of others


def machines(setup: Setup, each: int) -> list[Document]:
    """``each`` fake machines in each pool, all like the first."""
    found = []
    for pool in ("gpu", "alt"):
        pattern = next(node for node in platform_team.nodes(setup) if f"-{pool}-" in node["metadata"]["name"])
        for number in range(each):
            node, name = deepcopy(pattern), f"{setup.name}-{pool}-{number}"
            node["metadata"]["name"] = name
            node["metadata"]["labels"]["kubernetes.io/hostname"] = name
            found.append(node)
    return found


def crowd(lab: Lab, setup: Setup, count: int, *, nodes: int, idle: int = 0) -> None:
    """``count`` Deployments of one replica with their workloads; wait until the other pool serves them all. ``idle`` more are Off and run no pod."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": setup.name}}
    lab.apply(authored.labelled(setup, namespace), *machines(setup, nodes), *platform_team.kinds(setup))
    names = [f"m{number}" for number in range(count + idle)]
    lab.apply(*(deployment(setup, name, 1 if name in names[:count] else 0) for name in names))
    path = f"/apis/apps/v1/namespaces/{setup.name}/deployments"

    def serving() -> list[Document]:
        items = lab.admin.get(path)["items"]
        return [each for each in items if each.get("status", {}).get("readyReplicas") == 1]

    lab.within(60, lambda: len(serving()) == count, "the authors' pods serve")
    mode = {name: "Rollout" if name in names[:count] else "Off" for name in names}
    lab.apply(
        *(authored.workload(setup, name=name, targetRef=target(name), mode=mode[name]) for name in names)
    )

    def moved() -> bool:
        items = [each for each in serving() if each["metadata"].get("labels", {}).get("chipwise.dev/managed")]
        pods = lab.admin.get(f"/api/v1/namespaces/{setup.name}/pods")["items"]
        return len(items) == len(pods) == count

    lab.within(90, moved, "all are moved")


def deployment(setup: Setup, name: str, replicas: int) -> Document:
    document = authored.deployment(setup, name=name)
    document["spec"]["replicas"] = replicas
    return document


def target(name: str) -> Document:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}


def deployments(lab: Lab, namespace: str) -> dict[str, Document]:
    """By name."""
    items = lab.admin.get(f"/apis/apps/v1/namespaces/{namespace}/deployments")["items"]
    return {each["metadata"]["name"]: each for each in items}


def managed(lab: Lab, namespace: str) -> set[str]:
    """The names of Deployments on which something of ours is left."""
    return {
        name
        for name, each in deployments(lab, namespace).items()
        if any(
            trace in {**each["metadata"].get("labels", {}), **each["metadata"].get("annotations", {})}
            for trace in TRACES
        )
    }


def written(requests: list[dict[str, Any]]) -> list[str]:
    """The names of Deployments for which a write was sent, in order."""
    return [
        str(each["objectRef"]["name"])
        for each in requests
        if each["verb"] not in READS and (each.get("objectRef") or {}).get("resource") == "deployments"
    ]


def moment(event: dict[str, Any], field: str) -> datetime:
    return datetime.fromisoformat(event[field])


def test_nothing_is_written_before_everything_is_read(lab: Lab) -> None:
    """300 machines, 60 workloads, of 12 moved ones one deleted meanwhile: a new operator reads all lists, then restores that one alone."""
    setup = Setup("crowd", replicas=1, concurrent_moves=100, policy_stay="1h")
    with lab.operator("--log-level", "debug"):
        crowd(lab, setup, 12, nodes=150, idle=48)
    lab.forget_lease()
    lab.admin.delete(f"{GROUP}/namespaces/crowd/inferenceworkloads/m7")
    known = len(lab.audit.requests())
    with lab.operator("--log-level", "debug", name="late") as late:
        left = managed(lab, "crowd") - {"m7"}
        lab.within(60, lambda: managed(lab, "crowd") == left, "m7 is restored")
        time.sleep(3)
        assert late.is_alive
        assert late.log.index("every list is complete") < late.log.index("planner: decided")
    asked = lab.audit.requests()[known:]
    assert set(written(asked)) == {"m7"}
    first = min(
        moment(each, "requestReceivedTimestamp")
        for each in asked
        if each["verb"] == "patch" and each["objectRef"]["resource"] in ("deployments", "inferenceworkloads")
    )
    listed: dict[str, datetime] = {}
    for each in asked:
        if each["verb"] == "list":
            listed.setdefault(each["objectRef"]["resource"], moment(each, "stageTimestamp"))
    assert len(listed) == LISTED
    assert max(listed.values()) < first


def test_workloads_deleted_while_nobody_looked(lab: Lab) -> None:
    """Nobody saw the deletion, and a start finds a managed Deployment without its workload: its author's ReplicaSet comes back."""
    with lab.operator() as first:
        world = lab.world(Setup("unseen", replicas=3), first).build()
    lab.forget_lease()
    world.delete_workload()
    with lab.operator(name="late"):
        world.restored(60)
    assert world.hashes() == {world.author_hash}
    world.nothing_lost()


def test_many_deleted_at_once_wait_for_a_word(lab: Lab) -> None:
    """Six of six gone is a mistake until somebody says otherwise: nothing is written, each is told of, and a confirmed one goes back."""
    setup = Setup("mass", replicas=1, concurrent_moves=10, policy_stay="1h")
    with lab.operator():
        crowd(lab, setup, 6, nodes=5)
    lab.forget_lease()
    lab.cluster.run_kubectl("delete", "inferenceworkloads", "--all", "--namespace", "mass")
    known = len(lab.audit.requests())
    with lab.operator(name="late") as late:
        lab.within(40, lambda: len(lab.events("mass", "RestoreHeld")) == 6, "each is told of")
        time.sleep(3)
        assert written(lab.audit.requests()[known:]) == []
        assert managed(lab, "mass") == {f"m{number}" for number in range(6)}
        note = lab.events("mass", "RestoreHeld")[0]
        assert note["type"] == "Warning"
        assert "chipwise.dev/confirm-restore" in note["note"]
        confirmed = {"metadata": {"annotations": {"chipwise.dev/confirm-restore": "true"}}}
        lab.admin.merge("/apis/apps/v1/namespaces/mass/deployments/m3", confirmed)
        lab.within(40, lambda: "m3" not in managed(lab, "mass"), "the confirmed one is restored")
        time.sleep(3)
        assert set(written(lab.audit.requests()[known:])) == {"m3"}
        assert len(lab.events("mass", "RestoreHeld")) == 6
        assert late.is_alive


def test_figures_follow_the_machines(lab: Lab) -> None:
    """Cordoned, not ready, gone and new machines: a pool's status says what can be used, within seconds, and nothing falls over."""
    with lab.operator() as operator:
        world = lab.world(Setup("room", replicas=2), operator).build()

        def says(total: int, ready: int) -> None:
            def check() -> bool:
                status = lab.pool("room-gpu")
                nodes, chips = status.get("nodes"), status.get("chips", {})
                return nodes == {"total": total, "ready": ready} and chips.get("allocatable") == 8 * ready

            lab.within(20, check, f"{ready} of {total} machines are ready, not {lab.pool('room-gpu')}")

        says(5, 5)
        world.kubectl("cordon", "room-gpu-0")
        says(5, 4)
        world.kubectl("label", "node", "room-gpu-1", "node-not-ready.stage.kwok.x-k8s.io=true")
        says(5, 3)
        world.kubectl("delete", "node", "room-gpu-2")
        says(4, 2)
        world.kubectl("uncordon", "room-gpu-0")
        world.kubectl("label", "node", "room-gpu-1", "node-not-ready.stage.kwok.x-k8s.io-")
        says(4, 4)
        lab.apply(
            *(node for node in platform_team.nodes(world.setup) if node["metadata"]["name"] == "room-gpu-2")
        )
        says(5, 5)
        serving = {pod["spec"]["nodeName"] for pod in world.pods()}
        world.kubectl("delete", "node", *sorted(serving))
        world.kubectl(
            "delete", "pods", "--all", "--force", "--grace-period=0"
        )  # as the controllers do, a minute later
        lab.within(60, lambda: world.is_on("alt"), "the lost pods serve again elsewhere")
        left = 5 - len(serving)
        lab.within(20, lambda: lab.pool("room-alt")["nodes"]["total"] == left, f"{left} machines are left")
        assert operator.is_alive
        assert "Traceback" not in operator.log, json.dumps(operator.log_tail(60))
