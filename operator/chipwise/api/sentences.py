"""What pydantic found wrong, as sentences for the person who wrote the YAML."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from chipwise.api.errors import Problem
from chipwise.api.rules import BROKEN


def problems(error: ValidationError) -> tuple[Problem, ...]:
    """Every problem of a failed validation, in pydantic's order, each once."""
    found = [Problem(_path(details), _sentence(details)) for details in error.errors(include_url=False)]
    return tuple(dict.fromkeys(found))


def _path(details: ErrorDetails) -> str:
    path = ""
    for part in details["loc"]:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part != "[key]":
            path += f".{part}"
    if details["type"] == BROKEN:
        path += details["ctx"]["field"]
    return path.removeprefix(".")


def _sentence(details: ErrorDetails) -> str:
    if isinstance(details["input"], bool) and details["type"] not in (BROKEN, "extra_forbidden"):
        return _about_boolean(details)
    known = _SENTENCES.get(details["type"])
    if known is None:
        return details["msg"][0].lower() + details["msg"][1:]
    return known(details.get("ctx", {}), details["input"])


def _about_boolean(details: ErrorDetails) -> str:
    said = "true" if details["input"] else "false"
    expected = details.get("ctx", {}).get("expected")
    wanted = expected or _NAMED.get(details["type"], "something else")
    return (
        f"must be {wanted}, and is the boolean {said}: YAML reads On, Off, Yes and No so, put them in quotes"
    )


def _text(_: Mapping[str, Any], given: Any) -> str:
    if isinstance(given, int | float):
        return f'must be a string: put it in quotes, "{given}"'
    return f"must be a string, not {_kind(given)}"


def _wanted(what: str) -> Callable[[Mapping[str, Any], Any], str]:
    return lambda _, given: f"must be {what}, not {_kind(given)}"


def _one_of(context: Mapping[str, Any], given: Any) -> str:
    return f"must be {context['expected']}, not {given!r}"


def _kind(given: Any) -> str:
    if given is None:
        return "empty"
    if isinstance(given, Mapping):
        return "an object"
    if isinstance(given, list | tuple):
        return "a list"
    return repr(given)


_NAMED = {
    "string_type": "a string",
    "int_type": "a whole number without quotes",
    "dict_type": "an object",
    "model_type": "an object",
    "tuple_type": "a list",
}

_SENTENCES: dict[str, Callable[[Mapping[str, Any], Any], str]] = {
    BROKEN: lambda context, _: str(context["sentence"]),
    "missing": lambda _, __: "is required",
    "extra_forbidden": lambda _, __: (
        "is not a field that exists here; check the spelling and the indentation"
    ),
    "string_type": _text,
    "string_too_short": lambda _, __: "must not be empty",
    "string_too_long": lambda context, _: f"may not be longer than {context['max_length']} characters",
    "bool_type": _wanted("true or false without quotes"),
    **{name: _wanted(what) for name, what in _NAMED.items() if name != "string_type"},
    "enum": _one_of,
    "literal_error": _one_of,
    "greater_than_equal": lambda context, given: f"must be at least {context['ge']}, not {given}",
    "less_than_equal": lambda context, given: f"must be at most {context['le']}, not {given}",
    "too_long": lambda context, _: f"may not have more than {context['max_length']} entries",
}
