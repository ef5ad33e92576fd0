"""A control plane of its own with the real Karpenter, one operator, and stories that are played side by side.

Karpenter validates a consolidation for 15 s and looks every 10 s, so each story waits more than it computes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from chipwise.cluster.facts.karpenter import OVERLAY_LABEL

from e2e.admin import Admin, proxied
from e2e.audit import AuditTail
from e2e.authored import MINE
from e2e.cluster import Cluster, start_cluster
from e2e.cluster.karpenter import Karpenter
from e2e.nodepools import INSTANCE_TYPES, Fleet
from e2e.nodestage import Stage
from e2e.operator_process import (
    OperatorProcess,
    chart_arguments,
    install_chart,
    service_account_kubeconfig,
)

NAME = os.environ.get("CHIPWISE_E2E_KARPENTER_CLUSTER", "chipwise-e2e-karpenter")
PLAYERS = 8
VALUES = {"autoscaling.karpenter.enabled": "true", "autoscaling.karpenter.nodeOverlays": "true"}
_FLAGS = ("--karpenter", "--node-overlays")
_LEFT = "inferenceworkloads,deployments"
_CLUSTER_SCOPED = "namespaces,nodepools,acceleratorpools,acceleratorclasses,modelprofiles,placementpolicies"

Story = Callable[[Stage], None]


@pytest.fixture(scope="session")
def karpenter_cluster() -> Iterator[Cluster]:
    """The control plane; ``CHIPWISE_E2E_KEEP=1`` leaves it up."""
    found = start_cluster(NAME, audit=True)
    yield found
    if not os.environ.get("CHIPWISE_E2E_KEEP"):
        found.delete()


@pytest.fixture(scope="session")
def karpenter(karpenter_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Karpenter]:
    """Karpenter itself."""
    folder = Path(os.environ.get("CHIPWISE_E2E_KARPENTER_LOG", tmp_path_factory.mktemp("karpenter")))
    with Karpenter(karpenter_cluster, INSTANCE_TYPES, folder) as found:
        clear(karpenter_cluster)
        yield found


@pytest.fixture(scope="session")
def karpenter_admin(karpenter_cluster: Cluster) -> Iterator[Admin]:
    """The administrator's HTTP."""
    with proxied(karpenter_cluster) as found:
        yield found


@pytest.fixture(scope="session")
def karpenter_requests(karpenter_cluster: Cluster) -> AuditTail:
    """What the operator asked for in this run."""
    assert karpenter_cluster.audit_log is not None
    return AuditTail(karpenter_cluster.audit_log)


@pytest.fixture(scope="session")
def karpenter_operator(
    karpenter_cluster: Cluster,
    karpenter: Karpenter,
    karpenter_requests: AuditTail,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[OperatorProcess]:
    """The operator with its ServiceAccount's token and the rights that the chart gives it."""
    del (
        karpenter,
        karpenter_requests,
    )  # Karpenter must run, or the operator ends; and the requests are counted from here
    install_chart(karpenter_cluster, values=VALUES)
    folder = tmp_path_factory.mktemp("operator")
    kubeconfig = service_account_kubeconfig(karpenter_cluster, folder / "kubeconfig")
    log = Path(os.environ.get("CHIPWISE_E2E_KARPENTER_LOG", folder)) / "operator.log"
    flags = [
        flag for flag in chart_arguments(karpenter_cluster, **dict.fromkeys(VALUES, True)) if flag in _FLAGS
    ]
    assert len(flags) == len(_FLAGS)
    with OperatorProcess(kubeconfig, log, *flags) as process:
        yield process
        assert process.is_alive, process.log_tail(40)
        assert "Traceback" not in process.log, process.log
    clear(karpenter_cluster)


@pytest.fixture(scope="session")
def played(
    request: pytest.FixtureRequest,
    karpenter_cluster: Cluster,
    karpenter_admin: Admin,
    karpenter_operator: OperatorProcess,
    karpenter: Karpenter,
) -> Iterator[dict[str, Future[None]]]:
    """The stories of all selected tests by node id, under way since the first of them began."""
    with ThreadPoolExecutor(PLAYERS) as players:

        def play(fleet: Fleet, story: Story) -> None:
            stage = Stage(fleet, karpenter_cluster, karpenter_admin, karpenter_operator, karpenter)
            story(stage.build())

        found = {}
        for item in request.session.items:
            marker = item.get_closest_marker("story")
            if marker is not None:
                found[item.nodeid] = players.submit(play, *marker.args)
        yield found
        for future in found.values():
            future.cancel()


@pytest.fixture
def story(request: pytest.FixtureRequest, played: dict[str, Future[None]]) -> None:
    """The story of the test, to its end."""
    played[request.node.nodeid].result()


def clear(cluster: Cluster) -> None:
    """Take away what an earlier run left: workloads first, then what made their nodes; Karpenter ends the nodes."""
    mine = ("--selector", MINE, "--ignore-not-found")
    cluster.run_kubectl("delete", "validatingadmissionpolicies,validatingadmissionpolicybindings", *mine)
    served = cluster.run_kubectl("api-resources", "-o", "name")
    if "inferenceworkloads" in served:
        cluster.run_kubectl("delete", _LEFT, "--all-namespaces", *mine)
        cluster.run_kubectl("delete", _CLUSTER_SCOPED, *mine, timeout=180)
        cluster.run_kubectl("delete", "kwoknodeclasses,nodeoverlays", *mine)
        cluster.run_kubectl("delete", "nodeoverlays", "--selector", OVERLAY_LABEL, "--ignore-not-found")
