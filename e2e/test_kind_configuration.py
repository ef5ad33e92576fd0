"""kind itself reads what we give it, up to the moment at which it would start Kubernetes: the engine under it only pretends.

No control plane runs here. What is looked at is the configuration that kubeadm would get, for both of its versions.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.cluster import ClusterError, folders
from e2e.cluster.kind import KindDriver
from e2e.cluster.kwok_config import AUDIT_FLAGS, COMPONENT_FLAGS, NODE_GRACE_SECONDS
from tests.cluster_tooling.engine import PretendedEngine

NAME = "pretended"


@pytest.fixture(params=["v1.35.0", "v1.37.0"])
def engine(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> PretendedEngine:
    """Up to 1.35 kind speaks kubeadm's v1beta3, later v1beta4."""
    monkeypatch.setattr(folders, "REPOSITORY", tmp_path)
    return PretendedEngine(tmp_path / "engine", monkeypatch, request.param)


def written(engine: PretendedEngine) -> dict[str, Any]:
    """The documents that kind wrote for kubeadm, by their kind."""
    with pytest.raises(ClusterError, match="failed to init node with kubeadm"):
        KindDriver(NAME, audit=True).create()
    documents = yaml.safe_load_all(engine.file("kind/kubeadm.conf"))
    return {document["kind"]: document for document in documents}


def flags(component: dict[str, Any]) -> dict[str, str]:
    """Of a map or of a list of names and values."""
    found = component["extraArgs"]
    return dict(found) if isinstance(found, dict) else {each["name"]: each["value"] for each in found}


def test_every_flag_reaches_kubeadm_and_none_of_kinds_own_is_lost(engine: PretendedEngine) -> None:
    """A strict loader has read our document, and the patches are in what kubeadm would be started with."""
    found = written(engine)
    cluster = found["ClusterConfiguration"]
    controllers = flags(cluster["controllerManager"])
    assert controllers.items() >= COMPONENT_FLAGS["kube-controller-manager"].items()
    assert controllers["enable-hostpath-provisioner"] == "true"
    assert flags(cluster["scheduler"]) == COMPONENT_FLAGS["kube-scheduler"]
    assert flags(cluster["etcd"]["local"]) == COMPONENT_FLAGS["etcd"]
    assert found["KubeletConfiguration"]["nodeLeaseDurationSeconds"] == NODE_GRACE_SECONDS
    assert found["KubeletConfiguration"]["cgroupRoot"] == "/kubelet"


def test_the_audit_log_is_written_where_the_folder_is_mounted(engine: PretendedEngine) -> None:
    """The folder of this machine, the container's and the pod's lead to one file."""
    server = written(engine)["ClusterConfiguration"]["apiServer"]
    (volume,) = server["extraVolumes"]
    assert flags(server).items() >= AUDIT_FLAGS.items()
    assert flags(server)["audit-log-path"] == f"{volume['mountPath']}/audit.log"
    (started,) = (words for program, *words in engine.calls if (program, words[0]) == ("docker", "run"))
    log = KindDriver(NAME, audit=True).audit_log
    assert log is not None
    assert f"--volume={log.parent}:{volume['hostPath']}" in started


def test_nothing_is_left_of_one_that_did_not_start(engine: PretendedEngine) -> None:
    """Its container is removed."""
    written(engine)
    assert ["docker", "rm"] in [call[:2] for call in engine.calls]
