"""Karpenter's objects as its API has them, small, with names of their own."""

from __future__ import annotations

from typing import Any

from tests.cluster import documents as docs
from tests.cluster.documents import Document

ALPHA = "karpenter.sh/v1alpha1"
STABLE = "karpenter.sh/v1"
EARLY, LATE, LATER = "2026-01-01T11:00:00Z", "2026-01-01T11:59:00Z", "2026-01-01T11:59:10Z"


def condition(kind: str, status: str, reason: str, message: str = "", at: str = EARLY) -> Document:
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": at}


def requirement(key: str, *values: str, operator: str = "In", min_values: int | None = None) -> Document:
    least = {} if min_values is None else {"minValues": min_values}
    return {"key": key, "operator": operator, "values": list(values), **least}


def node_pool(
    name: str = "h100",
    *requirements: Document,
    taints: list[Document] | None = None,
    labels: Document | None = None,
    conditions: list[Document] | None = None,
    **spec: Any,
) -> Document:
    of_nodes: Document = {"requirements": list(requirements), "taints": taints or []}
    return {
        "apiVersion": STABLE,
        "kind": "NodePool",
        "metadata": {"name": name, "uid": f"np-{name}"},
        "spec": {"template": {"metadata": {"labels": labels or {}}, "spec": of_nodes}, **spec},
        "status": {"conditions": conditions or [condition("Ready", "True", "Ready")]},
    }


def claim(
    name: str,
    pool: str = "h100",
    *,
    capacity: Document | None = None,
    launched: Document | None = None,
    node: str = "",
    deleting: str = "",
    created: str = LATE,
    capacity_type: str = "on-demand",
) -> Document:
    labels = {"karpenter.sh/nodepool": pool, "karpenter.sh/capacity-type": capacity_type}
    metadata: Document = {"name": name, "uid": f"nc-{name}", "labels": labels, "creationTimestamp": created}
    if deleting:
        metadata["deletionTimestamp"] = deleting
    conditions = [launched or condition("Launched", "True", "Launched")]
    if node:
        conditions.append(condition("Initialized", "True", "Initialized"))
    status = {
        "capacity": capacity or {},
        "allocatable": capacity or {},
        "nodeName": node,
        "conditions": conditions,
    }
    return {"apiVersion": STABLE, "kind": "NodeClaim", "metadata": metadata, "status": status}


def unlaunched(name: str, *, reason: str = "AwaitingReconciliation", **more: Any) -> Document:
    return claim(name, launched=condition("Launched", "Unknown", reason, "words", LATE), **more)


def overlay(name: str, *requirements: Document, weight: int = 0, owner: str = "", **spec: Any) -> Document:
    labels = {"chipwise.dev/overlay-for": owner} if owner else {}
    return {
        "apiVersion": ALPHA,
        "kind": "NodeOverlay",
        "metadata": {"name": name, "uid": f"no-{name}", "labels": labels},
        "spec": {"requirements": list(requirements), **({"weight": weight} if weight else {}), **spec},
    }


def launch_event(claim_name: str, at: str = LATE, message: str = "no capacity in zone-a") -> Document:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{claim_name}.1", "namespace": "default", "uid": f"e-{claim_name}"},
        "involvedObject": {"kind": "NodeClaim", "name": claim_name},
        "reason": "InsufficientCapacityError",
        "message": f"NodeClaim {claim_name} event: {message}",
        "lastTimestamp": at,
    }


def pool(name: str = "h100", **spec: Any) -> Document:
    """An AcceleratorPool that names the NodePool of its own name, and declares nothing that may be left out."""
    found = docs.pool(name, **spec)
    for key in ("nodeSelector", "shape", "nodes"):
        if key not in spec:
            del found["spec"][key]
    found["spec"]["karpenter"] = {"nodePool": name}
    return found


def node(pool_name: str, number: int = 0, *, capacity_type: str = "on-demand") -> Document:
    labels = {"karpenter.sh/nodepool": pool_name, "karpenter.sh/capacity-type": capacity_type}
    return docs.node(pool_name, number, labels=labels)
