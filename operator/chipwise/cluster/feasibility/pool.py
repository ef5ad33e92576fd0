"""A pool that cannot be used at all is refused with its own reason."""

from __future__ import annotations

from chipwise.cluster.feasibility.case import Case
from chipwise.reasons import Refusal


def pool_is_ready(case: Case) -> Refusal | None:
    """Missing class or resource name, no price, another currency, overlapping selectors, a NodePool that is none or not ready.

    One that is not ready adds no node: what stands on its nodes may stay, and nobody else comes.
    """
    return case.pool.refusal or (None if case.stands else case.pool.unready)
