"""From a model to the structural schema that a CustomResourceDefinition takes. Fails closed: what is not known to be safe is an error.

Beyond what the API server demands, every string, list and map must be bounded, for rules in CEL are refused where their cost cannot be
estimated, and every field must be described, for ``kubectl explain`` is the manual.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

KEPT = frozenset(
    {
        "type",
        "format",
        "description",
        "properties",
        "required",
        "items",
        "additionalProperties",
        "enum",
        "default",
        "pattern",
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
        "x-kubernetes-int-or-string",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-list-type",
        "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-validations",
    }
)
DROPPED = frozenset({"title"})
#: In the order in which a person reads a schema.
ORDER = (
    "description",
    "type",
    "format",
    "enum",
    "default",
    "pattern",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "x-kubernetes-int-or-string",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-validations",
    "required",
    "properties",
    "additionalProperties",
    "items",
)


class UnfitSchema(Exception):  # noqa: N818 - named for the situation
    """A model has something that a CRD cannot say, or that house rules forbid: where, and what."""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(f"{path}: {what}")
        self.path = path


class _Generator(GenerateJsonSchema):
    """pydantic's own generator, but null is absence and a literal is an enumeration."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def literal_schema(self, schema: core_schema.LiteralSchema) -> JsonSchemaValue:
        return {"type": "string", "enum": list(schema["expected"])}


def structural_schema(model: type[BaseModel], *, without: Collection[str] = ()) -> dict[str, Any]:
    """Return the schema of ``model`` with everything inline, less the top-level fields ``without``. Raises UnfitSchema."""
    document = model.model_json_schema(by_alias=True, schema_generator=_Generator)
    definitions = document.pop("$defs", {})
    whole = _inlined(document, definitions, ())
    kept = {name: field for name, field in whole["properties"].items() if name not in without}
    return _node({**whole, "properties": kept}, model.__name__)


def _inlined(node: Any, definitions: Mapping[str, Any], inside: tuple[str, ...]) -> Any:
    """``node`` with references replaced. What stands beside a reference wins: the field knows better than its type."""
    if isinstance(node, list):
        return [_inlined(item, definitions, inside) for item in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if reference is None:
        return {key: _inlined(value, definitions, inside) for key, value in node.items()}
    name = reference.removeprefix("#/$defs/")
    if name in inside:
        raise UnfitSchema(name, "contains itself, and a structural schema cannot recurse")
    beside = {key: value for key, value in node.items() if key != "$ref"}
    return {**_inlined(definitions[name], definitions, (*inside, name)), **beside}


def _node(node: dict[str, Any], path: str) -> dict[str, Any]:
    found = {key: value for key, value in node.items() if key not in DROPPED and not _is_noise(key, value)}
    unknown = sorted(set(found) - KEPT)
    if unknown:
        raise UnfitSchema(path, f"{', '.join(unknown)} is not allowed in a structural schema")
    _check_bounds(found, path)
    if found.get("type") == "integer":
        found["format"] = "int64"
    if "properties" in found:
        found["properties"] = {
            name: _field(field, f"{path}.{name}") for name, field in found["properties"].items()
        }
    if "items" in found:
        found["items"] = _node(found["items"], f"{path}[]")
    if "additionalProperties" in found:
        found["additionalProperties"] = _node(found["additionalProperties"], f"{path}{{}}")
    if found.get("type") == "array":
        found.setdefault("x-kubernetes-list-type", "atomic")
    return {key: found[key] for key in ORDER if key in found}


def _field(node: dict[str, Any], path: str) -> dict[str, Any]:
    if not node.get("description"):
        raise UnfitSchema(path, "has no description: write a string below the field")
    return _node(node, path)


def _is_noise(key: str, value: Any) -> bool:
    """Defaults that say nothing, and closed objects: the API server prunes unknown fields by itself."""
    if key == "default":
        return value is None or value in ([], {}, "")
    return key == "additionalProperties" and value in (False, True)


def _check_bounds(node: dict[str, Any], path: str) -> None:
    kind = node.get("type")
    if kind is None and not node.get("x-kubernetes-int-or-string"):
        raise UnfitSchema(path, "has no type")
    if kind == "string" and not {"maxLength", "enum"} & set(node):
        raise UnfitSchema(path, "is a string without maxLength")
    if kind == "array" and "maxItems" not in node:
        raise UnfitSchema(path, "is a list without maxItems")
    if kind == "object" and "properties" not in node and "maxProperties" not in node:
        raise UnfitSchema(path, "is a map without maxProperties")
    if kind == "array" and "items" not in node:
        raise UnfitSchema(path, "is a list without a type of its items")
