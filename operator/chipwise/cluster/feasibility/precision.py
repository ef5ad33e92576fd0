"""The workload's floor for numeric precision."""

from __future__ import annotations

from chipwise.cluster.feasibility.case import Case
from chipwise.performance.computing import WEIGHT_BITS
from chipwise.reasons import Reason, Refusal


def precise_enough(case: Case) -> Refusal | None:
    """``spec.minimumPrecision`` compares bits per weight: fp8 and int8 satisfy each other."""
    floor = case.subject.workload.spec.minimum_precision
    if floor is None or WEIGHT_BITS[str(case.variant.precision)] >= WEIGHT_BITS[str(floor)]:
        return None
    return Refusal(
        Reason.PRECISION_TOO_LOW,
        f"variant {case.variant.name} is {case.variant.precision}, spec.minimumPrecision is {floor}",
    )
