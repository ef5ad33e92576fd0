"""What lists and maps of the schema promise: which keys they have and that none repeats, and that there is at least one entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from chipwise.api.model import camel_case
from chipwise.api.rules import Rule, attach, broken
from chipwise.api.text import Form


@dataclass(frozen=True, slots=True, init=False)
class MapBy:
    """A list of objects that are told apart by the given fields, named as in Python."""

    keys: tuple[str, ...]

    def __init__(self, *keys: str) -> None:
        object.__setattr__(self, "keys", keys)

    def validate(self, items: Sequence[Any]) -> Sequence[Any]:
        """``items`` themselves; raises what pydantic reports for the first that repeats an earlier one."""
        _refuse_repeats([_identity(item, self.keys) for item in items])
        return items

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.validate, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            **handler(schema),
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": [camel_case(key) for key in self.keys],
        }


@dataclass(frozen=True, slots=True)
class Distinct:
    """A list of scalars none of which repeats; its order carries no meaning."""

    def validate(self, items: Sequence[Any]) -> Sequence[Any]:
        """``items`` themselves; raises what pydantic reports for the first that repeats an earlier one."""
        _refuse_repeats([str(item) for item in items])
        return items

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.validate, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "x-kubernetes-list-type": "set"}


@dataclass(frozen=True, slots=True)
class NotEmpty:
    """A list or map with at least one entry; ``message`` says which and why."""

    message: str

    @property
    def rule(self) -> Rule:
        """The same as a rule on the list."""
        return Rule("size(self) > 0", self.message, lambda items: len(items) > 0)

    def validate(self, items: Sized) -> Sized:
        """``items`` themselves; raises what pydantic reports."""
        self.rule.enforce(items)
        return items

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.validate, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        found = handler(schema)
        bound = "minItems" if found["type"] == "array" else "minProperties"
        return attach({**found, bound: 1}, self.rule)


@dataclass(frozen=True, slots=True)
class Keys:
    """A map all of whose keys have this form."""

    form: Form

    @property
    def rule(self) -> Rule:
        """The same as a rule on the map."""
        return Rule(
            f"self.all(key, size(key) <= {self.form.max_length} && {self.form.holds('key')})",
            f"every key {self.form.message}",
            lambda entries: all(map(self._holds, entries)),
        )

    def validate(self, entries: Mapping[str, Any]) -> Mapping[str, Any]:
        """``entries`` themselves; raises what pydantic reports."""
        self.rule.enforce(entries)
        return entries

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.validate, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return attach(handler(schema), self.rule)

    def _holds(self, key: str) -> bool:
        return len(key) <= self.form.max_length and self.form.matches(key)


def _identity(item: Any, keys: Sequence[str]) -> str:
    return ", ".join(f"{camel_case(key)} {getattr(item, key)}" for key in keys)


def _refuse_repeats(identities: Sequence[str]) -> None:
    seen: set[str] = set()
    for position, identity in enumerate(identities):
        if identity in seen:
            raise broken(
                f"repeats {identity}, which may stand here only once: change it, or leave it out",
                f"[{position}]",
            )
        seen.add(identity)
