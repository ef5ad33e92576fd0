"""Which keys speak of a chip: resources that hand chips out, and labels and taints that pin a pod to one kind of node.

A key counts when any class or pool of this cluster uses it, or when it is one of the vendors' and providers' own keys below.
A key that says where or on what terms a node runs (zone, architecture, operating system, spot) never counts, whoever uses it.

Sources of the built-in keys:

* NVIDIA: k8s-device-plugin and GPU feature discovery (``nvidia.com/``)
* AMD: ROCm k8s-device-plugin and its node labeller (``amd.com/``, formerly ``beta.amd.com/``)
* Intel: Gaudi device plugin (``habana.ai/``), GPU device plugin (``gpu.intel.com/``, ``intel.com/gpu.``)
* AWS Neuron device plugin (``aws.amazon.com/neuron``, ``neuroncore``, ``neurondevice``)
* GKE: ``google.com/tpu``, ``cloud.google.com/gke-accelerator*``, ``gke-tpu-*``, ``gke-gpu*``, ``gke-nodepool``, ``machine-family``
* AKS: ``kubernetes.azure.com/accelerator``, ``agentpool``, ``accelerator`` (old), Karpenter for Azure ``karpenter.azure.com/sku-*``
* EKS: ``eks.amazonaws.com/nodegroup``, Karpenter for AWS ``karpenter.k8s.aws/instance-*``
* node-feature-discovery: PCI labels that carry a vendor of accelerators (10de NVIDIA, 1002 AMD, 1da3 Habana)
* Kubernetes: ``node.kubernetes.io/instance-type`` and its beta name; Karpenter: ``karpenter.sh/nodepool``
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_VENDOR_PREFIXES = (
    "nvidia.com/",
    "amd.com/",
    "beta.amd.com/",
    "habana.ai/",
    "gpu.intel.com/",
    "intel.com/gpu.",
    "aws.amazon.com/neuron",
    "google.com/tpu",
)
_LABEL_PREFIXES = (
    "cloud.google.com/gke-accelerator",
    "cloud.google.com/gke-tpu-",
    "cloud.google.com/gke-gpu",
    "karpenter.k8s.aws/instance-gpu-",
    "karpenter.k8s.aws/instance-accelerator-",
    "karpenter.azure.com/sku-gpu-",
)
_LABELS = frozenset(
    {
        "accelerator",
        "kubernetes.azure.com/accelerator",
        # the identity of a node pool or of a machine type pins a chip too
        "kubernetes.azure.com/agentpool",
        "agentpool",
        "eks.amazonaws.com/nodegroup",
        "alpha.eksctl.io/nodegroup-name",
        "cloud.google.com/gke-nodepool",
        "cloud.google.com/machine-family",
        "karpenter.sh/nodepool",
        "node.kubernetes.io/instance-type",
        "beta.kubernetes.io/instance-type",
        "karpenter.k8s.aws/instance-type",
        "karpenter.k8s.aws/instance-family",
        "karpenter.k8s.aws/instance-category",
        "karpenter.k8s.aws/instance-generation",
        "karpenter.k8s.aws/instance-size",
        "karpenter.azure.com/sku-name",
        "karpenter.azure.com/sku-family",
        "karpenter.azure.com/sku-series",
        "karpenter.azure.com/sku-version",
    },
)
_PCI_PREFIX = "feature.node.kubernetes.io/pci-"
_PCI_VENDORS = ("10de", "1002", "1da3")
_NEUTRAL_PREFIXES = (
    "topology.",
    "failure-domain.beta.kubernetes.io/",
    "kubernetes.io/",
    "node-role.kubernetes.io/",
)
_NEUTRAL = frozenset(
    {
        "beta.kubernetes.io/arch",
        "beta.kubernetes.io/os",
        "karpenter.sh/capacity-type",
        "kubernetes.azure.com/priority",
        "kubernetes.azure.com/scalesetpriority",
        "eks.amazonaws.com/capacityType",
        "cloud.google.com/gke-spot",
        "cloud.google.com/gke-preemptible",
        "cloud.google.com/gke-provisioning",
        "cloud.google.com/gke-flex-start",
    },
)
# The handlers of the vendors' container toolkits, and the resource domain whose nodes have them.
_RUNTIME_CLASSES = {
    "nvidia": "nvidia.com/",
    "nvidia-cdi": "nvidia.com/",
    "nvidia-legacy": "nvidia.com/",
    "nvidia-experimental": "nvidia.com/",
    "amd": "amd.com/",
    "habana": "habana.ai/",
}


def is_neutral_key(key: str) -> bool:
    """Tell keys of zone, region, host, architecture, operating system and capacity type: the author's own business on any chip."""
    return key in _NEUTRAL or key.startswith(_NEUTRAL_PREFIXES)


def runtime_class_fits(runtime_class: str, resource_name: str) -> bool:
    """Tell whether nodes that offer the resource can be expected to run the runtime class. Unknown classes fit everything."""
    domain = _RUNTIME_CLASSES.get(runtime_class)
    return domain is None or resource_name.startswith(domain)


@dataclass(frozen=True, slots=True)
class ChipVocabulary:
    """Every resource name and label key that some class or pool of this cluster uses, beside the built-in ones."""

    resource_names: frozenset[str] = frozenset()
    label_keys: frozenset[str] = frozenset()

    def is_chip_resource(self, name: str) -> bool:
        """Tell a resource that hands out chips, as in a container's limits."""
        return name in self.resource_names or name.startswith(_VENDOR_PREFIXES)

    def is_chip_key(self, key: str) -> bool:
        """Tell a node label or taint key that pins a pod to a kind of chip, a pool of nodes or a machine type."""
        if is_neutral_key(key):
            return False
        if key in self.label_keys or key in _LABELS or self.is_chip_resource(key):
            return True
        if key.startswith(_PCI_PREFIX):
            return any(vendor in key for vendor in _PCI_VENDORS)
        return key.startswith(_LABEL_PREFIXES)

    def including(self, resource_name: str) -> ChipVocabulary:
        """Return the same with one more resource name."""
        return ChipVocabulary(self.resource_names | {resource_name}, self.label_keys)


class _NoChips(ChipVocabulary):
    def is_chip_key(self, key: str) -> bool:
        """Nothing is."""
        del key
        return False


#: Knows no chip, so that constraints keep all that they say.
NO_CHIPS: Final[ChipVocabulary] = _NoChips()
