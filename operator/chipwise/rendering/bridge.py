"""The bridge: a second Deployment beside the author's, ours, that carries what a move needs beyond the replicas that run.

Its pods carry the author's labels, so that Services find them, and one more by which alone its own selector goes: neither Deployment
takes the other's ReplicaSets. It is owned by the author's Deployment, so that it never outlives it, and says of itself what it is for.
Its name follows from the author's Deployment, so that there is never a second one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from chipwise.rendering.manifest import Document, Manifest

BRIDGE_LABEL = "chipwise.dev/bridge"
BRIDGE_ANNOTATION = "chipwise.dev/bridge-for"
#: A ReplicaSet's name is its Deployment's and eleven characters more, and holds 253.
_NAME_KEPT = 220


@dataclass(frozen=True, slots=True)
class Bridge:
    """What a bridge says of itself: whose it is, and which move it was made for.

    ``over`` digests the author's template that ran when it was made: while that runs the move has not begun. ``rendered`` digests the
    rendering that its pods run.
    """

    deployment: str
    uid: str
    workload: str
    pool: str
    variant: str
    over: str
    rendered: str

    @property
    def place(self) -> tuple[str, str]:
        """(pool, variant) where the move goes."""
        return (self.pool, self.variant)


def name_of(deployment: str, uid: str) -> str:
    """Name the bridge of a Deployment."""
    return f"{deployment[:_NAME_KEPT].rstrip('-.')}-bridge-{_mark(uid)[:8]}"


def digest(template: Mapping[str, Any]) -> str:
    """Digest a pod template: 16 hexadecimal digits."""
    return sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:16]


def document_of(deployment: Mapping[str, Any], manifest: Manifest, bridge: Bridge, replicas: int) -> Document:
    """Write the bridge of a Deployment as it is to be created. None of the author's own labels and annotations but the pods'.

    A tool that tracks what it applied by a label on the Deployment would take a copy of that label for its own and prune the bridge.
    """
    metadata, spec = deployment["metadata"], deployment["spec"]
    mark = _mark(bridge.uid)
    template = deepcopy(manifest.template)
    template.setdefault("metadata", {}).setdefault("labels", {})[BRIDGE_LABEL] = mark
    kept = {key: spec[key] for key in ("minReadySeconds", "progressDeadlineSeconds") if key in spec}
    said = {name: getattr(bridge, name) for name in Bridge.__dataclass_fields__}
    owner = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": metadata["name"],
        "uid": metadata["uid"],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name_of(bridge.deployment, bridge.uid),
            "namespace": metadata["namespace"],
            "labels": {BRIDGE_LABEL: mark},
            "annotations": {BRIDGE_ANNOTATION: json.dumps(said, sort_keys=True, separators=(",", ":"))},
            "ownerReferences": [owner],
        },
        "spec": {
            **kept,
            "replicas": replicas,
            "revisionHistoryLimit": 0,
            "selector": {"matchLabels": {BRIDGE_LABEL: mark}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": template,
        },
    }


def read(deployment: Mapping[str, Any]) -> Bridge | None:
    """Read what a Deployment says of itself; None for one that is no bridge of ours.

    Label, annotation and name must agree: a copy of a bridge under another name, or one that somebody has made into something else,
    is not ours to delete.
    """
    metadata = deployment["metadata"]
    text = (metadata.get("annotations") or {}).get(BRIDGE_ANNOTATION)
    if text is None:
        return None
    try:
        said = json.loads(text)
        bridge = Bridge(**{name: str(said[name]) for name in Bridge.__dataclass_fields__})
    except (KeyError, TypeError, ValueError):
        return None
    labelled = (metadata.get("labels") or {}).get(BRIDGE_LABEL) == _mark(bridge.uid)
    return bridge if labelled and metadata["name"] == name_of(bridge.deployment, bridge.uid) else None


def _mark(uid: str) -> str:
    """A label's value that tells the pods of one bridge from all others."""
    return sha256(uid.encode()).hexdigest()[:16]
