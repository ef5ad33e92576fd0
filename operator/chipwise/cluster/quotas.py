"""Quotas of namespaces: what they leave, what an option takes of each, and what no pod of it may leave unstated.

While a workload moves both copies count, and so does the ReplicaSet of the new one. What runs keeps what it has, even where the quota
was lowered below it since.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from chipwise.cluster.facts import PodFact
from chipwise.cluster.facts.quotas import REPLICA_SETS, STATED, QuotaFact
from chipwise.cluster.sizes import PodSize, size_of_pod
from chipwise.cluster.snapshot import Snapshot
from chipwise.placement.problem import Limit
from chipwise.reasons import Reason, Refusal

_CHIPS = "requests."


@dataclass(frozen=True, slots=True)
class Quota:
    """What a namespace has of one resource. ``left`` is free now, ``amount`` also counts back what the plan may take away.

    ``mine`` is what the pods of each Deployment (namespace/name) take of it.
    """

    key: str
    namespace: str
    resource: str
    amount: int
    left: int
    fact: QuotaFact
    mine: Mapping[str, int]


def quotas(snapshot: Snapshot, released: Collection[str]) -> tuple[Quota, ...]:
    """All that concern pods, in order of key. ``released`` are UIDs of pods that the plan may take away.

    What a quota says is used follows the pods by moments, and of a new quota it is nothing at first: pods that are seen count all the same.
    """
    found = []
    pods: dict[str, list[PodFact]] = {}
    for pod in snapshot.pods.values() if snapshot.quotas else ():
        pods.setdefault(pod.namespace, []).append(pod)
    for name, fact in sorted(snapshot.quotas.items()):
        counted = [(pod, size_of_pod(pod)) for pod in pods.get(fact.namespace, ()) if fact.counts(pod.needs)]
        used = dict(fact.used)
        for resource, hard in fact.hard:
            mine: Counter[str] = Counter()
            seen = 0
            for pod, size in counted:
                amount = taken(resource, size)
                seen += 0 if pod.deleting else amount
                if pod.uid in released:
                    mine[f"{pod.namespace}/{pod.deployment}"] += amount
            left = max(0, hard - max(used.get(resource, 0), seen))
            key = f"{name}/{title(resource)}"
            found.append(Quota(key, fact.namespace, resource, left + mine.total(), left, fact, mine))
    return tuple(found)


def limits(found: Collection[Quota]) -> tuple[Limit, ...]:
    """Quotas as the solver knows them."""
    return tuple(Limit(quota.key, quota.amount) for quota in found)


def taken(resource: str, size: PodSize) -> int:
    """What one pod takes of one resource of a quota."""
    if resource in ("pods", "count/pods"):
        return 1
    kind, _, name = resource.partition(".")
    if kind == "limits":
        return size.limits.get(name, 0)
    return size.requests.get(name if kind == "requests" else resource, 0)


@dataclass(frozen=True, slots=True)
class Bid:
    """So many replicas of a pod for a Deployment (namespace/name).

    ``moves``: they come beside the pods that are there. ``twice`` of them run twice at the end of a bridge, when those are gone.
    """

    deployment: str
    size: PodSize
    replicas: int
    present: int
    moves: bool
    twice: int = 0


def usage(bid: Bid, found: Collection[Quota]) -> tuple[tuple[str, int], ...] | Refusal:
    """What ``bid`` takes of each quota of its namespace, or the first that does not leave so much while both copies run.

    Staying is never refused: what is there is there, and more comes as far as the quota lets it.
    """
    usage = []
    for quota in found:
        if quota.namespace != bid.deployment.partition("/")[0] or not quota.fact.counts(bid.size.needs):
            continue
        each, mine = taken(quota.resource, bid.size), quota.mine.get(bid.deployment, 0)
        if quota.resource == REPLICA_SETS:
            whole = int(bid.moves)
        elif bid.moves:
            whole = each * bid.replicas
        else:
            whole = mine + each * max(0, bid.replicas - bid.present)
        both = whole + max(mine, each * bid.twice)
        if bid.moves and both > quota.amount:
            meanwhile = " while both copies run" if both > whole else ""
            return Refusal(
                Reason.QUOTA_EXCEEDED,
                f"needs {both} {title(quota.resource)} in namespace {quota.namespace}{meanwhile}; quota {quota.key} leaves {quota.amount}",
            )
        if whole:
            usage.append((quota.key, whole))
    return tuple(usage)


def unstated(
    namespace: str, spec: Mapping[str, Any], size: PodSize, found: Collection[Quota]
) -> Refusal | None:
    """What a quota limits every container must state, or the API server refuses the pod, unless admission fills it in."""
    for quota in found:
        if quota.namespace != namespace or quota.resource not in STATED or not quota.fact.counts(size.needs):
            continue
        of, _, name = quota.resource.rpartition(".")
        kind = of or "requests"
        silent = [c["name"] for c in _containers(spec) if name not in _stated(c, kind)]
        if silent and name not in _stated(spec, kind) and f"{kind}.{name}" not in size.added:
            message = (
                f"quota {quota.key} wants every container to state {quota.resource}, and {silent[0]} does not"
            )
            return Refusal(Reason.QUOTA_EXCEEDED, message)
    return None


def _containers(spec: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    return (*(spec.get("containers") or ()), *(spec.get("initContainers") or ()))


def _stated(holder: Mapping[str, Any], kind: str) -> Collection[str]:
    """Requests are taken from limits where they are not stated."""
    resources = holder.get("resources") or {}
    limits = resources.get("limits") or {}
    return limits.keys() if kind == "limits" else limits.keys() | (resources.get("requests") or {}).keys()


def title(resource: str) -> str:
    """As people know it: an extended resource by its own name."""
    return resource.removeprefix(_CHIPS) if "/" in resource else resource
