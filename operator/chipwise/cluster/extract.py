"""One way from a raw document to a fact, for watches and for files alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chipwise.api import InvalidObject, parse
from chipwise.autoscaling.provisioning import probe_state
from chipwise.autoscaling.refusals import refusal_of
from chipwise.cluster.facts import (
    autoscaler_fact,
    claim_fact,
    deployment_fact,
    group_states_fact,
    launch_event_fact,
    namespace_fact,
    node_claim_fact,
    node_fact,
    node_overlay_fact,
    node_pool_fact,
    pod_fact,
    priority_fact,
    priority_map,
    quota_fact,
)
from chipwise.cluster.snapshot import Unreadable
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
from chipwise.rendering.location import container_digest

OURS = (ACCELERATOR_CLASSES, ACCELERATOR_POOLS, MODEL_PROFILES, PLACEMENT_POLICIES, INFERENCE_WORKLOADS)

FOREIGN: Mapping[Resource, Callable[[Mapping[str, Any]], Any]] = {
    NODES: node_fact,
    PODS: lambda raw: pod_fact(raw, container_digest),
    DEPLOYMENTS: deployment_fact,
    HORIZONTAL_POD_AUTOSCALERS: autoscaler_fact,
    RESOURCE_QUOTAS: quota_fact,
    NAMESPACES: namespace_fact,
    PRIORITY_CLASSES: priority_fact,
    PERSISTENT_VOLUME_CLAIMS: claim_fact,
}

#: Watched only where the autoscaler is asked for.
OF_CLUSTER_AUTOSCALER: Mapping[Resource, Callable[[Mapping[str, Any]], Any]] = {
    AUTOSCALER_STATUS: group_states_fact,
    SCALE_UP_REFUSALS: refusal_of,
    EXPANDER_PRIORITIES: priority_map,
    PROVISIONING_REQUESTS: probe_state,
}

#: Read only where Karpenter is, and where somebody says so.
KARPENTER: Mapping[Resource, Callable[[Mapping[str, Any]], Any]] = {
    NODE_POOLS: node_pool_fact,
    NODE_CLAIMS: node_claim_fact,
    NODE_OVERLAYS: node_overlay_fact,
    LAUNCH_EVENTS: launch_event_fact,
}

_READERS = {**FOREIGN, **OF_CLUSTER_AUTOSCALER, **KARPENTER}

BY_KIND: Mapping[str, Resource] = {resource.kind: resource for resource in (*OURS, *FOREIGN, *KARPENTER)}


def extract(resource: Resource, raw: Mapping[str, Any]) -> Any:
    """The fact of one document; None for one of no interest. Our own kinds that break their schema become ``Unreadable``."""
    if resource in _READERS:
        return _READERS[resource](raw)
    metadata = {key: value for key, value in raw["metadata"].items() if key != "resourceVersion"}
    try:
        return parse({**raw, "metadata": metadata})
    except InvalidObject as error:
        return Unreadable(
            kind=resource.kind,
            namespace=metadata.get("namespace", ""),
            name=metadata["name"],
            uid=metadata.get("uid", ""),
            generation=int(metadata.get("generation", 0)),
            message=str(error),
            status=raw.get("status") or {},
        )
