"""A place for which Cluster Autoscaler was asked a moment ago, and said that it cannot be had."""

from __future__ import annotations

from chipwise.cluster.feasibility.case import Case
from chipwise.cluster.probing import refusal_of
from chipwise.reasons import Refusal


def not_refused_to_a_probe(case: Case) -> Refusal | None:
    """Where it runs already nobody was asked."""
    if case.at_home:
        return None
    hold = case.subject.policy.cool_down.first_seconds
    for state in case.snapshot.probes.values():
        probe = state.probe
        if (probe.workload, probe.pool, probe.variant) == (
            case.subject.key,
            case.pool.name,
            case.variant.name,
        ):
            refusal = refusal_of(state, case.pool, hold, case.cooling.now)
            if refusal is not None:
                return refusal
    return None
