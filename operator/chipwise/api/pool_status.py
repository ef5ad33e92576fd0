"""What chipwise writes about an AcceleratorPool: what there is, what is used, and what decisions go by."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chipwise.api.capacity import CapacityType, PriceUnit
from chipwise.api.conditions import CommonStatus, MessageText, ReasonText
from chipwise.api.decimals import AnyDecimal
from chipwise.api.model import StatusModel
from chipwise.api.numbers import CountOrZero
from chipwise.api.quantities import CpuQuantity, MemoryQuantity
from chipwise.api.text import Timestamp


class NodeCounts(StatusModel):
    """Nodes of the pool now."""

    total: CountOrZero
    """Nodes that match the pool's selector."""
    ready: CountOrZero
    """Those of them that are Ready and not cordoned."""


class ChipCounts(StatusModel):
    """Chips of the pool now."""

    allocatable: CountOrZero
    """Chips on ready nodes that pods may ask for."""
    used_by_others: CountOrZero
    """Chips held by pods that chipwise does not manage."""
    used: CountOrZero
    """Chips held by pods of managed workloads."""
    reserved: CountOrZero
    """Chips promised to moves in progress, not yet bound to a node."""
    free: CountOrZero
    """Chips that are left, those under placeholders included."""


class SpareInForce(StatusModel):
    """What is kept warm."""

    replicas: CountOrZero
    """Placeholders that are wanted."""
    chips: CountOrZero
    """Chips that each holds."""
    warm: CountOrZero
    """Placeholders that have a node: so much room is taken at once when somebody comes."""
    cost_per_hour: AnyDecimal | None = None
    """What the pool would cost less for one hour without them, by the bill of what runs now."""


class PriceInForce(StatusModel):
    """The price that decisions use."""

    amount: AnyDecimal
    """The price of one unit for one hour."""
    currency: Annotated[str, Field(max_length=3)]
    """ISO 4217 code of the currency."""
    unit: PriceUnit
    """What is billed, Node or Chip."""
    source: Annotated[str, Field(max_length=512)] = ""
    """Where the figure comes from."""


class LimitInForce(StatusModel):
    """How many nodes there can be, as decisions see it."""

    nodes: CountOrZero
    """The most nodes, those that exist included."""
    source: Annotated[str, Field(max_length=512)] = ""
    """What bounds them, such as spec.nodes.max or limits.nodes of a NodePool."""


class ShapeInForce(StatusModel):
    """What one node offers, as decisions see it."""

    chips: CountOrZero
    """Accelerator chips on one node."""
    cpu: CpuQuantity
    """CPU of one node that pods can use."""
    memory: MemoryQuantity
    """Memory of one node that pods can use."""
    pods: CountOrZero
    """How many pods one node takes."""
    source: Annotated[str, Field(max_length=512)] = ""
    """Who says so: spec.shape, the nodes of a NodePool, its NodeClaims, or what was last seen of it."""
    made_by: Annotated[str, Field(max_length=64)] = ""
    """A digest of class, selector and the NodePool's choice of machines: what was seen under another is not believed."""
    machine_cpu: CpuQuantity | None = None
    """CPU of the whole machine, where one was seen: Karpenter counts it against limits."""
    machine_memory: MemoryQuantity | None = None
    """Memory of the whole machine, likewise."""


class PoolCoolDown(StatusModel):
    """A request that the pool could not serve a moment ago, and until when nothing of its size is placed here."""

    capacity_type: CapacityType
    """OnDemand, Spot or Reserved."""
    chips: CountOrZero
    """Chips of one replica. Replicas of as many or more, and of as much CPU and memory as is said, are not placed here."""
    cpu: Annotated[str, Field(max_length=32)] = ""
    """CPU of one replica. Empty if it does not matter."""
    memory: Annotated[str, Field(max_length=32)] = ""
    """Memory of one replica. Empty if it does not matter."""
    reason: ReasonText
    """What happened, as one word, such as Unschedulable."""
    until: Timestamp
    """When it is tried again, in RFC 3339."""
    message: MessageText = ""
    """What happened, as a sentence."""


class AcceleratorPoolStatus(CommonStatus):
    """What chipwise sees of the pool."""

    nodes: NodeCounts | None = None
    """Nodes of the pool now."""
    chips: ChipCounts | None = None
    """Chips of the pool now."""
    price_in_force: PriceInForce | None = None
    """The price that decisions use, and where it comes from."""
    limit_in_force: LimitInForce | None = None
    """How many nodes there can be, and what bounds them."""
    shape_in_force: ShapeInForce | None = None
    """What one node offers, and where that is known from."""
    spare: SpareInForce | None = None
    """What is kept warm, where spec.spare asks for it."""
    cool_downs: Annotated[tuple[PoolCoolDown, ...], Field(max_length=16)] = ()
    """What was tried here and failed lately, and is not tried again for a while."""
