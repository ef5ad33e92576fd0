"""What people write where Karpenter makes the nodes: NodePools with their NodeClasses, pools that name them, and a Deployment on the first.

Three chips, whole nodes for each replica, so that as many nodes are paid for as replicas run. `example.com/maia` and its machine type are
made up: nobody has published a resource name, a machine type or a price for Maia. All prices are examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from e2e.authored import API, MINE, READY_DELAY, Document
from e2e.cluster.karpenter import instance_type
from e2e.platform_team import speed

#: Chip: resource, machine type, and what Karpenter's provider takes for one of it, in dollars per hour.
CHIPS: Mapping[str, tuple[str, str, float]] = {
    "h100": ("nvidia.com/gpu", "gpu-h100-8", 50.0),
    "mi300": ("amd.com/gpu", "gpu-mi300-8", 30.0),
    "maia": ("example.com/maia", "maia-8", 10.0),
}
#: A second machine with the chips of the first, dearer by the provider's list.
SECOND = "gpu-h200-8"
#: A third, on every terms.
EVERY_TERMS = "gpu-h100-8-any"
INSTANCE_TYPES = [
    instance_type(SECOND, {"on-demand": 80.0}, {"nvidia.com/gpu": "8"}),
    instance_type(EVERY_TERMS, {"on-demand": 60.0, "spot": 20.0, "reserved": 0.001}, {"nvidia.com/gpu": "8"}),
    *(
        instance_type(machine, {"on-demand": price}, {resource: "8"})
        for resource, machine, price in CHIPS.values()
    ),
]
NODE_POOL = "karpenter.sh/nodepool"
TPOT = 20


@dataclass(frozen=True, slots=True)
class Fleet:
    """One namespace with NodePools of its own. ``prices`` are what the pools say; ``limits`` and ``spec`` are of NodePool and pool by chip.

    ``more`` are further NodePools, each with a pool, by the chip that they make too: nodes of the same machine under another name.
    ``static`` are NodePools with so many nodes, whatever runs.
    """

    name: str
    replicas: int = 2
    prices: Mapping[str, str] = field(
        default_factory=lambda: {chip: f"{price:.2f}" for chip, (_, _, price) in CHIPS.items()}
    )
    limits: Mapping[str, Document] = field(default_factory=dict)
    spec: Mapping[str, Document] = field(default_factory=dict)
    policy: Mapping[str, Any] = field(default_factory=dict)
    mode: str = "Rollout"
    more: Mapping[str, str] = field(default_factory=dict)
    static: Mapping[str, int] = field(default_factory=dict)

    @property
    def places(self) -> tuple[str, ...]:
        """Every NodePool by its short name: the chips, and those that are further."""
        return (*CHIPS, *self.more)

    def chip(self, place: str) -> str:
        """What the nodes of a NodePool have."""
        return self.more.get(place, place)

    @property
    def requests_per_second(self) -> float:
        """What the author's replicas serve with a little to spare; all chips are equally fast."""
        return self.replicas * 150 / TPOT

    def pool(self, chip: str) -> str:
        """The name of NodePool, NodeClass and pool of one chip, or of a further place."""
        return f"{self.name}-{chip}"

    def _document(self, kind: str, name: str, spec: Document, api: str = API) -> Document:
        metadata = {"name": name, "labels": {MINE: self.name}}
        return {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec}

    def kinds(self) -> list[Document]:
        """Everything but the Deployment and its workload, in an order in which it may be applied."""
        namespace = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": self.name, "labels": {MINE: self.name}},
        }
        policy = {"minimumStay": "0s", "failureGrace": "5s", **self.policy}
        return [
            namespace,
            *(self.node_class(place) for place in self.places),
            *(self.node_pool(place) for place in self.places),
            *(self.chip_class(chip) for chip in CHIPS),
            *(self.accelerator_pool(place) for place in self.places if place in self.prices),
            self.profile(),
            self._document("PlacementPolicy", self.name, policy),
        ]

    def node_class(self, chip: str) -> Document:
        """A machine boots in 2 s."""
        spec = {"nodeRegistrationDelay": "2s"}
        return self._document("KWOKNodeClass", self.pool(chip), spec, "karpenter.kwok.sh/v1alpha1")

    def node_pool(self, chip: str, **spec: Any) -> Document:
        """One machine type, tainted by the NodePool and not by the class; empty nodes go as soon as Karpenter lets them."""
        resource, machine, _ = CHIPS[self.chip(chip)]
        requirements = {
            "node.kubernetes.io/instance-type": machine,
            "karpenter.sh/capacity-type": "on-demand",
        }
        template = {
            "spec": {
                "nodeClassRef": {
                    "group": "karpenter.kwok.sh",
                    "kind": "KWOKNodeClass",
                    "name": self.pool(chip),
                },
                "expireAfter": "Never",
                "taints": [{"key": resource, "value": "present", "effect": "NoSchedule"}],
                "requirements": [
                    {"key": key, "operator": "In", "values": [value]} for key, value in requirements.items()
                ],
            }
        }
        disruption = {
            "consolidationPolicy": "WhenEmptyOrUnderutilized",
            "consolidateAfter": "0s",
            "budgets": [{"nodes": "100%"}],
        }
        limits = {"limits": self.limits[chip]} if chip in self.limits else {}
        static = {"replicas": self.static[chip]} if chip in self.static else {}
        body = {"template": template, "disruption": disruption, **limits, **static, **spec}
        return self._document("NodePool", self.pool(chip), body, "karpenter.sh/v1")

    def chip_class(self, chip: str) -> Document:
        """Without tolerations: those come from the NodePool."""
        spec = {
            "vendor": "Example",
            "chip": chip,
            "memory": "80Gi",
            "memoryBandwidthGBps": 3000,
            "resourceName": CHIPS[chip][0],
        }
        return self._document("AcceleratorClass", self.pool(chip), spec)

    def accelerator_pool(self, chip: str) -> Document:
        """It names the NodePool and declares the shape; the rest is read."""
        spec: Document = {
            "className": self.pool(self.chip(chip)),
            "karpenter": {"nodePool": self.pool(chip)},
            "shape": {"chips": 8, "cpu": "190", "memory": "2000Gi"},
            **self.spec.get(chip, {}),
        }
        if self.prices[chip]:
            spec["price"] = {"amount": self.prices[chip]}
        return self._document(
            "AcceleratorPool", self.pool(chip), {k: v for k, v in spec.items() if v is not None}
        )

    def admission_policy(self, name: str, what: Document, rule: str) -> list[Document]:
        """A policy of the API server itself, and its binding: updates and creations of ``what`` must keep the rule."""
        api = "admissionregistration.k8s.io/v1"
        rules = [{**what, "operations": ["CREATE", "UPDATE"]}]
        spec = {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": rules},
            "validations": [{"expression": rule, "message": "refused by the test"}],
        }
        binding = {"policyName": name, "validationActions": ["Deny"]}
        return [
            self._document("ValidatingAdmissionPolicy", name, spec, api),
            self._document("ValidatingAdmissionPolicyBinding", name, binding, api),
        ]

    def profile(self) -> Document:
        """Eight chips for each replica of any variant."""
        common = {
            "precision": "bf16",
            "startupSeconds": 2,
            "pullSeconds": 2,
            "maxConcurrency": 16,
            "chips": 8,
            "performance": speed(TPOT),
        }
        variants = [
            {
                **common,
                "name": chip,
                "className": self.pool(chip),
                "container": {"image": f"example.com/engine-{chip}:1"},
            }
            for chip in CHIPS
        ]
        return self._document("ModelProfile", self.name, {"model": "example/small", "variants": variants})

    def deployment(self) -> Document:
        """The author's, for H100: its resource, its NodePool, its toleration."""
        resource = CHIPS["h100"][0]
        labels = {"app": "chat"}
        container = {
            "name": "server",
            "image": "example.com/engine-h100:1",
            "resources": {"requests": {"cpu": "4", "memory": "32Gi"}, "limits": {resource: "8"}},
        }
        pod = {
            "terminationGracePeriodSeconds": 1,
            "nodeSelector": {NODE_POOL: self.pool("h100")},
            "tolerations": [{"key": resource, "operator": "Exists", "effect": "NoSchedule"}],
            "containers": [container],
        }
        spec = {
            "replicas": self.replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels, "annotations": {READY_DELAY: "1s"}}, "spec": pod},
        }
        found = self._document("Deployment", "chat", spec, "apps/v1")
        found["metadata"]["namespace"] = self.name
        return found

    def workload(self) -> Document:
        """The workload of that Deployment."""
        spec = {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat"},
            "modelProfileName": self.name,
            "traffic": {
                "meanRequestsPerSecond": str(self.requests_per_second),
                "inputTokens": 512,
                "outputTokens": 100,
            },
            "objectives": [{"metric": "TPOT", "threshold": "60ms"}],
            "policyName": self.name,
            "mode": self.mode,
        }
        found = self._document("InferenceWorkload", "chat", spec)
        found["metadata"]["namespace"] = self.name
        return found
