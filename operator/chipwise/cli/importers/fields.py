"""Typed reading of other people's objects. Every error names the file, the object and the field, and says what is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from chipwise.cli.errors import BadInput

#: Numbers of more digits before the point are no measurement, and take for ever to write down.
_DIGITS = 24


@dataclass(frozen=True, slots=True)
class Record:
    """One object of a file. ``place`` is where it stands there, such as ``models[3]``; empty for the whole file."""

    path: Path
    place: str
    values: Mapping[str, Any]

    def error(self, field: str, message: str) -> BadInput:
        """What is wrong with ``field``; raise it."""
        name = self.values.get("name")
        title = f"{self.place} ({name})" if self.place and isinstance(name, str) else self.place
        return BadInput(": ".join(part for part in (str(self.path), title, field, message) if part))

    def has(self, field: str) -> bool:
        """Whether ``field`` is there and says something."""
        return self.values.get(field) is not None

    def text(self, field: str) -> str:
        """A string that is not empty."""
        value = self._value(field)
        if not isinstance(value, str) or not value:
            raise self.error(field, f"must be a name, not {_kind(value)}")
        return value

    def flag(self, field: str) -> bool:
        """A boolean; False where it is missing."""
        value = self.values.get(field, False)
        if not isinstance(value, bool):
            raise self.error(field, f"must be true or false, not {_kind(value)}")
        return value

    def number(self, field: str, *, zero: bool = False) -> Decimal:
        """A number greater than zero, or with ``zero`` at least zero."""
        value = self._value(field)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise self.error(field, f"must be a number, not {_kind(value)}")
        if Decimal(value).adjusted() > _DIGITS:
            raise self.error(field, f"must be a number of a sensible size, of at most {_DIGITS} digits")
        if value < 0 or (value == 0 and not zero):
            raise self.error(field, f"must be {'at least' if zero else 'greater than'} zero, not {value}")
        return Decimal(value)

    def count(self, field: str, *, zero: bool = False) -> int:
        """A whole number greater than zero, or with ``zero`` at least zero."""
        value = self.number(field, zero=zero)
        if value != int(value):
            raise self.error(field, f"must be a whole number, not {value}")
        return int(value)

    def within(self, *fields: str) -> Record:
        """The object at the end of a path of objects."""
        found = self
        for field in fields:
            found = found.record(field)
        return found

    def record(self, field: str) -> Record:
        """An object inside this one."""
        value = self._value(field)
        if not isinstance(value, dict):
            raise self.error(field, f"must be an object, not {_kind(value)}")
        return Record(self.path, f"{self.place}.{field}".lstrip("."), value)

    def records(self, field: str) -> list[Record]:
        """A list of objects inside this one, at least one."""
        value = self._value(field)
        if not isinstance(value, list) or not value:
            raise self.error(field, f"must be a list of objects, not {_kind(value)}")
        place = f"{self.place}.{field}".lstrip(".")
        for index, item in enumerate(value):
            if not isinstance(item, dict):
                raise self.error(f"{field}[{index}]", f"must be an object, not {_kind(item)}")
        return [Record(self.path, f"{place}[{index}]", item) for index, item in enumerate(value)]

    def _value(self, field: str) -> Any:
        if field not in self.values:
            raise self.error(field, "is required")
        return self.values[field]


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an empty list" if not value else "a list"
    return (
        str(value).lower()
        if isinstance(value, bool)
        else repr(value)
        if isinstance(value, str)
        else str(value)
    )
