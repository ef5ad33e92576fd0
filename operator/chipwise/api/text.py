"""Strings of a given form. A form is a pattern, a bound and the sentence that is said when a string has another form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from chipwise.api.rules import Rule, attach, broken


@dataclass(frozen=True, slots=True)
class Form:
    """Metadata for ``Annotated[str, ...]``. ``pattern`` is RE2, anchored at both ends and without single quotes.

    ``max_length`` may exceed what the pattern allows: past it the API server says no more than that, and skips every rule in CEL.
    The pattern goes into the schema too, for clients that read no CEL; its own message would be the pattern.
    """

    pattern: str
    max_length: int
    message: str

    @property
    def rule(self) -> Rule:
        """The form as a rule on the string."""
        return Rule(self.holds("self"), self.message, self.matches)

    def matches(self, text: str) -> bool:
        """Whether the whole of ``text`` has this form."""
        return re.fullmatch(self.pattern, text) is not None

    def holds(self, expression: str) -> str:
        """CEL: the string ``expression`` has this form."""
        return f"{expression}.matches(r'{self.pattern}')"

    def validate(self, text: str) -> str:
        """``text`` itself; raises what pydantic reports."""
        if len(text) > self.max_length:
            raise broken(f"may not be longer than {self.max_length} characters")
        self.rule.enforce(text)
        return text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.validate, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return attach(
            {**handler(schema), "pattern": self.pattern, "maxLength": self.max_length},
            self.rule,
        )


def _written(value: Any) -> Any:
    """YAML readers make dates of what was written as text; give the text back."""
    return value.isoformat() if hasattr(value, "isoformat") else value


_DNS_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"

Label = Annotated[
    str, Form(f"^{_DNS_LABEL}$", 63, "must be lower-case letters, digits and hyphens, such as h100-x4")
]
Name = Annotated[
    str,
    Form(
        rf"^{_DNS_LABEL}(\.{_DNS_LABEL})*$",
        253,
        "must be the name of an object: lower-case letters, digits, hyphens and dots",
    ),
]
VariantName = Annotated[
    str,
    Form(
        r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$",
        63,
        "must be lower-case letters, digits, hyphens and dots, such as h100-x4",
    ),
]
LabelValue = Annotated[
    str,
    Form(
        "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$",
        63,
        "must be a label value: letters, digits, hyphens, underscores and dots",
    ),
]
LABEL_KEY = Form(
    "^([a-z0-9]([-.a-z0-9]*[a-z0-9])?/)?([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$",
    317,
    "must be a label key, such as kubernetes.azure.com/agentpool",
)
LabelKey = Annotated[str, LABEL_KEY]
Currency = Annotated[
    str, Form("^[A-Z]{3}$", 32, "must be a currency code of three capital letters, such as USD")
]
Day = Annotated[
    str,
    BeforeValidator(_written),
    Form("^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$", 32, "must be a date, such as 2026-03-27"),
]
Timestamp = Annotated[
    str, BeforeValidator(_written), Field(max_length=64, json_schema_extra={"format": "date-time"})
]
Line = Annotated[str, Field(min_length=1, max_length=512)]
Word = Annotated[str, Field(min_length=1, max_length=128)]
