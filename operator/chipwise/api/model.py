"""The base of every model: camelCase outside, snake_case inside, unknown fields refused, null the same as absent."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from chipwise.api.rules import Rule, attach

_SPELLED = {"gbps": "GBps"}


def camel_case(name: str) -> str:
    """Return the name in YAML of a Python name. A trailing underscore, which escapes a keyword, is dropped."""
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(_SPELLED.get(word, word.capitalize()) for word in rest)


class Model(BaseModel):
    """Frozen. ``rules`` hold between fields; a rule about one field stands on that field's type.

    The string below each field is its description in the CRD: read when CRDs are rendered, not at import (``descriptions.py``).
    """

    model_config = ConfigDict(
        alias_generator=camel_case,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        defer_build=True,
    )
    rules: ClassVar[tuple[Rule, ...]] = ()

    @classmethod
    def alias_of(cls, name: str) -> str:
        """Return the name in YAML of one of the fields."""
        return cls.model_fields[name].alias or name

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, document: Any) -> Any:
        """Do as the API server, which drops nulls before it applies defaults."""
        if not isinstance(document, dict):
            return document
        return {key: value for key, value in document.items() if value is not None}

    @model_validator(mode="after")
    def _obey(self) -> Self:
        for rule in type(self).rules:
            rule.enforce(self)
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        from chipwise.api.descriptions import field_descriptions  # noqa: PLC0415 - reads source, only to render CRDs

        reference = handler(schema)
        found = handler.resolve_ref_schema(reference)
        for name, description in field_descriptions(cls).items():
            found["properties"][cls.alias_of(name)]["description"] = description
        attach(found, *cls.rules)
        return reference


class StatusModel(Model):
    """What chipwise writes: fields of a newer version are ignored rather than refused."""

    model_config = ConfigDict(extra="ignore")
