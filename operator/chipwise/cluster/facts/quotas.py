"""ResourceQuotas: what they limit of pods, which pods they count, and what is used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chipwise.cluster.facts.needs import Counts, Needs
from chipwise.cluster.facts.reading import Document
from chipwise.rendering.footprint import amount

#: A move makes a ReplicaSet beside its pods.
REPLICA_SETS = "count/replicasets.apps"
#: What a container must state, itself or by a LimitRange, where a quota limits it (pkg/quota/v1/evaluator/core/pods.go).
STATED = frozenset({"cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"})
_COUNTED = STATED | {
    REPLICA_SETS,
    "pods",
    "count/pods",
    "ephemeral-storage",
    "requests.ephemeral-storage",
    "limits.ephemeral-storage",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """One condition on the pods that a quota counts."""

    name: str
    operator: str = "Exists"
    values: tuple[str, ...] = ()

    def counts(self, needs: Needs) -> bool:
        """Whether it holds for a pod of a Deployment, which never has a deadline. An unknown scope is taken to hold."""
        match self.name:
            case "Terminating":
                return False
            case "BestEffort":
                return needs.best_effort
            case "NotBestEffort":
                return not needs.best_effort
            case "PriorityClass":
                return self._holds(needs.priority_class)
            case "VolumeAttributesClass":
                return False
        return True

    def _holds(self, value: str) -> bool:
        match self.operator:
            case "In":
                return value in self.values
            case "NotIn":
                return value not in self.values
            case "DoesNotExist":
                return not value
        return bool(value)


@dataclass(frozen=True, slots=True)
class QuotaFact:
    """The limits of one ResourceQuota that pods count against, by their names there, and what is used of each. CPU in millicores."""

    namespace: str
    name: str
    uid: str
    hard: Counts
    used: Counts
    scopes: tuple[Scope, ...] = ()

    def counts(self, needs: Needs) -> bool:
        """Whether it counts a pod."""
        return all(scope.counts(needs) for scope in self.scopes)


def quota_fact(raw: Document) -> QuotaFact | None:
    """None when it limits nothing of pods. Kubernetes quotas extended resources as ``requests.<name>``."""
    metadata, spec, status = raw["metadata"], raw.get("spec") or {}, raw.get("status") or {}
    hard = status.get("hard") or spec.get("hard") or {}
    names = sorted(name for name in hard if _concerns_pods(name))
    if not names:
        return None
    used = status.get("used") or {}
    return QuotaFact(
        metadata["namespace"],
        metadata["name"],
        metadata.get("uid", ""),
        tuple((name, amount(name, hard[name])) for name in names),
        tuple((name, amount(name, used.get(name, "0"))) for name in names),
        _scopes(spec),
    )


def _concerns_pods(name: str) -> bool:
    return (
        name in _COUNTED
        or name.startswith(("hugepages-", "requests.hugepages-"))
        or (name.startswith("requests.") and "/" in name)
    )


def _scopes(spec: Mapping[str, Any]) -> tuple[Scope, ...]:
    selected = (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    return (
        *(Scope(name) for name in spec.get("scopes") or ()),
        *(Scope(e["scopeName"], e["operator"], tuple(e.get("values") or ())) for e in selected),
    )
