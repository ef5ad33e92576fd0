"""Deployments: the counts that a move watches, and the document that rendering reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chipwise.autoscaling.placeholders import LABEL, WRITTEN
from chipwise.cluster.facts.reading import Document
from chipwise.rendering import bridge as bridges
from chipwise.rendering.bridge import Bridge
from chipwise.rendering.record import is_managed


@dataclass(frozen=True, slots=True)
class CreateFailure:
    """The API server refuses this Deployment's pods: in whose words, and since when (RFC 3339)."""

    message: str
    since: str


@dataclass(frozen=True, slots=True)
class DeploymentFact:
    """One Deployment: the counts that a move watches, and the document (as JSON) that rendering reads.

    ``bridge`` is what it says of itself if it is a bridge of ours. ``paused`` is ``spec.paused``: no new template is rolled out.
    ``spare`` is the label and the digest of placeholders of ours, None for any other.
    """

    namespace: str
    name: str
    uid: str
    owner: str | None
    generation: int
    observed_generation: int
    replicas: int
    updated_replicas: int
    ready_replicas: int
    total_replicas: int
    deleting: bool
    managed: bool
    bridge: Bridge | None
    text: str
    create_failure: CreateFailure | None = None
    paused: bool = False
    spare: tuple[str, str] | None = None

    @property
    def key(self) -> str:
        """namespace/name."""
        return f"{self.namespace}/{self.name}"

    @property
    def document(self) -> dict[str, Any]:
        """The Deployment less its status and managed fields, a new copy at each call."""
        loaded: dict[str, Any] = json.loads(self.text)
        return loaded

    @property
    def uniform(self) -> bool:
        """The Deployment controller has seen this generation and no pod is of another template."""
        return self.observed_generation >= self.generation and self.updated_replicas == self.total_replicas

    @property
    def rolled_out(self) -> bool:
        """Besides, there are as many as are asked for, and all are Ready."""
        return self.uniform and self.total_replicas == self.ready_replicas == self.replicas


_MESSAGE = 500
_NOISE = frozenset({"managedFields", "resourceVersion", "selfLink", "generation", "deletionTimestamp"})


def deployment_fact(raw: Document) -> DeploymentFact:
    """The document keeps metadata (less noise) and spec; ``resourceVersion`` is read anew before each write."""
    metadata, spec, status = raw["metadata"], raw["spec"], raw.get("status") or {}
    annotations = {
        key: value
        for key, value in (metadata.get("annotations") or {}).items()
        if key
        not in ("kubectl.kubernetes.io/last-applied-configuration", "deployment.kubernetes.io/revision")
    }
    kept = {key: value for key, value in metadata.items() if key not in _NOISE and key != "annotations"}
    owner: Mapping[str, Any] = next(
        (o for o in metadata.get("ownerReferences") or () if o.get("controller")), {}
    )
    return DeploymentFact(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata.get("uid", ""),
        owner=f"{owner['kind']}/{owner['name']}" if owner else None,
        generation=int(metadata.get("generation", 1)),
        observed_generation=int(status.get("observedGeneration", 0)),
        replicas=int(spec.get("replicas", 1)),
        updated_replicas=int(status.get("updatedReplicas", 0)),
        ready_replicas=int(status.get("readyReplicas", 0)),
        total_replicas=int(status.get("replicas", 0)),
        deleting="deletionTimestamp" in metadata,
        managed=is_managed(raw),
        bridge=bridges.read(raw),
        text=json.dumps(
            {"metadata": {**kept, "annotations": annotations}, "spec": spec}, separators=(",", ":")
        ),
        create_failure=_create_failure(status),
        paused=bool(spec.get("paused", False)),
        spare=_spare(metadata),
    )


def _spare(metadata: Document) -> tuple[str, str] | None:
    """Both marks: a label alone is easily copied, and what is ours may be deleted."""
    label = (metadata.get("labels") or {}).get(LABEL)
    digest = (metadata.get("annotations") or {}).get(WRITTEN)
    return None if label is None or digest is None else (label, digest)


def _create_failure(status: Mapping[str, Any]) -> CreateFailure | None:
    for found in status.get("conditions") or ():
        if found.get("type") == "ReplicaFailure" and found.get("status") == "True":
            return CreateFailure(found.get("message", "")[:_MESSAGE], found.get("lastTransitionTime", ""))
    return None
