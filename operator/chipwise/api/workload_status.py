"""The status of an InferenceWorkload: where it is, what that costs, why, and what else was considered. Bounded whatever the fleet."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chipwise.api.conditions import CommonStatus, MessageText, ReasonText
from chipwise.api.decimals import AnyDecimal
from chipwise.api.model import StatusModel
from chipwise.api.numbers import CountOrZero
from chipwise.api.text import Timestamp

ObjectName = Annotated[str, Field(max_length=253)]
Figure = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(ms|s)$", max_length=32)]


class SuggestedTarget(StatusModel):
    """What one replica can carry on this chip within the objectives: what an autoscaler may aim at for the average of all replicas."""

    requests_per_second_per_replica: AnyDecimal
    """Requests per second of one replica, such as 3.21: the highest rate at which every objective is kept."""
    concurrency_per_replica: CountOrZero
    """Requests in service in one replica at that rate, such as 12, on average and rounded down, at least 1."""


class Placement(StatusModel):
    """One variant on one pool, with what is expected of it."""

    pool: ObjectName
    """The AcceleratorPool."""
    variant: ObjectName
    """The variant of the profile."""
    accelerator_class: ObjectName = ""
    """The AcceleratorClass of its chips."""
    replicas: CountOrZero = 0
    """How many replicas."""
    ready: CountOrZero | None = None
    """How many of them are Ready. Only of the bridge of a move to more replicas, and of where a move under way goes."""
    chips: CountOrZero = 0
    """Chips of all replicas together."""
    cost_per_hour: AnyDecimal | None = None
    """What this placement adds to the bill for one hour, such as 12.34."""
    cost_per_million_output_tokens: AnyDecimal | None = None
    """The same for one million output tokens at the mean traffic, such as 0.21."""
    ttft: Figure | None = None
    """Expected mean time to the first token at the peak traffic, such as 412ms."""
    tpot: Figure | None = None
    """Expected mean time per output token at the peak traffic, such as 28.1ms."""
    provenance: Annotated[str, Field(max_length=32)] = ""
    """How far the latencies can be trusted, best first: Measured, Fitted, Scaled, Extrapolated or Estimated."""
    suggested_target: SuggestedTarget | None = None
    """What an autoscaler may aim at for each replica here. It differs from chip to chip."""
    reason: ReasonText | None = None
    """Why it is placed so, as one word."""
    since: Timestamp | None = None
    """When it was placed so, in RFC 3339. Absent for what is only proposed, and for what a move is leaving."""


class CandidateStatus(StatusModel):
    """One way to serve the workload that was considered, with its cost or with what stands in its way."""

    variant: ObjectName
    """The variant of the profile."""
    pool: ObjectName = ""
    """The AcceleratorPool. Empty if there is none of the variant's class."""
    cost_per_hour: AnyDecimal | None = None
    """What it would add to the bill for one hour. Absent if it is impossible."""
    replicas: CountOrZero | None = None
    """How many replicas it would need. Absent if it is impossible."""
    reason: ReasonText | None = None
    """What stands in its way, as one word, such as ObjectiveMissed."""
    message: MessageText = ""
    """What stands in its way, as a sentence with its figures and what would change it."""


class DecisionStatus(StatusModel):
    """One decision about this workload."""

    at: Timestamp
    """When it was made, in RFC 3339."""
    decision: ReasonText
    """What was decided, as one word, such as Move or Hold."""
    reason: ReasonText
    """Why, as one word."""
    message: MessageText = ""
    """Why, as a sentence with its figures."""
    from_: Annotated[str, Field(max_length=512)] | None = None
    """Where the workload was, as its variant on its pool."""
    to: Annotated[str, Field(max_length=512)] | None = None
    """Where it was to go, as a variant on a pool."""


class CoolDownStatus(StatusModel):
    """Something that failed and is not tried again for a while: a variant of this workload, or a pool for replicas of a size."""

    reason: ReasonText
    """What happened, as one word, such as Unschedulable or ImagePullFailed."""
    message: MessageText = ""
    """What happened, as a sentence."""
    variant: ObjectName
    """The variant that failed. It is not tried again if the pool is empty here."""
    pool: ObjectName = ""
    """The AcceleratorPool that had no room: for this workload, or for replicas of that size if one is given. Empty if the variant failed."""
    capacity_type: Annotated[str, Field(max_length=32)] = ""
    """The pool's capacity type at that time."""
    chips: CountOrZero = 0
    """Chips of one replica that found no room. 0 if there were enough of them."""
    cpu: Annotated[str, Field(max_length=32)] = ""
    """CPU of one replica that found no room. Empty if there was enough."""
    memory: Annotated[str, Field(max_length=32)] = ""
    """Memory of one replica that found no room. Empty if there was enough."""
    failures: CountOrZero
    """How often it failed in a row. Each time it cools down twice as long."""
    at: Timestamp
    """When it was noticed, in RFC 3339."""
    until: Timestamp
    """When it may be tried again, in RFC 3339."""


class PlacementSummary(StatusModel):
    """One line for kubectl get: where it is, what it costs, why."""

    pool: ObjectName = ""
    """The AcceleratorPool it runs on; in the course of a move the one that it leaves, until its last pod there is gone."""
    variant: ObjectName = ""
    """The variant it runs as."""
    accelerator_class: ObjectName = ""
    """The AcceleratorClass of its chips."""
    replicas: CountOrZero | None = None
    """How many replicas."""
    cost_per_hour: AnyDecimal | None = None
    """What it adds to the bill for one hour."""
    reason: ReasonText | None = None
    """Why it is there, or why it is not placed, as one word."""


class InferenceWorkloadStatus(CommonStatus):
    """Where the workload runs, what chipwise would rather do, and why."""

    summary: PlacementSummary | None = None
    """One line for kubectl get: where it is, what it costs, why."""
    placements: Annotated[tuple[Placement, ...], Field(max_length=4)] = ()
    """Where it runs now.

    While a move replaces its pods, first where it comes from and then where it goes, with reason MoveInProgress; the second is not billed
    before nothing is left of the first. Then replicas that found room only in a further pool that the template names: their reason is
    Spilled, and what they cost is in the first one's bill. Last the bridge of a move to more replicas, while there is one: its reason is
    Bridge.
    """
    proposed: Annotated[tuple[Placement, ...], Field(max_length=4)] = ()
    """Where it should run. The same as placements when there is nothing to gain."""
    savings_per_hour: AnyDecimal | None = None
    """What the proposed placement would save in one hour against the present one, such as 31.20. Negative if it costs more."""
    candidates: Annotated[tuple[CandidateStatus, ...], Field(max_length=8)] = ()
    """The best ways to serve it that were considered, cheapest first, then those that are impossible with their reasons."""
    decisions: Annotated[tuple[DecisionStatus, ...], Field(max_length=10)] = ()
    """The last decisions, newest first."""
    cool_downs: Annotated[tuple[CoolDownStatus, ...], Field(max_length=16)] = ()
    """What failed lately and is not tried again for a while, newest first."""
