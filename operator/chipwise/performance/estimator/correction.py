"""What measurements say of how far the physics is off in another case: conditioning on the rows that share its model or its chip.

Kriging (Rasmussen and Williams 2006, section 2.2) of the logarithm of measured over physics. Rows that are unlike all others count
less: their noise is divided by the weight of a Student-t likelihood, from the errors when each row is left out (section 5.4.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from chipwise.performance.estimator.cases import Floats, Table
from chipwise.performance.estimator.covariance import TERMS, Term, covariance, variance

FREEDOM = 4.0
"""Of the Student-t: rows beyond two or three deviations are expected now and then."""

LEAST_WEIGHT = 0.01
REWEIGHTINGS = 4
_AT_ONCE = 4096

KEPT = 2
"""Pairs of model and chip whose inverse is kept, the last asked for: up to 3 MB each with the rows that ship, 0.01 to 0.1 s to make."""

Solved = tuple[Table, Floats, Floats]


@dataclass(frozen=True, slots=True)
class Correction:
    """``errors`` are logarithms of measured over physics of the rows of ``seen``; ``noise`` the deviation of one measurement."""

    seen: Table
    errors: Floats
    weights: Floats
    noise: float
    scale: float
    terms: Sequence[Term] = TERMS
    _solved: dict[tuple[str, str], Solved] = field(default_factory=dict)

    def at(self, asked: Table) -> tuple[Floats, Floats]:
        """Expected error and its deviation (with the noise of one measurement) for every case; two arrays of shape (len(asked),)."""
        mean = np.zeros(len(asked))
        left = np.full(len(asked), variance(self.terms) * self.scale**2)
        models = np.where(np.isin(asked.model, self.seen.model), asked.model, "")
        chips = np.where(np.isin(asked.accelerator, self.seen.accelerator), asked.accelerator, "")
        pairs, pair = np.unique(np.stack([models, chips]), axis=1, return_inverse=True)
        for number, (model, chip) in enumerate(pairs.T):
            if not model and not chip:
                continue
            rows, inverse, solved = self._near(str(model), str(chip))
            which = np.flatnonzero(pair.ravel() == number)
            for some in np.array_split(which, -(-len(which) // _AT_ONCE)):
                between = covariance(asked.take(some), rows, self.terms) * self.scale**2
                mean[some] = between @ solved
                left[some] -= np.einsum("ij,ij->i", between @ inverse, between)
        return mean, np.sqrt(np.maximum(left, 0.0) + self.noise**2)

    def _near(self, model: str, chip: str) -> Solved:
        """The rows that share the model or the chip, the inverse of their covariance, and that times their errors."""
        found = self._solved.pop((model, chip), None)
        if found is None:
            which = ((self.seen.model == model) & (model != "")) | (
                (self.seen.accelerator == chip) & (chip != "")
            )
            rows = self.seen.take(which)
            inverse: Floats = np.linalg.inv(_with_noise(self, rows, self.weights[which])).astype(np.float64)
            found = rows, inverse, inverse @ self.errors[which]
        self._solved[model, chip] = found
        while len(self._solved) > KEPT:
            self._solved.pop(next(iter(self._solved)), None)
        return found


def learnt(
    seen: Table, errors: Floats, noise: float, scale: float = 1.0, terms: Sequence[Term] = TERMS
) -> Correction:
    """Weigh the rows: those that the others would not have foretold count less. ``scale`` multiplies every deviation of the terms."""
    weights = np.ones(len(seen))
    base = covariance(seen, seen, terms) * scale**2
    for _ in range(REWEIGHTINGS):
        inverse = np.linalg.inv(base + np.diag(noise**2 / weights))
        own = np.diag(inverse)
        surprise = (inverse @ errors) / np.sqrt(own)
        weights = np.clip((FREEDOM + 1) / (FREEDOM + surprise**2), LEAST_WEIGHT, 1.0)
    return Correction(seen, errors, weights, noise, scale, terms)


def _with_noise(correction: Correction, rows: Table, weights: Floats) -> Floats:
    between = covariance(rows, rows, correction.terms) * correction.scale**2
    return between + np.diag(correction.noise**2 / weights)
