"""Pods that keep room warm: one Deployment for each pool that asks for spare room.

The known way of overprovisioning (kubernetes.io/docs/tasks/administer-cluster/node-overprovisioning): pods that do nothing and give way
to all others. The autoscaler keeps nodes for them; whoever comes takes their place at once, and they wait for the next node.

Their priority is -10. Cluster Autoscaler neither adds nor keeps a node for pods below its --expendable-pods-priority-cutoff, whose default
that is, so none may be lower; Karpenter looks at no priority. They never push out anybody themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from chipwise.rendering.affinity import REQUIRED

#: On Deployment and pods: the pool, shortened to what a label holds.
LABEL = "chipwise.dev/spare-for"
#: On the Deployment: a digest of what was written last, so that what admission adds is no reason to write again.
WRITTEN = "chipwise.dev/spare-written"
IMAGE = "registry.k8s.io/pause:3.10"
PRIORITY_CLASS = "chipwise-spare"
#: What a pod asks for beside its chips.
CPU_MILLI, MEMORY_BYTES = 10, 16 * 1024**2

_PREFIX = "chipwise-spare-"
_LABEL_LIMIT = 63
#: The pause program ends at once when it is told to. Not 0: then the pod is gone before the kubelet has taken its chips back.
_GRACE_SECONDS = 5

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Settings:
    """Where placeholders live, and as what they run."""

    namespace: str = "chipwise-system"
    image: str = IMAGE
    priority_class: str = PRIORITY_CLASS
    pull_secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Placeholders:
    """Those of one pool, ``chips`` of ``resource_name`` each on nodes with the labels of ``selector``."""

    pool: str
    replicas: int
    chips: int
    resource_name: str
    selector: tuple[tuple[str, str], ...]
    tolerations: tuple[Mapping[str, Any], ...]

    @property
    def name(self) -> str:
        """Of the Deployment."""
        return name_of(self.pool)


def name_of(pool: str) -> str:
    """Of the Deployment of a pool's placeholders."""
    return f"{_PREFIX}{short(pool, _LABEL_LIMIT - len(_PREFIX))}"


def short(pool: str, limit: int = _LABEL_LIMIT) -> str:
    """A pool's name within ``limit`` characters, and no other pool's."""
    if len(pool) <= limit:
        return pool
    digest = sha256(pool.encode()).hexdigest()[:8]
    return f"{pool[: limit - 9].rstrip('-.')}-{digest}"


def owner(priority_class: str, uid: str) -> Document:
    """The PriorityClass owns them: the chart takes it away with the feature, and the garbage collector what hangs on it."""
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "name": priority_class,
        "uid": uid,
    }


def document(wanted: Placeholders, settings: Settings, owned_by: Mapping[str, Any]) -> Document:
    """The Deployment as it is written, with its digest."""
    labels = {LABEL: short(wanted.pool), "app.kubernetes.io/managed-by": "chipwise"}
    spec: Document = {
        "replicas": wanted.replicas,
        "revisionHistoryLimit": 0,
        "selector": {"matchLabels": {LABEL: labels[LABEL]}},
        "strategy": {"type": "Recreate"},
        "template": {"metadata": {"labels": labels}, "spec": _pod(wanted, settings)},
    }
    content = {"owner": dict(owned_by), "spec": spec}
    digest = sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": wanted.name,
            "namespace": settings.namespace,
            "labels": labels,
            "annotations": {WRITTEN: digest},
            "ownerReferences": [dict(owned_by)],
        },
        "spec": spec,
    }


def _pod(wanted: Placeholders, settings: Settings) -> Document:
    requests = {
        "cpu": f"{CPU_MILLI}m",
        "memory": str(MEMORY_BYTES),
        wanted.resource_name: str(wanted.chips),
    }
    limits = {"memory": str(MEMORY_BYTES), wanted.resource_name: str(wanted.chips)}
    return {
        "priorityClassName": settings.priority_class,
        "terminationGracePeriodSeconds": _GRACE_SECONDS,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "affinity": {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [_term(wanted.selector)]}}},
        "tolerations": [dict(each) for each in wanted.tolerations],
        **(
            {"imagePullSecrets": [{"name": each} for each in settings.pull_secrets]}
            if settings.pull_secrets
            else {}
        ),
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65535,
            "runAsGroup": 65535,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "placeholder",
                "image": settings.image,
                "resources": {"requests": requests, "limits": limits},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    }


def _term(selector: Iterable[tuple[str, str]]) -> Document:
    return {
        "matchExpressions": [
            {"key": key, "operator": "In", "values": [value]} for key, value in sorted(selector)
        ]
    }


def placeholder_of(raw: Mapping[str, Any]) -> str:
    """What a pod says in its label that gives way to any other, empty for every other pod.

    Its priority is what makes it give way, whatever anybody calls it; the API server fills it in from the PriorityClass.
    """
    if int(raw["spec"].get("priority") or 0) >= 0:
        return ""
    return str((raw["metadata"].get("labels") or {}).get(LABEL, ""))
