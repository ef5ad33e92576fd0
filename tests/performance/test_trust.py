"""What is told outside the measured points: called extrapolated where it is far outside, with a band that holds nine times in ten."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from chipwise.performance import MeasuredPoints, Provenance, Shape, latency_at, latency_with
from chipwise.performance.measured import _distance
from chipwise.performance.trust import FAR, NEARBY

from tests.performance.builders import points
from tests.performance.silicon import Held, between, held

SHAPE = Shape(1024, 512)
SWEEP = points((16, 200, 20), (32, 300, 26), (64, 700, 42))


def provenance(knowledge: MeasuredPoints, concurrency: int, shape: Shape = SHAPE) -> Provenance:
    return latency_with(knowledge, shape, concurrency).provenance  # type: ignore[union-attr]


def band(knowledge: MeasuredPoints, concurrency: int, shape: Shape = SHAPE) -> tuple[float, float]:
    found = latency_with(knowledge, shape, concurrency)
    return found.band, found.ttft_band  # type: ignore[union-attr]


def test_fewer_requests_than_half_the_smallest_concurrency_are_extrapolated() -> None:
    """Half of it is a step of a usual sweep and keeps its name; the band grows step by step all the same."""
    told = [provenance(SWEEP, n) for n in (64, 16, 8, 7, 1)]
    assert told == [Provenance.MEASURED] * 3 + [Provenance.EXTRAPOLATED] * 2
    widths = [band(SWEEP, n) for n in (16, 8, 4, 1)]
    assert widths == sorted(widths)
    assert widths[0] < widths[1] < widths[2] < widths[3]


def test_below_a_lone_concurrency_everything_is_extrapolated() -> None:
    """No slope is known."""
    lone = points((16, 200, 20))
    assert provenance(lone, 16) is Provenance.MEASURED
    assert provenance(lone, 15) is Provenance.EXTRAPOLATED
    assert band(lone, 15)[0] > band(SWEEP, 15)[0]


def test_lengths_a_factor_of_ten_away_are_extrapolated() -> None:
    """And scaled, as long as they are not so far."""
    own, near, far = Shape(1024, 512), Shape(2048, 512), Shape(10_300, 512)
    told = [provenance(SWEEP, 1, shape) for shape in (own, near)]
    assert told == [Provenance.EXTRAPOLATED] * 2
    sweep = points((1, 80, 10), (64, 700, 42))
    told = [provenance(sweep, 1, shape) for shape in (own, near, far)]
    assert told == [Provenance.MEASURED, Provenance.SCALED, Provenance.EXTRAPOLATED]
    assert band(sweep, 1, own) < band(sweep, 1, near) < band(sweep, 1, far)


def test_a_low_rate_meets_few_requests_and_says_so() -> None:
    """What is expected at a rate is as far outside as the number in service is."""
    for rate, told in ((0.01, Provenance.EXTRAPOLATED), (2.5, Provenance.MEASURED)):
        assert latency_at(SWEEP, SHAPE, rate).provenance is told  # type: ignore[union-attr]


def at(
    *, apart: tuple[float, float], below: tuple[float, float], lone: bool | None
) -> Callable[[Held], bool]:
    """Pairs whose shapes are so far apart, whose smallest concurrency is so many times the truth's."""

    def chosen(pair: Held) -> bool:
        distance = _distance(pair.kept[0], Shape(*pair.lengths))
        return (
            apart[0] < distance <= apart[1]
            and below[0] < pair.below <= below[1]
            and (lone is None or pair.lone is lone)
        )

    return chosen


OWN, NEAR, FARTHER, FARTHEST = (-1.0, 0.0), (0.0, NEARBY), (NEARBY, FAR), (FAR, math.inf)
WITHIN, HALF, QUARTER, LOWER = (0.0, 1.0), (1.0, 2.0), (2.0, 4.0), (4.0, math.inf)


@pytest.mark.parametrize(
    ("chosen", "pairs", "tpot", "ttft"),
    [
        (at(apart=NEAR, below=WITHIN, lone=None), 666, 0.19, 0.46),
        (at(apart=FARTHER, below=WITHIN, lone=None), 1972, 0.31, 0.91),
        (at(apart=FARTHEST, below=WITHIN, lone=None), 662, 0.52, 1.24),
        (at(apart=OWN, below=HALF, lone=False), 213, 0.15, 0.59),
        (at(apart=OWN, below=QUARTER, lone=False), 140, 0.30, 0.54),
        (at(apart=OWN, below=LOWER, lone=False), 116, 0.68, 0.85),
        (at(apart=OWN, below=HALF, lone=True), 166, 0.42, 0.57),
        (at(apart=OWN, below=QUARTER, lone=True), 137, 0.61, 0.74),
        (at(apart=OWN, below=LOWER, lone=True), 273, 0.79, 0.90),
    ],
)
def test_the_documented_errors_are_those_of_the_sample(
    chosen: Callable[[Held], bool], pairs: int, tpot: float, ttft: float
) -> None:
    """The table in the docstring of ``trust``, row by row; and the band told there covers them."""
    covered([pair for pair in held() if chosen(pair)], pairs, tpot, ttft)


def test_the_documented_errors_between_concurrencies_are_those_of_the_sample() -> None:
    """The first row of that table."""
    covered(list(between()), 289, 0.13, 0.47)


def covered(found: list[Held], pairs: int, tpot: float, ttft: float) -> None:
    assert len(found) == pairs
    assert ninetieth([pair.tpot_error for pair in found]) == pytest.approx(tpot, abs=0.006)
    assert ninetieth([pair.ttft_error for pair in found]) == pytest.approx(ttft, abs=0.006)
    assert sum(pair.tpot_error <= pair.told.band for pair in found) >= 0.88 * pairs
    assert sum(pair.ttft_error <= pair.told.ttft_band for pair in found) >= 0.88 * pairs


def test_both_distances_at_once_are_covered_too() -> None:
    """Another shape and fewer requests than any that was measured."""
    chosen = at(apart=(0.05, math.inf), below=(1.0, math.inf), lone=None)
    found = [pair for pair in held() if chosen(pair)]
    assert len(found) > 2000
    assert sum(pair.tpot_error <= pair.told.band for pair in found) >= 0.88 * len(found)
    assert sum(pair.ttft_error <= pair.told.ttft_band for pair in found) >= 0.88 * len(found)


def ninetieth(errors: list[float]) -> float:
    ordered = sorted(errors)
    return ordered[min(int(0.9 * len(ordered)), len(ordered) - 1)]
