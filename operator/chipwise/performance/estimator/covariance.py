"""How alike the errors of the physics are in two cases: a sum of terms, each for something that the two share.

What two cases share (model, chip, engine, precision, version, parallelism, tokens) decides which terms count; how far they are apart
in concurrency, tokens and chips decides how much, by the Matern 3/2 function of the distance in logarithms (Rasmussen and Williams,
Gaussian Processes for Machine Learning, 2006, chapter 4). The amplitudes are standard deviations of the logarithm: 0.1 is about 10 %.

All terms share the model. What different models had in common on a chip or in an engine, beyond the constants, did not carry over to
models that were held out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chipwise.performance.estimator.cases import Floats, Table
from chipwise.performance.estimator.sharing import PARALLEL, VARIANT, Shared

LONG = np.array([4.0, 4.0, 4.0, 3.0])
SHORT = np.array([2.0, 2.0, 2.0, 1.2])
"""Distances in the logarithms of concurrency, input, output and chips over which errors that are shared widely, or narrowly, change."""


@dataclass(frozen=True, slots=True)
class Term:
    """``share`` are the columns that two cases must have in common; ``reach`` is how fast their likeness falls, None for never."""

    share: tuple[str, ...]
    deviation: float
    reach: str | None


_VERSION, _NONE = "version", np.int32(-1)

TERMS = (
    Term(("model",), 0.10, None),
    Term(("model",), 0.10, "long"),
    Term(("model", "engine"), 0.10, "long"),
    Term(("model", "accelerator"), 0.07, "long"),
    Term(("model", "precision"), 0.07, "long"),
    Term((*VARIANT, "version"), 0.15, "long"),
    Term(VARIANT, 0.12, "short"),
    Term(PARALLEL, 0.06, "short"),
    Term((*PARALLEL, "version", "input", "output"), 0.04, "short"),
)


def places(t: Table) -> Floats:
    """Where each case stands: logarithms of concurrency, input, output and chips; shape (n, 4)."""
    return np.log(np.stack([t.concurrency, t.input, t.output, t.chips], axis=1))


def covariance(one: Table, other: Table) -> Floats:
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
    shared = Shared(one, other)
    for term in TERMS:
        x, y = shared.codes(term.share)
        total += (x[:, None] == y[None, :]) * (term.deviation**2 * reach[term.reach])
    return total


def variance() -> float:
    """Of the error of any one case before anything was measured."""
    return sum(term.deviation**2 for term in TERMS)


@dataclass(frozen=True, slots=True)
class _Part:
    """What a term adds where a case and a row have the same number: ``variance``, by case."""

    asked: NDArray[np.int32]
    seen: NDArray[np.int32]
    variance: Floats
    reach: str | None


class Likeness:
    """The covariance of many cases with rows that were seen, ready to be asked for a part of either at a time.

    A case without an engine version is of any version that was seen of its like, one as probable as another: of the errors of each it
    shares that much. Among rows no version is one that was not written down.
    """

    def __init__(self, asked: Table, seen: Table) -> None:
        a, b = places(asked), places(seen)
        self._places = {
            name: (_halves(a / reach), _halves(b / reach))
            for name, reach in (("long", LONG), ("short", SHORT))
        }
        shared = Shared(asked, seen)
        self._parts = [part for term in TERMS for part in _parts(term, shared, asked.version == "")]

    def between(self, asked: NDArray[np.intp], seen: NDArray[np.intp]) -> Floats:
        """Of these cases with these rows; shape (len(asked), len(seen))."""
        weights: dict[str | None, Floats] = {}
        for part in self._parts:
            alike = part.asked[asked][:, None] == part.seen[seen][None, :]
            weight = np.multiply(alike, part.variance[asked][:, None])
            weights[part.reach] = weights[part.reach] + weight if part.reach in weights else weight
        total = weights.pop(None, np.zeros((len(asked), len(seen))))
        for reach, weight in weights.items():
            (x1, x2), (y1, y2) = self._places[str(reach)]
            squared = x2[asked][:, None] + y2[seen][None, :] - 2 * (x1[asked] @ y1[seen].T)
            total += weight * _matern(squared)
        return total


def _parts(term: Term, shared: Shared, any_version: NDArray[np.bool_]) -> Iterator[_Part]:
    asked, seen = shared.codes(term.share)
    variance = np.full(len(asked), term.deviation**2)
    if _VERSION not in term.share or not any_version.any():
        yield _Part(asked, seen, variance, term.reach)
        return
    like, of_seen = shared.codes(tuple(column for column in term.share if column != _VERSION))
    versions = np.unique(np.stack([of_seen, seen]), axis=1)[0]
    many = np.bincount(versions[versions >= 0], minlength=int(like.max(initial=0)) + 1)
    yield _Part(np.where(any_version, _NONE, asked), seen, variance, term.reach)
    of_any = variance / np.maximum(many[np.maximum(like, 0)], 1)
    yield _Part(np.where(any_version, like, _NONE), of_seen, of_any, term.reach)


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
