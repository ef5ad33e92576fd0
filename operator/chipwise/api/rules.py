"""A rule that both the API server and the offline command line enforce: CEL for the one, Python for the other, one sentence for both.

Rules stand in one place each, on the model or the type that they are about. The generator puts ``cel`` into the CRD; the models run
``check``. Whether the two agree is tested against a real API server (e2e/test_admission.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticCustomError

BROKEN = "chipwise_rule"


@dataclass(frozen=True, slots=True)
class Rule:
    """``check`` is true of a valid value, and so is ``cel`` with the value as ``self``.

    ``message`` is what a person must do. ``field`` is the path below the value that is at fault, such as ``.max``.
    """

    cel: str
    message: str
    check: Callable[[Any], bool]
    field: str = ""

    def enforce(self, value: Any) -> None:
        """Raise what pydantic reports as a problem of ``value``."""
        if not self.check(value):
            raise broken(self.message, self.field)

    @property
    def schema(self) -> dict[str, str]:
        """The entry for ``x-kubernetes-validations``."""
        entry = {"rule": self.cel, "message": self.message}
        return {**entry, "fieldPath": self.field} if self.field else entry


def broken(message: str, field: str = "") -> PydanticCustomError:
    """Make a problem in our own words, ``field`` below the value that was validated."""
    return PydanticCustomError(BROKEN, "{sentence}", {"sentence": message, "field": field})


def attach(schema: dict[str, Any], *rules: Rule) -> dict[str, Any]:
    """Add the rules to a JSON schema, after those that it has."""
    if rules:
        schema["x-kubernetes-validations"] = [
            *schema.get("x-kubernetes-validations", []),
            *(rule.schema for rule in rules),
        ]
    return schema
