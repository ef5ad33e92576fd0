"""kwok inside a cluster, for the kinds of control plane that do not bring it along.

It manages only Nodes that carry the annotation of a fake machine; real Nodes and their pods are not its business.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from e2e.cluster.commands import kubectl_on, run
from e2e.cluster.kwok_config import LOST_NODE_LABEL, stages
from e2e.cluster.toolsets import KWOK

NAMESPACE = "chipwise-fake-machines"
FAKE_ANNOTATION = ("kwok.x-k8s.io/node", "fake")
_NAME = "kwok-controller"
_PORT = 10247


def install(kubectl: Path, kubeconfig: Path) -> None:
    """Apply the manifests and wait until kwok runs."""
    command = kubectl_on(kubectl, kubeconfig)
    listing = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests()})
    run([*command, "apply", "--server-side", "--force-conflicts", "-f", "-"], stdin=listing)
    run(
        [*command, "-n", NAMESPACE, "rollout", "status", f"deployment/{_NAME}", "--timeout=180s"], timeout=200
    )


def remove(kubectl: Path, kubeconfig: Path) -> None:
    """Take away what `install` applied."""
    listing = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests()})
    run([*kubectl_on(kubectl, kubeconfig), "delete", "--ignore-not-found", "-f", "-"], stdin=listing)


def manifests() -> Sequence[dict[str, Any]]:
    """Namespace, rights, stages and the Deployment."""
    meta = {"name": _NAME, "namespace": NAMESPACE}
    return (
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta},
        _cluster_role(),
        _cluster_role_binding(),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"kwok.yaml": stages()}},
        _deployment(meta),
    )


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


def _deployment(meta: dict[str, str]) -> dict[str, Any]:
    labels = {"app": _NAME}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta,
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": _pod_spec()},
        },
    }


def _pod_spec() -> dict[str, Any]:
    """The pod needs a real machine, so it keeps away from all that bear the label of fleet.py."""
    real = [{"matchExpressions": [{"key": "kwok.x-k8s.io/node", "operator": "DoesNotExist"}]}]
    affinity = {
        "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": real}}
    }
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
            "--node-lease-duration-seconds=40",
        ],
        "env": [{"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
        "readinessProbe": {"tcpSocket": {"port": _PORT}, "periodSeconds": 2},
        "volumeMounts": [{"name": "stages", "mountPath": "/etc/kwok", "readOnly": True}],
    }
    return {
        "serviceAccountName": _NAME,
        "affinity": affinity,
        "containers": [container],
        "volumes": [{"name": "stages", "configMap": {"name": _NAME}}],
    }
