"""How alike the errors of the physics are in two cases: a sum of terms, each for something that the two share.

What two cases share (model, chip, engine, precision, version, parallelism, tokens) decides which terms count; how far they are apart
in concurrency, tokens and chips decides how much, by the Matern 3/2 function of the distance in logarithms (Rasmussen and Williams,
Gaussian Processes for Machine Learning, 2006, chapter 4). The amplitudes are standard deviations of the logarithm: 0.1 is about 10 %.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chipwise.performance.estimator.cases import Floats, Table

Codes = NDArray[np.intp]

LONG = np.array([4.0, 4.0, 4.0, 3.0])
SHORT = np.array([2.0, 2.0, 2.0, 1.2])
"""Distances in the logarithms of concurrency, input, output and chips over which errors that are shared widely, or narrowly, change."""


@dataclass(frozen=True, slots=True)
class Term:
    """``share`` are the columns that two cases must have in common; ``reach`` is how fast their likeness falls, None for never."""

    share: tuple[str, ...]
    deviation: float
    reach: str | None


_VARIANT = ("model", "accelerator", "engine", "precision")
_PARALLEL = (*_VARIANT, "tensor", "data", "expert")

TERMS = (
    Term(("model",), 0.10, None),
    Term(("model",), 0.10, "long"),
    Term(("model", "engine"), 0.10, "long"),
    Term(("model", "accelerator"), 0.07, "long"),
    Term(("model", "precision"), 0.07, "long"),
    Term(("accelerator",), 0.05, None),
    Term(("accelerator",), 0.03, "long"),
    Term((*_VARIANT, "version"), 0.15, "long"),
    Term(_VARIANT, 0.12, "short"),
    Term(_PARALLEL, 0.06, "short"),
    Term((*_PARALLEL, "version", "input", "output"), 0.04, "short"),
)


def places(t: Table) -> Floats:
    """Where each case stands: logarithms of concurrency, input, output and chips; shape (n, 4)."""
    return np.log(np.stack([t.concurrency, t.input, t.output, t.chips], axis=1))


def covariance(one: Table, other: Table, terms: Sequence[Term] = TERMS) -> Floats:
    """Of the errors of every case of one table with every case of the other; shape (len(one), len(other)).

    Cases without a name share nothing by it.
    """
    a, b = places(one), places(other)
    reach: dict[str | None, Floats | float] = {
        None: 1.0,
        "long": _likeness(a, b, LONG),
        "short": _likeness(a, b, SHORT),
    }
    total = np.zeros((len(one), len(other)))
    known = numbers(one, other, [column for term in terms for column in term.share])
    for term in terms:
        x, y = codes(one, other, term.share, known)
        total += (x[:, None] == y[None, :]) * (term.deviation**2 * reach[term.reach])
    return total


def variance(terms: Sequence[Term] = TERMS) -> float:
    """Of the error of any one case before anything was measured."""
    return sum(term.deviation**2 for term in terms)


def numbers(one: Table, other: Table, columns: Iterable[str]) -> dict[str, Codes]:
    """A number for each value of every column, over the rows of both tables: sorting texts is what takes time."""
    found: dict[str, Codes] = {}
    for column in columns:
        if column not in found:
            listed = [*getattr(one, column).tolist(), *getattr(other, column).tolist()]
            place = {value: number for number, value in enumerate(sorted(set(listed)))}
            found[column] = np.array([place[value] for value in listed], dtype=np.intp)
    return found


def codes(
    one: Table, other: Table, share: tuple[str, ...], known: Mapping[str, Codes] | None = None
) -> tuple[Codes, Codes]:
    """Numbers for both tables, equal where all these columns are; an empty name is unlike any other, and itself.

    ``known`` are the ``numbers`` of these columns, if they are at hand.
    """
    known = numbers(one, other, share) if known is None else known
    joined = np.zeros(len(one) + len(other), dtype=np.intp)
    unnamed = np.zeros(len(joined), dtype=bool)
    for column in share:
        joined = np.unique(joined * (len(joined) + 1) + known[column], return_inverse=True)[1]
        if column in NAMED:
            unnamed |= np.concatenate([getattr(one, column), getattr(other, column)]) == ""
    joined[unnamed] = -1 - np.arange(unnamed.sum())
    return joined[: len(one)], joined[len(one) :]


NAMED = ("model", "accelerator")
"""Columns in which nothing is shared by having no name."""


class Likeness:
    """The covariance of many cases with rows that were seen, ready to be asked for a part of either at a time."""

    def __init__(self, asked: Table, seen: Table, terms: Sequence[Term] = TERMS) -> None:
        a, b = places(asked), places(seen)
        self._places = {
            name: (_halves(a / reach), _halves(b / reach))
            for name, reach in (("long", LONG), ("short", SHORT))
        }
        shared = _Shared(asked, seen)
        self._terms = [(term, *shared.codes(term.share)) for term in terms]

    def between(self, asked: NDArray[np.intp], seen: NDArray[np.intp]) -> Floats:
        """Of these cases with these rows; shape (len(asked), len(seen))."""
        weights: dict[str | None, Floats] = {}
        for term, x, y in self._terms:
            alike = x[asked][:, None] == y[seen][None, :]
            part = np.multiply(alike, term.deviation**2)
            weights[term.reach] = weights[term.reach] + part if term.reach in weights else part
        total = weights.pop(None, np.zeros((len(asked), len(seen))))
        for reach, weight in weights.items():
            (x1, x2), (y1, y2) = self._places[str(reach)]
            squared = x2[asked][:, None] + y2[seen][None, :] - 2 * (x1[asked] @ y1[seen].T)
            total += weight * _matern(squared)
        return total


class _Shared:
    """Numbers of the seen rows and of the cases by shared columns: -1 for a case that no row is like, -2 for a row without a name."""

    def __init__(self, asked: Table, seen: Table) -> None:
        self._tables = asked, seen
        self._columns: dict[str, tuple[Codes, Codes, int]] = {}
        self._done: dict[tuple[str, ...], tuple[Codes, Codes]] = {}

    def codes(self, share: tuple[str, ...]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        asked, seen = self._joined(share)
        return asked.astype(np.int32), seen.astype(np.int32)

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


def _halves(a: Floats) -> tuple[Floats, Floats]:
    """Places, and the square of their distance from the origin."""
    return a, (a**2).sum(1)


def _matern(squared: NDArray[Any]) -> NDArray[Any]:
    """Of squared distances, which are consumed."""
    np.maximum(squared, 0, out=squared)
    squared *= 3
    r = np.sqrt(squared, out=squared)
    alike: NDArray[Any] = np.exp(-r)
    alike *= r + 1
    return alike


def _likeness(a: Floats, b: Floats, reach: Floats) -> Floats:
    x, y = a / reach, b / reach
    return _matern((x**2).sum(1)[:, None] + (y**2).sum(1)[None, :] - 2 * x @ y.T)
