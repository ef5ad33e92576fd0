"""What is lost by choosing on estimates: for each model, shape and objective the configuration chosen, against the cheapest by measurement.

The candidates are the measured rows of the model and shape that the split asks about: a configuration at a concurrency. Cost is dollars
per million output tokens: price of the chips over tokens per second, concurrency * out / (TTFT + TPOT * (out - 1)). Only candidates that
miss the objective with a probability below ``Rule.doubt`` are considered, and of these one is chosen by cost and risk: log(cost) +
``Rule.risk`` * P(it misses). The probability is read from the band, so the margin kept is in proportion to the uncertainty. A choice
that misses the objective by more than 5 % by measurement, and a refusal where a row meets it, are infeasible.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from chipwise.catalog import instances, price
from chipwise.catalog.measurements import Measurements
from chipwise.performance.estimator import Figures
from chipwise.performance.types import COVERED
from chipwise.reasons import Refusal
from numpy.typing import NDArray

from benchmarks.accuracy.foretold import Told

OBJECTIVES = (
    *((2000.0, tpot) for tpot in (10.0, 15.0, 20.0, 30.0, 50.0)),
    *((ttft, 50.0) for ttft in (500.0, 1000.0)),
)
"""TTFT and TPOT in milliseconds."""

REGION = "us-east-1"
TOLERATED = 1.05

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rule:
    """What makes a candidate, and what a miss weighs.

    Who misses ``tolerated`` times the objective with a probability of ``doubt`` or more is none; a certain miss is worth a cost
    exp(``risk``) times as high. The defaults were chosen by looking at split (a) under several deals of its folds:
    ``python -m benchmarks.accuracy.closer``. ``sure`` is the probability with which each metric by itself must be met.
    """

    doubt: float = 0.4
    risk: float = 0.6
    tolerated: float = TOLERATED
    sure: float = 0.0


RULE = Rule()


def of_planner(confidence: float) -> Rule:
    """The cheapest that keeps each objective with this confidence (``chipwise.performance.confidence``), and nothing else."""
    return Rule(doubt=np.inf, risk=0.0, tolerated=1.0, sure=confidence)


@dataclass(frozen=True, slots=True)
class Choices:
    """Mean regret of the choices that hold, as a share; the shares that missed or were refused for nothing; questions asked."""

    regret: float
    missed: float
    refused: float
    asked: int

    @property
    def infeasible(self) -> float:
        """Both kinds together."""
        return self.missed + self.refused


def chip_prices() -> Mapping[str, float]:
    """Dollars per chip and hour, on demand in REGION; chips without a price there are no candidates."""
    found: dict[str, float] = {}
    for instance in instances():
        quote = price(instance, REGION)
        if not isinstance(quote, Refusal):
            each = float(quote.amount) / instance.chips
            found[instance.chip] = min(each, found.get(instance.chip, each))
    return found


def choose(rows: Measurements, told: Told, prices: Mapping[str, float], rule: Rule = RULE) -> Choices:
    """Put every question of OBJECTIVES for every model and shape; those without a candidate by measurement or estimate do not count."""
    seen = rows.table
    hourly = np.array([prices.get(name, np.nan) for name in seen.accelerator]) * seen.chips
    measured = _cost(rows, hourly, rows.ttft_ms, rows.tpot_ms)
    expected = _cost(rows, hourly, told.ttft.value, told.tpot.value)
    regrets, missed, refused, asked = [], 0, 0, 0
    for some in _questions(rows, told.asked & np.isfinite(hourly)):
        for ttft, tpot in OBJECTIVES:
            good = some[(rows.ttft_ms[some] <= ttft) & (rows.tpot_ms[some] <= tpot)]
            first, step = ttft * rule.tolerated, tpot * rule.tolerated
            metrics = _meets(told.ttft, some, first), _meets(told.tpot, some, step)
            misses = 1 - metrics[0] * metrics[1]
            taken = (misses < rule.doubt) & (np.minimum(*metrics) >= rule.sure)
            fit, misses = some[taken], misses[taken]
            asked += bool(len(good) or len(fit))
            refused += bool(len(good) and not len(fit))
            if not len(fit):
                continue
            chosen = fit[np.argmin(np.log(expected[fit]) + rule.risk * misses)]
            if rows.ttft_ms[chosen] > ttft * TOLERATED or rows.tpot_ms[chosen] > tpot * TOLERATED:
                missed += 1
            elif len(good):
                regrets.append(max(measured[chosen] / measured[good].min() - 1, 0.0))
    return Choices(float(np.mean(regrets)), missed / asked, refused / asked, asked)


def _meets(of: Figures, which: NDArray[np.intp], limit: float) -> Floats:
    """Probability that the limit is met: what ``chipwise.performance.confidence.margin`` turns round, for many at once."""
    half_width = np.log(of.high[which] / of.value[which]) / np.arctanh(COVERED)
    probability: Floats = (1 + np.tanh(np.log(limit / of.value[which]) / half_width)) / 2
    return probability


def _cost(rows: Measurements, hourly: Floats, ttft: Floats, tpot: Floats) -> Floats:
    seen = rows.table
    per_second = 1000 * seen.concurrency * seen.output / (ttft + tpot * (seen.output - 1))
    dollars: Floats = hourly / 3600 / per_second * 1e6
    return dollars


def _questions(rows: Measurements, candidates: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Rows by model and shape, where there is something to choose."""
    seen = rows.table
    names = np.stack([seen.model, seen.input.astype(str), seen.output.astype(str)])
    keys = np.unique(names, axis=1, return_inverse=True)[1].ravel()
    groups = [np.flatnonzero((keys == key) & candidates) for key in np.unique(keys)]
    return [group for group in groups if len(group) >= 2]
