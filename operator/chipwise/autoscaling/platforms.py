"""Node labels that providers and autoscalers set themselves: by which a pool is told, and by which a node says on what terms it is lent.

A pool that may be at zero nodes can only be told by what a new node has from the start. Data, each row with its source (read August 2026):

* AKS: MicrosoftDocs/azure-aks-docs:articles/aks/{use-labels,spot-node-pool}.md. The label ``scalesetpriority`` is deprecated and still
  found; the taint of that key is what spot pools carry.
* AKS node auto-provisioning: Azure/karpenter-provider-azure:pkg/apis/v1beta1/labels.go
* EKS managed node groups and Karpenter on AWS: aws/karpenter-provider-aws:pkg/apis/v1/labels.go and the reference of its website;
  kubernetes/autoscaler:cluster-autoscaler/cloudprovider/aws
* Karpenter: kubernetes-sigs/karpenter:pkg/apis/v1/labels.go (``WellKnownLabels``, ``NormalizedLabels``, to which providers add theirs)
* GKE: GoogleCloudPlatform/cluster-autoscaler:pkg (label constants)
* Discovery: NVIDIA/k8s-device-plugin:docs/gpu-feature-discovery/README.md, ROCm/k8s-device-plugin:docs/user-guide, node-feature-discovery
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Terms(StrEnum):
    """On what terms a node is lent, in the words of AcceleratorPool.spec.capacityType."""

    ON_DEMAND = "OnDemand"
    SPOT = "Spot"
    RESERVED = "Reserved"


@dataclass(frozen=True, slots=True)
class Platform:
    """``handles`` are labels that tell a pool of nodes, the best first; ``terms`` what a label's value says."""

    name: str
    handles: tuple[str, ...]
    terms: Mapping[str, Mapping[str, Terms]]


_AZURE = {"spot": Terms.SPOT, "regular": Terms.ON_DEMAND}
_KARPENTER = {
    "karpenter.sh/capacity-type": {
        "spot": Terms.SPOT,
        "on-demand": Terms.ON_DEMAND,
        "reserved": Terms.RESERVED,
    }
}

PLATFORMS: tuple[Platform, ...] = (
    Platform(
        "AKS",
        ("kubernetes.azure.com/agentpool", "agentpool"),
        {"kubernetes.azure.com/priority": _AZURE, "kubernetes.azure.com/scalesetpriority": _AZURE},
    ),
    Platform(
        "AKS node auto-provisioning", ("karpenter.sh/nodepool", "karpenter.azure.com/sku-name"), _KARPENTER
    ),
    Platform(
        "EKS managed node groups",
        ("eks.amazonaws.com/nodegroup",),
        {
            "eks.amazonaws.com/capacityType": {
                "SPOT": Terms.SPOT,
                "ON_DEMAND": Terms.ON_DEMAND,
                "CAPACITY_BLOCK": Terms.RESERVED,
            }
        },
    ),
    Platform("Karpenter on AWS", ("karpenter.sh/nodepool", "karpenter.k8s.aws/instance-type"), _KARPENTER),
    Platform(
        "GKE",
        (
            "cloud.google.com/gke-nodepool",
            "cloud.google.com/compute-class",
            "cloud.google.com/gke-accelerator",
        ),
        {
            "cloud.google.com/gke-spot": {"true": Terms.SPOT},
            "cloud.google.com/gke-preemptible": {"true": Terms.SPOT},
            "cloud.google.com/gke-provisioning": {"spot": Terms.SPOT, "standard": Terms.ON_DEMAND},
        },
    ),
    Platform("any", ("node.kubernetes.io/instance-type",), {}),
)

#: Prefixes of labels that an agent on the node writes once it runs: gone with the last node, and unknown to an autoscaler.
_DISCOVERED = (
    "nvidia.com/",
    "amd.com/",
    "beta.amd.com/",
    "feature.node.kubernetes.io/",
    "gpu.intel.com/",
    "intel.com/gpu.",
    "habana.ai/",
)
_ONE_NODE = "kubernetes.io/hostname"


def unstable(selector: Iterable[str]) -> tuple[str, ...]:
    """Keys of a node selector that a node to come does not have, or that tell one node only; in order.

    Labels that people set on their node pools are any others: nothing is said against them.
    """
    return tuple(sorted(key for key in selector if key.startswith(_DISCOVERED) or key == _ONE_NODE))


#: Labels that Karpenter knows by itself, at zero nodes, and their old names, which it reads as these.
_OF_KARPENTER = frozenset(
    {
        "karpenter.sh/nodepool",
        "karpenter.sh/capacity-type",
        "topology.kubernetes.io/zone",
        "topology.kubernetes.io/region",
        "node.kubernetes.io/instance-type",
        "node.kubernetes.io/windows-build",
        "kubernetes.io/arch",
        "kubernetes.io/os",
        "failure-domain.beta.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/region",
        "beta.kubernetes.io/arch",
        "beta.kubernetes.io/os",
        "beta.kubernetes.io/instance-type",
    }
)
#: Prefixes of labels that a provider of Karpenter may add to them: its own, and those of its cloud.
_OF_CLOUDS = (
    "kubernetes.azure.com/",
    "eks.amazonaws.com/",
    "topology.k8s.aws/",
    "cloud.google.com/",
    "topology.gke.io/",
)


def is_known_to_karpenter(key: str) -> bool:
    """Whether a pod may ask Karpenter for a label that its NodePool does not state. In doubt about a provider's, it may."""
    domain = key.partition("/")[0]
    of_provider = "karpenter" in domain and domain != "karpenter.sh"
    return key in _OF_KARPENTER or of_provider or key.startswith(_OF_CLOUDS)


def handle(labels: Mapping[str, str]) -> tuple[str, str] | None:
    """The best label by which nodes with these labels are told as a pool; None where a provider set none."""
    known = (key for platform in PLATFORMS for key in platform.handles)
    return next(((key, labels[key]) for key in known if key in labels), None)


@dataclass(frozen=True, slots=True)
class Said:
    """What a label, or a taint of the same key, says of the terms."""

    terms: Terms
    key: str
    value: str


def terms_of(labels: Mapping[str, str]) -> Said | None:
    """On what terms a node with these labels (or taints, by key) is lent; None where nothing says so. Spot outweighs all else."""
    found = [
        Said(values[labels[key]], key, labels[key])
        for platform in PLATFORMS
        for key, values in platform.terms.items()
        if labels.get(key) in values
    ]
    return min(found, key=lambda said: said.terms is not Terms.SPOT, default=None)
