"""Nodes: what a node offers, and whether it takes pods."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chipwise.cluster.facts.needs import Counts, beside_chips
from chipwise.cluster.facts.reading import Document, Pairs, extended, pairs
from chipwise.rendering.footprint import amount
from chipwise.rendering.quantity import milli, whole

#: Labels that Kubernetes gives every node.
INSTANCE_TYPE_LABEL = "node.kubernetes.io/instance-type"
ARCHITECTURE_LABEL = "kubernetes.io/arch"
ZONE_LABEL = "topology.kubernetes.io/zone"


@dataclass(frozen=True, slots=True)
class Taint:
    """A taint that keeps pods away; PreferNoSchedule is not kept."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True, slots=True)
class NodeFact:
    """One node. CPU in millicores, memory in bytes, chips by resource name, and what else it hands out (local storage, huge pages)."""

    name: str
    uid: str
    labels: Pairs
    taints: tuple[Taint, ...]
    usable: bool
    cpu_milli: int
    memory_bytes: int
    pods: int
    chips: tuple[tuple[str, int], ...]
    others: Counts = ()

    def label(self, key: str) -> str | None:
        """The value of one label."""
        return next((value for name, value in self.labels if name == key), None)


def taints_of(listed: Iterable[Document] | None) -> tuple[Taint, ...]:
    """Those of a list that keep pods away, sorted."""
    found = (
        Taint(t.get("key", ""), t.get("value", ""), t["effect"])
        for t in listed or ()
        if t.get("effect") in ("NoSchedule", "NoExecute")
    )
    return tuple(sorted(found, key=lambda t: (t.key, t.value, t.effect)))


def node_fact(raw: Document) -> NodeFact:
    """A Node is usable when it is Ready and not cordoned."""
    metadata, spec, status = raw["metadata"], raw.get("spec") or {}, raw.get("status") or {}
    allocatable = status.get("allocatable") or {}
    ready = any(
        c.get("type") == "Ready" and c.get("status") == "True" for c in status.get("conditions") or ()
    )
    return NodeFact(
        name=metadata["name"],
        uid=metadata.get("uid", ""),
        labels=pairs(metadata.get("labels")),
        taints=taints_of(spec.get("taints")),
        usable=ready and not spec.get("unschedulable", False),
        cpu_milli=milli(allocatable.get("cpu", "0")),
        memory_bytes=whole(allocatable.get("memory", "0")),
        pods=whole(allocatable.get("pods", "110")),
        chips=extended(allocatable),
        others=beside_chips({name: amount(name, quantity) for name, quantity in allocatable.items()}),
    )
