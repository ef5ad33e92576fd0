"""The configuration that kind gets: the flags of the kwok path for the same components, room for many Nodes, an audit log if wanted."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from e2e.cluster.kwok_config import AUDIT_FLAGS, COMPONENT_FLAGS, NODE_GRACE_SECONDS, NODE_MONITOR_SECONDS

AUDIT_POLICY_FILE = "policy.yaml"
AUDIT_LOG_FILE = "audit.log"
_AUDIT_FOLDER = "/chipwise-audit"  # of the machine's container and of the API server's in it

# Each Node gets a /24 of it, the fake ones too. Of kind's usual /16 there are 256, and its network daemon panics at a
# Node that has none (images/kindnetd/cmd/kindnetd in kind's repository); this /12 contains that /16.
_POD_SUBNET = "10.240.0.0/12"


def kind_configuration(audit_folder: Path | None) -> str:
    """One control plane node; `audit_folder` of this machine holds the policy and gets the log."""
    node: dict[str, Any] = {"role": "control-plane"}
    if audit_folder is not None:
        node["extraMounts"] = [{"hostPath": str(audit_folder), "containerPath": _AUDIT_FOLDER}]
    patches = (_cluster_configuration(audit=audit_folder is not None), _kubelet_configuration())
    wanted = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "networking": {"apiServerAddress": "127.0.0.1", "podSubnet": _POD_SUBNET},
        "nodes": [node],
        "kubeadmConfigPatches": [json.dumps(patch) for patch in patches],
    }
    return json.dumps(wanted, indent=2)


def _cluster_configuration(*, audit: bool) -> dict[str, Any]:
    """What is merged into kubeadm's ClusterConfiguration.

    Kubernetes up to 1.35 gets kubeadm's v1beta3 from kind, where extraArgs is a map, and later ones v1beta4, where it is
    a list (pkg/cluster/internal/kubeadm/config.go of kind v0.33). A map in a patch that names no apiVersion does for
    both: kind turns it into the list and keeps what is there (pkg/internal/patch/kubeadm_merge.go).
    """
    monitor = {
        "node-monitor-period": f"{NODE_MONITOR_SECONDS}s",
        "node-monitor-grace-period": f"{NODE_GRACE_SECONDS}s",
    }
    found = {
        "kind": "ClusterConfiguration",
        "etcd": {"local": _component(COMPONENT_FLAGS["etcd"])},
        "controllerManager": _component(COMPONENT_FLAGS["kube-controller-manager"], monitor),
        "scheduler": _component(COMPONENT_FLAGS["kube-scheduler"]),
    }
    return {**found, "apiServer": _audited()} if audit else found


def _component(*flags: Mapping[str, str]) -> dict[str, Any]:
    return {"extraArgs": {name: value for some in flags for name, value in some.items()}}


def _audited() -> dict[str, Any]:
    files = {
        "audit-policy-file": f"{_AUDIT_FOLDER}/{AUDIT_POLICY_FILE}",
        "audit-log-path": f"{_AUDIT_FOLDER}/{AUDIT_LOG_FILE}",
    }
    volume = {
        "name": "chipwise-audit",
        "hostPath": _AUDIT_FOLDER,
        "mountPath": _AUDIT_FOLDER,
        "readOnly": False,
        "pathType": "Directory",
    }
    return {**_component(files, AUDIT_FLAGS), "extraVolumes": [volume]}


def _kubelet_configuration() -> dict[str, Any]:
    """The real Node reports as often as the fake ones: the controllers have the same patience with all."""
    return {"kind": "KubeletConfiguration", "nodeLeaseDurationSeconds": NODE_GRACE_SECONDS}
