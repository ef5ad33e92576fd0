"""What failed a moment ago is not tried again yet."""

from __future__ import annotations

from chipwise.cluster.feasibility.case import Case
from chipwise.reasons import Refusal


def not_cooling_down(case: Case) -> Refusal | None:
    """A pool without room for replicas of this size, or a variant of this workload that did not come to serve."""
    key, variant = case.subject.key, case.variant.name
    return case.cooling.refusal(key, variant, case.pool, case.footprint, at_home=case.at_home)
