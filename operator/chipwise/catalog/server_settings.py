"""How a server is set, as people state it: the columns that a table of cases may have for it, read and held against what can be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chipwise.catalog.cells import number
from chipwise.performance.estimator import Serving

COLUMNS = ("batched_tokens", "held_steps", "equal_lengths")
"""A blank cell, or no column, is what nobody said."""

MOST_BATCHED, MOST_HELD = 10_000_000.0, 10_000.0
"""Beyond these a figure is a slip of the pen."""

_YES, _NO = ("yes", "true", "1"), ("no", "false", "0")


@dataclass(frozen=True, slots=True)
class Wrong:
    """The column, and what is wrong with what it says."""

    column: str
    problem: str


def read(cells: Mapping[str, str | None]) -> Serving | Wrong:
    """The settings in the cells of a row, by column."""
    texts = {name: (cells.get(name) or "").strip().lower() for name in COLUMNS}
    batched, held = (_number(name, texts[name]) for name in COLUMNS[:2])
    if isinstance(batched, Wrong):
        return batched
    if isinstance(held, Wrong):
        return held
    equal = texts["equal_lengths"]
    if equal not in ("", *_YES, *_NO):
        return Wrong("equal_lengths", f"{equal} is neither yes nor no")
    found = Serving(batched, held, equal in _YES if equal else None)
    return absurd(found) or found


def absurd(settings: Serving) -> Wrong | None:
    """What no server was ever set to; None if all is well."""
    batched, held = settings.batched_tokens, settings.held_steps
    if batched is not None and not 1 <= batched <= MOST_BATCHED:
        return Wrong("batched_tokens", f"{batched:g} is not between 1 and {MOST_BATCHED:,.0f}")
    if held is not None and not 0 <= held <= MOST_HELD:
        return Wrong("held_steps", f"{held:g} is not between 0 and {MOST_HELD:,.0f}")
    return None


def _number(column: str, text: str) -> float | Wrong | None:
    if not text:
        return None
    value = number(text)
    return Wrong(column, f"{text} is not a number") if value is None else value
