"""How alike the errors of the physics are in two cases: a sum of terms, each for something that the two share.

What two cases share (model, chip, engine, precision, version, parallelism, tokens) decides which terms count; how far they are apart
in concurrency, tokens and chips decides how much, by the Matern 3/2 function of the distance in logarithms (Rasmussen and Williams,
Gaussian Processes for Machine Learning, 2006, chapter 4). The amplitudes are standard deviations of the logarithm: 0.1 is about 10 %.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chipwise.performance.estimator.cases import Floats, Names, Table

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


def numbers(one: Table, other: Table, columns: Iterable[str]) -> dict[str, NDArray[np.intp]]:
    """A number for each value of every column, over the rows of both tables: sorting texts is what takes time."""
    found: dict[str, NDArray[np.intp]] = {}
    for column in columns:
        if column not in found:
            values: Names | Floats = np.concatenate([getattr(one, column), getattr(other, column)])
            found[column] = np.unique(values, return_inverse=True)[1]
    return found


def codes(
    one: Table, other: Table, share: tuple[str, ...], known: Mapping[str, NDArray[np.intp]] | None = None
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Numbers for both tables, equal where all these columns are; an empty name is unlike any other, and itself.

    ``known`` are the ``numbers`` of these columns, if they are at hand.
    """
    known = numbers(one, other, share) if known is None else known
    joined = np.zeros(len(one) + len(other), dtype=np.intp)
    unnamed = np.zeros(len(joined), dtype=bool)
    for column in share:
        joined = np.unique(joined * (len(joined) + 1) + known[column], return_inverse=True)[1]
        if column in ("model", "accelerator"):
            unnamed |= np.concatenate([getattr(one, column), getattr(other, column)]) == ""
    joined[unnamed] = -1 - np.arange(unnamed.sum())
    return joined[: len(one)], joined[len(one) :]


def _likeness(a: Floats, b: Floats, reach: Floats) -> Floats:
    x, y = a / reach, b / reach
    squared = (x**2).sum(1)[:, None] + (y**2).sum(1)[None, :] - 2 * x @ y.T
    r = np.sqrt(3 * np.maximum(squared, 0.0))
    alike: Floats = (1 + r) * np.exp(-r)
    return alike
