"""A cell of a table as a number, as programs write it: Python's own reading also takes 1_000, other digits, and names for what is no number."""

from __future__ import annotations

import math


def number(text: str) -> float | None:
    """The finite number that a cell says; None where it says none."""
    try:
        value = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None
