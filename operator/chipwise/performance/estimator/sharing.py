"""What cases and rows have in common: numbers that are equal where all columns asked about are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chipwise.performance.estimator.cases import Floats, Table

Codes = NDArray[np.intp]

NAMED = ("model", "accelerator")
"""Columns in which nothing is shared by having no name."""

VARIANT = (*NAMED, "engine", "precision")
PARALLEL = (*VARIANT, "tensor", "pipeline", "data", "expert")
"""What is run on what, and how its chips work together."""


def numbered(rows: Table, share: tuple[str, ...]) -> Codes:
    """Number the rows by what they have in these columns, in order of it; each without a name is alone, below 0."""
    joined = np.zeros(len(rows), dtype=np.intp)
    unnamed = np.zeros(len(rows), dtype=bool)
    for column in share:
        values = getattr(rows, column)
        known = np.unique(values, return_inverse=True)[1]
        joined = np.unique(joined * (len(rows) + 1) + known, return_inverse=True)[1]
        if column in NAMED:
            unnamed |= values == ""
    joined[unnamed] = -1 - np.arange(unnamed.sum())
    return joined


class Shared:
    """Cases beside rows that were seen."""

    def __init__(self, asked: Table, seen: Table) -> None:
        self._tables = asked, seen
        self._columns: dict[str, tuple[Codes, Codes, int]] = {}
        self._done: dict[tuple[str, ...], tuple[Codes, Codes]] = {}

    def codes(self, share: tuple[str, ...]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Numbers for cases and rows, equal where all these columns are: -1 for a case that no row is like, -2 for a row without a name."""
        asked, seen = self._joined(share)
        return asked.astype(np.int32), seen.astype(np.int32)

    def extent(self, share: tuple[str, ...], figure: Floats) -> tuple[Floats, Floats]:
        """The least and the most of a figure of the rows that have these columns in common with each case; inf and -inf of none."""
        asked, seen = self.codes(share)
        named = seen >= 0
        low, high = np.full(len(seen) + 1, np.inf), np.full(len(seen) + 1, -np.inf)
        np.minimum.at(low, seen[named], figure[named])
        np.maximum.at(high, seen[named], figure[named])
        return low[asked], high[asked]

    def _joined(self, share: tuple[str, ...]) -> tuple[Codes, Codes]:
        if share not in self._done:
            asked, seen, count = self._column(share[-1])
            if len(share) > 1:
                before_asked, before_seen = self._joined(share[:-1])
                lost_asked, lost_seen = (asked < 0) | (before_asked < 0), (seen < 0) | (before_seen < 0)
                known, seen = np.unique(before_seen * count + seen, return_inverse=True)
                wanted = before_asked * count + asked
                at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
                asked = np.where((known[at] == wanted) & ~lost_asked, at, -1)
                seen = np.where(lost_seen, -2, seen)
            self._done[share] = asked, seen
        return self._done[share]

    def _column(self, name: str) -> tuple[Codes, Codes, int]:
        if name not in self._columns:
            asked, seen = (getattr(table, name).tolist() for table in self._tables)
            known = {value: number for number, value in enumerate(dict.fromkeys(seen))}
            if name in NAMED:
                known.pop("", None)
            asked_codes = np.array([known.get(value, -1) for value in asked], dtype=np.intp)
            seen_codes = np.array([known.get(value, -2) for value in seen], dtype=np.intp)
            self._columns[name] = asked_codes, seen_codes, len(known) + 2
        return self._columns[name]
