"""The local control plane does what the other tests count on: real readiness, real outages, nothing shared."""

import json
import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from e2e.cluster import Backend, Cluster, CommandError, find_cluster, start_cluster
from e2e.cluster.fleet import apply, node_manifest
from e2e.cluster.kwok_config import LOST_NODE_LABEL

pytestmark = pytest.mark.e2e

READY_DELAY = "pod-ready.stage.kwok.x-k8s.io/delay"
DELETE_DELAY = "pod-delete.stage.kwok.x-k8s.io/delay"
NOT_READY = "node-not-ready.stage.kwok.x-k8s.io"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    started = start_cluster(f"tooling-{os.getpid()}", audit=True)
    yield started
    started.delete()


@pytest.fixture(scope="module")
def own(cluster: Cluster) -> Cluster:
    """One that we made ourselves."""
    if cluster.backend is Backend.EXISTING:
        pytest.skip("somebody's cluster: its flags, its log and its API server are not ours")
    return cluster


def machine(name: str, count: str = "4") -> dict[str, Any]:
    return node_manifest(
        name,
        labels={"machine": name},
        taints=[{"key": "example.com/maia", "value": "true", "effect": "NoSchedule"}],
        capacity={"example.com/maia": count},
        zone="zone-a",
        instance_type="maia-4",
    )


def deployment(name: str, on: str, replicas: int = 1, notes: dict[str, str] | None = None) -> dict[str, Any]:
    container = {
        "name": "server",
        "image": "example.com/server:1",
        "resources": {"limits": {"example.com/maia": "1"}},
    }
    pod = {
        "nodeSelector": {"machine": on},
        "tolerations": [{"key": "example.com/maia", "operator": "Exists"}],
        "containers": [container],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}, "annotations": notes or {}}, "spec": pod},
        },
    }


def read(cluster: Cluster, *what: str) -> Any:
    return json.loads(cluster.run_kubectl("get", *what, "-o", "json"))


def ready_replicas(cluster: Cluster, name: str) -> int:
    return int(read(cluster, "deployment", name)["status"].get("readyReplicas", 0))


def node_ready(cluster: Cluster, name: str) -> str:
    conditions = read(cluster, "node", name).get("status", {}).get("conditions", [])
    return next((str(one["status"]) for one in conditions if one["type"] == "Ready"), "")


def seconds_until(true: Callable[[], bool], patience: float = 60.0) -> float:
    started = time.monotonic()
    while not true():
        passed = time.monotonic() - started
        assert passed < patience, f"not within {patience:.0f} s"
        time.sleep(0.1)
    return time.monotonic() - started


def test_pods_become_ready_after_the_annotated_delay(cluster: Cluster) -> None:
    """A pod runs at once and is Ready no sooner than its annotation says."""
    apply(cluster, [machine("slow"), deployment("slow", "slow", 2, {READY_DELAY: "5s"})])
    seconds_until(lambda: _phases(cluster, "slow") == {"Running"}, 10)
    assert ready_replicas(cluster, "slow") == 0
    assert seconds_until(lambda: ready_replicas(cluster, "slow") == 2, 20) > 3


def _phases(cluster: Cluster, app: str) -> set[str]:
    return {pod["status"]["phase"] for pod in read(cluster, "pods", "-l", f"app={app}")["items"]}


def test_the_scheduler_counts_extended_resources(cluster: Cluster) -> None:
    """Five pods of one device do not fit on four devices."""
    apply(cluster, [machine("small"), deployment("small", "small", 5)])
    seconds_until(lambda: ready_replicas(cluster, "small") == 4, 30)
    assert _phases(cluster, "small") == {"Running", "Pending"}


def test_a_rollout_proceeds(cluster: Cluster) -> None:
    """A changed template replaces the pods through the real controllers."""
    apply(cluster, [machine("rolling", "8"), deployment("rolling", "rolling", 3)])
    cluster.run_kubectl("set", "image", "deployment/rolling", "server=example.com/server:2")
    cluster.run_kubectl("rollout", "status", "deployment/rolling", "--timeout=60s")
    images = {pod["spec"]["containers"][0]["image"] for pod in _living(cluster, "rolling")}
    assert images == {"example.com/server:2"}


def _living(cluster: Cluster, app: str) -> list[dict[str, Any]]:
    pods = read(cluster, "pods", "-l", f"app={app}")["items"]
    return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]


def test_a_pod_can_be_seen_terminating(cluster: Cluster) -> None:
    """The annotation keeps a deleted pod for as long as it says."""
    apply(cluster, [machine("lingering"), deployment("lingering", "lingering", 1, {DELETE_DELAY: "3s"})])
    seconds_until(lambda: ready_replicas(cluster, "lingering") == 1)
    cluster.run_kubectl("delete", "deployment", "lingering")
    assert 1 < seconds_until(lambda: not read(cluster, "pods", "-l", "app=lingering")["items"], 20) < 8


def test_a_node_fails_and_recovers_on_request(cluster: Cluster) -> None:
    """The label makes a Node report NotReady; without it the Node comes back."""
    apply(cluster, [machine("faulty")])
    seconds_until(lambda: node_ready(cluster, "faulty") == "True", 10)
    cluster.run_kubectl("label", "node", "faulty", f"{NOT_READY}=true")
    seconds_until(lambda: node_ready(cluster, "faulty") == "False", 10)
    cluster.run_kubectl("label", "node", "faulty", f"{NOT_READY}-")
    seconds_until(lambda: node_ready(cluster, "faulty") == "True", 10)


def test_a_silent_node_is_noticed(own: Cluster) -> None:
    """A Node that stops reporting is Unknown within its grace, and back when it reports again."""
    apply(own, [machine("silent")])
    seconds_until(lambda: node_ready(own, "silent") == "True", 10)
    own.run_kubectl("label", "node", "silent", f"{LOST_NODE_LABEL}=true")
    assert seconds_until(lambda: node_ready(own, "silent") == "Unknown", 45) > 10
    own.run_kubectl("label", "node", "silent", f"{LOST_NODE_LABEL}-")
    seconds_until(lambda: node_ready(own, "silent") == "True", 30)


def test_the_api_server_goes_away_and_comes_back(own: Cluster) -> None:
    """While it is down nothing answers; afterwards everything is still there and works."""
    apply(own, [machine("outage"), deployment("outage", "outage")])
    seconds_until(lambda: ready_replicas(own, "outage") == 1)
    with own.api_server_down():
        for _ in range(3):  # nobody starts it behind our back
            with pytest.raises(CommandError):
                own.run_kubectl("get", "--raw=/readyz", "--request-timeout=1s")
            time.sleep(1)
    own.run_kubectl("scale", "deployment/outage", "--replicas=3")
    seconds_until(lambda: ready_replicas(own, "outage") == 3)


def test_requests_are_in_the_audit_log(own: Cluster) -> None:
    """Each finished request is one line of JSON at level Metadata."""
    own.run_kubectl("create", "configmap", "audited")
    seconds_until(lambda: bool(_about(own, "audited")), 10)  # the answer comes before the line
    assert [(line["verb"], line["level"], line["stage"]) for line in _about(own, "audited")] == [
        ("create", "Metadata", "ResponseComplete")
    ]
    assert not [line for line in _audited(own) if line["stage"] == "RequestReceived"]


def _about(cluster: Cluster, name: str) -> list[dict[str, Any]]:
    return [line for line in _audited(cluster) if line.get("objectRef", {}).get("name") == name]


def _audited(cluster: Cluster) -> list[dict[str, Any]]:
    assert cluster.audit_log is not None
    whole, _, _ = cluster.audit_log.read_text().rpartition("\n")
    return [json.loads(line) for line in whole.splitlines()]


def test_rights_are_enforced(cluster: Cluster) -> None:
    """A ServiceAccount's token is known to the API server, and may not do what nobody granted."""
    token = cluster.run_kubectl("create", "token", "default", "--namespace=default").strip()
    headers = {"Authorization": f"Bearer {token}"}
    wanted = urllib.request.Request(f"{cluster.server}/api/v1/nodes", headers=headers)  # noqa: S310 - https
    trust = ssl.create_default_context(cafile=str(cluster.ca_file))
    with pytest.raises(urllib.error.HTTPError, match="403") as refused:
        urllib.request.urlopen(wanted, context=trust, timeout=10)  # noqa: S310 - https
    refused.value.close()


def test_two_clusters_run_side_by_side(cluster: Cluster) -> None:
    """Started at the same moment they get ports of their own, and what is in one is not in the other."""
    if cluster.backend is Backend.EXISTING:
        pytest.skip("there is only one existing cluster")
    names = [f"tooling-{os.getpid()}-{letter}" for letter in "ab"]
    with ThreadPoolExecutor() as threads:
        first, second = threads.map(start_cluster, names)
    apply(first, [machine("only-here")])
    assert len({cluster.server, first.server, second.server}) == 3
    assert not read(second, "nodes", "-l", "machine=only-here")["items"]
    for one in (first, second):
        one.delete()
        assert find_cluster(one.name) is None
    assert cluster.driver.healthy()


def test_a_running_cluster_is_used_again(cluster: Cluster) -> None:
    """Starting a healthy cluster a second time gives the same one, at once."""
    started = time.monotonic()
    assert start_cluster(cluster.name, audit=True).server == cluster.server
    assert time.monotonic() - started < 5


def test_two_hundred_machines_in_one_call(cluster: Cluster) -> None:
    """A fleet is Ready in seconds, so that a test of scale needs no patience."""
    apply(cluster, [machine(f"fleet-{number}") for number in range(200)])
    ready = '{range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}'

    def all_ready() -> bool:
        states = cluster.run_kubectl("get", "nodes", "-o", f"jsonpath={ready}").split()
        return states.count("True") >= 200

    assert seconds_until(all_ready, 30) < 30
