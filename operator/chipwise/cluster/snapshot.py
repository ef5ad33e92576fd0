"""One consistent picture of the cluster at a revision: what the planner decides from, whether it came from watches or from files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from chipwise.api import AcceleratorClass, AcceleratorPool, InferenceWorkload, ModelProfile, PlacementPolicy
from chipwise.autoscaling.provisioning import ProbeState
from chipwise.autoscaling.refusals import ScaleUpRefusal
from chipwise.autoscaling.status import GroupState, GroupStates
from chipwise.cluster.facts import (
    AutoscalerFact,
    ClaimFact,
    DeploymentFact,
    LaunchEventFact,
    NamespaceFact,
    NodeClaimFact,
    NodeFact,
    NodeOverlayFact,
    NodePoolFact,
    PodFact,
    PriorityFact,
    PriorityMap,
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
    ``nodes.max`` allows. ``assumed`` are Deployments (namespace/name) that nobody gave, only a workload that names them. ``karpenter``:
    its objects were read. ``lost_claims`` are NodeClaims that went before they were launched, the latest last. ``watched_since`` is since
    when every change would have been seen, None where nothing was watched. ``placeholders`` are among ``pods`` until they are told apart
    (``yielding``).
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
    placeholders: Mapping[str, PodFact] = field(default_factory=dict)
    deployments: Mapping[str, DeploymentFact] = field(default_factory=dict)
    autoscalers: Mapping[str, AutoscalerFact] = field(default_factory=dict)
    quotas: Mapping[str, QuotaFact] = field(default_factory=dict)
    namespaces: Mapping[str, NamespaceFact] = field(default_factory=dict)
    priorities: Mapping[str, PriorityFact] = field(default_factory=dict)
    claims: Mapping[str, ClaimFact] = field(default_factory=dict)
    group_states: Mapping[str, GroupStates] = field(default_factory=dict)
    priority_maps: Mapping[str, PriorityMap] = field(default_factory=dict)
    scale_up_refusals: Mapping[str, ScaleUpRefusal] = field(default_factory=dict)
    node_pools: Mapping[str, NodePoolFact] = field(default_factory=dict)
    node_claims: Mapping[str, NodeClaimFact] = field(default_factory=dict)
    node_overlays: Mapping[str, NodeOverlayFact] = field(default_factory=dict)
    launch_events: Mapping[str, LaunchEventFact] = field(default_factory=dict)
    lost_claims: tuple[NodeClaimFact, ...] = ()
    karpenter: bool = False
    probes: Mapping[str, ProbeState] = field(default_factory=dict)
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
    def refusals_by_pod(self) -> Mapping[str, tuple[ScaleUpRefusal, ...]]:
        """What the autoscaler said of each pod (UID) for which it added no node, in order of the Events' names."""
        found: dict[str, list[ScaleUpRefusal]] = {}
        for _, one in sorted(self.scale_up_refusals.items()):
            found.setdefault(one.pod_uid, []).append(one)
        return {uid: tuple(refusals) for uid, refusals in found.items()}

    def group(self, name: str | None) -> GroupState | None:
        """What the autoscaler says of one of its node groups; None where it says nothing."""
        return next((one for each in self.group_states.values() if (one := each.of(name))), None)

    @cached_property
    def autoscaler_of(self) -> Mapping[str, AutoscalerFact]:
        """The autoscaler of each Deployment (namespace/name) that has one."""
        return {f"{a.namespace}/{a.deployment}": a for _, a in sorted(self.autoscalers.items())}
