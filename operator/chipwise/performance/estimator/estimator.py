"""The estimator: physics with calibrated constants, corrected by the measurements at hand, with a band held against rows left out.

``learn`` fits everything from measurements; ``Estimator.estimate`` answers cases. Figures are means over requests, as the measurements
that they were learnt from. A band [low, high] is symmetric in the logarithm, but that nothing is told below what the bandwidth allows,
and meant to hold 90 % of what would be measured.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chipwise.performance.estimator import physics
from chipwise.performance.estimator.bands import CONFIGURATION, OWN, Bands, Support, held_against, support
from chipwise.performance.estimator.cases import Floats, Table
from chipwise.performance.estimator.correction import Correction, corrected, learnt
from chipwise.performance.estimator.robust import most_probable
from chipwise.performance.estimator.serving import settings, settled, unsaid
from chipwise.performance.estimator.sharing import VARIANT, numbered

FOLDS = 5
LEAST_HELD_OUT = 30
"""Rows without which a 90th percentile is mere chance: three above it are expected."""

Indices = NDArray[np.intp]
Factors = tuple[Mapping[Support, float], Mapping[Support, float]]
"""Of the bands of TTFT and TPOT."""


@dataclass(frozen=True, slots=True)
class Trait:
    """What differs between the two metrics: residual at which a row counts as odd, noise of one measurement, size of the errors."""

    scale: float
    noise: float
    amplitude: float


TPOT = Trait(scale=0.12, noise=0.05, amplitude=1.0)
TTFT = Trait(scale=0.25, noise=0.12, amplitude=1.7)


@dataclass(frozen=True, slots=True)
class Constants:
    """Logarithms of ``physics.TPOT`` and ``physics.TTFT``, in their order."""

    tpot: Floats
    ttft: Floats


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds for every case, with the band that holds 90 % of measurements."""

    value: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class Estimates:
    """TTFT and TPOT of every case, what they lean on (values of Support), and the settings that they count with (``serving.settings``)."""

    ttft: Figures
    tpot: Figures
    support: NDArray[np.str_]
    servers: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Estimator:
    """What was learnt. Equal to itself only, so that answers can be remembered by it."""

    constants: Constants
    tpot: Correction
    ttft: Correction
    tpot_bands: Bands
    ttft_bands: Bands

    def estimate(self, asked: Table) -> Estimates:
        """Answer every case. Memory and context are not looked at: see ``memory.requests_that_fit``."""
        levels = support(asked, self.tpot.seen)
        asked = settled(asked, self.tpot.seen)
        step = physics.step_ms(asked, self.constants.tpot)
        first = physics.first_ms(asked, self.constants.ttft, step)
        ttft, tpot = corrected([self.ttft, self.tpot], asked)
        least = physics.least_ms(asked)
        return Estimates(
            _figures(first, ttft[0], self.ttft_bands.half_widths(levels, ttft[1]), least),
            _figures(step, tpot[0], self.tpot_bands.half_widths(levels, tpot[1]), least),
            levels,
            settings(asked),
        )


def calibrate(seen: Table, ttft_ms: Floats, tpot_ms: Floats) -> Constants:
    """Fit the constants of the physics to measurements."""
    tpot = most_probable(
        lambda x: np.log(physics.step_ms(seen, x)),
        np.log(tpot_ms),
        physics.supposed(physics.TPOT),
        physics.scatter(physics.TPOT),
        TPOT.scale,
    )
    token = physics.step_ms(seen, tpot)
    ttft = most_probable(
        lambda x: np.log(physics.first_ms(seen, x, token)),
        np.log(ttft_ms),
        physics.supposed(physics.TTFT),
        physics.scatter(physics.TTFT),
        TTFT.scale,
    )
    return Constants(tpot, ttft)


def learn(
    seen: Table,
    ttft_ms: Floats,
    tpot_ms: Floats,
    constants: Constants | None = None,
    *,
    runs: NDArray[np.intp] | None = None,
    otherwise: Factors = ({}, {}),
) -> Estimator:
    """Learn from measurements: constants (unless given), corrections, and bands from rows left out.

    ``runs`` numbers the rows; those of one number are one run under several names, and are left out together. ``otherwise`` are band
    factors of TTFT and TPOT to take where fewer than LEAST_HELD_OUT rows could be left out.
    """
    found = constants or calibrate(seen, ttft_ms, tpot_ms)
    observed = np.log(np.stack([ttft_ms, tpot_ms]))
    runs = np.arange(len(seen)) if runs is None else runs
    ttft, tpot = _corrections(seen, observed, found)
    factors: list[dict[Support, float]] = [dict(each) for each in otherwise]
    for levels, share, whole, says in _LEFT_OUT:
        groups = numbered(seen, share) if share else runs
        parts = list(_left_out(groups if whole else _folds(groups), runs))
        if len(parts) < 2:
            continue
        fixed = None if whole and constants is None else found
        asks = seen if says else unsaid(seen)
        errors, deviations, leant = _foretold(
            seen, asks, observed, fixed, (ttft.weights, tpot.weights), parts
        )
        for number, of in itertools.product(range(2), levels):
            known = leant == of.value
            if known.sum() >= LEAST_HELD_OUT:
                count = None if whole else len(np.unique(groups[known]))
                factors[number][of] = held_against(errors[number][known], deviations[number][known], count)
    return Estimator(found, tpot, ttft, Bands(_filled(factors[1])), Bands(_filled(factors[0])))


def remembered(
    seen: Table,
    ttft_ms: Floats,
    tpot_ms: Floats,
    constants: Constants,
    *,
    weights: tuple[Floats, Floats],
    factors: tuple[dict[Support, float], ...],
) -> Estimator:
    """Put together what ``learn`` found in these rows before: weights and band factors of TTFT, then of TPOT."""
    ttft, tpot = _corrections(seen, np.log(np.stack([ttft_ms, tpot_ms])), constants, weights)
    return Estimator(constants, tpot, ttft, tpot_bands=Bands(factors[1]), ttft_bands=Bands(factors[0]))


def _corrections(
    seen: Table, observed: Floats, found: Constants, weights: Sequence[Floats] | None = None
) -> tuple[Correction, Correction]:
    """Of TTFT, then of TPOT; rows are weighed unless their ``weights`` are known."""
    step = physics.step_ms(seen, found.tpot)
    errors = observed - np.log(np.stack([physics.first_ms(seen, found.ttft, step), step]))
    if weights is None:
        return (
            learnt(seen, errors[0], TTFT.noise, TTFT.amplitude),
            learnt(seen, errors[1], TPOT.noise, TPOT.amplitude),
        )
    return (
        Correction(seen, errors[0], weights[0], TTFT.noise, TTFT.amplitude),
        Correction(seen, errors[1], weights[1], TPOT.noise, TPOT.amplitude),
    )


def _foretold(
    seen: Table,
    asks: Table,
    observed: Floats,
    constants: Constants | None,
    weights: Sequence[Floats],
    parts: Sequence[tuple[Indices, Indices]],
) -> tuple[Floats, Floats, NDArray[np.str_]]:
    """Errors and deviations of rows that were left out, TTFT then TPOT, of shape (2, len(seen)), and what each could lean on.

    ``asks`` are the rows as they are asked about. The kept rows keep the weights that they have among all.
    """
    errors, deviations = np.full_like(observed, np.nan), np.full_like(observed, np.nan)
    leant = np.full(len(seen), "", dtype="U16")
    for out, kept in parts:
        rows = seen.take(kept)
        leant[out] = support(asks.take(out), rows)
        asked = settled(asks.take(out), rows)
        told = constants or calibrate(rows, *np.exp(observed[:, kept]))
        step = physics.step_ms(asked, told.tpot)
        physical = physics.first_ms(asked, told.ttft, step), step
        corrections = _corrections(rows, observed[:, kept], told, [of[kept] for of in weights])
        for number, (mean, deviation) in enumerate(corrected(corrections, asked)):
            errors[number, out] = observed[number, out] - np.log(physical[number]) - mean
            deviations[number, out] = deviation
    return errors, deviations, leant


def _left_out(groups: Indices, runs: Indices) -> Iterator[tuple[Indices, Indices]]:
    """Parts to leave out, and what may be kept beside each: no run that is in it under another name."""
    for group in np.unique(groups):
        out = np.flatnonzero(groups == group)
        kept = np.flatnonzero((groups != group) & ~np.isin(runs, runs[out]))
        if len(kept) >= 2:
            yield out, kept


def _folds(label: Indices) -> Indices:
    """Spread numbered groups over FOLDS parts, the same every time."""
    return (np.unique(label, return_inverse=True)[1] * 7919 + 13) % 104729 % FOLDS


class _LeftOut(NamedTuple):
    """What is left out to see how far rows are off that can lean on no more than ``levels``.

    Single runs, or all with the columns of ``share`` alike, in folds; where ``whole`` one by one, the constants fitted anew without them.
    Where not ``says`` it is asked without saying how the server was set.
    """

    levels: tuple[Support, ...]
    share: tuple[str, ...]
    whole: bool = False
    says: bool = True


_LEFT_OUT = (
    _LeftOut(OWN, ()),
    _LeftOut((Support.RELEASE,), (*CONFIGURATION, "version")),
    _LeftOut((Support.SHAPE,), CONFIGURATION),
    _LeftOut((Support.VARIANT,), ("model", "accelerator", "chips")),
    _LeftOut((Support.PAIR,), VARIANT),
    _LeftOut((Support.CHIP,), ("model",), whole=True, says=False),
    _LeftOut((Support.MODEL,), ("accelerator",), whole=True),
)
"""Who asks about a model that nobody measured seldom knows how its server will be set."""

SUPPOSED_FACTOR = 1.645
"""Of a normal distribution, where too little was measured to leave anything out."""


def _filled(factors: dict[Support, float]) -> dict[Support, float]:
    """Another release, or setting, is nowhere told more narrowly than one's own; where nothing can be leant on, model and chip are unseen."""
    known: dict[Support, float] = {
        level: factors.get(level, SUPPOSED_FACTOR) for level in Support if level is not Support.NONE
    }
    released = max(known[level] for level in (*OWN, Support.RELEASE))
    return known | {Support.RELEASE: released, Support.NONE: max(known[Support.MODEL], known[Support.CHIP])}


def _figures(physical: Floats, mean: Floats, half: Floats, least: Floats) -> Figures:
    value = np.maximum(physical * np.exp(mean), least)
    return Figures(value, np.maximum(value * np.exp(-half), least), value * np.exp(half))
