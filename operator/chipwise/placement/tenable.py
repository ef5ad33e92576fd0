"""Whether a workload can stay where it runs: if not, leaving is a rescue, which need not save anything."""

from __future__ import annotations

from collections.abc import Iterable

from chipwise.placement.problem import Candidate
from chipwise.placement.rules import Running
from chipwise.reasons import Reason

#: Refusals of the place where a workload runs that make leaving it a rescue. Not those of a pool that is misdeclared: correcting that
#: is a person's work, and nobody should move for a slip of the pen.
_UNTENABLE = frozenset(
    {
        Reason.OBJECTIVE_MISSED,
        Reason.OVERLOADED,
        Reason.REPLICAS_EXCEEDED,
        Reason.MEMORY_EXCEEDED,
        Reason.CONTEXT_EXCEEDED,
        Reason.PRECISION_TOO_LOW,
        Reason.VARIANT_NOT_ALLOWED,
        Reason.POOL_NOT_ALLOWED,
        Reason.NAMESPACE_NOT_ALLOWED,
        Reason.CAPACITY_TYPE_NOT_ALLOWED,
    }
)


def is_untenable(running: Running, refused: Iterable[Candidate]) -> bool:
    """Whether it fails where it runs, or that place was ``refused`` for what its own people demand."""
    return running.failing is not None or any(
        one.variant == running.variant
        and one.pool in (None, running.pool)
        and one.refusal.reason in _UNTENABLE
        for one in refused
    )
