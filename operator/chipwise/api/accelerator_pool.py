"""AcceleratorPool: interchangeable nodes of one accelerator class, what they cost and who may use them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from chipwise.api.capacity import CapacityType, PriceUnit
from chipwise.api.custom_object import AGE, READY, WHY_NOT_READY, Column, CustomObject, Definition
from chipwise.api.decimals import PositiveDecimal
from chipwise.api.label_selector import LabelSelector
from chipwise.api.lists import Distinct, Keys, NotEmpty
from chipwise.api.model import Model
from chipwise.api.numbers import Chips, Count, CountOrZero, SecondsOrZero, SpareReplicas
from chipwise.api.pool_status import AcceleratorPoolStatus
from chipwise.api.quantities import CpuQuantity, MemoryQuantity
from chipwise.api.rules import Rule
from chipwise.api.text import LABEL_KEY, Currency, LabelValue, Line, Name
from chipwise.api.toleration import Tolerations

_BOOT_SECONDS = 300


class NodeShape(Model):
    """What one node offers."""

    chips: Chips
    """Accelerator chips on one node, such as 8."""
    cpu: CpuQuantity
    """CPU of one node that pods can use, as a quantity in quotes, such as "96"."""
    memory: MemoryQuantity
    """Memory of one node that pods can use, as a quantity, such as 1900Gi."""
    pods: Count = 110
    """How many pods one node takes. Default 110."""


class NodeRange(Model):
    """Between which counts something, as a rule an autoscaler, moves the number of nodes."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.max >= self.min",
            "must not be below min",
            lambda found: found.max >= found.min,
            ".max",
        ),
    )

    min: CountOrZero = 0
    """The fewest nodes that are kept even when idle. They are paid for anyway and so cost a workload nothing. Default 0."""
    max: Count
    """The most nodes there can be, such as 8. Equal to min, the pool is static and only nodes that exist are counted on."""
    boot_seconds: SecondsOrZero = _BOOT_SECONDS
    """Seconds from a pod that fits no node until a new node is Ready and shows its chips, such as 240. A pod that waits longer counts
    as starved. Default 300. Without meaning in a static pool."""


class Price(Model):
    """What one node or one chip costs for one hour."""

    amount: PositiveDecimal
    """The price of one unit for one hour, as a decimal in quotes, such as "98.32". What you are billed, not the list price."""
    currency: Currency = "USD"
    """ISO 4217 code of the currency, such as EUR. All pools must agree. Default USD."""
    unit: PriceUnit = PriceUnit.NODE
    """What is billed: Node (the default), however many of its chips are used, or Chip, as in shared or serverless capacity."""
    source: Line | None = None
    """Where the figure comes from and of what date, for people, such as an invoice or a price list."""


class KarpenterHandle(Model):
    """The nodes of one NodePool of Karpenter."""

    node_pool: Name
    """The NodePool, such as h100-ondemand. chipwise reads its requirements, taints, limits and conditions, and its NodeClaims."""


class Spare(Model):
    """Room that is kept warm: nodes that are up before anybody needs them."""

    replicas: SpareReplicas
    """How many placeholders are kept in the pool, such as 1. Each holds its chips with a pod of the lowest priority that gives way to any
    other, and then asks for a new node."""
    chips: Chips | None = None
    """Chips that each holds together on one node, such as those of one replica. Left out, all of a node: so many nodes stay up."""


class AcceleratorPoolSpec(Model):
    """Which nodes, of what shape, at what price, for whom."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.karpenter) || has(self.nodeSelector)",
            "say which nodes are of this pool: by nodeSelector, or by karpenter.nodePool",
            lambda found: found.karpenter is not None or bool(found.node_selector),
            ".nodeSelector",
        ),
        Rule(
            "has(self.karpenter) || has(self.shape)",
            "is required: say what one node offers; only a NodePool's own nodes can tell it instead",
            lambda found: found.karpenter is not None or found.shape is not None,
            ".shape",
        ),
        Rule(
            "has(self.karpenter) || has(self.nodes)",
            "is required: say how many nodes there can be; only a NodePool's limits can tell it instead",
            lambda found: found.karpenter is not None or found.nodes is not None,
            ".nodes",
        ),
        Rule(
            "!has(self.committedNodes) || !has(self.nodes) || self.committedNodes <= self.nodes.max",
            "must not be above nodes.max: these are nodes of the pool",
            lambda found: found.nodes is None or found.committed_nodes <= found.nodes.max,
            ".committedNodes",
        ),
        Rule(
            "!has(self.spare) || !has(self.spare.chips) || !has(self.shape) || self.spare.chips <= self.shape.chips",
            "must not be above shape.chips: one node has no more",
            lambda found: (
                found.spare is None or found.shape is None or (found.spare.chips or 0) <= found.shape.chips
            ),
            ".spare.chips",
        ),
        Rule(
            "!has(self.spare) || has(self.spare.chips) || !has(self.nodes) || self.spare.replicas <= self.nodes.max",
            "must not be above nodes.max: each holds a whole node",
            lambda found: (
                found.spare is None
                or found.spare.chips is not None
                or found.nodes is None
                or found.spare.replicas <= found.nodes.max
            ),
            ".spare.replicas",
        ),
    )

    class_name: Name
    """The AcceleratorClass of the chips, such as h100."""
    node_selector: Annotated[
        dict[str, LabelValue],
        Field(max_length=16),
        Keys(LABEL_KEY),
        NotEmpty("name at least one node label: an empty selector would match every node of the cluster"),
    ] = Field(default_factory=dict)
    """Labels that exactly the nodes of this pool carry. Use the provider's own, which a new node has from the start, such as
    kubernetes.azure.com/agentpool: h100pool; labels that a discovery agent adds later do not exist at zero nodes. Of a NodePool
    karpenter.sh/nodepool and karpenter.sh/capacity-type are selected anyway, and what stands here beside them."""
    karpenter: KarpenterHandle | None = None
    """The NodePool of Karpenter that makes the nodes. Then nodeSelector, shape and nodes may be left out: they are read from it, from its
    nodes and its limits."""
    shape: NodeShape | None = None
    """What one node offers, all nodes of the pool alike. Of a NodePool it may be left out: its nodes tell it, and before the first has
    come the pool is not used."""
    zones: Annotated[tuple[LabelValue, ...], Field(max_length=16), Distinct()] = ()
    """Values of topology.kubernetes.io/zone that the nodes can have, such as westus3-1. Needed at zero nodes, where none can be seen."""
    tolerations: Tolerations = ()
    """Tolerations that pods need on these nodes, beyond those of the class."""
    nodes: NodeRange | None = None
    """How many nodes there are at least and at most. Of a NodePool it may be left out: its limits say it, and both hold if both are
    there."""
    capacity_type: CapacityType = CapacityType.ON_DEMAND
    """OnDemand (the default), Spot (the provider may take the nodes back) or Reserved."""
    price: Price | None = None
    """What the nodes cost. Without a price the pool is shown with Ready=False, Unpriced, and never used."""
    committed_nodes: CountOrZero = 0
    """Nodes that are paid for whether used or not, by reservation or contract. Using them costs a workload nothing. Default 0."""
    node_group: Line | None = None
    """The autoscaler's own name of this group of nodes, such as the name of the scale set."""
    spare: Spare | None = None
    """Room that is kept warm for moves and scale-ups, and paid for. Needs the feature: chipwise run --spare, in the chart
    autoscaling.spare.enabled."""
    namespace_selector: LabelSelector | None = None
    """Labels of the namespaces whose workloads may be placed here. Left out, all may."""

    @property
    def boot_seconds(self) -> int:
        """Seconds that a node takes to come; the default where nobody says so."""
        return self.nodes.boot_seconds if self.nodes else _BOOT_SECONDS


class AcceleratorPool(CustomObject):
    """AcceleratorPool describes interchangeable nodes of one AcceleratorClass: how many, at what price, and who may use them."""

    definition: ClassVar[Definition] = Definition(
        plural="acceleratorpools",
        short_name="apool",
        namespaced=False,
        columns=(
            Column("Class", ".spec.className", "The AcceleratorClass of the chips."),
            Column("Price", ".status.priceInForce.amount", "Price of one unit for one hour."),
            Column("Unit", ".status.priceInForce.unit", "What is billed, Node or Chip."),
            Column("Nodes", ".status.nodes.total", "Nodes that match the pool.", "integer"),
            Column("Free", ".status.chips.free", "Chips that are left.", "integer"),
            Column("Max", ".status.limitInForce.nodes", "The most nodes there can be.", "integer", wide=True),
            Column(
                "NodePool",
                ".spec.karpenter.nodePool",
                "The NodePool of Karpenter that makes the nodes.",
                wide=True,
            ),
            Column("Warm", ".status.spare.warm", "Placeholders that have a node.", "integer", wide=True),
            Column("Capacity", ".spec.capacityType", "OnDemand, Spot or Reserved.", wide=True),
            Column("Currency", ".status.priceInForce.currency", "Currency of the price.", wide=True),
            READY,
            WHY_NOT_READY,
            AGE,
        ),
    )

    kind: Literal["AcceleratorPool"] = "AcceleratorPool"
    spec: AcceleratorPoolSpec
    """Which nodes, of what shape, at what price, for whom."""
    status: AcceleratorPoolStatus | None = None
    """What chipwise sees of the pool. Written by chipwise only."""
