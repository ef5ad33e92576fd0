"""Every list and map of the specs, found in the rendered schemas, and documents that fill them: nothing here names a field that is new.

An entry is made from its schema. Only what a rule demands, which no schema shows, is in a table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chipwise.api import KINDS
from chipwise.api.crds import definition

from tests.api.documents import MINIMAL, Document, point, put

#: What rules want in an object beside its required fields.
DEMANDED: Mapping[str, Document] = {
    "spec.tolerations[0]": {"operator": "Exists"},
    "spec.namespaceSelector.matchExpressions[0]": {"operator": "Exists"},
    "spec.performance[0].performance": {"points": [point()]},
}
#: What rules want elsewhere once a list is given: where, and what.
BESIDE: Mapping[str, tuple[str, str]] = {
    "spec.variants[0].container.args.list": ("spec.variants[0].container.args.mode", "Replace"),
    "spec.namespaceSelector.matchExpressions[0].values": (
        "spec.namespaceSelector.matchExpressions[0].operator",
        "In",
    ),
}
#: Refused however few its entries: it is listed so that the refusal can say why.
NEVER_VALID = frozenset({"spec.variants[0].container.volumes[0].hostPath"})
#: Tried in turn until one has the form that the schema asks for.
SPELLINGS = ("a{}", "--a{}", "/a{}", "{}", "{}ms")


@dataclass(frozen=True)
class Place:
    """A list or map: ``path`` goes through the first entry of every list on the way, and ``around`` has all that it stands in."""

    path: str
    schema: Document
    around: Document

    @property
    def name(self) -> str:
        return f"{self.around['kind']} {self.path}"

    @property
    def limit(self) -> int:
        return int(self.schema[bound_of(self.schema)])

    @property
    def keys(self) -> tuple[str, ...] | None:
        """What may not repeat: fields of the entries, or nothing named where the entries themselves may not; None where all may."""
        found = {"map": tuple(self.schema.get("x-kubernetes-list-map-keys", ())), "set": ()}
        return found.get(self.schema.get("x-kubernetes-list-type", ""))

    def entry(self, number: int) -> Any:
        """One entry of a list; different for each number, as far as there are as many."""
        made = sample(self.schema["items"], f"{self.path}[0]", number)
        turn = number - 1
        for key in self.keys or ():
            choices = self.schema["items"]["properties"][key].get("enum", ())
            if choices:
                made[key], turn = choices[turn % len(choices)], turn // len(choices)
        return made

    def holding(self, count: int) -> Document:
        """A document with this many entries here, and valid but for that."""
        numbers = range(1, count + 1)
        if self.schema["type"] == "array":
            return self.given([self.entry(number) for number in numbers])
        value = self.schema.get("additionalProperties", {"type": "string"})
        return self.given({f"a{number}": sample(value, self.path, number) for number in numbers})

    def given(self, entries: Any) -> Document:
        document = put(self.around, self.path, entries)
        return put(document, *BESIDE[self.path]) if self.path in BESIDE else document


def schema_of(kind: str, part: str) -> Document:
    """The schema of ``spec`` or ``status``, as it is rendered."""
    [version] = definition(KINDS[kind])["spec"]["versions"]
    found: Document = version["schema"]["openAPIV3Schema"]["properties"][part]
    return found


def below(schema: Document, path: str) -> Iterator[tuple[str, Document]]:
    """Every node of a schema, itself first, by its path."""
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from below(field, f"{path}.{name}")
    if "items" in schema:
        yield from below(schema["items"], f"{path}[0]")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from below(schema["additionalProperties"], f"{path}{{}}")


def bound_of(schema: Document) -> str:
    """The keyword that bounds what this node holds; empty for what is bounded by its type."""
    if "enum" in schema:
        return ""
    if schema.get("type") == "object":
        return "" if "properties" in schema else "maxProperties"
    if schema.get("x-kubernetes-int-or-string"):
        return "maxLength"
    return {"array": "maxItems", "string": "maxLength"}.get(schema["type"], "")


def unbounded(schema: Document, path: str) -> list[str]:
    """Lists, maps and strings that may grow without end."""
    return [at for at, node in below(schema, path) if (bound := bound_of(node)) and bound not in node]


def places(schema: Document, document: Document) -> Iterator[Place]:
    """Every bounded list and map of a spec, each in a document of its own. A list around another holds one entry."""
    for path, node in below(schema, "spec"):
        if bound_of(node) in {"maxItems", "maxProperties"} & set(node):
            yield Place(path, node, _with_lists_around(document, schema, path))


def _with_lists_around(document: Document, schema: Document, path: str) -> Document:
    for outer, node in below(schema, "spec"):
        if "items" in node and path.startswith(f"{outer}[0]"):
            document = put(document, outer, [sample(node["items"], f"{outer}[0]", 1)])
    return document


def sample(schema: Document, path: str, number: int) -> Any:
    """The least that is valid by its schema and by the rules of its place."""
    if "enum" in schema:
        return schema["enum"][(number - 1) % len(schema["enum"])]
    match schema.get("type"):
        case "object":
            required = {name: schema["properties"][name] for name in schema.get("required", ())}
            made = {name: sample(field, f"{path}.{name}", number) for name, field in required.items()}
            return {**made, **DEMANDED.get(path, {})}
        case "array":
            return [sample(schema["items"], f"{path}[0]", number)]
        case "string":
            return _spelled(schema, path, number)
        case "integer":
            return max(number, schema.get("minimum", 0))
    raise AssertionError(f"{path}: how is an entry of type {schema.get('type')} written? Say so here")


def _spelled(schema: Document, path: str, number: int) -> str:
    for spelling in SPELLINGS:
        text = spelling.format(number)
        if re.fullmatch(schema.get("pattern", ".*"), text):
            return text
    raise AssertionError(f"{path}: no spelling has the form {schema['pattern']}: add one to SPELLINGS")


PLACES = tuple(
    place for document in MINIMAL for place in places(schema_of(document["kind"], "spec"), document)
)
