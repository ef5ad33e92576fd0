"""Raw objects of a small fleet, as the API server would show them. Maia's resource name and price are made up: none are published."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from chipwise.rendering.defaults import normalise
from chipwise.rendering.manifest import Manifest

Document = dict[str, Any]

NAMESPACE = "prod"
NODE_LABEL = "kubernetes.azure.com/agentpool"
ZONE = "topology.kubernetes.io/zone"
RESOURCES = {"h100": "nvidia.com/gpu", "mi300x": "amd.com/gpu", "maia": "example.com/maia"}
PRICES = {"h100": "80.00", "mi300x": "40.00", "maia": "16.00"}


def _ours(kind: str, name: str, spec: Document, namespace: str | None = None) -> Document:
    metadata: Document = {"name": name, "uid": f"{kind}-{name}", "generation": 1}
    if namespace:
        metadata["namespace"] = namespace
    spec = {key: value for key, value in spec.items() if value is not None}
    return {"apiVersion": "chipwise.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


def chip_class(name: str, **spec: Any) -> Document:
    """A class with its taint tolerated. ``resourceName=None`` leaves the resource name out."""
    resource = RESOURCES.get(name)
    given = {
        "vendor": "ACME",
        "chip": name,
        "memory": "80Gi",
        "memoryBandwidthGBps": 3350,
        "resourceName": resource,
        "tolerations": [{"key": resource, "operator": "Exists", "effect": "NoSchedule"}] if resource else [],
    }
    return _ours("AcceleratorClass", name, {**given, **spec})


def pool(name: str, class_name: str | None = None, **spec: Any) -> Document:
    """Nodes of 8 chips, up to 4 of them; ``price=None`` leaves the price out, a string is the amount."""
    class_name = class_name or name
    price = spec.pop("price", PRICES.get(class_name, "10.00"))
    given = {
        "className": class_name,
        "nodeSelector": {NODE_LABEL: name},
        "shape": {"chips": 8, "cpu": "96", "memory": "1000Gi"},
        "nodes": {"max": 4},
        "price": {"amount": price} if isinstance(price, str) else price,
    }
    return _ours("AcceleratorPool", name, {**given, **spec})


def points(tpot: int, ttft: int = 50) -> Document:
    """The same latency at any load up to 16 requests at once."""
    return {
        "points": [
            {
                "concurrency": count,
                "inputTokens": 512,
                "outputTokens": 100,
                "ttft": f"{ttft}ms",
                "tpot": f"{tpot}ms",
            }
            for count in (1, 8, 16)
        ]
    }


def variant(class_name: str, chips: int = 4, tpot: int = 20, **fields: Any) -> Document:
    given = {
        "name": f"{class_name}-x{chips}",
        "className": class_name,
        "chips": chips,
        "precision": "fp8",
        "startupSeconds": 60,
        "maxConcurrency": 16,
        "performance": points(tpot),
        "container": {"image": f"example.com/{class_name}/engine:1"},
    }
    return {key: value for key, value in {**given, **fields}.items() if value is not None}


def profile(*variants: Document, name: str = "llama", **spec: Any) -> Document:
    chosen = variants or (variant("h100", container=None), variant("mi300x"), variant("maia"))
    return _ours("ModelProfile", name, {"model": "example/llama", "variants": list(chosen), **spec})


def workload(name: str = "chat", *, rate: str = "10.0", **spec: Any) -> Document:
    """Two replicas of a variant at 20 ms per token carry the default ``rate``."""
    given = {
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "modelProfileName": "llama",
        "traffic": {"meanRequestsPerSecond": rate, "inputTokens": 512, "outputTokens": 100},
        "objectives": [{"metric": "TPOT", "threshold": "60ms"}],
        "mode": "Rollout",
    }
    return _ours("InferenceWorkload", name, {**given, **spec}, NAMESPACE)


def policy(name: str = "default", **spec: Any) -> Document:
    return _ours("PlacementPolicy", name, spec)


def node(pool_name: str, number: int = 0, *, chips: int = 8, **changes: Any) -> Document:
    """A Ready node of a pool. ``taints``, ``labels``, ``ready``, ``unschedulable`` as wished."""
    resource = RESOURCES.get(pool_name.split("-", maxsplit=1)[0], "nvidia.com/gpu")
    name = f"{pool_name}-{number}"
    return {
        "metadata": {
            "name": name,
            "uid": f"node-{name}",
            "labels": {NODE_LABEL: pool_name, "kubernetes.io/arch": "amd64", **changes.get("labels", {})},
        },
        "spec": {
            "taints": changes.get("taints", [{"key": resource, "effect": "NoSchedule"}]),
            **({"unschedulable": True} if changes.get("unschedulable") else {}),
        },
        "status": {
            "allocatable": {"cpu": "96", "memory": "1000Gi", "pods": "110", resource: str(chips)},
            "conditions": [{"type": "Ready", "status": "True" if changes.get("ready", True) else "False"}],
        },
    }


def template(class_name: str = "h100", chips: int = 4, image: str = "example.com/engine:1") -> Document:
    """An author's template: chips of one class, pinned to its nodes."""
    resource = RESOURCES[class_name]
    return {
        "metadata": {"labels": {"app": "chat"}},
        "spec": {
            "containers": [
                {
                    "name": "server",
                    "image": image,
                    "args": ["--port", "8000"],
                    "resources": {
                        "requests": {"cpu": "8", "memory": "64Gi"},
                        "limits": {resource: str(chips)},
                    },
                }
            ],
            "nodeSelector": {NODE_LABEL: class_name},
            "tolerations": [{"key": resource, "operator": "Exists", "effect": "NoSchedule"}],
        },
    }


def deployment(
    name: str = "chat", *, replicas: int = 2, content: Document | None = None, **metadata: Any
) -> Document:
    """As stored, and not yet seen by the Deployment controller."""
    stored = normalise(Manifest(deepcopy(content or template()), {}))
    return {
        "metadata": {"name": name, "namespace": NAMESPACE, **metadata},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": stored.template,
            "strategy": stored.strategy,
        },
    }


def pod(
    name: str, *, on: str | None = None, chips: int = 0, resource: str = "nvidia.com/gpu", **changes: Any
) -> Document:
    """A foreign pod. ``owner`` is (kind, name); ``deleting``, ``phase``, ``selector``, ``cpu`` as wished; ``spec`` has what else it says.

    It tolerates the taint of the resource's nodes, as the admission plugin for extended resources sees to.
    """
    requests = {"cpu": changes.get("cpu", "1"), "memory": "1Gi", **({resource: str(chips)} if chips else {})}
    metadata: Document = {"name": name, "namespace": changes.get("namespace", "other"), "uid": f"pod-{name}"}
    if changes.get("deleting"):
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    if "owner" in changes:
        kind, owner = changes["owner"]
        metadata["ownerReferences"] = [{"kind": kind, "name": owner, "controller": True}]
    return {
        "metadata": metadata,
        "spec": {
            "containers": [{"name": "c", "image": "x", "resources": {"requests": requests}}],
            "nodeSelector": changes.get("selector", {}),
            "tolerations": [{"key": resource, "operator": "Exists"}],
            **({"nodeName": on} if on else {}),
            **changes.get("spec", {}),
        },
        "status": {"phase": changes.get("phase", "Running" if on else "Pending")},
    }
