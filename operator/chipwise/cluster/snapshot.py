"""One consistent picture of the cluster at a revision: what the planner decides from, whether it came from watches or from files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from chipwise.api import AcceleratorClass, AcceleratorPool, InferenceWorkload, ModelProfile, PlacementPolicy
from chipwise.cluster.facts import (
    AutoscalerFact,
    ClaimFact,
    DeploymentFact,
    NamespaceFact,
    NodeFact,
    PodFact,
    PriorityFact,
    QuotaFact,
)
from chipwise.cluster.rooms import NodeRoom, room_of


@dataclass(frozen=True)
class Unreadable:
    """One of our own objects that does not pass its schema (an older CRD let it in). It is shown, never used."""

    kind: str
    namespace: str
    name: str
    uid: str
    generation: int
    message: str
    status: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot:
    """Facts by name, or by namespace/name. Mappings are copies and must not be changed.

    ``assume_nodes``: no Node was given at all, as with ``chipwise plan -f``; then a pool is taken to have the nodes that its
    ``nodes.max`` allows. ``assumed`` are Deployments (namespace/name) that nobody gave, only a workload that names them.
    ``watched_since`` is since when every change would have been seen, None where nothing was watched.
    """

    revision: int = 0
    classes: Mapping[str, AcceleratorClass] = field(default_factory=dict)
    pools: Mapping[str, AcceleratorPool] = field(default_factory=dict)
    profiles: Mapping[str, ModelProfile] = field(default_factory=dict)
    policies: Mapping[str, PlacementPolicy] = field(default_factory=dict)
    workloads: Mapping[str, InferenceWorkload] = field(default_factory=dict)
    unreadable: tuple[Unreadable, ...] = ()
    nodes: Mapping[str, NodeFact] = field(default_factory=dict)
    pods: Mapping[str, PodFact] = field(default_factory=dict)
    deployments: Mapping[str, DeploymentFact] = field(default_factory=dict)
    autoscalers: Mapping[str, AutoscalerFact] = field(default_factory=dict)
    quotas: Mapping[str, QuotaFact] = field(default_factory=dict)
    namespaces: Mapping[str, NamespaceFact] = field(default_factory=dict)
    priorities: Mapping[str, PriorityFact] = field(default_factory=dict)
    claims: Mapping[str, ClaimFact] = field(default_factory=dict)
    assume_nodes: bool = False
    assumed: frozenset[str] = frozenset()
    watched_since: datetime | None = None

    @cached_property
    def workloads_by_target(self) -> Mapping[str, tuple[str, ...]]:
        """Names of the workloads that name each Deployment (namespace/name), in order."""
        found: dict[str, list[str]] = {}
        for _, workload in sorted(self.workloads.items()):
            target = f"{workload.metadata.namespace or 'default'}/{workload.spec.target_ref.name}"
            found.setdefault(target, []).append(workload.metadata.name)
        return {key: tuple(names) for key, names in found.items()}

    @cached_property
    def pods_by_deployment(self) -> Mapping[str, tuple[PodFact, ...]]:
        """Pods of each Deployment (namespace/name), in order of name."""
        found: dict[str, list[PodFact]] = {}
        for _, pod in sorted(self.pods.items()):
            if pod.deployment:
                found.setdefault(f"{pod.namespace}/{pod.deployment}", []).append(pod)
        return {key: tuple(pods) for key, pods in found.items()}

    @cached_property
    def bridges(self) -> Mapping[str, DeploymentFact]:
        """The bridge of each Deployment (namespace/name) that has one."""
        found: dict[str, DeploymentFact] = {}
        for _, one in sorted(self.deployments.items()):
            if one.bridge is not None and not one.deleting:
                owner = self.deployments.get(f"{one.namespace}/{one.bridge.deployment}")
                if owner is not None and owner.uid == one.bridge.uid:
                    found[owner.key] = one
        return found

    @cached_property
    def stray_bridges(self) -> tuple[DeploymentFact, ...]:
        """Bridges whose Deployment is gone, in order of namespace/name."""
        known = {one.key for one in self.bridges.values()}
        return tuple(
            one
            for key, one in sorted(self.deployments.items())
            if one.bridge is not None and not one.deleting and key not in known
        )

    @cached_property
    def pods_by_node(self) -> Mapping[str, tuple[PodFact, ...]]:
        """Bound pods of each node, in order of namespace/name."""
        found: dict[str, list[PodFact]] = {}
        for _, pod in sorted(self.pods.items()):
            if pod.node:
                found.setdefault(pod.node, []).append(pod)
        return {node: tuple(pods) for node, pods in found.items()}

    @cached_property
    def rooms(self) -> Mapping[str, NodeRoom]:
        """What each node has left beside all that is bound to it."""
        return {name: room_of(node, self.pods_by_node.get(name, ())) for name, node in self.nodes.items()}

    @cached_property
    def unbound(self) -> tuple[PodFact, ...]:
        """Pods that wait for a node, in order of namespace/name. Gated ones wait for somebody else first."""
        return tuple(
            pod
            for _, pod in sorted(self.pods.items())
            if pod.node is None and not pod.deleting and not pod.needs.gated
        )

    @cached_property
    def repelling(self) -> tuple[PodFact, ...]:
        """Bound pods that keep others away by required anti-affinity, in order of namespace/name."""
        return tuple(pod for _, pod in sorted(self.pods.items()) if pod.node and pod.needs.repels)

    @cached_property
    def autoscaler_of(self) -> Mapping[str, AutoscalerFact]:
        """The autoscaler of each Deployment (namespace/name) that has one."""
        return {f"{a.namespace}/{a.deployment}": a for _, a in sorted(self.autoscalers.items())}
