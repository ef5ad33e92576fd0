"""Who wrote what a Deployment says now: the author alone, chipwise, or somebody else over chipwise's rendering.

A write that is not ours is read against the author's base and our rendering. Equal to the base: a re-assertion, to be healed. Another
value: the author's new base, over which the variant is laid again. Our record gone with our template while our label stands: an undo,
to be respected. Our record edited: nobody knows any more what the author wrote, and a person has to help.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from chipwise.rendering import record as records
from chipwise.rendering.intent import author_intent
from chipwise.rendering.manifest import Manifest, manifest_of
from chipwise.rendering.record import Record, Standing


class Authorship(Enum):
    """What the last write was."""

    AUTHOR = auto()  # not managed by chipwise
    OURS = auto()  # exactly what chipwise wrote
    REASSERTED = auto()  # the author's values again, over ours
    CHANGED = auto()  # new values of the author's
    UNDONE = auto()  # rolled back to a revision from before our record
    DAMAGED = auto()  # our record was edited or removed by hand


@dataclass(frozen=True, slots=True)
class Reading:
    """``base`` is what the author wants now; ``record`` what chipwise noted at its last write."""

    authorship: Authorship
    base: Manifest
    record: Record | None = None


def read_deployment(deployment: Mapping[str, Any]) -> Reading:
    """Read who wrote what.

    Of an undo to an earlier rendering of ours the base is known: its own record came back with it. An undo to the author's ReplicaSet
    left no record, and the author's own is what is there.
    """
    current = manifest_of(deployment)
    standing = records.standing(deployment)
    if standing is Standing.UNMANAGED:
        return Reading(Authorship.AUTHOR, current)
    if standing is Standing.DAMAGED:
        return Reading(Authorship.DAMAGED, current)
    if standing is Standing.UNDONE:
        return Reading(Authorship.UNDONE, _base_before(deployment) or current)
    record = records.read(deployment)
    assert record is not None  # noqa: S101 - MANAGED says so
    if current == record.rendered:
        return Reading(Authorship.OURS, record.base, record)
    intent = author_intent(current, record.rendered, record.base)
    if intent == record.base:
        return Reading(Authorship.REASSERTED, record.base, record)
    return Reading(Authorship.CHANGED, intent, record)


def _base_before(deployment: Mapping[str, Any]) -> Manifest | None:
    try:
        record = records.read(deployment)
    except records.RecordDamaged:
        return None
    return record.base if record else None
