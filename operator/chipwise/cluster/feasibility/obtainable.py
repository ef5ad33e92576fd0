"""A pool without a node whose autoscaler gets none is refused with the provider's own words, not for want of room."""

from __future__ import annotations

from chipwise.cluster.feasibility.case import Case
from chipwise.cluster.pools import PoolView
from chipwise.reasons import Reason, Refusal


def nodes_can_be_had(case: Case) -> Refusal | None:
    """Where the workload runs already its pods say themselves how they are."""
    if case.at_home or case.pool.usable_nodes:
        return None
    return stockout(case.pool)


def stockout(pool: PoolView) -> Refusal | None:
    """That the autoscaler backs off from the pool's node group."""
    group = pool.group_state
    if group is None or not group.backoff:
        return None
    message = (
        f"pool {pool.name} gets no new node for a while: node group {group.name} backs off ({group.backoff})"
    )
    return Refusal(Reason.STOCKOUT, message)
