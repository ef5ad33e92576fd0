"""Karpenter's objects: what a NodePool offers and allows, how far each NodeClaim has come, and what an overlay says of prices.

Fields are those of sigs.k8s.io/karpenter v1.13 (pkg/apis/v1, pkg/apis/v1alpha1). None of them carries the price of a node: prices are
known to Karpenter's provider alone, and a NodeOverlay is the only place where one is written down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chipwise.cluster.facts.needs import Counts
from chipwise.cluster.facts.nodes import Taint, taints_of
from chipwise.cluster.facts.reading import Document, Pairs, pairs
from chipwise.rendering.footprint import amount

NODE_POOL_LABEL = "karpenter.sh/nodepool"
CAPACITY_TYPE_LABEL = "karpenter.sh/capacity-type"
#: On NodeOverlays of ours, with the name of the AcceleratorPool.
OVERLAY_LABEL = "chipwise.dev/overlay-for"
#: Karpenter publishes it about a NodeClaim that the provider has no machine for, and deletes the claim (lifecycle/launch.go).
INSUFFICIENT_CAPACITY = "InsufficientCapacityError"
_READY = "Ready"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One of ``requirements``: operators In, NotIn, Exists, DoesNotExist, Gt, Lt, Gte, Lte. Of a NodePool with ``min_values``, if any."""

    key: str
    operator: str
    values: tuple[str, ...] = ()
    min_values: int | None = None

    def allows(self, value: str) -> bool:
        """Whether a label with this value meets it."""
        match self.operator:
            case "In":
                return value in self.values
            case "NotIn":
                return value not in self.values
            case "Exists":
                return True
            case "DoesNotExist":
                return False
        return self._compares(value)

    def _compares(self, value: str) -> bool:
        try:
            left, right = int(value), int(self.values[0])
        except (ValueError, IndexError):
            return False
        return {"Gt": left > right, "Lt": left < right, "Gte": left >= right, "Lte": left <= right}.get(
            self.operator, False
        )


@dataclass(frozen=True, slots=True)
class Word:
    """What a condition says: Karpenter's own reason and message, and since when."""

    condition: str
    reason: str
    message: str
    since: str

    @property
    def sentence(self) -> str:
        """For people."""
        said = f"{self.condition}: {self.reason}"
        return f"{said}, {self.message}" if self.message and self.message != self.reason else said


@dataclass(frozen=True, slots=True)
class NodePoolFact:
    """One NodePool. ``limits`` are in millicores, bytes and counts, None where none is set; ``nodes`` among them counts nodes.

    ``static`` is the number of nodes of a static pool; ``deleting``: it is about to go, and its nodes with it. ``troubles`` are conditions that are not True; empty where it is ready, and before
    Karpenter has looked at it.
    """

    name: str
    labels: Pairs
    taints: tuple[Taint, ...]
    requirements: tuple[Requirement, ...]
    limits: Counts | None
    static: int | None
    ready: bool
    troubles: tuple[Word, ...]
    deleting: bool = False

    def values(self, key: str) -> tuple[str, ...] | None:
        """The values that a label of its nodes may have, as far as it says; None where any may come."""
        stated = dict(self.labels).get(key)
        if stated is not None:
            return (stated,)
        found: tuple[str, ...] | None = None
        for each in self.requirements:
            if each.key == key and each.operator == "In":
                found = tuple(v for v in each.values if found is None or v in found)
        return found if found is None else tuple(v for v in found if self.allows(key, v))

    def allows(self, key: str, value: str) -> bool:
        """Whether nodes with this label may come."""
        stated = dict(self.labels).get(key, value)
        return stated == value and all(r.allows(value) for r in self.requirements if r.key == key)


@dataclass(frozen=True, slots=True)
class NodeClaimFact:
    """One NodeClaim. ``capacity`` and ``allocatable`` are empty until it was launched. ``deleting`` and ``created`` are moments.

    ``failure`` is why it is not launched yet, in Karpenter's words, None while it has not failed.
    """

    name: str
    node_pool: str
    labels: Pairs
    created: str
    deleting: str
    launched: bool
    initialized: bool
    node: str
    capacity: Counts
    allocatable: Counts
    failure: Word | None

    @property
    def capacity_type(self) -> str:
        """As the provider answered; empty until then, unless only one was asked for."""
        return dict(self.labels).get(CAPACITY_TYPE_LABEL, "")


@dataclass(frozen=True, slots=True)
class NodeOverlayFact:
    """One NodeOverlay. ``price`` is absolute, None where it sets none; ``adjusts`` says that it changes prices by an amount or a share."""

    name: str
    uid: str
    requirements: tuple[Requirement, ...]
    price: str | None
    adjusts: bool
    weight: int
    applies: bool
    owner: str


@dataclass(frozen=True, slots=True)
class LaunchEventFact:
    """The provider had no machine for a NodeClaim, which is gone by now. Its name begins with that of its NodePool."""

    claim: str
    reason: str
    message: str
    at: str


def node_pool_fact(raw: Document) -> NodePoolFact:
    """Everything but its usage, which Karpenter counts every 5 s and which the NodeClaims tell sooner."""
    metadata, spec = raw["metadata"], raw.get("spec") or {}
    template = spec.get("template") or {}
    of_nodes = template.get("spec") or {}
    conditions = _conditions(raw)
    ready = conditions.get(_READY)
    limits = spec.get("limits")
    return NodePoolFact(
        name=metadata["name"],
        labels=pairs((template.get("metadata") or {}).get("labels")),
        taints=taints_of(of_nodes.get("taints")),
        requirements=_requirements(of_nodes.get("requirements")),
        limits=None if not limits else _amounts(limits),
        static=spec.get("replicas"),
        ready=ready is None or ready[0] != "False",
        troubles=tuple(
            word
            for name, (status, word) in sorted(conditions.items())
            if status == "False" and name != _READY
        ),
        deleting="deletionTimestamp" in metadata,
    )


def node_claim_fact(raw: Document) -> NodeClaimFact:
    """How far it has come is in its conditions Launched, Registered and Initialized."""
    metadata, status = raw["metadata"], raw.get("status") or {}
    labels = metadata.get("labels") or {}
    conditions = _conditions(raw)
    launched = conditions.get("Launched", ("", None))
    # Without a verdict Launched stands at Unknown with the reason AwaitingReconciliation (operatorpkg/status).
    failed = launched[0] != "True" and launched[1] is not None and launched[1].reason not in _NO_VERDICT
    return NodeClaimFact(
        name=metadata["name"],
        node_pool=labels.get(NODE_POOL_LABEL, ""),
        labels=pairs(labels),
        created=metadata.get("creationTimestamp", ""),
        deleting=metadata.get("deletionTimestamp", ""),
        launched=launched[0] == "True",
        initialized=conditions.get("Initialized", ("", None))[0] == "True",
        node=status.get("nodeName", ""),
        capacity=_amounts(status.get("capacity") or {}),
        allocatable=_amounts(status.get("allocatable") or {}),
        failure=launched[1] if failed else None,
    )


def node_overlay_fact(raw: Document) -> NodeOverlayFact:
    """One that Karpenter found in conflict with another applies to nothing (it fails open)."""
    metadata, spec = raw["metadata"], raw.get("spec") or {}
    refused = [name for name, (status, _) in _conditions(raw).items() if status == "False"]
    return NodeOverlayFact(
        name=metadata["name"],
        uid=metadata.get("uid", ""),
        requirements=_requirements(spec.get("requirements")),
        price=spec.get("price"),
        adjusts="priceAdjustment" in spec,
        weight=int(spec.get("weight") or 0),
        applies=not refused,
        owner=(metadata.get("labels") or {}).get(OVERLAY_LABEL, ""),
    )


def launch_event_fact(raw: Document) -> LaunchEventFact | None:
    """None for any other Event."""
    about = raw.get("involvedObject") or {}
    if about.get("kind") != "NodeClaim" or raw.get("reason") != INSUFFICIENT_CAPACITY:
        return None
    metadata = raw["metadata"]
    at = raw.get("lastTimestamp") or raw.get("eventTime") or metadata.get("creationTimestamp") or ""
    message = str(raw.get("message") or "")
    _, _, said = message.partition(" event: ")
    return LaunchEventFact(about.get("name", ""), raw["reason"], said or message, at)


_NO_VERDICT = frozenset({"", "AwaitingReconciliation"})


def _requirements(listed: Any) -> tuple[Requirement, ...]:
    found = (
        Requirement(r["key"], r["operator"], tuple(r.get("values") or ()), r.get("minValues"))
        for r in listed or ()
    )
    return tuple(sorted(found, key=lambda r: (r.key, r.operator, r.values)))


def _conditions(raw: Document) -> dict[str, tuple[str, Word]]:
    listed = (raw.get("status") or {}).get("conditions") or ()
    return {
        each["type"]: (
            each.get("status", ""),
            Word(
                each["type"],
                each.get("reason", ""),
                each.get("message", ""),
                each.get("lastTransitionTime", ""),
            ),
        )
        for each in listed
    }


def _amounts(quantities: Mapping[str, Any]) -> Counts:
    return tuple(sorted((name, amount(name, quantity)) for name, quantity in quantities.items()))
