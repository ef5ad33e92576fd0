"""What chipwise keeps on a Deployment that it moved: the author's base, our rendering, where it runs and for whom, and two labels.

``kubectl rollout undo`` puts the old ReplicaSet's annotations in place of the Deployment's and leaves the labels alone. So the labels
vouch for the annotations: ``chipwise.dev/managed`` says that there is a record, ``chipwise.dev/record`` which one, and over which
template. An undo to the author's ReplicaSet leaves no record, one to an earlier rendering leaves an older record, and both are told from
our own writes. Where the template is still ours and the record is not, or where half a record is left, nobody undid anything: somebody
edited the annotations.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

from chipwise.reasons import Reason, Refusal
from chipwise.rendering.manifest import Manifest, RenderingRefused, manifest_of

BASE_ANNOTATION = "chipwise.dev/base"
RENDERED_ANNOTATION = "chipwise.dev/rendered"
PLACEMENT_ANNOTATION = "chipwise.dev/placement"
ANNOTATIONS = (BASE_ANNOTATION, RENDERED_ANNOTATION, PLACEMENT_ANNOTATION)
MANAGED_LABEL = "chipwise.dev/managed"
RECORD_LABEL = "chipwise.dev/record"
MANAGED = "true"
# All annotations of one object share 256 KiB: the base, our rendering, and the copy of the author's file that kubectl apply keeps.
BASE_LIMIT_BYTES = 80 * 1024


class RecordDamaged(Exception):  # noqa: N818  it names a state of the cluster, as KeyError names one of a dict
    """The managed label is there but the record cannot be read, or is not there."""


class Standing(StrEnum):
    """How a Deployment stands to chipwise, from its metadata alone."""

    UNMANAGED = "Unmanaged"  # no label: the document is the author's, whatever annotations say
    MANAGED = "Managed"
    UNDONE = "Undone"  # labelled, but the record is missing or an older one, and so is the template
    DAMAGED = "Damaged"  # labelled, but somebody edited or removed the record


@dataclass(frozen=True, slots=True)
class Record:
    """``base_replicas`` is what the author stated when we first wrote, None if that was not known. ``moved_at`` is RFC 3339 in UTC.

    ``pools`` in the order of the plan; ``replicas`` as planned; ``workload`` is the InferenceWorkload's name in the same namespace.
    ``rendered`` is the manifest that was written with the record: whatever became of profile and pools since, it tells our write from
    a foreign one, and which fields a foreign one changed. ``reverts`` are the moments at which somebody re-asserted the base over it, the last few. ``restoring`` says
    that the author's template is on its way back.
    """

    base: Manifest
    base_replicas: int | None
    workload: str
    workload_uid: str
    pools: tuple[str, ...]
    variant: str
    replicas: int
    deletion_policy: str
    moved_at: str
    rendered: Manifest
    reverts: tuple[str, ...] = ()
    restoring: bool = False


def read(deployment: Mapping[str, Any]) -> Record | None:
    """Return the record of a managed Deployment, None for an unmanaged one. Raises RecordDamaged."""
    if not is_managed(deployment):
        return None
    annotations = deployment["metadata"].get("annotations") or {}
    try:
        base = json.loads(annotations[BASE_ANNOTATION])
        rendered = json.loads(annotations[RENDERED_ANNOTATION])
        placement = json.loads(annotations[PLACEMENT_ANNOTATION])
        return _record(base, rendered, placement)
    except KeyError as missing:
        raise RecordDamaged(f"{missing} is missing from the record") from missing
    except (TypeError, ValueError) as broken:
        raise RecordDamaged(f"the record cannot be read: {broken}") from broken


def standing(deployment: Mapping[str, Any]) -> Standing:
    """Tell how a Deployment stands. A record without the label that vouches for it counts as ours."""
    if not is_managed(deployment):
        return Standing.UNMANAGED
    if damage(deployment) is not None:
        return Standing.DAMAGED
    annotations, (record, _) = deployment["metadata"].get("annotations") or {}, _vouched(deployment)
    if not any(key in annotations for key in ANNOTATIONS):
        return Standing.UNDONE
    return Standing.MANAGED if record in ("", digest(annotations)) else Standing.UNDONE


def damage(deployment: Mapping[str, Any]) -> str | None:
    """What somebody did to the record of a managed Deployment, in words; None if it is as written, or another by an undo.

    An undo replaces the annotations as a whole, and the template with them.
    """
    if not is_managed(deployment):
        return None
    annotations, (record, template) = deployment["metadata"].get("annotations") or {}, _vouched(deployment)
    untouched = bool(template) and template == _digest(manifest_of(deployment).template)
    if not any(key in annotations for key in ANNOTATIONS):
        return "its annotations are gone" if untouched else None
    try:
        read(deployment)
    except RecordDamaged as broken:
        return str(broken)
    if untouched and record != digest(annotations):
        return "its annotations are not those that chipwise wrote"
    return None


def _vouched(deployment: Mapping[str, Any]) -> tuple[str, str]:
    """The digests of record and template in the label; empty where it has none."""
    record, _, template = (deployment["metadata"]["labels"].get(RECORD_LABEL) or "").partition(".")
    return record, template


def is_managed(deployment: Mapping[str, Any]) -> bool:
    """Tell whether the Deployment carries our label."""
    labels = deployment["metadata"].get("labels") or {}
    return bool(labels.get(MANAGED_LABEL) == MANAGED)


def to_annotations(record: Record) -> dict[str, str]:
    """Write the record as annotations. Raises RenderingRefused (BaseTooLarge)."""
    refusal = too_large(record.base, record.rendered)
    if refusal is not None:
        raise RenderingRefused(refusal.reason, refusal.message)
    placement = {
        "workload": record.workload,
        "workloadUid": record.workload_uid,
        "pools": list(record.pools),
        "variant": record.variant,
        "replicas": record.replicas,
        "deletionPolicy": record.deletion_policy,
        "at": record.moved_at,
        "reverts": list(record.reverts),
        "restoring": record.restoring,
    }
    return {
        BASE_ANNOTATION: _json({**_documents(record.base), "replicas": record.base_replicas}),
        RENDERED_ANNOTATION: _json(_documents(record.rendered)),
        PLACEMENT_ANNOTATION: _json(placement),
    }


def too_large(*manifests: Manifest) -> Refusal | None:
    """Refuse a manifest that does not fit an annotation."""
    size = max(len(_json(_documents(manifest)).encode()) for manifest in manifests)
    if size <= BASE_LIMIT_BYTES:
        return None
    message = (
        f"the pod template takes {size} bytes and an annotation may hold {BASE_LIMIT_BYTES} of it: "
        "move long values from env and args to a ConfigMap"
    )
    return Refusal(Reason.BASE_TOO_LARGE, message)


def to_labels(annotations: Mapping[str, str]) -> dict[str, str]:
    """Make the labels of the Deployment, not of its pods, that vouch for the annotations of a record."""
    template = json.loads(annotations[RENDERED_ANNOTATION])["template"]
    return {MANAGED_LABEL: MANAGED, RECORD_LABEL: f"{digest(annotations)}.{_digest(template)}"}


def digest(annotations: Mapping[str, str]) -> str:
    """Digest the record among the annotations: 16 hexadecimal digits, a valid label value."""
    return _digest([annotations.get(key) for key in ANNOTATIONS])


def _digest(value: Any) -> str:
    return sha256(_json(value).encode()).hexdigest()[:16]


def _documents(manifest: Manifest) -> dict[str, Any]:
    return {"template": manifest.template, "strategy": manifest.strategy}


def _manifest(stored: Mapping[str, Any]) -> Manifest:
    template, strategy = stored["template"], stored["strategy"]
    if not isinstance(template, dict) or not isinstance(strategy, dict) or "spec" not in template:
        raise ValueError("it holds no pod template")
    return Manifest(template=template, strategy=strategy)


def _record(base: Mapping[str, Any], rendered: Mapping[str, Any], placement: Mapping[str, Any]) -> Record:
    pools = tuple(str(pool) for pool in placement["pools"])
    if not pools:
        raise ValueError("it names no pool")
    return Record(
        base=_manifest(base),
        base_replicas=None if base["replicas"] is None else int(base["replicas"]),
        workload=str(placement["workload"]),
        workload_uid=str(placement["workloadUid"]),
        pools=pools,
        variant=str(placement["variant"]),
        replicas=int(placement["replicas"]),
        deletion_policy=str(placement["deletionPolicy"]),
        moved_at=str(placement["at"]),
        rendered=_manifest(rendered),
        reverts=tuple(str(moment) for moment in placement.get("reverts", ())),
        restoring=bool(placement.get("restoring", False)),
    )


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
