"""A made-up fleet for the operator: 200 nodes in ten pools of four classes, 100 workloads, half of them in mode Off.

Two more pools and one workload, ``flip``, are apart from the rest: the price of one of the two decides where it runs. ``bare`` is a
Deployment like it that nobody manages, for the bare client.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from e2e.cluster.fleet import node_manifest

Document = dict[str, Any]

API = "chipwise.dev/v1alpha1"
NAMESPACE = "bench"
CLASSES = ("a", "b", "c", "d")
FLIP_CLASSES = ("flip-a", "flip-b")
POOLS = 10
NODES = 200
WORKLOADS = 100
PROFILES = 10
FLIP_NODES = 2
_PRICES = {"a": 98.0, "b": 48.0, "c": 17.0, "d": 30.0, "flip-a": 20.0, "flip-b": 20.0}
_TPOT = {"a": 10, "b": 14, "c": 18, "d": 24, "flip-a": 20, "flip-b": 20}
_POOL_LABEL = "example.com/pool"
_READY_DELAY = "pod-ready.stage.kwok.x-k8s.io/delay"


def resource(name: str) -> str:
    """The extended resource of a class; made up."""
    return f"example.com/chip-{name}"


def platform() -> Iterator[Document]:
    """Namespace, nodes, classes, pools, profiles and policies."""
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    for name in (*CLASSES, *FLIP_CLASSES):
        yield _class(name)
    for pool, chip_class in pools():
        count = FLIP_NODES if pool in FLIP_CLASSES else NODES // POOLS
        yield _pool(pool, chip_class, count)
        yield from (_node(pool, chip_class, number) for number in range(count))
    for number in range(PROFILES):
        yield _profile(f"model-{number}", CLASSES)
    yield _profile("flip", FLIP_CLASSES)
    yield _policy("default", {"minimumStay": "24h", "maxConcurrentMoves": 50})
    yield _policy("flip", {"minimumStay": "0s"})


def pools() -> list[tuple[str, str]]:
    """(pool, class) of all pools."""
    found = [(f"pool-{number}", CLASSES[number % len(CLASSES)]) for number in range(POOLS)]
    return [*found, *((name, name) for name in FLIP_CLASSES)]


def authored() -> Iterator[Document]:
    """The Deployments as their authors wrote them."""
    for number in range(WORKLOADS - 1):
        yield _deployment(f"w{number:03d}", f"pool-{number % POOLS}", CLASSES[number % POOLS % len(CLASSES)])
    yield _deployment("flip", "flip-a", "flip-a")
    yield _deployment("bare", "flip-a", "flip-a", replicas=0)


def workloads() -> Iterator[Document]:
    """One InferenceWorkload for each Deployment but ``bare``; every other one in mode Off."""
    for number in range(WORKLOADS - 1):
        mode = "Rollout" if number % 2 else "Off"
        yield _workload(f"w{number:03d}", f"model-{number % PROFILES}", mode, tpot=15 + number % 20)
    yield _workload("flip", "flip", "Rollout", tpot=60, policy="flip")


def _object(kind: str, name: str, spec: Document, **metadata: str) -> Document:
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec}


def _class(name: str) -> Document:
    tolerations = [{"key": resource(name), "operator": "Exists", "effect": "NoSchedule"}]
    spec = {"vendor": "Example", "chip": name, "memory": "80Gi", "memoryBandwidthGBps": 3000}
    return _object(
        "AcceleratorClass", name, {**spec, "resourceName": resource(name), "tolerations": tolerations}
    )


def _pool(name: str, chip_class: str, nodes: int) -> Document:
    spec = {
        "className": chip_class,
        "nodeSelector": {_POOL_LABEL: name},
        "shape": {"chips": 8, "cpu": "192", "memory": "2048Gi"},
        "nodes": {"min": 0, "max": nodes},
        "price": {"amount": f"{_PRICES[chip_class]:.2f}"},
    }
    return _object("AcceleratorPool", name, spec)


def _node(pool: str, chip_class: str, number: int) -> Document:
    return node_manifest(
        f"{pool}-{number:02d}",
        labels={_POOL_LABEL: pool},
        taints=[{"key": resource(chip_class), "value": "present", "effect": "NoSchedule"}],
        capacity={resource(chip_class): "8"},
        zone="zone-a",
        instance_type=f"example-{chip_class}",
    )


def _profile(name: str, classes: tuple[str, ...]) -> Document:
    shape = {"inputTokens": 512, "outputTokens": 128, "ttft": "80ms"}
    variants = [
        {
            "name": f"on-{chip_class}",
            "className": chip_class,
            "chips": 2,
            "precision": "bf16",
            "startupSeconds": 5,
            "maxConcurrency": 16,
            "container": {
                "args": {"set": [{"flag": "--tensor-parallel-size", "value": "2"}]},
                "env": [{"name": "ENGINE_TUNING", "value": chip_class}],
            },
            "performance": {
                "points": [
                    {"concurrency": count, **shape, "tpot": f"{_TPOT[chip_class] + extra}ms"}
                    for count, extra in ((1, 0), (8, 2), (16, 5))
                ]
            },
        }
        for chip_class in classes
    ]
    return _object("ModelProfile", name, {"model": f"example/{name}", "variants": variants})


def _policy(name: str, spec: Document) -> Document:
    return _object("PlacementPolicy", name, spec)


def _deployment(name: str, pool: str, chip_class: str, replicas: int = 2) -> Document:
    chips = {resource(chip_class): "2"}
    container = {
        "name": "server",
        "image": "vllm/vllm-openai:v0.12.0",
        "args": ["--model=example/model", "--tensor-parallel-size=2", "--max-num-seqs=16"],
        "env": [{"name": "HF_HOME", "value": "/cache"}, {"name": "NAME", "value": name}],
        "resources": {"requests": {"cpu": "8", "memory": "64Gi", **chips}, "limits": chips},
    }
    template = {
        "metadata": {"labels": {"app": name}, "annotations": {_READY_DELAY: "200ms"}},
        "spec": {
            "nodeSelector": {_POOL_LABEL: pool},
            "tolerations": [{"key": resource(chip_class), "operator": "Exists", "effect": "NoSchedule"}],
            "terminationGracePeriodSeconds": 1,
            "containers": [container],
        },
    }
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def _workload(name: str, profile: str, mode: str, *, tpot: int, policy: str | None = None) -> Document:
    spec: Document = {
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "modelProfileName": profile,
        "traffic": {"meanRequestsPerSecond": "3.0", "inputTokens": 512, "outputTokens": 128},
        "objectives": [{"metric": "TPOT", "threshold": f"{tpot}ms"}],
        "replicas": {"min": 2},
        "mode": mode,
    }
    if policy is not None:
        spec["policyName"] = policy
    return _object("InferenceWorkload", name, spec, namespace=NAMESPACE)
