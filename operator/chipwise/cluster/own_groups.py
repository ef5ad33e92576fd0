"""What is known of the node group of one pool, when the autoscaler says that it adds no node for a pod."""

from __future__ import annotations

from chipwise.autoscaling.refusals import OwnGroup
from chipwise.cluster.pools import PoolView
from chipwise.cluster.sharing import group_key
from chipwise.reasons import Reason


def own_group(view: PoolView) -> OwnGroup:
    """Whether it is closed and why. Nodes of other pools of the group count too: then nothing is left of its maximum."""
    state = view.group_state
    if state is None:
        return OwnGroup(known=False)
    taken = any(share.key == group_key(state.name) and not share.left for share in view.shares)
    full = Reason.GROUP_AT_MAXIMUM if taken or state.is_full(len(view.nodes)) else None
    return OwnGroup(state.refusal.reason if state.refusal is not None else full)
