"""What we believe now: facts by resource, a revision that counts changes, and a mark that says a decision may be out of date.

Only facts that differ from what was known raise the revision, so a thousand heart-beats cost a thousand comparisons and no solve.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chipwise.api import InferenceWorkload
from chipwise.autoscaling.refusals import ScaleUpRefusal
from chipwise.autoscaling.status import GroupStates
from chipwise.cluster.facts import NodeClaimFact
from chipwise.cluster.snapshot import Snapshot, Unreadable
from chipwise.kube.reflector import Key
from chipwise.kube.resources import (
    ACCELERATOR_CLASSES,
    ACCELERATOR_POOLS,
    AUTOSCALER_STATUS,
    DEPLOYMENTS,
    EXPANDER_PRIORITIES,
    HORIZONTAL_POD_AUTOSCALERS,
    INFERENCE_WORKLOADS,
    LAUNCH_EVENTS,
    MODEL_PROFILES,
    NAMESPACES,
    NODE_CLAIMS,
    NODE_OVERLAYS,
    NODE_POOLS,
    NODES,
    PERSISTENT_VOLUME_CLAIMS,
    PLACEMENT_POLICIES,
    PODS,
    PRIORITY_CLASSES,
    PROVISIONING_REQUESTS,
    RESOURCE_QUOTAS,
    SCALE_UP_REFUSALS,
    Resource,
)

#: Where each resource stands in a snapshot.
FIELDS: Mapping[Resource, str] = {
    ACCELERATOR_CLASSES: "classes",
    ACCELERATOR_POOLS: "pools",
    MODEL_PROFILES: "profiles",
    PLACEMENT_POLICIES: "policies",
    INFERENCE_WORKLOADS: "workloads",
    NODES: "nodes",
    PODS: "pods",
    DEPLOYMENTS: "deployments",
    HORIZONTAL_POD_AUTOSCALERS: "autoscalers",
    RESOURCE_QUOTAS: "quotas",
    NAMESPACES: "namespaces",
    PRIORITY_CLASSES: "priorities",
    PERSISTENT_VOLUME_CLAIMS: "claims",
    AUTOSCALER_STATUS: "group_states",
    EXPANDER_PRIORITIES: "priority_maps",
    SCALE_UP_REFUSALS: "scale_up_refusals",
    PROVISIONING_REQUESTS: "probes",
    NODE_POOLS: "node_pools",
    NODE_CLAIMS: "node_claims",
    NODE_OVERLAYS: "node_overlays",
    LAUNCH_EVENTS: "launch_events",
}
#: So many NodeClaims that went without a machine are remembered.
_LOST = 64


class ClusterState:
    """A sink for the watches. ``dirty`` is set at each change and cleared by whoever takes the next snapshot.

    ``karpenter``: its objects are read too. A NodeClaim that goes before it was launched is remembered, for that is all that some
    failures leave behind.
    """

    def __init__(self, *, karpenter: bool = False) -> None:
        self.karpenter = karpenter
        self._lost: deque[NodeClaimFact] = deque(maxlen=_LOST)
        self.revision = 0
        self.dirty = asyncio.Event()
        self._facts: dict[Resource, dict[Key, Any]] = {resource: {} for resource in FIELDS}

    def replace(self, resource: Resource, facts: Mapping[Key, Any]) -> None:
        """Know exactly ``facts`` of one resource."""
        before = self._facts[resource]
        if before != facts:
            for key in before.keys() - facts.keys():
                self._note_loss(before[key])
            self._facts[resource] = dict(facts)
            self._changed()

    def put(self, resource: Resource, key: Key, fact: Any) -> None:
        """Know ``fact`` at ``key``."""
        before = self._facts[resource].get(key)
        if before != fact:
            self._facts[resource][key] = fact
            if _decisive(before) != _decisive(fact):
                self._changed()

    def drop(self, resource: Resource, key: Key) -> None:
        """Know nothing at ``key``."""
        gone = self._facts[resource].pop(key, None)
        if gone is not None:
            self._note_loss(gone)
            self._changed()

    def facts(self, resource: Resource) -> Mapping[Key, Any]:
        """What is known of one resource; not a copy."""
        return self._facts[resource]

    def snapshot(self) -> Snapshot:
        """A picture that later events do not change. Objects that break their schema stand apart as ``unreadable``."""
        unreadable: list[Unreadable] = []
        fields: dict[str, Any] = {}
        for resource, name in FIELDS.items():
            known = self._facts[resource]
            unreadable += [fact for fact in known.values() if isinstance(fact, Unreadable)]
            fields[name] = {
                name_of(key): fact for key, fact in known.items() if not isinstance(fact, Unreadable)
            }
        ordered = tuple(sorted(unreadable, key=lambda fact: (fact.kind, fact.namespace, fact.name)))
        return Snapshot(
            revision=self.revision,
            unreadable=ordered,
            karpenter=self.karpenter,
            lost_claims=tuple(self._lost),
            **fields,
        )

    def _note_loss(self, gone: Any) -> None:
        if isinstance(gone, NodeClaimFact) and not gone.launched:
            self._lost.append(gone)

    def _changed(self) -> None:
        self.revision += 1
        self.dirty.set()


def _decisive(fact: Any) -> Any:
    """What decisions read of a fact: of our own kinds not the status, which is chipwise's own writing, but for the cool-downs in it."""
    if isinstance(fact, GroupStates | ScaleUpRefusal):
        return fact.decisive
    if isinstance(fact, Unreadable):
        return replace(fact, status={})
    if not hasattr(fact, "spec"):
        return fact
    cooling = fact.status.cool_downs if isinstance(fact, InferenceWorkload) and fact.status else ()
    return (fact.metadata, fact.spec, cooling)


def name_of(key: Key) -> str:
    """namespace/name, or the name alone."""
    namespace, name = key
    return f"{namespace}/{name}" if namespace else name
