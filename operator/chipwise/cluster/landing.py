"""Unbound pods: which of them the scheduler may bind at any moment, and to which nodes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chipwise.cluster.facts import NodeFact, PodFact
from chipwise.cluster.pools import PoolView, taint_documents
from chipwise.cluster.snapshot import Snapshot
from chipwise.rendering.affinity import term_matches
from chipwise.rendering.constraints import tolerates


@dataclass(frozen=True, slots=True)
class Queue:
    """Unbound pods alike, in order of namespace/name."""

    pods: tuple[PodFact, ...]

    @property
    def pod(self) -> PodFact:
        """The first."""
        return self.pods[0]


def queues(snapshot: Snapshot) -> tuple[Queue, ...]:
    """All pods that wait for a node, in order of namespace/name of the first."""
    found: dict[object, list[PodFact]] = {}
    for pod in snapshot.unbound:
        alike = (pod.namespace, pod.selector, pod.needs, pod.cpu_milli, pod.memory_bytes, pod.chips)
        found.setdefault(alike, []).append(pod)
    return tuple(Queue(tuple(pods)) for pods in found.values())


def may_land(pod: PodFact, node: NodeFact) -> bool:
    """Whether node selector, required node affinity and tolerations let an unbound pod on a node that takes pods at all."""
    ways = _ways(pod)
    if not node.usable or not _tolerated(node, ways):
        return False
    labels = dict(node.labels)
    if any(labels.get(key) != value for key, value in pod.selector):
        return False
    required = ways.get("affinity")
    return not required or any(
        term_matches(term, labels, node.name) for term in required.get("nodeSelectorTerms") or ()
    )


def may_land_on_new(pod: PodFact, view: PoolView) -> bool:
    """Whether nothing known keeps an unbound pod away from a node to come: no label that is declared, no taint that all others have."""
    declared, ways = dict(view.selector), _ways(pod)
    return all(declared.get(key, value) == value for key, value in pod.selector) and (
        not view.nodes or any(_tolerated(node, ways) for node in view.nodes)
    )


def _ways(pod: PodFact) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(pod.needs.ways) if pod.needs.ways else {}
    return found


def _tolerated(node: NodeFact, ways: Mapping[str, Any]) -> bool:
    return not node.taints or tolerates(taint_documents(node.taints), ways.get("tolerations") or ())


def awaiting(view: PoolView, snapshot: Snapshot) -> tuple[PodFact, ...]:
    """Unbound pods that ask for this pool's chips and that some node of it, there or to come, would take, in order of namespace/name.

    Where several pools could take a pod each of them reserves for it: room is never promised twice. Pods that ask for no chip are no
    reservation: one that fits is bound in a moment, and one that does not takes nothing.
    """
    found: list[PodFact] = []
    for queue in queues(snapshot):
        pod = queue.pod
        if not dict(pod.chips).get(view.resource_name):
            continue
        if (view.to_come and may_land_on_new(pod, view)) or any(may_land(pod, node) for node in view.nodes):
            found += queue.pods
    return tuple(sorted(found, key=lambda pod: (pod.namespace, pod.name)))
