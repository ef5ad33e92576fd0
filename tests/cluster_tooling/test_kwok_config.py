import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from e2e.cluster import fake_machines
from e2e.cluster.fleet import node_manifest
from e2e.cluster.kwok_config import PORTS, free_ports, kwokctl_configuration, stages
from e2e.cluster.processes import KnownProcess

BINARIES = dict.fromkeys(
    ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd", "kwok", "kubectl"],
    Path("/bin/true"),
)


def configured(audit: Path | None = None) -> dict[str, Any]:
    text = kwokctl_configuration(BINARIES, dict.fromkeys(PORTS, 1), version="v1.2.3", audit_policy=audit)
    documents = list(yaml.safe_load_all(text))
    assert [one["kind"] for one in documents[:2]] == ["KwokctlConfiguration", "KwokConfiguration"]
    first: dict[str, Any] = documents[0]
    return first


def flags(configuration: dict[str, Any], component: str) -> dict[str, str]:
    patches = {patch["name"]: patch["extraArgs"] for patch in configuration["componentsPatches"]}
    return {flag["key"]: flag["value"] for flag in patches[component]}


def test_nothing_listens_on_the_network():
    """A test cluster is nobody else's business."""
    assert configured()["options"]["bindAddress"] == "127.0.0.1"


def test_no_controller_waits_for_an_election():
    """With one, it would exit when the API server is taken down."""
    for component in ("kube-controller-manager", "kube-scheduler"):
        assert flags(configured(), component)["leader-elect"] == "false"


def test_the_audit_log_is_only_written_when_wanted(tmp_path):
    """And then it is not rotated away under its reader."""
    assert "kubeAuditPolicy" not in configured()["options"]
    assert configured(tmp_path)["options"]["kubeAuditPolicy"] == str(tmp_path)
    assert "audit-log-maxsize" in flags(configured(tmp_path), "kube-apiserver")
    assert "audit-log-maxsize" not in flags(configured(), "kube-apiserver")


def test_ports_are_distinct_and_below_those_of_outgoing_connections():
    """A restarted API server finds its port free."""
    ports = free_ports()
    assert sorted(ports) == sorted(PORTS)
    assert len(set(ports.values())) == len(PORTS)
    assert all(20000 <= port <= 32000 for port in ports.values())


def test_stages_have_no_jitter_of_their_own():
    """In kwok a jitter below the delay replaces the delay that a test asked for."""
    for stage in yaml.safe_load_all(stages()):
        delay = stage["spec"].get("delay", {})
        if "durationFrom" in delay:
            assert "jitterDurationMilliseconds" not in delay


def test_a_fake_node_has_what_it_was_given_and_all_of_it_is_free():
    """Any resource, and allocatable is the capacity."""
    node = node_manifest(
        "n",
        labels={"pool": "p"},
        taints=[],
        capacity={"example.com/maia": "4", "cpu": "8"},
        zone="z",
        instance_type="t",
        architecture="arm64",
    )
    assert node["status"]["capacity"] == node["status"]["allocatable"]
    assert (node["status"]["capacity"]["example.com/maia"], node["status"]["capacity"]["cpu"]) == ("4", "8")
    assert node["metadata"]["labels"]["kubernetes.io/arch"] == "arm64"
    assert node["metadata"]["annotations"] == {"kwok.x-k8s.io/node": "fake"}


def test_kwok_in_a_cluster_runs_on_no_machine_of_its_own():
    """Its Deployment keeps away from the label that every fake Node bears."""
    node = node_manifest("n", labels={}, taints=[], capacity={}, zone="z", instance_type="t")
    deployment = next(one for one in fake_machines.manifests() if one["kind"] == "Deployment")
    affinity = json.dumps(deployment["spec"]["template"]["spec"]["affinity"])
    assert "DoesNotExist" in affinity
    assert any(label in affinity for label in node["metadata"]["labels"])


def test_a_foreign_process_is_never_taken_for_ours(tmp_path):
    """A number that was given out again belongs to somebody else."""
    file = tmp_path / "a.pid"
    file.write_text(str(os.getpid()))
    stranger = KnownProcess(file, mark=str(tmp_path / "elsewhere"))
    assert stranger.pid is None
    stranger.stop()
    assert not file.exists()


def test_our_process_is_ended(tmp_path):
    """And its number is forgotten."""
    mark = str(tmp_path)
    known = KnownProcess(tmp_path / "a.pid", mark)
    program = "import sys; print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", program, mark]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        known.pid_file.write_text(str(process.pid))
        assert known.pid == process.pid
        known.stop(grace=2.0)
    assert process.returncode != 0
    assert not known.pid_file.exists()
