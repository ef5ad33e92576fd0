"""Small Deployments and targets for the tests of rendering. Maia's resource and labels are made up: none are published."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from chipwise.rendering.defaults import normalise
from chipwise.rendering.manifest import Document, Manifest
from chipwise.rendering.record import Record
from chipwise.rendering.render import SHARED_MEMORY_PATH
from chipwise.rendering.target import ArgsPatch, ContainerPatch, PoolTerm, Target
from chipwise.rendering.vocabulary import ChipVocabulary

VOCABULARY = ChipVocabulary(
    resource_names=frozenset({"nvidia.com/gpu", "amd.com/gpu", "example.com/maia"}),
    label_keys=frozenset({"example.com/pool", "topology.kubernetes.io/zone"}),
)
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def llama_file() -> Document:
    """The author's own manifest for vLLM on four NVIDIA chips, without anything that the API server would fill in."""
    return {
        "metadata": {"labels": {"app": "llama"}},
        "spec": {
            "containers": [
                {
                    "name": "vllm",
                    "image": "vllm/vllm-openai:v0.11.0",
                    "args": [
                        "--model",
                        "meta-llama/Llama-3.1-70B-Instruct",
                        "--tensor-parallel-size=4",
                        "--port",
                        "8000",
                    ],
                    "env": [
                        {"name": "CACHE", "value": "/cache"},
                        {"name": "NCCL_DEBUG", "value": "WARN"},
                        {"name": "HF_HOME", "value": "$(CACHE)/hf"},
                    ],
                    "ports": [{"containerPort": 8000}],
                    "resources": {
                        "limits": {"nvidia.com/gpu": 4, "memory": "256Gi"},
                        "requests": {"cpu": "16"},
                    },
                    "readinessProbe": {"httpGet": {"path": "/health", "port": 8000}},
                    "volumeMounts": [{"name": "shm", "mountPath": SHARED_MEMORY_PATH}],
                },
            ],
            "nodeSelector": {
                "kubernetes.io/arch": "amd64",
                "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
            },
            "tolerations": [
                {"key": "team", "operator": "Equal", "value": "ml", "effect": "NoSchedule"},
                {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
            ],
            "volumes": [{"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "8Gi"}}],
        },
    }


def manifest(template: Document, strategy: Document | None = None) -> Manifest:
    """The author's file as the API server stores it."""
    return normalise(Manifest(template=template, strategy=strategy or {}))


def llama() -> Manifest:
    return manifest(llama_file())


def pool(*labels: tuple[str, str]) -> PoolTerm:
    return PoolTerm(labels)


def amd(**changes: Any) -> Target:
    """Two MI300X in the pool mi300x."""
    patch = ContainerPatch(
        image="rocm/vllm:v0.11.0",
        args=ArgsPatch(set=(("--tensor-parallel-size", "2"), ("--enforce-eager", None))),
        env=(("HIP_FORCE_DEV_KERNARG", "1"),),
        remove_env=("NCCL_DEBUG",),
        startup_probe={"httpGet": {"path": "/health", "port": 8000}, "failureThreshold": 90},
        shared_memory="16Gi",
    )
    given: dict[str, Any] = {
        "container": "vllm",
        "resource_name": "amd.com/gpu",
        "chips": 2,
        "vocabulary": VOCABULARY,
        "terms": (pool(("kubernetes.azure.com/agentpool", "mi300x")),),
        "tolerations": ({"key": "amd.com/gpu", "operator": "Exists", "effect": "NoSchedule"},),
        "patch": patch,
    }
    return Target(**{**given, **changes})


def maia(**changes: Any) -> Target:
    """Four chips under a made-up resource name, in two pools."""
    return amd(
        resource_name="example.com/maia",
        chips=4,
        terms=(pool(("example.com/pool", "maia-west")), pool(("example.com/pool", "maia-east"))),
        tolerations=({"key": "example.com/maia", "operator": "Exists"},),
        patch=ContainerPatch(
            image="example.com/maia/vllm:1", args=ArgsPatch(remove=("--tensor-parallel-size",))
        ),
        **changes,
    )


def deployment(content: Manifest, replicas: int = 3, **metadata: Any) -> Document:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "llama", "namespace": "prod", "uid": "u-1", "resourceVersion": "7", **metadata},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "llama"}},
            "template": deepcopy(content.template),
            "strategy": deepcopy(content.strategy),
        },
    }


def record(base: Manifest, **changes: Any) -> Record:
    given: dict[str, Any] = {
        "base": base,
        "base_replicas": 3,
        "workload": "llama",
        "workload_uid": "w-1",
        "pools": ("mi300x",),
        "variant": "mi300x-x2",
        "replicas": 2,
        "deletion_policy": "Restore",
        "moved_at": "2026-01-01T00:00:00Z",
        "rendered": base,
    }
    return Record(**{**given, **changes})


def serving(content: Manifest, name: str = "vllm") -> Document:
    found: Document = next(c for c in content.template["spec"]["containers"] if c["name"] == name)
    return found
