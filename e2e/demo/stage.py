"""What the story is played on: the control plane, its machines, the authors' Deployments serving, and an operator not yet started."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.admin import GROUP, Admin, proxied
from e2e.cluster import Backend, Cluster, find_cluster, start_cluster
from e2e.cluster.fleet import apply
from e2e.cluster.folders import cluster_folder
from e2e.cluster.processes import KnownProcess
from e2e.cluster.start import delete_cluster
from e2e.demo.authored import NAMESPACE, READY_AFTER, Serving, by_author, documents, serving
from e2e.demo.fleet import AGENT_POOL, FLEET
from e2e.demo.history import History
from e2e.demo.teller import Teller, Unmet
from e2e.demo.visiting import clear, marked, refuse_foreign
from e2e.operator_process import OperatorProcess, install_chart, service_account_kubeconfig
from e2e.rendered import NAMESPACE as SYSTEM

Document = dict[str, Any]

NAME = "chipwise-demo"
CHIPWISE = Path(sys.executable).with_name("chipwise")
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
WORKLOADS = f"{GROUP}/namespaces/{NAMESPACE}/inferenceworkloads"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that chapters use.

    `before` holds the authors' Deployments as they were before chipwise, `templates` their pod-template-hash, by name.
    """

    teller: Teller
    cluster: Cluster
    admin: Admin
    operator: OperatorProcess
    history: History
    serving: Mapping[str, Serving]
    before: Mapping[str, Document]
    templates: Mapping[str, str]

    def status(self, name: str) -> Document:
        """The status of a workload, empty while it has none."""
        found: Document = self.admin.get(f"{WORKLOADS}/{name}").get("status", {})
        return found

    def deployment(self, name: str) -> Document:
        """A Deployment as it is now."""
        return self.admin.get(f"{DEPLOYMENTS}/{name}")

    def plan(self) -> Document:
        """`chipwise plan` on this cluster, with the operator's rights. Raises Unmet if it cannot answer."""
        command = [str(CHIPWISE), "plan", "--kubeconfig", str(self.operator.kubeconfig), "-o", "json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        if done.returncode not in (0, 1):
            raise Unmet("chipwise plan answers", "exit code 0 or 1", f"{done.returncode}: {done.stderr}")
        found: Document = json.loads(done.stdout)
        return found

    def nodes_in_use(self) -> dict[str, int]:
        """By pool, the nodes on which pods of the namespace are: what an autoscaler could not remove."""
        pods = self.admin.get(PODS)["items"]
        nodes = {pod["spec"].get("nodeName", "") for pod in pods} - {""}
        return {each.pool: sum(node.startswith(f"{each.pool}-") for node in nodes) for each in FLEET}


def folder() -> Path:
    """Where the demo keeps its files; it goes with the cluster."""
    return cluster_folder(NAME) / "demo"


@contextmanager
def staged(teller: Teller) -> Iterator[Stage]:
    """Set the stage. When the block ends the operator is stopped; the cluster stays."""
    teller.chapter("The stage: a Kubernetes control plane, fake machines, six Deployments written for NVIDIA")
    cluster = _fresh_cluster(teller)
    _machines(teller, cluster)
    _kubectl_apply(cluster, [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM}}])
    teller.say("helm install charts/chipwise: kinds, ServiceAccount, RBAC")
    install_chart(cluster, namespace=SYSTEM)
    kubeconfig = service_account_kubeconfig(cluster, folder() / "operator.kubeconfig")
    operator = OperatorProcess(kubeconfig, folder() / "operator.log")
    with proxied(cluster) as admin:
        known = serving()
        history = History(admin, NAMESPACE, known)
        before = _authors(teller, cluster, admin, history)
        templates = {name: history.pods(name)[0].template for name in before}
        try:
            yield Stage(teller, cluster, admin, operator, history, known, before, templates)
        finally:
            operator.stop()
            _pid_file().unlink(missing_ok=True)


def start_operator(stage: Stage) -> None:
    """Start it, note its number for a demo that comes after a crash, and let its death end every wait."""
    stage.operator.start()
    _pid_file().write_text(str(stage.operator.pid))

    def broken() -> str | None:
        return stage.history.broken or (None if stage.operator.is_alive else "the operator has died")

    stage.teller.guard = broken


def remove_machines(stage: Stage, pool: str) -> None:
    """Every node of a pool is gone, and the pods that were on it."""
    stage.cluster.run_kubectl("delete", "nodes", "-l", f"{AGENT_POOL}={pool}pool")
    pods = stage.admin.get(PODS)["items"]
    lost = [p["metadata"]["name"] for p in pods if p["spec"].get("nodeName", "").startswith(f"{pool}-")]
    stage.cluster.run_kubectl("delete", "pods", "-n", NAMESPACE, "--force", "--grace-period=0", *lost)


def bring_machines(stage: Stage, pool: str) -> None:
    """The nodes of a pool are there again."""
    machines = next(each for each in FLEET if each.pool == pool)
    apply(stage.cluster, [marked(node) for node in machines.manifests()])
    stage.teller.say(f"{machines.pool}: {machines.says}", "    ")


def remove() -> bool:
    """Take everything away that a demo left. Whether there was anything."""
    KnownProcess(_pid_file(), str(folder() / "operator.kubeconfig")).stop(grace=10.0)
    cluster = find_cluster(NAME)
    if cluster is not None and cluster.backend is Backend.EXISTING:
        clear(cluster, SYSTEM)
    known = cluster_folder(NAME).exists()
    delete_cluster(NAME)
    return known


def interruptible() -> None:
    """Let SIGTERM end the demo as Ctrl-C does, also where a script started it with signals ignored."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def _fresh_cluster(teller: Teller) -> Cluster:
    if remove():
        teller.say("what an earlier demo left has been removed")
    teller.say(
        "starting a control plane: some 10 s, longer in Docker, and some minutes where its programs must be built first"
    )
    cluster = start_cluster(NAME)
    if cluster.backend is Backend.EXISTING:
        refuse_foreign(cluster, (NAMESPACE, SYSTEM))
    folder().mkdir(parents=True, exist_ok=True)
    return cluster


def _machines(teller: Teller, cluster: Cluster) -> None:
    apply(cluster, [marked(node) for machines in FLEET for node in machines.manifests()])
    for machines in FLEET:
        made_up = " (made-up resource name, size and label)" if machines.pool == "maia" else ""
        teller.say(f"{machines.pool}: {machines.says}{made_up}")


def _authors(teller: Teller, cluster: Cluster, admin: Admin, history: History) -> dict[str, Document]:
    """Apply what was there before chipwise, wait until it serves, then apply what chipwise reads."""
    authored, ours = by_author(documents())
    _kubectl_apply(cluster, authored)
    names = [each["metadata"]["name"] for each in authored if each["kind"] == "Deployment"]

    def all_ready() -> tuple[dict[str, Document] | None, str]:
        found = {name: admin.get(f"{DEPLOYMENTS}/{name}") for name in names}
        ready = sum(each.get("status", {}).get("readyReplicas", 0) for each in found.values())
        wanted = sum(each["spec"]["replicas"] for each in found.values())
        # The history hears of pods on a watch of its own.
        heard = sum(len(history.pods(name)) for name in names)
        return (found if ready == heard == wanted else None), f"{ready} of {wanted} pods Ready"

    before = teller.wait("the authors' Deployments start", all_ready, 60)
    pods = sum(each["spec"]["replicas"] for each in before.values())
    teller.say(
        f"{len(names)} Deployments serve on H100, {pods} pods; a pod takes {READY_AFTER} to become Ready"
    )
    _kubectl_apply(cluster, ours)
    return before


def _kubectl_apply(cluster: Cluster, found: list[Document]) -> None:
    # What is in the namespace goes with it; a Deployment is left exactly as its author wrote it.
    items = [each if "namespace" in each["metadata"] else marked(each) for each in found]
    listing = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    cluster.run_kubectl("apply", "-f", "-", stdin=listing)


def _pid_file() -> Path:
    return folder() / "operator.pid"
