"""Nothing of the schemas grows without end, and every list and map of a spec is tried at its bound and beyond."""

import copy

import pytest
from chipwise.api import KINDS, parse

from tests.api.bounds import NEVER_VALID, PLACES, Place, below, places, schema_of, unbounded
from tests.api.documents import accelerator_pool
from tests.api.rejections import BOUNDS, REPEATS


@pytest.mark.parametrize("part", ["spec", "status"])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_list_map_and_text_is_bounded(kind: str, part: str) -> None:
    """Objects must fit etcd, and rules in CEL need bounds for their cost to be known."""
    assert unbounded(schema_of(kind, part), part) == []


@pytest.mark.parametrize(
    ("path", "bound"),
    [
        ("spec.zones", "maxItems"),
        ("spec.namespaceSelector.matchExpressions[0].values", "maxItems"),
        ("spec.nodeSelector", "maxProperties"),
        ("spec.nodeSelector{}", "maxLength"),
        ("spec.tolerations[0].key", "maxLength"),
    ],
)
def test_a_missing_bound_is_seen(path: str, bound: str) -> None:
    """At any depth, in lists, maps and what they hold."""
    schema = copy.deepcopy(schema_of("AcceleratorPool", "spec"))
    del dict(below(schema, "spec"))[path][bound]
    assert unbounded(schema, "spec") == [path]


def test_every_list_and_map_of_a_spec_is_tried() -> None:
    """Also the ones inside others: as many places as the rendered schemas have bounds."""
    for kind in KINDS:
        spec = schema_of(kind, "spec")
        bounds = {path for path, node in below(spec, "spec") if {"maxItems", "maxProperties"} & set(node)}
        assert {place.path for place in PLACES if place.around["kind"] == kind} == bounds
    assert len(BOUNDS) == len(PLACES)
    assert len(REPEATS) == sum("x-kubernetes-list-map-keys" in place.schema for place in PLACES) + sum(
        place.schema.get("x-kubernetes-list-type") == "set" for place in PLACES
    )


def test_a_new_list_is_tried_without_being_named() -> None:
    """Its entries are made from its schema."""
    schema = copy.deepcopy(schema_of("AcceleratorPool", "spec"))
    label = {"type": "object", "required": ["key"], "properties": {"key": {"type": "string", "maxLength": 9}}}
    schema["properties"]["shape"]["properties"]["labels"] = {"type": "array", "maxItems": 2, "items": label}

    [new] = [place for place in places(schema, accelerator_pool()) if place.path == "spec.shape.labels"]
    assert new.holding(3)["spec"]["shape"]["labels"] == [{"key": "a1"}, {"key": "a2"}, {"key": "a3"}]


def test_a_list_of_what_cannot_be_made_up_is_an_error() -> None:
    """It says where, so that nothing goes untried in silence."""
    schema = {"type": "array", "maxItems": 2, "items": {"type": "string", "maxLength": 9, "pattern": "^!$"}}
    place = Place("spec.shouts", schema, accelerator_pool())
    with pytest.raises(AssertionError, match=r"spec\.shouts\[0\]: no spelling"):
        place.holding(3)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_as_many_entries_as_allowed_are_read(place: Place) -> None:
    """So that the one too many is all that is wrong with the document that is refused."""
    if place.path not in NEVER_VALID:
        assert parse(place.holding(place.limit))
