"""The correction by measurements nearby: fast, and as exact as the formula it computes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from chipwise.catalog.estimating import shipped_estimator
from chipwise.catalog.measurements import shipped
from chipwise.performance.estimator import Table
from chipwise.performance.estimator.correction import Correction, corrected
from chipwise.performance.estimator.covariance import covariance, variance
from chipwise.performance.estimator.whitening import whitened, whitening

CLOSE = 1e-9
"""Of a logarithm: both are sums of some hundred products, in another order."""


def plainly(correction: Correction, asked: Table) -> tuple[np.ndarray, np.ndarray]:
    """Conditioning in double precision, case by case, by the general inverse."""
    mean, deviation = np.zeros(len(asked)), np.zeros(len(asked))
    for number in range(len(asked)):
        one = asked.take([number])
        seen, rows = correction.seen, np.zeros(len(correction.seen), dtype=bool)
        rows |= (seen.model == one.model[0]) & (one.model[0] != "")
        rows |= seen.accelerator == one.accelerator[0]  # they share nothing with it, and must not count
        near = seen.take(rows)
        noise = np.diag(correction.noise**2 / correction.weights[rows])
        inverse = np.linalg.inv(covariance(near, near) * correction.scale**2 + noise)
        between = covariance(one, near)[0] * correction.scale**2
        mean[number] = between @ inverse @ correction.errors[rows]
        left = variance() * correction.scale**2 - between @ inverse @ between
        deviation[number] = np.sqrt(left + correction.noise**2)
    return mean, deviation


def elsewhere(rows: Table) -> Table:
    """Cases that were not measured: another load, another length, an unknown model, an unknown chip, no name at all."""
    cases = rows.take(np.arange(0, len(rows), 97))
    cases.concurrency[:] *= 1.7
    cases.input[::2] *= 3
    cases.model[1::4] = "somebody/else"
    cases.accelerator[2::4] = "another"
    cases.model[3::8] = ""
    return cases


def test_it_is_as_exact_as_the_formula_in_double_precision():
    """Of cases with a version; what those without one share is in ``tests/performance/estimator/test_learning.py``."""
    found, rows = shipped_estimator(), shipped().table
    for some in (rows.take(np.arange(0, len(rows), 41)), elsewhere(rows)):
        asked = replace(some, version=np.where(some.version == "", "unheard of", some.version))
        for one, (mean, deviation) in zip(
            (found.ttft, found.tpot), corrected([found.ttft, found.tpot], asked), strict=True
        ):
            exact, exactly = plainly(one, asked)
            assert np.abs(mean - exact).max() < CLOSE
            assert np.abs(np.log(deviation / exactly)).max() < CLOSE


def test_an_answer_does_not_depend_on_what_else_is_asked():
    """Beyond the last digits: products are summed in another order in another company."""
    found, rows = shipped_estimator(), elsewhere(shipped().table)
    together = found.estimate(rows)
    for number in range(len(rows)):
        alone = found.estimate(rows.take([number]))
        assert alone.tpot.value[0] == pytest.approx(together.tpot.value[number], rel=CLOSE)
        assert alone.ttft.high[0] == pytest.approx(together.ttft.high[number], rel=CLOSE)


@pytest.mark.parametrize("size", [1, 7, 64, 65, 200])
def test_whitening_is_the_inverse_of_the_factor(size):
    random = np.random.default_rng(size)
    root = random.normal(size=(size, size))
    between = root @ root.T + np.eye(size)
    white = whitening(between)
    assert np.allclose(white @ between @ white.T, np.eye(size), atol=1e-8)
    assert np.all(np.triu(white, 1) == 0)
    rows = random.normal(size=(5, size))
    told = whitened(rows, white)
    assert np.allclose(told, rows @ white.T)
