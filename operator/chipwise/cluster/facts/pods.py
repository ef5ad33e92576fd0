"""Pods: what each holds or awaits, and by which rendering it is recognised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chipwise.cluster.facts.needs import NOTHING, Needs, pod_needs
from chipwise.cluster.facts.reading import Document, Pairs, extended, pairs
from chipwise.rendering.footprint import pod_requests


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
    needs: Needs = NOTHING


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
    asked = pod_requests(spec)
    chips = extended(asked)
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
        cpu_milli=asked.get("cpu", 0),
        memory_bytes=asked.get("memory", 0),
        chips=chips,
        selector=pairs(spec.get("nodeSelector")),
        digests=tuple((c["name"], digest(c)) for c in spec.get("containers") or ())
        if chips and deployment
        else (),
        needs=pod_needs(raw, asked),
    )
