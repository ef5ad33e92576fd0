"""Fixtures for tests that play in a world: one operator for a module, and worlds that are built ahead of the tests that want them.

A test says what it wants by the marker ``setup(Setup(...))``; builders work through a module's wishes in the order of its tests.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from e2e.admin import Admin, proxied
from e2e.authored import MINE, Setup
from e2e.cluster import Cluster
from e2e.cluster.commands import kubectl_on, run
from e2e.operator_process import OperatorProcess, service_account_kubeconfig
from e2e.world import World

BUILDERS = 3
_CLUSTER_SCOPED = (
    "namespaces,persistentvolumes,acceleratorpools,acceleratorclasses,modelprofiles,placementpolicies,nodes"
)


@pytest.fixture(scope="session")
def admin(cluster: Cluster) -> Iterator[Admin]:
    """The administrator's HTTP."""
    with proxied(cluster) as found:
        yield found


@pytest.fixture(scope="module")
def operator(
    cluster: Cluster, admin: Admin, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    """The operator with its ServiceAccount's token, for one module. What an earlier run left behind is cleared away first."""
    _clear(cluster)
    folder = tmp_path_factory.mktemp("operator")
    kubeconfig = service_account_kubeconfig(cluster, folder / "kubeconfig")
    log = Path(os.environ.get("CHIPWISE_E2E_LOG", folder / "operator.log"))
    with OperatorProcess(
        kubeconfig, log, "--log-level", os.environ.get("CHIPWISE_E2E_LEVEL", "info")
    ) as process:
        yield process
        assert process.is_alive, process.log_tail(40)
        assert "Traceback" not in process.log, process.log
    _clear(cluster)


@pytest.fixture(scope="module")
def worlds(
    request: pytest.FixtureRequest, cluster: Cluster, admin: Admin, operator: OperatorProcess
) -> Iterator[dict[str, Future[World]]]:
    """The worlds of all selected tests of this module by node id, under construction."""
    with ThreadPoolExecutor(BUILDERS) as pool:
        found = {}
        for item in request.session.items:
            marker = item.get_closest_marker("setup")
            if marker is not None and item.path == request.path:
                setup = replace(marker.args[0], name=f"{marker.args[0].name}-{os.urandom(2).hex()}")
                found[item.nodeid] = pool.submit(World(setup, cluster, admin, operator).build)
        yield found
        for future in found.values():
            future.cancel()


@pytest.fixture
def world(request: pytest.FixtureRequest, worlds: dict[str, Future[World]]) -> World:
    """The world of this test, built."""
    return worlds[request.node.nodeid].result(timeout=120)


def case(setup: Setup, *values: object) -> object:
    """A parameter set that brings its world with it; its id is the world's name."""
    return pytest.param(*values, id=setup.name, marks=pytest.mark.setup(setup))


def _clear(cluster: Cluster) -> None:
    """Delete all worlds. Pods go first, so that none is left on a node that is gone; the rest may take its time."""
    kubectl = [*kubectl_on(cluster.kubectl, cluster.kubeconfig), "delete", "--selector", MINE]
    run([*kubectl, "--all-namespaces", "inferenceworkloads,horizontalpodautoscalers"])
    run([*kubectl, "--all-namespaces", "deployments", "--cascade=foreground", "--timeout=60s"])
    run([*kubectl, "--wait=false", _CLUSTER_SCOPED])
