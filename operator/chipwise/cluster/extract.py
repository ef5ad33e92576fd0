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
    namespace_fact,
    node_fact,
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
    CORE_EVENTS,
    DEPLOYMENTS,
    EXPANDER_PRIORITIES,
    HORIZONTAL_POD_AUTOSCALERS,
    INFERENCE_WORKLOADS,
    MODEL_PROFILES,
    NAMESPACES,
    NODES,
    PERSISTENT_VOLUME_CLAIMS,
    PLACEMENT_POLICIES,
    PODS,
    PRIORITY_CLASSES,
    PROVISIONING_REQUESTS,
    RESOURCE_QUOTAS,
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
    CORE_EVENTS: refusal_of,
    EXPANDER_PRIORITIES: priority_map,
    PROVISIONING_REQUESTS: probe_state,
}

_READERS = {**FOREIGN, **OF_CLUSTER_AUTOSCALER}

BY_KIND: Mapping[str, Resource] = {resource.kind: resource for resource in (*OURS, *FOREIGN)}


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
