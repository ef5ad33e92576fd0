"""What a patch rests on: that the object is the one that was decided about, and still bears our mark."""

from __future__ import annotations

from chipwise.kube.protocol import Operation
from chipwise.rendering.write import pointer


def still_ours(uid: str, label: str, value: str) -> tuple[Operation, ...]:
    """Operations that fail the patch of an object of another UID, or whose label does not have the value any more."""
    return (
        {"op": "test", "path": pointer("metadata", "uid"), "value": uid},
        {"op": "test", "path": pointer("metadata", "labels", label), "value": value},
    )
