"""Pods: what each holds or awaits, and by which rendering it is recognised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chipwise.autoscaling.placeholders import placeholder_of
from chipwise.cluster.facts.needs import NOTHING, Needs, pod_needs
from chipwise.cluster.facts.reading import Document, Pairs, extended, pairs
from chipwise.cluster.facts.verdict import NO_VERDICT, Verdict, verdict
from chipwise.rendering.footprint import pod_requests

#: Reasons of a waiting container that is only on its way.
_ON_ITS_WAY = frozenset({"ContainerCreating", "PodInitializing"})
_MESSAGE = 300


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pod has come on its way to serve, and what keeps it. Moments are RFC 3339, empty where they did not come yet.

    ``waiting`` is why a container does not run, in the kubelet's word (ImagePullBackOff, CrashLoopBackOff); ``message`` is the
    kubelet's or the scheduler's sentence about it, and ``verdict`` what the scheduler's means.
    """

    created: str = ""
    bound: str = ""
    ready_changed: str = ""
    waiting: str = ""
    restarts: int = 0
    message: str = ""
    verdict: Verdict = NO_VERDICT


@dataclass(frozen=True, slots=True)
class PodFact:
    """One pod that holds or awaits room. ``progress`` is kept only of a Deployment's pods that ask for chips.

    ``spare_for`` is the label of a placeholder, empty for every other pod; ``priority`` is kept of placeholders only.
    """

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
    progress: Progress | None = None
    needs: Needs = NOTHING
    spare_for: str = ""
    priority: int = 0


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
    spare_for = placeholder_of(raw)
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
        progress=_progress(metadata, status) if chips and deployment else None,
        needs=pod_needs(raw, asked),
        spare_for=spare_for,
        priority=int(spec["priority"]) if spare_for else 0,
    )


def _progress(metadata: Mapping[str, Any], status: Mapping[str, Any]) -> Progress:
    conditions = {c.get("type"): c for c in status.get("conditions") or ()}
    scheduled, ready = conditions.get("PodScheduled", {}), conditions.get("Ready", {})
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    waiting = [w for c in containers if (w := (c.get("state") or {}).get("waiting")) and w.get("reason")]
    stuck: Mapping[str, Any] = next((w for w in waiting if w["reason"] not in _ON_ITS_WAY), {})
    unbound = scheduled.get("message", "") if scheduled.get("status") == "False" else ""
    return Progress(
        created=metadata.get("creationTimestamp", ""),
        bound=scheduled.get("lastTransitionTime", "") if scheduled.get("status") == "True" else "",
        ready_changed=ready.get("lastTransitionTime", ""),
        waiting=stuck.get("reason", ""),
        restarts=max((int(c.get("restartCount", 0)) for c in containers), default=0),
        message=(stuck.get("message") or unbound)[:_MESSAGE],
        verdict=verdict(unbound),
    )
