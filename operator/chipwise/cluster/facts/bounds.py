"""What bounds a placement from outside: autoscalers, namespaces, priorities, claims."""

from __future__ import annotations

from dataclasses import dataclass

from chipwise.cluster.facts.reading import Document, Pairs, pairs

#: KEDA's label on the HorizontalPodAutoscalers that it makes.
_KEDA = "scaledobject.keda.sh/name"


@dataclass(frozen=True, slots=True)
class AutoscalerFact:
    """A HorizontalPodAutoscaler and the Deployment whose replicas it owns. ``scaled_object`` is the KEDA object that made it, if one did."""

    namespace: str
    name: str
    uid: str
    deployment: str
    minimum: int
    maximum: int
    scaled_object: str = ""

    @property
    def title(self) -> str:
        """What a person would edit."""
        return f"ScaledObject {self.scaled_object}" if self.scaled_object else f"HPA {self.name}"

    @property
    def scales_to_zero(self) -> bool:
        """KEDA takes the last replica away and brings it back; the HPA that it makes does neither."""
        return bool(self.scaled_object)


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
        _scaled_object(metadata),
    )


def _scaled_object(metadata: Document) -> str:
    owners = (o["name"] for o in metadata.get("ownerReferences") or () if o.get("kind") == "ScaledObject")
    return str((metadata.get("labels") or {}).get(_KEDA) or next(owners, ""))


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
    """A PriorityClass. The default one is that of pods which name none. ``preempts``: its pods push out those of lower ones."""

    name: str
    uid: str
    value: int
    is_default: bool = False
    preempts: bool = True


def priority_fact(raw: Document) -> PriorityFact:
    """Its value; a higher one is placed first."""
    metadata = raw["metadata"]
    return PriorityFact(
        metadata["name"],
        metadata.get("uid", ""),
        int(raw.get("value", 0)),
        is_default=bool(raw.get("globalDefault", False)),
        preempts=raw.get("preemptionPolicy", "PreemptLowerPriority") != "Never",
    )


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
