"""A control plane of its own for tests that break things: the API server goes away, operators die, the audit log must be clean.

``lab`` gives a test the parts and clears away what it leaves. Nothing here runs unless a test starts it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

from e2e.admin import GROUP, Admin, proxied
from e2e.audit import AuditTail
from e2e.authored import MINE, Document, Setup
from e2e.cluster import Cluster, start_cluster
from e2e.cluster.fleet import apply
from e2e.operator_process import OperatorProcess, install_chart, service_account_kubeconfig
from e2e.rendered import NAMESPACE
from e2e.waiting import until
from e2e.world import World

Operator = TypeVar("Operator", bound=OperatorProcess)

NAME = os.environ.get("CHIPWISE_E2E_FAULTS_CLUSTER", "chipwise-e2e-faults")
_LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/chipwise"
_DYING = Path(__file__).with_name("dying.py")
_CLUSTER_SCOPED = (
    f"{GROUP}/acceleratorpools",
    f"{GROUP}/acceleratorclasses",
    f"{GROUP}/modelprofiles",
    f"{GROUP}/placementpolicies",
    "/api/v1/nodes",
)


class DyingOperator(OperatorProcess):
    """An operator that kills itself at a write: ``death`` is a moment and a sort as ``e2e.dying`` has them."""

    def __init__(self, death: str, kubeconfig: Path, log_path: Path, *extra_args: str) -> None:
        super().__init__(kubeconfig, log_path, *extra_args)
        self.death = death

    def command(self) -> list[str]:
        """The same command line under a module that dies."""
        return [sys.executable, str(_DYING), self.death, *super().command()[1:]]


class Lab:
    """The parts of one test. ``audit`` begins with the test."""

    def __init__(self, cluster: Cluster, admin: Admin, kubeconfig: Path, folder: Path) -> None:
        assert cluster.audit_log is not None
        self.cluster, self.admin, self.kubeconfig, self.folder = cluster, admin, kubeconfig, folder
        self.audit = AuditTail(cluster.audit_log)
        self.operators: list[OperatorProcess] = []

    def operator(self, *flags: str, name: str = "operator") -> OperatorProcess:
        """An operator that is not started yet."""
        return self.adopt(OperatorProcess(self.kubeconfig, self.folder / f"{name}.log", *flags))

    def dying_operator(self, death: str) -> DyingOperator:
        """One that will kill itself; its log goes on in the usual file."""
        return self.adopt(DyingOperator(death, self.kubeconfig, self.folder / "operator.log"))

    def adopt(self, operator: Operator) -> Operator:
        """Let an operator be ended with the test, and have the last word if it fails."""
        self.operators.append(operator)
        return operator

    def world(self, setup: Setup, operator: OperatorProcess) -> World:
        """A world that is not built yet."""
        return World(setup, self.cluster, self.admin, operator)

    def apply(self, *documents: Document) -> None:
        """As the administrator."""
        apply(self.cluster, documents)

    def forget_lease(self) -> None:
        """Take away the Lease of an operator that is known to be dead, so that the next one need not wait it out."""
        assert not any(each.is_alive for each in self.operators)
        self.admin.delete(_LEASE)

    def lease(self) -> Document:
        """What the Lease says; empty if there is none."""
        spec: Document = (self.admin.find(_LEASE) or {}).get("spec", {})
        return spec

    def lease_holder(self) -> str:
        """Who holds the Lease, empty if nobody does."""
        return str(self.lease().get("holderIdentity", ""))

    def api_server_away(self, seconds: float) -> None:
        """Take the API server away for at least so long; it is back and ready afterwards."""
        with self.cluster.api_server_down():
            time.sleep(seconds)

    def pool(self, name: str) -> Document:
        """The status of one pool."""
        found = self.admin.get(f"{GROUP}/acceleratorpools/{name}")
        status: Document = found.get("status") or {}
        return status

    def events(self, namespace: str, reason: str = "") -> list[Document]:
        """Events in a namespace that chipwise posted, of one reason if that is given."""
        return self.admin.events(namespace, reason)

    def within(self, seconds: float, check: Callable[[], Any], what: str, *, pause: float = 0.1) -> Any:
        """The first true answer; AssertionError with the last words of the last operator if there is none in time."""
        return until(check, what, seconds, self._last_words, pause=pause)

    def _last_words(self) -> str:
        return f"--- operator\n{self.operators[-1].log_tail(40)}" if self.operators else ""

    def clear(self) -> None:
        """End every operator, then delete every world: workloads first, machines last, so that no pod is left on a gone one."""
        for operator in self.operators:
            operator.kill()
        self.forget_lease()
        found = self.admin.get(f"/api/v1/namespaces?labelSelector={MINE}")["items"]
        names = [each["metadata"]["name"] for each in found]
        for name in names:
            self.admin.delete(f"{GROUP}/namespaces/{name}/inferenceworkloads")
            self.admin.delete(f"/apis/apps/v1/namespaces/{name}/deployments")
            self.admin.delete(f"/api/v1/namespaces/{name}")
        self.within(60, lambda: not any(map(self._pods, names)), "all pods gone")
        for path in _CLUSTER_SCOPED:
            self.admin.delete(f"{path}?labelSelector={MINE}")

    def _pods(self, namespace: str) -> list[Document]:
        found: list[Document] = self.admin.get(f"/api/v1/namespaces/{namespace}/pods")["items"]
        return found


def granted(cluster: Cluster, verb: str, resource: str, *flags: str) -> bool:
    """Whether the API server would let the ServiceAccount do this."""
    user = f"--as=system:serviceaccount:{NAMESPACE}:chipwise"
    plural, _, part = resource.partition("/")
    command: Sequence[str] = ["auth", "can-i", verb, plural, f"--subresource={part}", user, *flags]
    environment = cluster.environment
    done = subprocess.run(
        [str(cluster.kubectl), *command], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() in ("yes", "no"), done.stderr
    return done.stdout.strip() == "yes"


@pytest.fixture(scope="session")
def faulty_cluster() -> Iterator[Cluster]:
    """The control plane, with the chart installed; ``CHIPWISE_E2E_KEEP=1`` leaves it up."""
    found = start_cluster(NAME, audit=True)
    install_chart(found)
    yield found
    if not os.environ.get("CHIPWISE_E2E_KEEP"):
        found.delete()


@pytest.fixture(scope="session")
def faulty_admin(faulty_cluster: Cluster) -> Iterator[Admin]:
    """Its administrator."""
    with proxied(faulty_cluster) as found:
        yield found


@pytest.fixture(scope="session")
def all_requests(faulty_cluster: Cluster) -> AuditTail:
    """What the operator asked for since the first test that uses this control plane."""
    assert faulty_cluster.audit_log is not None
    return AuditTail(faulty_cluster.audit_log)


@pytest.fixture
def lab(
    faulty_cluster: Cluster, faulty_admin: Admin, all_requests: AuditTail, tmp_path: Path
) -> Iterator[Lab]:
    """The parts of one test on a clean control plane."""
    kubeconfig = service_account_kubeconfig(faulty_cluster, tmp_path / "kubeconfig")
    found = Lab(faulty_cluster, faulty_admin, kubeconfig, tmp_path)
    found.clear()
    try:
        yield found
    finally:
        found.clear()
