"""Raw documents become facts: the few fields that decisions read, frozen, comparable, small.

Two facts are equal exactly when no decision can tell the documents apart, so heart-beats and managed fields vanish here. A document
that cannot be read never raises: foreign objects are not ours to judge, and our own kinds become ``Invalid``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chipwise.rendering.footprint import pod_footprint
from chipwise.rendering.quantity import milli, whole
from chipwise.rendering.record import is_managed

Document = Mapping[str, Any]
Pairs = tuple[tuple[str, str], ...]

#: Extended resources have a domain, and these two domains are the kubelet's own (kubernetes.io/docs: extended resources).
_NOT_CHIPS = ("kubernetes.io/", "requests.")


def pairs(mapping: Mapping[str, Any] | None) -> Pairs:
    """A mapping as sorted pairs, hashable."""
    return tuple(sorted((str(key), str(value)) for key, value in (mapping or {}).items()))


def extended(resources: Mapping[str, Any] | None) -> tuple[tuple[str, int], ...]:
    """The extended resources (names with a domain) among ``resources``, as sorted (name, count)."""
    found = []
    for name, amount in (resources or {}).items():
        if "/" in name and not name.startswith(_NOT_CHIPS):
            count = whole(amount)
            if count:
                found.append((name, count))
    return tuple(sorted(found))


@dataclass(frozen=True, slots=True)
class Taint:
    """A taint that keeps pods away; PreferNoSchedule is not kept."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True, slots=True)
class NodeFact:
    """One node. CPU in millicores, memory in bytes, chips by resource name."""

    name: str
    uid: str
    labels: Pairs
    taints: tuple[Taint, ...]
    usable: bool
    cpu_milli: int
    memory_bytes: int
    pods: int
    chips: tuple[tuple[str, int], ...]

    def label(self, key: str) -> str | None:
        """The value of one label."""
        return next((value for name, value in self.labels if name == key), None)


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
        taints=tuple(
            sorted(
                (
                    Taint(t.get("key", ""), t.get("value", ""), t["effect"])
                    for t in spec.get("taints") or ()
                    if t.get("effect") in ("NoSchedule", "NoExecute")
                ),
                key=lambda t: (t.key, t.value, t.effect),
            )
        ),
        usable=ready and not spec.get("unschedulable", False),
        cpu_milli=milli(allocatable.get("cpu", "0")),
        memory_bytes=whole(allocatable.get("memory", "0")),
        pods=whole(allocatable.get("pods", "110")),
        chips=extended(allocatable),
    )


@dataclass(frozen=True, slots=True)
class PodFact:
    """One pod that holds or awaits room. ``replica_set`` is its controlling ReplicaSet's name, if that is what controls it."""

    namespace: str
    name: str
    uid: str
    node: str | None
    ready: bool
    deleting: bool
    daemon: bool
    deployment: str | None
    cpu_milli: int
    memory_bytes: int
    chips: tuple[tuple[str, int], ...]
    selector: Pairs
    digests: tuple[tuple[str, str], ...]


def pod_fact(raw: Document, digest: Any) -> PodFact | None:
    """None for a pod that has ended. ``digest`` maps a container to the digest by which a rendering is recognised."""
    metadata, spec, status = raw["metadata"], raw.get("spec") or {}, raw.get("status") or {}
    if status.get("phase") in ("Succeeded", "Failed"):
        return None
    owner: Mapping[str, Any] = next(
        (o for o in metadata.get("ownerReferences") or () if o.get("controller")), {}
    )
    hash_label = (metadata.get("labels") or {}).get("pod-template-hash")
    deployment = None
    if owner.get("kind") == "ReplicaSet" and hash_label and owner["name"].endswith("-" + hash_label):
        deployment = owner["name"][: -len(hash_label) - 1]
    size = pod_footprint({"spec": spec})
    chips: dict[str, int] = {}
    for container in spec.get("containers") or ():
        resources = container.get("resources") or {}
        asked = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
        for name, count in extended(asked):
            chips[name] = chips.get(name, 0) + count
    return PodFact(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata.get("uid", ""),
        node=spec.get("nodeName") or None,
        ready=any(
            c.get("type") == "Ready" and c.get("status") == "True" for c in status.get("conditions") or ()
        ),
        deleting="deletionTimestamp" in metadata,
        daemon=owner.get("kind") == "DaemonSet",
        deployment=deployment,
        cpu_milli=size.cpu_milli,
        memory_bytes=size.memory_bytes,
        chips=tuple(sorted(chips.items())),
        selector=pairs(spec.get("nodeSelector")),
        digests=tuple((c["name"], digest(c)) for c in spec.get("containers") or ())
        if chips and deployment
        else (),
    )


@dataclass(frozen=True, slots=True)
class DeploymentFact:
    """One Deployment: the counts that a move watches, and the document (as JSON) that rendering reads."""

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
    text: str

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
    def rolled_out(self) -> bool:
        """The Deployment controller has seen this generation and every pod is of its template."""
        return (
            self.observed_generation >= self.generation
            and self.updated_replicas == self.total_replicas == self.replicas
            and self.ready_replicas == self.replicas
        )


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
        text=json.dumps(
            {"metadata": {**kept, "annotations": annotations}, "spec": spec}, separators=(",", ":")
        ),
    )


@dataclass(frozen=True, slots=True)
class AutoscalerFact:
    """A HorizontalPodAutoscaler (KEDA makes one too) and the Deployment whose replicas it owns."""

    namespace: str
    name: str
    uid: str
    deployment: str
    minimum: int
    maximum: int


def autoscaler_fact(raw: Document) -> AutoscalerFact | None:
    """None when it does not scale a Deployment."""
    metadata, spec = raw["metadata"], raw["spec"]
    target = spec["scaleTargetRef"]
    if target.get("kind") != "Deployment":
        return None
    return AutoscalerFact(
        metadata["namespace"],
        metadata["name"],
        metadata.get("uid", ""),
        target["name"],
        int(spec.get("minReplicas", 1)),
        int(spec["maxReplicas"]),
    )


@dataclass(frozen=True, slots=True)
class QuotaFact:
    """The chip limits of one ResourceQuota, and what is used of each."""

    namespace: str
    name: str
    uid: str
    hard: tuple[tuple[str, int], ...]
    used: tuple[tuple[str, int], ...]


def quota_fact(raw: Document) -> QuotaFact | None:
    """None when it limits no extended resource. Kubernetes quotas them as ``requests.<name>``."""
    metadata, status = raw["metadata"], raw.get("status") or {}
    hard = status.get("hard") or (raw.get("spec") or {}).get("hard") or {}
    names = sorted(name for name in hard if name.startswith("requests.") and "/" in name)
    if not names:
        return None
    used = status.get("used") or {}
    return QuotaFact(
        metadata["namespace"],
        metadata["name"],
        metadata.get("uid", ""),
        tuple((name.removeprefix("requests."), whole(hard[name])) for name in names),
        tuple((name.removeprefix("requests."), whole(used.get(name, "0"))) for name in names),
    )


@dataclass(frozen=True, slots=True)
class NamespaceFact:
    """A namespace's labels, for the pools' namespaceSelector."""

    name: str
    uid: str
    labels: Pairs


def namespace_fact(raw: Document) -> NamespaceFact:
    """Labels only."""
    metadata = raw["metadata"]
    return NamespaceFact(metadata["name"], metadata.get("uid", ""), pairs(metadata.get("labels")))


@dataclass(frozen=True, slots=True)
class PriorityFact:
    """A PriorityClass."""

    name: str
    uid: str
    value: int


def priority_fact(raw: Document) -> PriorityFact:
    """Its value; a higher one is placed first."""
    return PriorityFact(raw["metadata"]["name"], raw["metadata"].get("uid", ""), int(raw.get("value", 0)))


@dataclass(frozen=True, slots=True)
class ClaimFact:
    """A PersistentVolumeClaim: whether its volume can be mounted on several nodes at once."""

    namespace: str
    name: str
    uid: str
    shared: bool


def claim_fact(raw: Document) -> ClaimFact:
    """Shared means ReadWriteMany or ReadOnlyMany."""
    metadata = raw["metadata"]
    modes = set((raw.get("spec") or {}).get("accessModes") or ())
    return ClaimFact(
        metadata["namespace"],
        metadata["name"],
        metadata.get("uid", ""),
        bool(modes & {"ReadWriteMany", "ReadOnlyMany"}),
    )
