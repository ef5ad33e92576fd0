"""A pool without a node whose autoscaler gets none is refused with the provider's own words, not for want of room."""

from __future__ import annotations

from chipwise.cluster.feasibility.case import Case
from chipwise.cluster.pools import PoolView
from chipwise.reasons import Refusal


def nodes_can_be_had(case: Case) -> Refusal | None:
    """Where the workload runs already its pods say themselves how they are."""
    if case.at_home or case.pool.usable_nodes:
        return None
    return stockout(case.pool)


def stockout(pool: PoolView) -> Refusal | None:
    """That the autoscaler adds no node to the pool's group: it backs off from it, or it is unhealthy."""
    refusal = pool.group_state.refusal if pool.group_state is not None else None
    if refusal is None:
        return None
    return Refusal(refusal.reason, f"pool {pool.name} gets no new node for a while: {refusal.message}")
