"""kwok inside a cluster, for the kinds of control plane that do not bring it along.

It manages only Nodes that carry the annotation of a fake machine; real Nodes and their pods are not its business.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from e2e.cluster.commands import kubectl_on, run
from e2e.cluster.kwok_config import LOST_NODE_LABEL, kwok_configuration
from e2e.cluster.toolsets import KWOK

NAMESPACE = "chipwise-fake-machines"
FAKE_ANNOTATION = ("kwok.x-k8s.io/node", "fake")
USUAL_LEASE_SECONDS = 40  # a kubelet's, where nobody has changed the patience of the controllers
_NAME = "kwok-controller"
_PORT = 10247


def install(kubectl: Path, kubeconfig: Path, manifests: Sequence[Mapping[str, Any]]) -> None:
    """Apply the manifests and wait until kwok runs."""
    command = kubectl_on(kubectl, kubeconfig)
    listing = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
    run([*command, "apply", "--server-side", "--force-conflicts", "-f", "-"], stdin=listing)
    _await_rollout(command, NAMESPACE, f"deployment/{_NAME}")


def keep_away(kubectl: Path, kubeconfig: Path, daemons: Sequence[str]) -> None:
    """Let DaemonSets of kube-system that tolerate every taint keep to real machines: on fake ones their pods would take room."""
    command = kubectl_on(kubectl, kubeconfig)
    patch = json.dumps({"spec": {"template": {"spec": {"affinity": _REAL_MACHINES}}}})
    for daemon in daemons:
        what = f"daemonset/{daemon}"
        run([*command, "-n", "kube-system", "patch", what, "--type=merge", "-p", patch])
        _await_rollout(command, "kube-system", what)


def remove(kubectl: Path, kubeconfig: Path) -> None:
    """Take away what `install` applied."""
    listing = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests()})
    run([*kubectl_on(kubectl, kubeconfig), "delete", "--ignore-not-found", "-f", "-"], stdin=listing)


def manifests(lease_seconds: int = USUAL_LEASE_SECONDS) -> Sequence[dict[str, Any]]:
    """Namespace, rights, stages and the Deployment; each machine's Lease is renewed four times in `lease_seconds`."""
    meta = {"name": _NAME, "namespace": NAMESPACE}
    return (
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta},
        _cluster_role(),
        _cluster_role_binding(),
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": meta,
            "data": {"kwok.yaml": kwok_configuration()},
        },
        _deployment(meta, lease_seconds),
    )


def _await_rollout(command: Sequence[str], namespace: str, what: str) -> None:
    run([*command, "-n", namespace, "rollout", "status", what, "--timeout=180s"], timeout=200)


def _cluster_role() -> dict[str, Any]:
    every = ["get", "list", "watch", "create", "update", "patch", "delete"]
    rules = [
        {
            "apiGroups": [""],
            "resources": ["nodes", "pods"],
            "verbs": ["get", "list", "watch", "patch", "update", "delete"],
        },
        {
            "apiGroups": [""],
            "resources": ["nodes/status", "pods/status"],
            "verbs": ["get", "patch", "update"],
        },
        {"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch", "update"]},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": every},
    ]
    meta = {"name": NAMESPACE}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": meta,
        "rules": rules,
    }


def _cluster_role_binding() -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": NAMESPACE},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAMESPACE},
        "subjects": [{"kind": "ServiceAccount", "name": _NAME, "namespace": NAMESPACE}],
    }


def _deployment(meta: dict[str, str], lease_seconds: int) -> dict[str, Any]:
    labels = {"app": _NAME}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta,
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": _pod_spec(lease_seconds)},
        },
    }


# Keeps away from all machines that bear the label of fleet.py.
_REAL_MACHINES = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [
                {"matchExpressions": [{"key": FAKE_ANNOTATION[0], "operator": "DoesNotExist"}]}
            ]
        }
    }
}


def _pod_spec(lease_seconds: int) -> dict[str, Any]:
    """The pod needs a real machine."""
    container = {
        "name": _NAME,
        "image": f"registry.k8s.io/kwok/kwok:{KWOK.version(KWOK.tools[0])}",
        "args": [
            "--config=/etc/kwok/kwok.yaml",
            "--manage-all-nodes=false",
            "--manage-nodes-with-annotation-selector=" + "=".join(FAKE_ANNOTATION),
            f"--manage-nodes-with-label-selector=!{LOST_NODE_LABEL}",
            "--node-ip=$(POD_IP)",
            f"--node-port={_PORT}",
            f"--node-lease-duration-seconds={lease_seconds}",
        ],
        "env": [{"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
        "readinessProbe": {"tcpSocket": {"port": _PORT}, "periodSeconds": 2},
        "volumeMounts": [{"name": "stages", "mountPath": "/etc/kwok", "readOnly": True}],
    }
    return {
        "serviceAccountName": _NAME,
        "affinity": _REAL_MACHINES,
        "containers": [container],
        "volumes": [{"name": "stages", "configMap": {"name": _NAME}}],
    }
