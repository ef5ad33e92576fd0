"""PlacementPolicy: when a move is worth it, and when none may happen."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from chipwise.api.capacity import CapacityType
from chipwise.api.conditions import CommonStatus
from chipwise.api.custom_object import AGE, Column, CustomObject, Definition
from chipwise.api.decimals import Percentage, to_share
from chipwise.api.durations import PositiveSpan, Span, to_seconds
from chipwise.api.lists import Distinct
from chipwise.api.model import Model
from chipwise.api.numbers import Count, CountOrZero, Flag
from chipwise.api.rules import Rule


class OutdatedVariant(StrEnum):
    """What to do with a workload whose image its variant was not made for."""

    HOLD = "Hold"
    RETURN_TO_AUTHOR = "ReturnToAuthor"


class CoolDown(Model):
    """How long what failed is not tried again: twice as long after each failure that follows."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "duration(self.longest) >= duration(self.first)",
            "must not be below first",
            lambda found: to_seconds(found.longest) >= to_seconds(found.first),
            ".longest",
        ),
    )

    first: PositiveSpan = "5m"
    """After the first failure, such as 10m. Default 5m."""
    longest: PositiveSpan = "30m"
    """However often it failed. So long after a cool-down a failure counts as the first again. Default 30m."""

    @property
    def first_seconds(self) -> int:
        """``first`` as a number."""
        return to_seconds(self.first)

    @property
    def longest_seconds(self) -> int:
        """``longest`` as a number."""
        return to_seconds(self.longest)


class PlacementPolicySpec(Model):
    """What counts as worth it. ``PlacementPolicySpec()`` is the built-in default."""

    minimum_stay: Span = "10m"
    """How long a workload stays where it was put before a saving may move it again, such as 24h. Default 10m."""
    payback_horizon: PositiveSpan = "24h"
    """A move must save more within this time than it costs to run both copies while the model loads. Default 24h."""
    max_concurrent_moves: Count = 1
    """How many workloads under this policy may be moving at once. Default 1."""
    freeze: Flag = False
    """True stops every move of the workloads under this policy; in the policy named default, of all workloads. Default false."""
    capacity_types: Annotated[tuple[CapacityType, ...], Field(max_length=3), Distinct()] = ()
    """Kinds of capacity that workloads may use: OnDemand, Spot, Reserved. Empty allows all."""
    max_pools: Annotated[CountOrZero, Field(ge=1, le=8)] = 4
    """How many pools one Deployment may name: its own and, where the nodes of that have still to come, others of the same chips in which
    the plan keeps room for it, in order of cost. 1 names no other. Default 4."""
    autoscaler_headroom: Percentage = "0%"
    """How much more than its declared peak takes is set aside, and counted, for a workload whose replicas an autoscaler owns, such as
    "20%": room in which it can scale up at once. At most up to the autoscaler's maximum. Default 0%."""
    on_outdated_variant: OutdatedVariant = OutdatedVariant.HOLD
    """What happens when the author's new image is one that the variant was not made for: Hold (the default) keeps the old one serving
    and says so; ReturnToAuthor runs the new image on the author's own chip."""

    failure_grace: Span = "1m"
    """What a placement is given beyond the time that its nodes, image and model need, before it counts as failed. Default 1m."""
    cool_down: CoolDown = CoolDown()
    """How long what failed is not tried again."""
    max_failures: Count = 5
    """So many different pools or variants that failed within coolDown.longest, under this policy, stop its moves for savings until the
    failures are older than that. Default 5."""

    @property
    def failure_grace_seconds(self) -> int:
        """``failure_grace`` as a number."""
        return to_seconds(self.failure_grace)

    @property
    def headroom(self) -> float:
        """``autoscaler_headroom`` as a share, 0.2 for 20%."""
        return to_share(self.autoscaler_headroom)

    @property
    def minimum_stay_seconds(self) -> int:
        """``minimum_stay`` as a number."""
        return to_seconds(self.minimum_stay)

    @property
    def payback_horizon_seconds(self) -> int:
        """``payback_horizon`` as a number."""
        return to_seconds(self.payback_horizon)


class PlacementPolicyStatus(CommonStatus):
    """What chipwise makes of the policy."""

    workloads: CountOrZero | None = None
    """How many InferenceWorkloads are under it; those that name none are under the one named default."""


class PlacementPolicy(CustomObject):
    """PlacementPolicy says when a move is worth it. Workloads that name none get the one named default, or the built-in defaults."""

    definition: ClassVar[Definition] = Definition(
        plural="placementpolicies",
        short_name="ppolicy",
        namespaced=False,
        columns=(
            Column("Stay", ".spec.minimumStay", "How long a workload stays at least."),
            Column("Payback", ".spec.paybackHorizon", "Within what time a move must pay for itself."),
            Column("Moves", ".spec.maxConcurrentMoves", "How many workloads may move at once.", "integer"),
            Column("Frozen", ".spec.freeze", "Whether every move is stopped.", "boolean"),
            Column("Workloads", ".status.workloads", "How many workloads are under it.", "integer"),
            AGE,
        ),
    )

    kind: Literal["PlacementPolicy"] = "PlacementPolicy"
    spec: PlacementPolicySpec
    """What counts as worth it."""
    status: PlacementPolicyStatus | None = None
    """What chipwise makes of the policy. Written by chipwise only."""
