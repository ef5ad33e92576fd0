"""Whether two statuses say the same to a person: moments apart, and figures as far as a tolerance allows.

A sentence is compared as its words, and the numbers in it as figures: other words are news at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

#: Not compared: they follow from the rest.
_MOMENTS = frozenset({"lastTransitionTime", "at", "since"})
#: A number on its own, not one within a name such as mi300x-x2 or v0.12.1.
_FIGURE = re.compile(r"(?<![\w./:-])\d+(?:\.\d+)?(?![\w/:-]|\.\d)")


def same(before: Any, after: Any, tolerance: float | None) -> bool:
    """Whether two documents say the same but for moments and, within ``tolerance`` (None: at all), for figures."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        keys = {k for k in (*before, *after) if k not in _MOMENTS}
        return all(
            (_same_sentence if key == "message" else same)(before.get(key), after.get(key), tolerance)
            for key in keys
        )
    if isinstance(before, list | tuple) and isinstance(after, list | tuple):
        return len(before) == len(after) and all(
            same(b, a, tolerance) for b, a in zip(before, after, strict=True)
        )
    if before == after:
        return True
    one, other = _number(before), _number(after)
    if one is None or other is None:
        return before in (None, "", [], {}) and after in (None, "", [], {})
    return _near(one, other, tolerance)


def _same_sentence(before: str | None, after: str | None, tolerance: float | None) -> bool:
    one, other = before or "", after or ""
    if _FIGURE.split(one) != _FIGURE.split(other):
        return False
    figures = zip(_FIGURE.findall(one), _FIGURE.findall(other), strict=True)
    return all(_near(float(a), float(b), tolerance) for a, b in figures)


def _near(one: float, other: float, tolerance: float | None) -> bool:
    return tolerance is None or abs(one - other) <= tolerance * max(abs(one), abs(other))


def _number(value: Any) -> float | None:
    """Figures are strings such as 98.32 or 38.1ms; JSON numbers are counts and generations, which are compared exactly."""
    if not isinstance(value, str):
        return None
    try:
        return float(value.removesuffix("ms"))
    except ValueError:
        return None
