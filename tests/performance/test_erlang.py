"""Waiting times behind a geometric queue."""

from __future__ import annotations

import math

import pytest
from chipwise.performance.erlang import poisson_below, waits_longer


def erlang_tail(stages: int, x: float) -> float:
    return sum(math.exp(k * math.log(x) - x - math.lgamma(k + 1)) for k in range(stages))


@pytest.mark.parametrize("count", [1, 2, 10, 60, 3000])
@pytest.mark.parametrize("ratio", [0.01, 0.5, 0.97, 1.0, 1.03, 2.0, 50.0])
def test_poisson_probabilities_equal_their_sum(count: int, ratio: float) -> None:
    """Series and continued fraction agree with adding up the terms."""
    assert poisson_below(count, ratio * count) == pytest.approx(
        erlang_tail(count, ratio * count), rel=1e-9, abs=1e-13
    )


@pytest.mark.parametrize("load", [0.05, 0.7, 0.999])
@pytest.mark.parametrize("wait", [0.1, 3.0, 20.0])
def test_the_mixture_equals_its_definition(load: float, wait: float) -> None:
    """Ten places: the weighted sum of ten Erlang tails."""
    weights = [load**i for i in range(10)]
    expected = sum(w * erlang_tail(i + 1, 2 * wait) for i, w in enumerate(weights)) / sum(weights)
    assert waits_longer(2.0, load, 10, wait) == pytest.approx(expected, rel=1e-9)


def test_an_endless_queue_waits_exponentially() -> None:
    """M/M/1: those who wait do so longer than t with probability exp(-(mu - lambda) t)."""
    assert waits_longer(0.5, 0.6, 5000, 7.0) == pytest.approx(math.exp(-0.5 * 0.4 * 7))


@pytest.mark.parametrize("wait", [0.0, -1.0])
def test_every_wait_is_longer_than_nothing(wait: float) -> None:
    """The tail at zero is one."""
    assert waits_longer(1.0, 0.5, 10, wait) == 1.0


@pytest.mark.parametrize("wait", [1e-300, 1e-9, 1e9, 1e300])
@pytest.mark.parametrize("load", [1e-300, 1e-9, 0.999])
def test_extreme_waits_stay_probabilities(wait: float, load: float) -> None:
    """No overflow, no NaN."""
    assert 0 <= waits_longer(1.0, load, 40_960, wait) <= 1
