"""The answer: which option each workload gets, at what cost, how near the optimum that provably is, and what was left out and why."""

from __future__ import annotations

from dataclasses import dataclass

from chipwise.placement.problem import Option
from chipwise.reasons import Refusal


@dataclass(frozen=True, slots=True)
class Choice:
    """What one workload gets. Without an option ``refusal`` says why.

    ``cost_per_hour`` is the workload's share of what is billed (whole nodes are shared out by chips, so the shares of a pool sum to
    its bill); ``amortised_per_hour`` prices its chips as if every node were full, for charge-back.
    """

    workload: str
    option: Option | None
    cost_per_hour: float
    amortised_per_hour: float
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class PoolUse:
    """What the plan takes from one pool. ``nodes_paid`` counts nodes that cost something."""

    pool: str
    chips_used: int
    chips_free: int
    nodes: int
    nodes_paid: int
    cost_per_hour: float


@dataclass(frozen=True, slots=True)
class SpareUse:
    """The placeholders of one pool: ``kept`` of ``replicas`` find room, and that costs so many dollars per hour beyond the workloads."""

    pool: str
    replicas: int
    kept: int
    chips: int
    cost_per_hour: float


@dataclass(frozen=True, slots=True)
class Plan:
    """The joint answer, workloads and pools in order of name.

    ``objective_per_hour`` is the billed cost plus switching costs, the figure that was minimised and that ``lower_bound_per_hour``
    bounds for the same set of placed workloads. ``optimal`` is said only when it is proven for every packing that there is. ``spare`` is
    in none of these. ``grants`` has the pools under a ceiling, each with the nodes to come that it may open: together they keep to it.
    """

    choices: tuple[Choice, ...]
    pools: tuple[PoolUse, ...]
    cost_per_hour: float
    objective_per_hour: float
    lower_bound_per_hour: float
    gap: float
    optimal: bool
    time_limited: bool
    spare: tuple[SpareUse, ...] = ()
    grants: tuple[tuple[str, int], ...] = ()

    @property
    def spare_per_hour(self) -> float:
        """What warm spare room costs beside the bill of the workloads."""
        return sum(use.cost_per_hour for use in self.spare)

    def choice(self, workload: str) -> Choice:
        """The choice for one workload; KeyError if it was not in the problem."""
        for choice in self.choices:
            if choice.workload == workload:
                return choice
        raise KeyError(workload)
