"""What autoscalers say against a pod that waits for a node: known sooner than the time that a node takes to boot.

A pod that may go to several pools has lost hope only when nobody brings it a node of any of them. Cluster Autoscaler turns to the next
group, and Karpenter to the next term, by itself: Karpenter at once where a NodePool is at its limit or not ready. After a launch that
failed it does so only if its provider remembers what it lacks; one that does not is asked for the same NodePool again every 10 s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from chipwise.autoscaling.refusals import ScaleUpRefusal, reason_of, verdict, words_of
from chipwise.cluster.launches import Evidence
from chipwise.cluster.own_groups import own_group
from chipwise.cluster.pools import PoolView
from chipwise.reasons import Reason

#: Seconds for which a provider's no has to stand: conditions flap.
TOLD = 10.0
#: Seconds in which Karpenter has turned to the next NodePool, if it ever does: two rounds of 10 s, and its batching of pods.
TURN = 30.0


@dataclass(frozen=True, slots=True)
class Autoscaling:
    """What the autoscaler says: of pods, by UID, and of the ``further`` pools that may take the pods too."""

    refusals: Mapping[str, Sequence[ScaleUpRefusal]] = field(default_factory=dict)
    further: Sequence[PoolView] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """Why there will be no node, believed ``patience`` seconds after ``since`` (RFC 3339)."""

    reason: Reason
    message: str
    since: str
    patience: float


def by_karpenter(view: PoolView, said: Autoscaling, since: str, grace: float) -> Told | None:
    """The provider's own evidence against a pod that has waited since then.

    At its limit a pool is like a static one: room may yet come of what others leave, for as long as ``grace``.
    """
    first = _evidence(view, since)
    if first is None:
        return None
    others = [_evidence(each, since) for each in said.further]
    known = [first, *(each for each in others if each is not None)]
    begun = max(since, *(each.since for each in known))
    message = "; ".join(each.message for each in known)
    if len(known) == 1 + len(others):
        limited = any(each.reason is Reason.LIMIT_REACHED for each in known)
        return Told(first.reason, message, begun, grace if limited else min(grace, TOLD))
    if first.reason is not Reason.LAUNCH_FAILED or any(_has_turned(each, since) for each in said.further):
        return None
    return Told(first.reason, f"{message}; it turns to no further pool", max(since, first.since), TURN)


def by_cluster_autoscaler(
    view: PoolView, said: Autoscaling, pod_uid: str, since: str, now: datetime, grace: float
) -> Told | None:
    """A no for all node groups that may take the pod, or for the pod itself, said again and again.

    Of a group that is full room may yet come, of what others leave, for as long as ``grace``.
    """
    states = [each.group_state for each in (view, *said.further)]
    refused = [state.refusal if state is not None else None for state in states]
    if refused[0] is not None and all(each is not None for each in refused):
        return Told(refused[0].reason, refused[0].message, since, TOLD)
    found = verdict(said.refusals.get(pod_uid, ()), now)
    if found is None:
        return None
    groups = [own_group(each) for each in (view, *said.further)]
    reason, words = reason_of(groups), words_of(found, groups)
    patience = grace if reason is Reason.GROUP_AT_MAXIMUM else TOLD
    return Told(reason, f"of the autoscaler's node groups {words}", since, patience)


def _evidence(view: PoolView, since: str) -> Evidence | None:
    return view.launches.against(since) if view.launches is not None and since else None


def _has_turned(view: PoolView, since: str) -> bool:
    """Whether Karpenter has tried a pool since then. Of one that others make nodes for nobody knows."""
    return view.launches is None or view.launches.tried(since)
