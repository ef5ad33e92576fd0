"""What the operator may do is what it does: no request is refused, no right is idle, and without the right to write it still decides."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from e2e.audit import AuditTail
from e2e.authored import Setup
from e2e.cluster import Cluster
from e2e.faults import Lab, granted
from e2e.operator_process import install_chart
from e2e.rendered import EVERY_FEATURE, NAMESPACE, Chart, grants, roles_of

pytestmark = pytest.mark.e2e

Right = tuple[str, str]

#: Granted and seldom used, with the reason why it is granted all the same. Empty, as it should be.
IDLE: dict[Right, str] = {}


def used(requests: list[dict[str, Any]]) -> set[Right]:
    """(verb, resource.group/subresource) of every request on a resource."""
    return {(each["verb"], _resource(each["objectRef"])) for each in requests if "objectRef" in each}


def _resource(where: dict[str, str]) -> str:
    group = f".{where['apiGroup']}" if where.get("apiGroup") else ""
    return where["resource"] + group + (f"/{where['subresource']}" if where.get("subresource") else "")


def rights(cluster: Cluster) -> set[Right]:
    """What the roles in the cluster that are bound to the ServiceAccount grant to it."""
    kinds = "clusterroles,clusterrolebindings,roles,rolebindings"
    listed = json.loads(cluster.run_kubectl("get", kinds, "--all-namespaces", "-o", "json"))["items"]
    found: set[Right] = set()
    for rule in [rule for role in roles_of(listed) for rule in role.get("rules") or ()]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                plural, _, sub = resource.partition("/")
                name = _resource({"apiGroup": group, "resource": plural, "subresource": sub})
                found |= {(verb, name) for verb in rule["verbs"]}
    return found


def refused(requests: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Requests that the API server forbade."""
    return [
        (each["verb"], each["requestURI"]) for each in requests if each["responseStatus"].get("code") == 403
    ]


def test_every_right_is_used_and_none_is_missing(lab: Lab, chart: Chart, all_requests: AuditTail) -> None:
    """A move over a bridge and a restore use each verb of the plain chart; no test of this control plane asked for more than features grant.

    An API server that has just started refuses what it grants a second later, so in other tests the answer is not looked at.
    """
    with lab.operator() as operator:
        world = lab.world(Setup("rights", alternative_tpot=25), operator).build()
        world.delete_workload()
        world.restored(60)
    assert used(lab.audit.requests()) | set(IDLE) == rights(lab.cluster)
    assert refused(lab.audit.requests()) == []
    featured = {
        (verb, _resource({"apiGroup": group, "resource": plural, "subresource": sub}))
        for group, resource, verb in grants(chart.documents(EVERY_FEATURE))
        for plural, _, sub in (resource.partition("/"),)
    }
    assert used(all_requests.requests()) <= rights(lab.cluster) | featured


@pytest.mark.parametrize("resource", ["secrets", "configmaps", "serviceaccounts/token", "pods/exec"])
@pytest.mark.parametrize("verb", ["get", "list", "create"])
def test_nobodys_secrets(faulty_cluster: Cluster, verb: str, resource: str) -> None:
    """It may neither read secrets nor obtain what leads to them, anywhere."""
    assert not granted(faulty_cluster, verb, resource, "--all-namespaces")
    assert not granted(faulty_cluster, verb, resource, "--namespace", NAMESPACE)


def test_it_may_not_touch_what_is_beneath_and_around_deployments(faulty_cluster: Cluster) -> None:
    """Of Deployments it may change what is there, and make and delete bridges; never all at once, and nothing else."""
    for verb in ("patch", "create", "delete"):
        assert granted(faulty_cluster, verb, "deployments.apps", "--all-namespaces")
    for verb in ("update", "deletecollection"):
        assert not granted(faulty_cluster, verb, "deployments.apps", "--all-namespaces")
    for resource in ("pods", "nodes", "replicasets.apps", "inferenceworkloads.chipwise.dev"):
        for verb in ("create", "update", "patch", "delete"):
            assert not granted(faulty_cluster, verb, resource, "--all-namespaces")


FORBIDDEN = "forbidden"


@pytest.fixture
def no_writes(lab: Lab) -> Iterator[Lab]:
    """The chart without the right to write Deployments; given back afterwards."""
    install_chart(lab.cluster, values={"writes.enabled": "false"})
    try:
        yield lab
    finally:
        install_chart(lab.cluster)


def test_without_writes_it_decides_and_tells(no_writes: Lab) -> None:
    """Status shows where it would go and what that saves, with the reason; an Event says so; Deployments are only read."""
    lab = no_writes
    for verb in ("patch", "create", "delete"):
        assert not granted(lab.cluster, verb, "deployments.apps", "--all-namespaces")
    with lab.operator("--no-writes") as operator:
        world = lab.world(Setup("advice", expects_move=False), operator).build()
        lab.within(20, lambda: world.condition("Placed") == ("False", "WritesDisabled"), "the reason is told")
        status = world.status()
        assert status["proposed"][0]["pool"] == "advice-alt"
        assert status["placements"][0]["pool"] == "advice-gpu"
        assert float(status["savingsPerHour"]) > 0
        assert status["decisions"][0]["reason"] == "WritesDisabled"
        assert lab.within(10, lambda: lab.events("advice", "WritesDisabled"), "an Event")
        assert lab.pool("advice-alt")["nodes"] == {"total": 5, "ready": 5}
        time.sleep(3)
        assert operator.is_alive
    assert not world.writes()
    assert not refused(lab.audit.requests())
    assert world.is_on("gpu")


def test_a_forbidden_write_is_told_and_tried_again_in_time(no_writes: Lab) -> None:
    """The operator believes that it may write and the role says no: the person reads why, and the move follows once the role says yes."""
    lab = no_writes
    with lab.operator() as operator:
        world = lab.world(Setup(FORBIDDEN, expects_move=False), operator).build()
        lab.within(20, lambda: world.condition("Placed") == ("False", "WriteRefused"), "the refusal is told")
        assert "cannot patch resource" in world.conditions()["Placed"]["message"]
        (event,) = lab.within(10, lambda: lab.events(FORBIDDEN, "WriteRefused"), "an Event")
        assert event["type"] == "Warning"
        time.sleep(15)
        assert 2 <= len(world.writes()) <= 10  # it tries again, ever more seldom
        assert len(lab.events(FORBIDDEN, "WriteRefused")) == 1
        assert operator.is_alive
        install_chart(lab.cluster)
        world.settled(
            "alt", deadline=90
        )  # nothing changes that would wake it; the next try is half a minute away at most
        world.told("Ready", "True", "Placed")
        world.nothing_lost()
