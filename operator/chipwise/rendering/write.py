"""The writes on a Deployment, each one atomic: a JSON Patch (RFC 6902) that fails unless the Deployment is the very one we read.

A merge patch cannot do this: it puts new list entries first, so a restored template would differ from the author's and start new pods.
Only ``scale`` touches replicas: in one write with the template they would change the *old* pods first. A patch that would change
nothing is empty and need not be sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from chipwise.rendering.manifest import Manifest
from chipwise.rendering.record import (
    ANNOTATIONS,
    MANAGED_LABEL,
    RECORD_LABEL,
    Record,
    to_annotations,
    to_labels,
)

Operation = dict[str, Any]
Patch = list[Operation]

_LABELS = (MANAGED_LABEL, RECORD_LABEL)


def move(deployment: Mapping[str, Any], manifest: Manifest, record: Record) -> Patch:
    """Write a rendering and its record. Raises RenderingRefused for a base that is too large."""
    annotations = to_annotations(record)
    return _guarded(
        deployment,
        [
            *_manifest(deployment, manifest),
            *_entries(deployment, "annotations", annotations),
            *_entries(deployment, "labels", to_labels(annotations)),
        ],
    )


def rebase(deployment: Mapping[str, Any], record: Record) -> Patch:
    """Write the record alone: the author's base changed, and what runs does not."""
    annotations = to_annotations(record)
    entries = _entries(deployment, "annotations", annotations)
    return _guarded(deployment, [*entries, *_entries(deployment, "labels", to_labels(annotations))])


def scale(deployment: Mapping[str, Any], replicas: int) -> Patch:
    """Write replicas, and nothing else."""
    return _guarded(deployment, _field(deployment["spec"], "/spec", "replicas", replicas))


def restore(deployment: Mapping[str, Any], base: Manifest) -> Patch:
    """Give the author's template and strategy back, and take every trace of ours off."""
    return _guarded(deployment, [*_manifest(deployment, base), *_traces(deployment)])


def release(deployment: Mapping[str, Any]) -> Patch:
    """Take our annotations and labels off and leave what runs."""
    return _guarded(deployment, _traces(deployment))


def pointer(*tokens: str) -> str:
    """Join tokens to a JSON pointer (RFC 6901)."""
    return "".join("/" + token.replace("~", "~0").replace("/", "~1") for token in tokens)


def _guarded(deployment: Mapping[str, Any], operations: Iterable[Operation]) -> Patch:
    changes = list(operations)
    if not changes:
        return []
    metadata = deployment["metadata"]
    guards = [
        {"op": "test", "path": pointer("metadata", key), "value": metadata[key]}
        for key in ("resourceVersion", "uid")
    ]
    return [*guards, *changes]


def _manifest(deployment: Mapping[str, Any], manifest: Manifest) -> Patch:
    spec = deployment["spec"]
    return [
        *_field(spec, "/spec", "template", manifest.template),
        *_field(spec, "/spec", "strategy", manifest.strategy),
    ]


def _field(parent: Mapping[str, Any], path: str, key: str, value: Any) -> Patch:
    """Set one field; ``add`` replaces what is there."""
    if key in parent and parent[key] == value:
        return []
    return [{"op": "add", "path": path + pointer(key), "value": deepcopy(value)}]


def _entries(deployment: Mapping[str, Any], kind: str, entries: Mapping[str, str]) -> Patch:
    present = deployment["metadata"].get(kind)
    if not present:
        return [{"op": "add", "path": pointer("metadata", kind), "value": dict(sorted(entries.items()))}]
    path = pointer("metadata", kind)
    return [op for key, value in sorted(entries.items()) for op in _field(present, path, key, value)]


def _traces(deployment: Mapping[str, Any]) -> Patch:
    operations: Patch = []
    for kind, ours in (("annotations", ANNOTATIONS), ("labels", _LABELS)):
        present = deployment["metadata"].get(kind) or {}
        found = [key for key in ours if key in present]
        if found and len(found) == len(present):
            operations.append({"op": "remove", "path": pointer("metadata", kind)})
        else:
            operations.extend({"op": "remove", "path": pointer("metadata", kind, key)} for key in found)
    return operations
