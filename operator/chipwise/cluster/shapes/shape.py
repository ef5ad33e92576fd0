"""What a document must look like, and the first place at which one does not.

As the API server's own check of types, for the fields that are read; unknown ones pass. A null is an absent field, as it is there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from chipwise.rendering.quantity import parse

#: Yields what is wrong with a value, each with its path.
Shape: TypeAlias = Callable[[Any, str], Iterator["Flaw"]]

_MOST_DIGITS = 24
_INT32 = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Flaw:
    """``path`` is dotted, such as spec.template.spec.containers[0].name; ``message`` says what is to be there."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Fields:
    """An object. ``required`` fields must be there."""

    fields: Mapping[str, Shape]
    required: tuple[str, ...] = field(default=())

    def __call__(self, value: Any, path: str) -> Iterator[Flaw]:
        """See Shape."""
        if not isinstance(value, dict):
            yield Flaw(path, f"must be an object, not {_kind(value)}")
            return
        below = f"{path}." if path else ""
        for name in self.required:
            if value.get(name) is None:
                yield Flaw(f"{below}{name}", "is required")
        for name, shape in self.fields.items():
            if value.get(name) is not None:
                yield from shape(value[name], f"{below}{name}")


@dataclass(frozen=True, slots=True)
class Items:
    """A list. ``least`` is how many entries it has at least; ``unique`` names the field that no two of them share."""

    of: Shape
    least: int = 0
    unique: str = ""

    def __call__(self, value: Any, path: str) -> Iterator[Flaw]:
        """See Shape."""
        if not isinstance(value, list):
            yield Flaw(path, f"must be a list, not {_kind(value)}")
            return
        if len(value) < self.least:
            yield Flaw(path, "must not be empty")
        seen = set()
        for number, entry in enumerate(value):
            flaws = list(self.of(entry, f"{path}[{number}]"))
            yield from flaws
            if self.unique and not flaws:
                name = entry.get(self.unique)
                if name in seen:
                    yield Flaw(f"{path}[{number}].{self.unique}", f"{name} is there twice; keep one")
                seen.add(name)


@dataclass(frozen=True, slots=True)
class Named:
    """An object whose keys are anybody's, with values alike."""

    of: Shape

    def __call__(self, value: Any, path: str) -> Iterator[Flaw]:
        """See Shape."""
        if not isinstance(value, dict):
            yield Flaw(path, f"must be an object, not {_kind(value)}")
            return
        for key, entry in value.items():
            if not isinstance(key, str):
                yield Flaw(path, f"the key {key} must be a text: put it in quotes")
            elif entry is None:
                yield Flaw(f"{path}.{key}", "has no value")
            else:
                yield from self.of(entry, f"{path}.{key}")


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number within bounds, which are int32's if nothing else is said."""

    least: int = -_INT32 - 1
    most: int = _INT32

    def __call__(self, value: Any, path: str) -> Iterator[Flaw]:
        """See Shape."""
        if isinstance(value, bool) or not isinstance(value, int):
            yield Flaw(path, f"must be a whole number, not {_kind(value)}")
        elif value < self.least:
            yield Flaw(path, f"must be at least {self.least}, not {value}")
        elif value > self.most:
            yield Flaw(path, f"must be at most {self.most}")


def text(value: Any, path: str) -> Iterator[Flaw]:
    """A text."""
    if not isinstance(value, str):
        yield Flaw(path, f"must be a text, not {_kind(value)}: put it in quotes")


def name(value: Any, path: str) -> Iterator[Flaw]:
    """A text that is not empty."""
    yield from text(value, path)
    if value == "":
        yield Flaw(path, "is required")


def flag(value: Any, path: str) -> Iterator[Flaw]:
    """True or false."""
    if not isinstance(value, bool):
        yield Flaw(path, f"must be true or false, not {_kind(value)}")


def decimal(value: Any, path: str) -> Iterator[Flaw]:
    """An amount of money, as a text."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,9})?", value):
        yield Flaw(path, 'must be a decimal in quotes, such as "12.50"')


def quantity(value: Any, path: str) -> Iterator[Flaw]:
    """A Kubernetes quantity that is not negative."""
    shown = str(value)[:_MOST_DIGITS]
    wrong = Flaw(path, f"{shown!r} is not a quantity such as 4, 500m or 16Gi")
    if isinstance(value, bool) or not isinstance(value, str | int | float) or len(str(value)) > _MOST_DIGITS:
        yield wrong
        return
    exponent = str(value).lower().partition("e")[2].lstrip("+-")
    try:
        amount = parse("x" if exponent.isdigit() and int(exponent) > _MOST_DIGITS else value)
    except ValueError:
        yield wrong
        return
    if amount < 0:
        yield Flaw(path, f"must not be negative, as {shown} is")


def number_or_text(value: Any, path: str) -> Iterator[Flaw]:
    """A whole number or a text: a port or its name, a count or a percentage."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        yield Flaw(path, f"must be a whole number or a text, not {_kind(value)}")


def count_or_percentage(value: Any, path: str) -> Iterator[Flaw]:
    """How many, or of a hundred."""
    percentage = isinstance(value, str) and value.endswith("%") and value[:-1].isdecimal()
    if not percentage and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        yield Flaw(path, "must be a count such as 1, or a percentage such as 25%")


def stripped(value: Any) -> Any:
    """The same document less all fields that are null."""
    if isinstance(value, dict):
        return {key: stripped(entry) for key, entry in value.items() if entry is not None}
    if isinstance(value, list):
        return [stripped(entry) for entry in value]
    return value


def _kind(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case dict():
            return "an object"
        case list():
            return "a list"
        case str():
            return f"the text {value[:_MOST_DIGITS]!r}"
    return str(value)[:_MOST_DIGITS]
