"""A pool that cannot be used at all is refused with its own reason."""

from __future__ import annotations

from chipwise.cluster.feasibility.case import Case
from chipwise.reasons import Refusal


def pool_is_ready(case: Case) -> Refusal | None:
    """Missing class or resource name, no price, another currency, overlapping selectors."""
    return case.pool.refusal
