"""The foreign kinds as a file must state them: of each those fields that decisions or a rendering read, with the API server's own types.

From the OpenAPI document of Kubernetes 1.34 (api/openapi-spec/v3 there), and Karpenter's CRDs (pkg/apis/crds in its v1.13.0).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chipwise.cluster.shapes.pods import (
    COUNT,
    LABEL_SELECTOR,
    LABELS,
    POD_SPEC,
    REQUIREMENT,
    TEMPLATE,
    TEXTS,
)
from chipwise.cluster.shapes.shape import (
    Fields,
    Flaw,
    Items,
    Named,
    Shape,
    Whole,
    count_or_percentage,
    decimal,
    flag,
    name,
    quantity,
    stripped,
    text,
)
from chipwise.kube.resources import (
    DEPLOYMENTS,
    HORIZONTAL_POD_AUTOSCALERS,
    LAUNCH_EVENTS,
    NAMESPACES,
    NODE_CLAIMS,
    NODE_OVERLAYS,
    NODE_POOLS,
    NODES,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    PRIORITY_CLASSES,
    RESOURCE_QUOTAS,
    Resource,
)

#: Of one Deployment: more than a cluster runs (kubernetes.io/docs/setup/best-practices/cluster-large: 150,000 pods of everybody).
MOST_REPLICAS = 10_000

METADATA = Fields(
    {
        "name": name,
        "namespace": name,
        "uid": text,
        "generation": COUNT,
        "labels": LABELS,
        "annotations": LABELS,
        "creationTimestamp": text,
        "deletionTimestamp": text,
        "ownerReferences": Items(
            Fields({"kind": name, "name": name, "controller": flag}, required=("kind", "name"))
        ),
    },
    required=("name",),
)

_CONDITION = dict.fromkeys(("type", "status", "reason", "message", "lastTransitionTime"), text)
_CONDITIONS = Items(Fields(_CONDITION))
_TYPED_CONDITIONS = Items(Fields(_CONDITION, ("type",)))
_TAINTS = Items(Fields({"key": name, "value": text, "effect": name}, ("key", "effect")))
_REQUIREMENTS = Items(REQUIREMENT)
_STATE = Fields({"waiting": Fields({"reason": text, "message": text})})
_CONTAINER_STATUSES = Items(Fields({"name": text, "restartCount": COUNT, "state": _STATE}))


def _kind(fields: dict[str, Shape], *required: str) -> Shape:
    return Fields({"metadata": METADATA, **fields}, ("metadata", *required))


_SHAPES: Mapping[Resource, Shape] = {
    DEPLOYMENTS: _kind(
        {
            "spec": Fields(
                {
                    "replicas": Whole(0, MOST_REPLICAS),
                    "paused": flag,
                    "selector": LABEL_SELECTOR,
                    "template": TEMPLATE,
                    "strategy": Fields(
                        {
                            "type": text,
                            "rollingUpdate": Fields(
                                {"maxSurge": count_or_percentage, "maxUnavailable": count_or_percentage}
                            ),
                        }
                    ),
                },
                ("template",),
            ),
            "status": Fields(
                {
                    **dict.fromkeys(
                        ("observedGeneration", "replicas", "updatedReplicas", "readyReplicas"), COUNT
                    ),
                    "conditions": _CONDITIONS,
                }
            ),
        },
        "spec",
    ),
    PODS: _kind(
        {
            "spec": POD_SPEC,
            "status": Fields(
                {
                    "phase": text,
                    "conditions": _CONDITIONS,
                    "containerStatuses": _CONTAINER_STATUSES,
                    "initContainerStatuses": _CONTAINER_STATUSES,
                }
            ),
        },
        "spec",
    ),
    NODES: _kind(
        {
            "spec": Fields(
                {
                    "unschedulable": flag,
                    "providerID": text,
                    "taints": _TAINTS,
                }
            ),
            "status": Fields(
                {"allocatable": Named(quantity), "capacity": Named(quantity), "conditions": _CONDITIONS}
            ),
        }
    ),
    RESOURCE_QUOTAS: _kind(
        {
            "spec": Fields(
                {
                    "hard": Named(quantity),
                    "scopes": TEXTS,
                    "scopeSelector": Fields(
                        {
                            "matchExpressions": Items(
                                Fields(
                                    {"scopeName": name, "operator": name, "values": TEXTS},
                                    ("scopeName", "operator"),
                                )
                            )
                        }
                    ),
                }
            ),
            "status": Fields({"hard": Named(quantity), "used": Named(quantity)}),
        }
    ),
    HORIZONTAL_POD_AUTOSCALERS: _kind(
        {
            "spec": Fields(
                {
                    "scaleTargetRef": Fields(
                        {"apiVersion": text, "kind": name, "name": name}, ("kind", "name")
                    ),
                    "minReplicas": Whole(0, MOST_REPLICAS),
                    "maxReplicas": Whole(1),
                },
                ("scaleTargetRef", "maxReplicas"),
            )
        },
        "spec",
    ),
    PRIORITY_CLASSES: _kind({"value": Whole(), "globalDefault": flag}),
    PERSISTENT_VOLUME_CLAIMS: _kind({"spec": Fields({"accessModes": TEXTS, "volumeName": text})}),
    NAMESPACES: _kind({}),
    NODE_POOLS: _kind(
        {
            "spec": Fields(
                {
                    "replicas": COUNT,
                    "limits": Named(quantity),
                    "template": Fields(
                        {
                            "metadata": Fields({"labels": LABELS}),
                            "spec": Fields({"requirements": _REQUIREMENTS, "taints": _TAINTS}),
                        }
                    ),
                }
            ),
            "status": Fields({"conditions": _TYPED_CONDITIONS}),
        }
    ),
    NODE_CLAIMS: _kind(
        {
            "status": Fields(
                {
                    "nodeName": text,
                    "capacity": Named(quantity),
                    "allocatable": Named(quantity),
                    "conditions": _TYPED_CONDITIONS,
                }
            )
        }
    ),
    NODE_OVERLAYS: _kind(
        {
            "spec": Fields(
                {"requirements": _REQUIREMENTS, "price": decimal, "priceAdjustment": text, "weight": COUNT}
            ),
            "status": Fields({"conditions": _TYPED_CONDITIONS}),
        }
    ),
    LAUNCH_EVENTS: _kind(
        {
            "reason": text,
            "message": text,
            "lastTimestamp": text,
            "eventTime": text,
            "involvedObject": Fields({"kind": text, "name": text}),
        }
    ),
}


def flaw_of(resource: Resource, raw: Mapping[str, Any]) -> Flaw | None:
    """The first flaw of a document; of our own kinds only of its metadata, for the rest has a check of its own."""
    shape = _SHAPES.get(resource, _kind({}))
    return next(shape(raw, ""), None)


def without_nulls(resource: Resource, raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """A foreign document less its nulls, which are absent fields."""
    bare: Mapping[str, Any] = stripped(dict(raw)) if resource in _SHAPES else raw
    return bare
