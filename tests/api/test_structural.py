"""The generator says no to what a CRD cannot hold or nobody could read."""

from typing import Annotated, Any, Literal

import pytest
from chipwise.api.lists import Distinct, MapBy
from chipwise.api.model import Model
from chipwise.api.rules import Rule
from chipwise.api.structural import UnfitSchema, structural_schema
from pydantic import Field

Short = Annotated[str, Field(max_length=8)]


class Leaf(Model):
    """A leaf."""

    rules = (Rule("self.size > 0", "must have a size", lambda leaf: leaf.size > 0, ".size"),)

    size: int
    """How big it is."""
    shade: Literal["red", "green"] | None = None
    """Its colour."""


class Tree(Model):
    """A tree."""

    leaves: Annotated[tuple[Leaf, ...], Field(max_length=3), MapBy("size")] = ()
    """The leaves."""
    names: Annotated[tuple[Short, ...], Field(max_length=2), Distinct()] = ()
    """Its names."""
    best_leaf: Leaf | None = None
    """The best one."""
    labels: Annotated[dict[str, Short], Field(max_length=4)] = Field(default_factory=dict)
    """What is written on it."""


class Undescribed(Model):
    """Has a silent field."""

    field: Short


class LooseText(Model):
    """Has an unbounded string."""

    field: str
    """Any text."""


class LooseList(Model):
    """Has an unbounded list."""

    field: tuple[Short, ...]
    """Any number."""


class LooseMap(Model):
    """Has an unbounded map."""

    field: dict[str, Short]
    """Any number."""


class LooseItems(Model):
    """Has a bounded list of unbounded strings."""

    field: Annotated[tuple[str, ...], Field(max_length=2)]
    """Any text."""


class Either(Model):
    """Has a union."""

    field: Short | int
    """One or the other."""


class Pair(Model):
    """Has a list with a type for each position."""

    field: tuple[Short, int]
    """Two things."""


class Anything(Model):
    """Has a field without a type."""

    field: Any
    """Anything."""


class Foreign(Model):
    """Has a keyword that nobody vouched for."""

    field: Annotated[Short, Field(json_schema_extra={"x-kubernetes-embedded-resource": True})]
    """A thing."""


class Recursive(Model):
    """Contains itself."""

    field: "Recursive | None" = None
    """Another."""


LEAF = {
    "type": "object",
    "x-kubernetes-validations": [
        {"rule": "self.size > 0", "message": "must have a size", "fieldPath": ".size"}
    ],
    "required": ["size"],
    "properties": {
        "size": {"description": "How big it is.", "type": "integer", "format": "int64"},
        "shade": {"description": "Its colour.", "type": "string", "enum": ["red", "green"]},
    },
}


def test_a_structural_schema_in_full() -> None:
    """References are inline, null and empty defaults are gone, rules and list types are in, the field's description wins."""
    assert structural_schema(Tree) == {
        "description": "A tree.",
        "type": "object",
        "properties": {
            "leaves": {
                "description": "The leaves.",
                "type": "array",
                "maxItems": 3,
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["size"],
                "items": {"description": "A leaf.", **LEAF},
            },
            "names": {
                "description": "Its names.",
                "type": "array",
                "maxItems": 2,
                "x-kubernetes-list-type": "set",
                "items": {"type": "string", "maxLength": 8},
            },
            "bestLeaf": {"description": "The best one.", **LEAF},
            "labels": {
                "description": "What is written on it.",
                "type": "object",
                "maxProperties": 4,
                "additionalProperties": {"type": "string", "maxLength": 8},
            },
        },
    }


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (Undescribed, "Undescribed.field: has no description"),
        (LooseText, "LooseText.field: is a string without maxLength"),
        (LooseList, "LooseList.field: is a list without maxItems"),
        (LooseMap, "LooseMap.field: is a map without maxProperties"),
        (LooseItems, "LooseItems.field[]: is a string without maxLength"),
        (Either, "Either.field: anyOf is not allowed"),
        (Pair, "Pair.field: prefixItems is not allowed"),
        (Anything, "Anything.field: has no type"),
        (Foreign, "Foreign.field: x-kubernetes-embedded-resource is not allowed"),
        (Recursive, "Recursive: contains itself"),
    ],
)
def test_fails_closed(model: type[Model], expected: str) -> None:
    """Better no CRD than one that the API server refuses, prunes or cannot bound."""
    with pytest.raises(UnfitSchema, match="(?s)" + expected.replace("[", r"\[").replace("]", r"\]")):
        structural_schema(model)
