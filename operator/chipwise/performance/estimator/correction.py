"""What measurements say of how far the physics is off in another case: conditioning on the rows of its model.

Kriging (Rasmussen and Williams 2006, section 2.2) of the logarithm of measured over physics. Rows that are unlike all others count
less: their noise is divided by the weight of a Student-t likelihood, from the errors when each row is left out (section 5.4.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from chipwise.performance.estimator.cases import Floats, Table
from chipwise.performance.estimator.covariance import Likeness, covariance, variance
from chipwise.performance.estimator.whitening import whitened, whitening

FREEDOM = 4.0
"""Of the Student-t: rows beyond two or three deviations are expected now and then."""

LEAST_WEIGHT = 0.01
REWEIGHTINGS = 4
_AT_ONCE = 256
"""Cases at a time: what is computed between them and the rows then stays in the processor's cache."""

KEPT = 2
"""Models whose solution is kept, the last asked for: 8 bytes for any two of its rows."""

Indices = NDArray[np.intp]
Solved = tuple[Indices, Floats, Floats]
"""The rows of the model, what makes their errors independent, and the errors made so."""


@dataclass(frozen=True, slots=True)
class Correction:
    """``errors`` are logarithms of measured over physics of the rows of ``seen``; ``noise`` the deviation of one measurement."""

    seen: Table
    errors: Floats
    weights: Floats
    noise: float
    scale: float
    _solved: dict[str, Solved] = field(default_factory=dict)


def corrected(corrections: Sequence[Correction], asked: Table) -> list[tuple[Floats, Floats]]:
    """Expected error and its deviation (with the noise of one measurement) for every case; two arrays of shape (len(asked),) each.

    Corrections that were learnt from the same rows share most of the work.
    """
    seen = corrections[0].seen
    likeness = Likeness(asked, seen)
    means = [np.zeros(len(asked)) for _ in corrections]
    left = [np.full(len(asked), variance() * each.scale**2) for each in corrections]
    known = set(seen.model.tolist()) - {""}
    for model in sorted(known.intersection(asked.model.tolist())):
        which = np.flatnonzero(asked.model == model)
        near = _near(corrections, model)
        for some in np.array_split(which, -(-len(which) // _AT_ONCE)):
            between = likeness.between(some, near[0][0])
            for number, (_, white, errors) in enumerate(near):
                told = whitened(between, white) * corrections[number].scale ** 2
                means[number][some] = told @ errors
                left[number][some] -= np.einsum("ij,ij->i", told, told)
    deviations = [
        np.sqrt(np.maximum(rest, 0.0) + each.noise**2) for rest, each in zip(left, corrections, strict=True)
    ]
    return list(zip(means, deviations, strict=True))


def _near(corrections: Sequence[Correction], model: str) -> list[Solved]:
    """What is solved of each correction for the rows of the model."""
    kept = [each._solved for each in corrections]  # noqa: SLF001 - its own module
    found = [each.pop(model, None) for each in kept]
    if None in found:
        seen = corrections[0].seen
        rows = np.flatnonzero(seen.model == model)
        near = seen.take(rows)
        between = covariance(near, near)
        found = [_solution(each, rows, between) for each in corrections]
    solved = [each for each in found if each is not None]
    for room, each in zip(kept, solved, strict=True):
        room[model] = each
        while len(room) > KEPT:
            room.pop(next(iter(room)), None)
    return solved


def _solution(correction: Correction, rows: Indices, between: Floats) -> Solved:
    noise = np.diag(correction.noise**2 / correction.weights[rows])
    white = whitening(between * correction.scale**2 + noise)
    return rows, white, white @ correction.errors[rows]


def learnt(seen: Table, errors: Floats, noise: float, scale: float = 1.0) -> Correction:
    """Weigh the rows: those that the others would not have foretold count less. ``scale`` multiplies every deviation of the terms."""
    weights = np.ones(len(seen))
    between = covariance(seen, seen)
    for _ in range(REWEIGHTINGS):
        white = whitening(between * scale**2 + np.diag(noise**2 / weights))
        own = np.einsum("ij,ij->j", white, white)
        surprise = (white.T @ (white @ errors)) / np.sqrt(own)
        weights = np.clip((FREEDOM + 1) / (FREEDOM + surprise**2), LEAST_WEIGHT, 1.0)
    return Correction(seen, errors, weights, noise, scale)
