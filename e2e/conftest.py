"""One control plane for all tests of a run, with the chart installed, and the fixtures of tests that play in a world."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.cluster import Cluster, start_cluster
from e2e.cluster.tools import obtain
from e2e.faults import all_requests, faulty_admin, faulty_cluster, lab
from e2e.karpenters import (
    karpenter,
    karpenter_admin,
    karpenter_cluster,
    karpenter_operator,
    karpenter_requests,
    played,
    story,
)
from e2e.operator_process import install_chart
from e2e.rendered import Chart
from e2e.staging import admin, operator, world, worlds

__all__ = [
    "admin",
    "all_requests",
    "faulty_admin",
    "faulty_cluster",
    "karpenter",
    "karpenter_admin",
    "karpenter_cluster",
    "karpenter_operator",
    "karpenter_requests",
    "lab",
    "operator",
    "played",
    "story",
    "world",
    "worlds",
]

#: Two runs at once need two control planes.
NAME = os.environ.get("CHIPWISE_E2E_CLUSTER", "chipwise-e2e")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "setup(setup): the world that the test plays in")
    config.addinivalue_line("markers", "story(fleet, story): what is played with the real Karpenter")
    config.addinivalue_line("markers", "karpenter: plays with the real Karpenter; set on whatever uses it")
    config.addinivalue_line("markers", "faults: breaks a control plane of its own; set on whatever uses it")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what plays on a control plane of its own, so that it can run beside the rest (`make e2e`)."""
    for item in items:
        for fixture, marker in (("faulty_cluster", "faults"), ("karpenter_cluster", "karpenter")):
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(marker)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.failed:
        _note_failure(f"{report.nodeid} ({report.when})", report.longrepr)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        _note_failure(f"{report.nodeid} (collection)", report.longrepr)


def _note_failure(what: str, why: object) -> None:
    """In ``CHIPWISE_E2E_FAILED``: of parts that run side by side, whoever reads the end should see all that failed."""
    if place := os.environ.get("CHIPWISE_E2E_FAILED"):
        crash = getattr(why, "reprcrash", None)
        said = str(crash.message if crash else why).strip().partition("\n")[0]
        with Path(place).open("a") as file:
            file.write(f"{what}: {said}\n")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Start the control plane with an audit log. ``CHIPWISE_E2E_KEEP=1`` leaves it up, to look at or for the next run."""
    found = start_cluster(NAME, audit=True)
    install_chart(found)
    yield found
    if not os.environ.get("CHIPWISE_E2E_KEEP"):
        found.delete()


@pytest.fixture(scope="session")
def chart() -> Chart:
    """The chart and the Helm that renders it; no control plane."""
    return Chart(obtain(["helm"])["helm"])
