"""Who wrote what a Deployment says now: the author alone, chipwise, or somebody else over chipwise's rendering.

A write that is not ours is read against the author's base and our rendering. Equal to the base: a re-assertion, to be healed. Another
value: the author's new base, over which the variant is laid again. Our record gone while our label stands: an undo, to be respected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from chipwise.rendering import record as records
from chipwise.rendering.intent import author_intent
from chipwise.rendering.manifest import Manifest, RenderingRefused, digest_of, manifest_of
from chipwise.rendering.record import Record, Standing
from chipwise.rendering.render import render
from chipwise.rendering.target import Target


class Authorship(Enum):
    """What the last write was."""

    AUTHOR = auto()  # not managed by chipwise
    OURS = auto()  # exactly what chipwise wrote
    REASSERTED = auto()  # the author's values again, over ours
    CHANGED = auto()  # new values of the author's
    UNDONE = auto()  # rolled back to a revision from before our record


@dataclass(frozen=True, slots=True)
class Reading:
    """``base`` is what the author wants now; ``record`` what chipwise noted at its last write."""

    authorship: Authorship
    base: Manifest
    record: Record | None = None


def read_deployment(deployment: Mapping[str, Any], rendition: Target | None) -> Reading:
    """Read who wrote what.

    ``rendition`` is the target by which the record's variant renders today; None when variant or pools are gone, and then a foreign
    write is taken whole as the author's new base.
    """
    current = manifest_of(deployment)
    standing = records.standing(deployment)
    if standing is Standing.UNMANAGED:
        return Reading(Authorship.AUTHOR, current)
    if standing is Standing.UNDONE:
        return Reading(Authorship.UNDONE, current)
    record = records.read(deployment)
    assert record is not None  # noqa: S101 - MANAGED says so
    if digest_of(current) == record.rendered:
        return Reading(Authorship.OURS, record.base, record)
    intent = _intent(current, record, rendition)
    if intent == record.base:
        return Reading(Authorship.REASSERTED, record.base, record)
    return Reading(Authorship.CHANGED, intent, record)


def _intent(current: Manifest, record: Record, rendition: Target | None) -> Manifest:
    if rendition is None:
        return current
    try:
        return author_intent(current, render(record.base, rendition), record.base)
    except RenderingRefused:
        return current
