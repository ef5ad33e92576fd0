"""What an author writes, small: a Deployment made for NVIDIA as real ones are, and a workload. The platform's part is in ``platform_team``.

Every name carries the world's, and every selector leads to the world's own nodes, so that worlds do not meet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from chipwise.rendering.render import SHARED_MEMORY_PATH

Document = dict[str, Any]

API = "chipwise.dev/v1alpha1"
AMD, NVIDIA = "amd.com/gpu", "nvidia.com/gpu"
PRODUCT, AGENT_POOL, ZONE = (
    "nvidia.com/gpu.product",
    "kubernetes.azure.com/agentpool",
    "topology.kubernetes.io/zone",
)
MINE = "e2e.example.com/world"
IMAGE, NEWER, FOREIGN = (
    "vllm/vllm-openai:v0.12.0",
    "vllm/vllm-openai:v0.12.1",
    "vllm/vllm-openai:v0.13.0",
)
ALT_IMAGE = "rocm/vllm:rocm7.0.0"
READY_DELAY = "pod-ready.stage.kwok.x-k8s.io/delay"
NEAR, FAR = "westus3-1", "westus3-2"


@dataclass(frozen=True, slots=True)
class Setup:
    """One world. TPOT in ms decides how many replicas a pool needs: 10 ms half as many as 20 ms, 40 ms twice as many.

    ``alternative`` is the resource of the other pool, which is the cheaper one: of another vendor, or of the same. ``stated_replicas``
    and ``strategy`` are what the author's file says; without the former the Deployment is scaled by hand to ``replicas``. Each pool has
    so many ``machines``, and the last of them is far; the other pool has ``alternative_machines`` where that is said. ``policy`` is what
    the policy says beside the rest.
    """

    name: str
    alternative: str = AMD
    replicas: int = 2
    tpot: int = 20
    alternative_tpot: int = 20
    own_image: bool = True
    mode: str = "Rollout"
    outdated: str = "Hold"
    server_side: bool = False
    stated_replicas: bool = False
    strategy: str = ""
    autoscaled: tuple[int, int] | None = None
    scaled_object: str = ""
    expects_move: bool = True
    policy_stay: str = "0s"
    ready_delay: str = "2s"
    concurrent_moves: int = 1
    alternative_image: str = ALT_IMAGE
    alternative_machines: int | None = None
    boot_seconds: int = 300
    policy: Mapping[str, Any] = field(default_factory=dict)
    startup_seconds: int = 2
    machines: int = 5

    @property
    def requests_per_second(self) -> float:
        """What the author's replicas serve with a little to spare."""
        return self.replicas * 150 / self.tpot

    @property
    def chips(self) -> int:
        """How many chips one replica takes on the other pool."""
        return 4 if self.alternative != NVIDIA else 2


def labelled(setup: Setup, document: Document) -> Document:
    document["metadata"].setdefault("labels", {})[MINE] = setup.name
    return document


def deployment(setup: Setup, *, image: str = IMAGE, name: str = "chat") -> Document:
    """Made for NVIDIA: its resource, a GPU node selector, its toleration; and what is the author's own: zone, env order, a sidecar."""
    labels = {"app": name}
    spec: Document = {
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels, "annotations": {READY_DELAY: setup.ready_delay}},
            "spec": _pod(setup, image),
        },
    }
    if setup.stated_replicas:
        spec["replicas"] = setup.replicas
    if setup.strategy == "Recreate":
        spec["strategy"] = {"type": "Recreate"}
    elif setup.strategy:
        spec["strategy"] = {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxUnavailable": setup.strategy, "maxSurge": "25%"},
        }
    metadata = {"name": name, "namespace": setup.name, "labels": {**labels, MINE: setup.name}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def _pod(setup: Setup, image: str) -> Document:
    near = {"key": ZONE, "operator": "In", "values": [NEAR]}
    return {
        "terminationGracePeriodSeconds": 1,
        "nodeSelector": {PRODUCT: f"gpu-{setup.name}"},
        "tolerations": [{"key": NVIDIA, "operator": "Exists", "effect": "NoSchedule"}],
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [{"matchExpressions": [near]}]
                }
            }
        },
        "containers": [
            {
                "name": "server",
                "image": image,
                "args": ["--model=$(MODEL)", "--tensor-parallel-size", "2", "--port=$(PORT)"],
                "env": [
                    {"name": "PORT", "value": "8000"},
                    {"name": "TEAM", "value": "search"},
                    {"name": "MODEL", "value": "$(TEAM)/small"},
                    {"name": "NCCL_CUMEM_ENABLE", "value": "0"},
                    {"name": "HF_HOME", "value": "/cache"},
                ],
                "ports": [{"name": "http", "containerPort": 8000}],
                "readinessProbe": {"httpGet": {"path": "/health", "port": "http"}, "periodSeconds": 5},
                "resources": {"requests": {"cpu": "4", "memory": "32Gi"}, "limits": {NVIDIA: "2"}},
                "volumeMounts": [{"name": "shm", "mountPath": SHARED_MEMORY_PATH}],
            },
            {"name": "logs", "image": "example/logs:1", "resources": {"requests": {"cpu": "100m"}}},
        ],
        "volumes": [{"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "8Gi"}}],
    }


def workload(setup: Setup, *, name: str = "chat", **spec: Any) -> Document:
    """The workload of the Deployment ``chat``."""
    return {
        "apiVersion": API,
        "kind": "InferenceWorkload",
        "metadata": {"name": name, "namespace": setup.name, "labels": {MINE: setup.name}},
        "spec": {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat"},
            "modelProfileName": setup.name,
            "traffic": {
                "meanRequestsPerSecond": str(setup.requests_per_second),
                "inputTokens": 512,
                "outputTokens": 100,
            },
            "objectives": [{"metric": "TPOT", "threshold": "60ms"}],
            "policyName": setup.name,
            "mode": setup.mode,
            **spec,
        },
    }


def with_autoscaler(setup: Setup, least: int, most: int) -> Setup:
    """The same world with an HPA."""
    return replace(setup, autoscaled=(least, most))


def autoscaler(setup: Setup) -> Document:
    """An HPA on the Deployment. Nothing serves metrics, so it never acts; that it owns replicas is enough.

    With ``scaled_object`` it is labelled as those are that KEDA makes.
    """
    assert setup.autoscaled is not None
    least, most = setup.autoscaled
    keda = {"scaledobject.keda.sh/name": setup.scaled_object} if setup.scaled_object else {}
    labels = {MINE: setup.name, **keda}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat"}
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
    }
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "chat", "namespace": setup.name, "labels": labels},
        "spec": {
            "scaleTargetRef": target,
            "minReplicas": least,
            "maxReplicas": most,
            "metrics": [metric],
        },
    }
