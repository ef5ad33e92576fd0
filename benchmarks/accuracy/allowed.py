"""What choices an estimator could make whose errors were of a stated size and nothing worse: what targets of accuracy allow.

The measured rows are told with normal errors of the logarithm, of a stated median, and bands that are right: a part of the error is common
to a model, half of the rest to a variant with its parallelism and release. The rest of rows that are one run is one.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from chipwise.catalog.measurements import Measurements
from chipwise.performance.estimator import Figures
from chipwise.performance.estimator.sharing import PARALLEL, numbered
from chipwise.performance.types import COVERED
from numpy.typing import NDArray

from benchmarks.accuracy.foretold import Told
from benchmarks.accuracy.splits import Split

COMMON = (0.0, 0.5, 0.9)
"""Parts of the variance that are common to a model."""

HALF, MOST = (NormalDist().inv_cdf((1 + share) / 2) for share in (0.5, COVERED))
"""Deviations of a normal distribution within which half of it is, and as much as a band holds."""

Floats = NDArray[np.float64]


def told_with(
    rows: Measurements,
    split: Split,
    asked: NDArray[np.bool_],
    medians: tuple[float, float],
    common: float,
    seed: int,
) -> Told:
    """What would be told with errors of these medians of TTFT and TPOT, as shares."""
    dice = np.random.default_rng(seed)
    groups = (rows.table.model, numbered(rows.table, (*PARALLEL, "version")), rows.runs)
    parts = np.sqrt([common, (1 - common) / 2, (1 - common) / 2])

    def figures(measured: Floats, median: float) -> Figures:
        deviation = np.log1p(median) / HALF
        error = sum(part * _alike(group, dice) for part, group in zip(parts, groups, strict=True))
        value, half = measured * np.exp(deviation * error), np.exp(MOST * deviation)
        return Figures(value, value / half, value * half)

    ttft, tpot = (
        figures(of, median) for of, median in zip((rows.ttft_ms, rows.tpot_ms), medians, strict=True)
    )
    return Told(split, ttft, tpot, asked)


def _alike(group: NDArray[np.generic], dice: np.random.Generator) -> Floats:
    """A normal number for every row, the same where the group is."""
    numbers = np.unique(group, return_inverse=True)[1].ravel()
    drawn: Floats = dice.standard_normal(numbers.max() + 1)[numbers]
    return drawn
