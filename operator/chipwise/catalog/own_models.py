"""Models of somebody's own beside those that ship: entries as in ``data/models.yaml``, or ModelProfiles with an architecture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from chipwise.catalog import shelf
from chipwise.catalog.model_shapes import ModelEntry, given
from chipwise.catalog.records import BrokenCatalogue, Record
from chipwise.performance.types import Architecture
from chipwise.reasons import Refusal

_NOT_STATED = "bf16"
"""What a ModelProfile without variants is taken to have, as most checkpoints do."""

APART = " (own shape)"
"""Behind the id of a model that ships, where somebody gave that id to another shape."""

_ROUNDED = 0.02
"""Share by which stated parameters differ from counted ones: 70e9 for 70.6e9."""


def read(documents: Iterable[Any], file: str) -> tuple[ModelEntry, ...]:
    """The models of the documents of one file. Raises BrokenCatalogue with file, entry and field."""
    found = tuple(entry for document in documents for entry in _entries(document, file))
    if not found:
        raise BrokenCatalogue(f"{file}: has no model: a list under models, or ModelProfiles")
    return found


def with_shipped(own: Iterable[ModelEntry]) -> Callable[[str], ModelEntry | Refusal]:
    """A lookup by name, id or alias, whatever the case; what ships is asked where none of ``own`` is meant.

    Raises BrokenCatalogue for a name of two models that differ in architecture or weights.
    """
    by_name: dict[str, ModelEntry] = {}
    for each in map(_apart, own):
        for name in (each.name, each.id, *each.aliases):
            known = by_name.setdefault(name.lower(), each)
            if (known.architecture, known.weights) != (each.architecture, each.weights):
                raise BrokenCatalogue(f"{name}: two models of this name are given, and they differ")

    def lookup(name: str) -> ModelEntry | Refusal:
        return by_name.get(name.lower()) or shelf.model_entry(name)

    return lookup


def _apart(own: ModelEntry) -> ModelEntry:
    """Under an id of its own where one that ships has this id and another shape: what was measured of that one says nothing of it."""
    ships = shelf.model_entry(own.id)
    if isinstance(ships, Refusal) or same_shape(own.architecture, ships.architecture):
        return own
    return replace(own, id=f"{own.id}{APART}", aliases=(*own.aliases, own.id))


def same_shape(one: Architecture, other: Architecture) -> bool:
    """Whether measurements of one hold for the other: all figures but the longest context are equal, those of parameters within 2 %.

    Heads that one of them does not state are not compared.
    """
    heads = {one.attention_heads, other.attention_heads} - {None}
    if len(heads) > 1:
        return False
    alike = replace(
        other,
        parameters=one.parameters,
        active_parameters=one.active_parameters,
        max_context_tokens=one.max_context_tokens,
        attention_heads=one.attention_heads,
    )
    counts = (
        (one.parameters, other.parameters),
        (one.active_parameters, other.active_parameters),
    )
    return one == alike and all(abs(a - b) <= _ROUNDED * b for a, b in counts)


def _entries(document: Any, file: str) -> Iterator[ModelEntry]:
    if document is None:
        return
    if isinstance(document, Mapping) and document.get("kind") == "List":
        document = document.get("items")
    elif isinstance(document, Mapping) and "kind" in document:
        document = [document]
    elif isinstance(document, Mapping):
        document = document.get("models")
    if not isinstance(document, list) or not all(isinstance(each, Mapping) for each in document):
        raise BrokenCatalogue(f"{file}: models must be a list of maps, or the file ModelProfiles")
    for each in document:
        if "kind" not in each:
            yield given(
                Record(each, f"{file}, {each.get('name') or each.get('id') or 'an entry without name'}")
            )
        elif each["kind"] == "ModelProfile":
            yield _profile(each, file)


def _profile(manifest: Mapping[str, Any], file: str) -> ModelEntry:
    """The architecture of a ModelProfile; the format of its weights is that of the first variant."""
    record = Record(manifest, file)
    name = record.under("metadata").text("name")
    spec = Record(record.under("spec").fields, f"{file}, ModelProfile {name}")
    variants = spec.fields.get("variants") or [{}]
    weights = variants[0].get("precision", _NOT_STATED) if isinstance(variants[0], Mapping) else _NOT_STATED
    shape = spec.under("architecture").fields
    return given(Record({"name": name, "id": spec.text("model"), "weights": weights, **shape}, spec.where))
