"""AcceleratorClass: a chip, and how Kubernetes shows it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from chipwise.api.conditions import CommonStatus
from chipwise.api.custom_object import AGE, READY, WHY_NOT_READY, Column, CustomObject, Definition
from chipwise.api.lists import Distinct, MapBy, NotEmpty
from chipwise.api.model import Model, StatusModel
from chipwise.api.numbers import Count, CountOrZero
from chipwise.api.precision import Precision
from chipwise.api.quantities import MemoryQuantity
from chipwise.api.text import Form, LabelKey, LabelValue, Line, Word
from chipwise.api.toleration import Tolerations

ResourceName = Annotated[
    str,
    Form(
        r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$",
        317,
        "must be an extended resource with the domain of its device plugin, such as nvidia.com/gpu",
    ),
]


class NodeArchitecture(StrEnum):
    """The value of the node label kubernetes.io/arch."""

    AMD64 = "amd64"
    ARM64 = "arm64"


class Throughput(Model):
    """Peak arithmetic of one chip in one number format."""

    precision: Precision
    """The number format: bf16, fp16, fp8, int8, fp4 or int4."""
    dense: Count
    """Dense TFLOPS (TOPS for integers) of one chip, without sparsity, such as 989."""


class DiscoveryLabel(Model):
    """A node label, and the values by which it shows this chip."""

    key: LabelKey
    """The label, such as nvidia.com/gpu.product."""
    values: Annotated[
        tuple[LabelValue, ...],
        Field(max_length=32),
        Distinct(),
        NotEmpty("name at least one value of the label"),
    ]
    """The values that mean this chip, such as NVIDIA-H100-80GB-HBM3."""


class Discovery(Model):
    """How nodes with this chip are recognised when no pool claims them."""

    node_labels: Annotated[tuple[DiscoveryLabel, ...], Field(max_length=8), MapBy("key")] = ()
    """Labels that all must match. Feature-discovery labels are fine here, for this is only asked of nodes that exist."""


class AcceleratorClassSpec(Model):
    """Facts about one chip, as its vendor publishes them."""

    vendor: Word
    """Who makes the chip, such as AMD."""
    chip: Word
    """The chip as its vendor calls it, such as Instinct MI300X."""
    memory: MemoryQuantity
    """Memory of one chip that its programs can use, as a quantity, such as 80Gi or 192G."""
    memory_bandwidth_gbps: Count
    """Peak memory bandwidth of one chip in gigabytes (10^9 bytes) per second, such as 3350."""
    tflops: Annotated[tuple[Throughput, ...], Field(max_length=6), MapBy("precision")] = ()
    """Peak arithmetic of one chip by number format. Needed only to estimate what has not been measured. Weights of a format that is not
    in it count as computed at bf16, else fp16."""
    interconnect_gbps: Count | None = None
    """Bandwidth between the chips of one node, per chip and in one direction, in gigabytes per second, such as 450."""
    watts: Count | None = None
    """Power that one chip may draw, in watts, such as 700. For reports only."""
    source: Line | None = None
    """Where the figures come from and of what date, for people, such as a data sheet. A figure that nobody published is left out."""
    architecture: NodeArchitecture = NodeArchitecture.AMD64
    """Processor architecture of the nodes that carry the chip: amd64 (the default) or arm64."""
    resource_name: ResourceName | None = None
    """The extended resource by which pods ask for one chip, such as nvidia.com/gpu. Without it the class is shown but never used."""
    discovery: Discovery | None = None
    """How nodes with this chip are recognised, so that nodes of no pool can be reported."""
    tolerations: Tolerations = ()
    """Tolerations that every pod on this chip needs, whatever the pool, such as for the taint nvidia.com/gpu."""


class UndeclaredNodes(StatusModel):
    """Nodes that show this chip but match no pool."""

    instance_type: Annotated[str, Field(max_length=63)]
    """The value of node.kubernetes.io/instance-type, empty if the nodes have no such label."""
    nodes: CountOrZero
    """How many nodes."""
    chips: CountOrZero
    """Chips on them together, as the nodes report them."""


class AcceleratorClassStatus(CommonStatus):
    """What chipwise sees of this chip. Ready is False with reason ResourceNameMissing while spec.resourceName is missing."""

    pools: CountOrZero | None = None
    """How many AcceleratorPools name this class."""
    undeclared: Annotated[tuple[UndeclaredNodes, ...], Field(max_length=16)] = ()
    """Nodes that show this chip but match no pool, by instance type: discovered, and unused until a pool prices them."""


class AcceleratorClass(CustomObject):
    """AcceleratorClass describes a chip: its published figures, and how Kubernetes shows it."""

    definition: ClassVar[Definition] = Definition(
        plural="acceleratorclasses",
        short_name="aclass",
        namespaced=False,
        columns=(
            Column("Vendor", ".spec.vendor", "Who makes the chip."),
            Column("Chip", ".spec.chip", "The chip as its vendor calls it."),
            Column("Memory", ".spec.memory", "Memory of one chip."),
            Column("Resource", ".spec.resourceName", "The extended resource by which pods ask for one chip."),
            Column("Pools", ".status.pools", "How many pools name this class.", "integer"),
            READY,
            WHY_NOT_READY,
            AGE,
        ),
    )

    kind: Literal["AcceleratorClass"] = "AcceleratorClass"
    spec: AcceleratorClassSpec
    """The chip, as its vendor publishes it."""
    status: AcceleratorClassStatus | None = None
    """What chipwise sees of this chip in the cluster. Written by chipwise only."""
