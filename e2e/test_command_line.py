"""The command line against a real API server: it reads what is there, says what is wrong with it, and changes nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from e2e.cluster import Cluster

pytestmark = pytest.mark.apiserver

WORKLOAD = {
    "apiVersion": "chipwise.dev/v1alpha1",
    "kind": "InferenceWorkload",
    "metadata": {"name": "lonely", "namespace": "command-line"},
    "spec": {
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "nowhere"},
        "modelProfileName": "unheard-of",
        "traffic": {"meanRequestsPerSecond": "1", "inputTokens": 100, "outputTokens": 100},
        "objectives": [{"metric": "TPOT", "threshold": "50ms"}],
    },
}


@pytest.fixture(scope="module")
def lonely(cluster: Cluster) -> Iterator[None]:
    """A workload whose Deployment does not exist, while no operator needs to run."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "command-line"}}
    cluster.run_kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all([namespace, WORKLOAD]))
    yield
    cluster.run_kubectl("delete", "namespace", "command-line", "--wait=false")


def chipwise(cluster: Cluster, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "chipwise.cli", *arguments, "--kubeconfig", str(cluster.kubeconfig)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.usefixtures("lonely")
def test_plan_reads_the_cluster_and_changes_nothing(cluster: Cluster) -> None:
    """Exit code 1: something could not be placed, and why is a typed reason."""
    asked = ("get", "iw", "lonely", "-n", "command-line", "-o", "jsonpath={.metadata.generation} {.spec}")
    before = cluster.run_kubectl(*asked)
    done = chipwise(cluster, "plan", "-o", "json")
    assert done.returncode == 1, done.stderr
    found = {(each["namespace"], each["name"]): each for each in json.loads(done.stdout)["workloads"]}
    assert found["command-line", "lonely"]["placed"] is False
    assert "TargetMissing" in json.dumps(found["command-line", "lonely"])
    assert cluster.run_kubectl(*asked) == before


@pytest.mark.usefixtures("lonely")
def test_explain_says_why(cluster: Cluster) -> None:
    """The typed reason, and the name of what is missing."""
    done = chipwise(cluster, "explain", "lonely", "-n", "command-line")
    assert "TargetMissing" in done.stdout, done.stderr
    assert "nowhere" in done.stdout


def test_an_unreachable_server_is_said(tmp_path: Path) -> None:
    """Exit code 2 and a sentence, not a trace."""
    missing = tmp_path / "none"
    command = [sys.executable, "-m", "chipwise.cli", "plan", "--kubeconfig", str(missing)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert str(missing) in done.stderr
    assert "Traceback" not in done.stderr
