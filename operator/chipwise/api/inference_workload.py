"""InferenceWorkload: a Deployment that serves a model, the traffic it gets and the latency it owes."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from chipwise.api.custom_object import AGE, READY, Column, CustomObject, Definition
from chipwise.api.decimals import Confidence, PositiveDecimal, RatioDecimal, not_below, to_share
from chipwise.api.durations import Latency, to_milliseconds
from chipwise.api.lists import Distinct, MapBy, NotEmpty
from chipwise.api.model import Model
from chipwise.api.numbers import Count, Tokens
from chipwise.api.performance import Performance, Statistic
from chipwise.api.precision import Precision
from chipwise.api.rules import Rule
from chipwise.api.text import Label, Name, VariantName
from chipwise.api.workload_status import InferenceWorkloadStatus


class Mode(StrEnum):
    """How far chipwise may go."""

    OFF = "Off"
    INITIAL = "Initial"
    ROLLOUT = "Rollout"


class Metric(StrEnum):
    """A latency that users feel."""

    TTFT = "TTFT"
    TPOT = "TPOT"


class DeletionPolicy(StrEnum):
    """What becomes of the Deployment when its workload is deleted."""

    RESTORE = "Restore"
    RETAIN = "Retain"


class ReplicaManager(StrEnum):
    """Who writes spec.replicas of the Deployment."""

    CHIPWISE = "Chipwise"
    EXTERNAL = "External"


class TargetRef(Model):
    """The Deployment to place. Nothing but an apps/v1 Deployment can be moved in this version."""

    api_version: Literal["apps/v1"]
    """The API version of the target: apps/v1."""
    kind: Literal["Deployment"]
    """The kind of the target: Deployment. StatefulSet, LeaderWorkerSet and KServe targets cannot be moved yet."""
    name: Name
    """The name of the Deployment, in the namespace of this workload."""


class Traffic(Model):
    """The load to serve."""

    rules: ClassVar[tuple[Rule, ...]] = (
        not_below(
            "peakRequestsPerSecond",
            "meanRequestsPerSecond",
            "must not be below meanRequestsPerSecond; leave it out if the load is steady",
        ),
    )

    mean_requests_per_second: PositiveDecimal
    """Requests per second of all replicas together, on average, as a decimal in quotes, such as "8.0"."""
    peak_requests_per_second: PositiveDecimal | None = None
    """Requests per second at the peak that must still meet the objectives, such as "13.0". Left out, the mean."""
    input_tokens: Tokens
    """Input tokens of the average request, such as 1024."""
    output_tokens: Tokens
    """Output tokens of the average request, such as 512."""
    prefix_cache_hit_ratio: RatioDecimal | None = None
    """Share of input tokens that are already in the prefix cache, from 0 to 1, as a decimal in quotes, such as "0.35". Left out, 0."""


class Objective(Model):
    """One latency that the workload must keep."""

    metric: Metric
    """What is bounded: TTFT, the time from arrival to the first token, or TPOT, the time per output token after the first."""
    statistic: Statistic = Statistic.MEAN
    """Over requests: Mean (the default), P50, P90, P95 or P99."""
    threshold: Latency
    """The most that it may be, in ms or s, such as 40ms or 1.5s."""
    confidence: Confidence | None = None
    """How probable it must be that it is kept, given how far the figures of a variant may be off, such as "80%". Left out, 50%, where the
    expected figure counts; at most 95%, where the upper end of its band does, as for a percentile of an estimate in any case."""

    @property
    def confidence_share(self) -> float:
        """``confidence`` as a number."""
        return to_share(self.confidence or "50%")

    @property
    def threshold_milliseconds(self) -> float:
        """``threshold`` as a number."""
        return to_milliseconds(self.threshold)


class Replicas(Model):
    """Bounds on the number of replicas, and who writes it."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.max) || self.max >= self.min",
            "must not be below min",
            lambda found: found.max is None or found.max >= found.min,
            ".max",
        ),
    )

    min: Count = 1
    """The fewest replicas, whatever the traffic, such as 2 to survive the loss of a node. Default 1."""
    max: Count | None = None
    """The most replicas. A variant that needs more is not used. Left out, there is no bound."""
    managed_by: ReplicaManager = ReplicaManager.CHIPWISE
    """Who sets spec.replicas of the Deployment: Chipwise (the default), or External, such as an autoscaler or the author."""


class PerformanceOverride(Model):
    """What this workload knows better about the speed of one variant. Nothing but performance can be overridden."""

    variant_name: VariantName
    """The variant of the profile."""
    performance: Performance
    """What holds for this workload in place of the profile's."""


class InferenceWorkloadSpec(Model):
    """What is served, for what traffic, within what latency, and how far chipwise may go."""

    target_ref: TargetRef
    """The Deployment to place, in the namespace of this workload. Two workloads may not name the same one."""
    container: Label | None = None
    """The container that serves, such as server. Needed only if chipwise cannot tell: the one that asks for chips is taken."""
    model_profile_name: Name
    """The ModelProfile that says how the model runs on each chip, such as qwen3-32b."""
    traffic: Traffic
    """The load to serve. chipwise chooses chip and number of replicas for it."""
    objectives: Annotated[
        tuple[Objective, ...],
        Field(max_length=8),
        MapBy("metric", "statistic"),
        NotEmpty("state at least one objective, such as {metric: TPOT, threshold: 40ms}"),
    ]
    """Latencies that the workload must keep at its peak, all of them at once, such as {metric: TPOT, statistic: Mean,
    threshold: 40ms}. A chip that cannot keep them is not used, however cheap. One entry for each metric and statistic."""
    replicas: Replicas = Field(default_factory=Replicas)
    """Bounds on the number of replicas, and who writes it."""
    priority_class_name: Name | None = None
    """The PriorityClass whose value orders workloads when capacity is short: the higher is placed first. Left out, 0."""
    policy_name: Name | None = None
    """The PlacementPolicy that says when a move is worth it. Left out, the one named default, or the built-in defaults."""
    allowed_variants: Annotated[tuple[VariantName, ...], Field(max_length=32), Distinct()] = ()
    """Variants of the profile that may be used. Empty allows all."""
    minimum_precision: Precision | None = None
    """The narrowest number format of the weights that is acceptable, by bits: fp8 also allows int8, fp16 and bf16. Left out, any."""
    allowed_pools: Annotated[tuple[Name, ...], Field(max_length=64), Distinct()] = ()
    """AcceleratorPools that may be used. Empty allows all that are open to this namespace."""
    mode: Mode = Mode.OFF
    """How far chipwise may go. Off (the default) decides and shows, and writes nothing; Initial places the Deployment once; Rollout
    places it and keeps moving it. Write Off in quotes: YAML reads it as false."""
    deletion_policy: DeletionPolicy = DeletionPolicy.RESTORE
    """What becomes of the Deployment when this workload is deleted: Restore (the default) puts back what the author wrote, Retain
    leaves it as it runs."""
    performance: Annotated[tuple[PerformanceOverride, ...], Field(max_length=16), MapBy("variant_name")] = ()
    """What this workload knows better about the speed of variants, such as its own measurements."""


class InferenceWorkload(CustomObject):
    """InferenceWorkload hands a Deployment that serves a model to chipwise: which model, for what traffic, within what latency."""

    definition: ClassVar[Definition] = Definition(
        plural="inferenceworkloads",
        short_name="iw",
        namespaced=True,
        columns=(
            READY,
            Column(
                "Pool",
                ".status.summary.pool",
                "Where it runs; in the course of a move where it comes from, until nothing of it is left there.",
            ),
            Column("Variant", ".status.summary.variant", "How it is served there."),
            Column("Replicas", ".status.summary.replicas", "Replicas that run there.", "integer"),
            Column("$/h", ".status.summary.costPerHour", "What it costs for one hour."),
            Column("Why", ".status.summary.reason", "Why it is there, or why not."),
            Column("Class", ".status.summary.acceleratorClass", "The chip it runs on.", wide=True),
            Column("Mode", ".spec.mode", "How far chipwise may go.", wide=True),
            Column(
                "Saves", ".status.savingsPerHour", "What the proposed move would save in one hour.", wide=True
            ),
            AGE,
        ),
    )

    kind: Literal["InferenceWorkload"] = "InferenceWorkload"
    spec: InferenceWorkloadSpec
    """What is served, for what traffic, within what latency, and how far chipwise may go."""
    status: InferenceWorkloadStatus | None = None
    """Where it runs, what that costs and why. Written by chipwise only."""
