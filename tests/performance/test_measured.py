"""Measured points: their own figures back, sensible figures between them, none beyond."""

from __future__ import annotations

import itertools
import random

import pytest
from chipwise.performance import Latency, MeasuredPoints, Point, Provenance, Shape, curve_for, latency_with
from chipwise.reasons import Reason
from hypothesis import given
from hypothesis import strategies as st

from tests.performance.builders import curve, latency, points, refused

SHAPE = Shape(1024, 512)
SWEEP = points((1, 80, 10), (8, 120, 14), (32, 300, 26), (64, 700, 42))

times = st.floats(0.1, 1e5)
rows = st.lists(st.tuples(st.integers(1, 300), times, times), min_size=1, max_size=12)


def held(knowledge: MeasuredPoints, shape: Shape, concurrency: int) -> Latency:
    found = latency_with(knowledge, shape, concurrency)
    assert isinstance(found, Latency), found
    return found


@pytest.mark.parametrize("point", SWEEP.points)
def test_points_are_reproduced(point: Point) -> None:
    """At its own shape and concurrency a measurement is answered as it is."""
    got = held(SWEEP, SHAPE, point.concurrency)
    assert (got.ttft_ms, got.tpot_ms) == pytest.approx((point.ttft_ms, point.tpot_ms))
    assert got.provenance is Provenance.MEASURED


def test_between_points_times_are_linear() -> None:
    """Halfway between 8 and 32 in service."""
    assert held(SWEEP, SHAPE, 20).tpot_ms == pytest.approx(20)


def test_below_the_smallest_the_first_segment_continues() -> None:
    """A straight line fits what servers do; the floor is half the first time."""
    assert held(points((8, 120, 14), (32, 300, 26)), SHAPE, 1).tpot_ms == pytest.approx(10.5)
    assert held(points((32, 100, 10), (64, 100, 30)), SHAPE, 1).tpot_ms == pytest.approx(5)


def test_a_lone_point_stays_flat_below() -> None:
    """No slope is known, so nothing faster is claimed."""
    assert held(points((32, 300, 26)), SHAPE, 1).tpot_ms == 26


def test_nothing_is_claimed_beyond_the_largest_concurrency() -> None:
    """It is the batch cap, and asking further is refused."""
    assert curve(SWEEP, SHAPE).cap == 64
    assert refused(latency_with(SWEEP, SHAPE, 65)) is Reason.NO_PERFORMANCE


def test_several_points_at_one_concurrency_count_by_their_median() -> None:
    """One bad run out of three changes nothing."""
    noisy = points((8, 100, 14), (8, 120, 14.2), (8, 9000, 900))
    assert (held(noisy, SHAPE, 8).ttft_ms, held(noisy, SHAPE, 8).tpot_ms) == (120, 14.2)


def test_tpot_that_falls_with_concurrency_is_levelled() -> None:
    """Neighbours out of order are noise: both get their mean."""
    levelled = points((1, 50, 10), (8, 60, 20), (16, 70, 18), (32, 80, 30))
    assert held(levelled, SHAPE, 8).tpot_ms == held(levelled, SHAPE, 16).tpot_ms == pytest.approx(19)


def test_no_points_is_a_refusal() -> None:
    """An empty list says nothing."""
    assert refused(curve_for(MeasuredPoints(()), SHAPE)) is Reason.NO_PERFORMANCE


def test_another_shape_is_scaled_and_says_so() -> None:
    """Longer prompts cost more per token and before the first; the band is wider the further away."""
    near, far = latency(SWEEP, Shape(1536, 512), 0.5), latency(SWEEP, Shape(4096, 512), 0.5)
    own = latency(SWEEP, SHAPE, 0.5)
    assert own.tpot_ms < near.tpot_ms < far.tpot_ms
    assert own.ttft_ms < near.ttft_ms < far.ttft_ms
    assert (near.provenance, far.provenance) == (Provenance.SCALED, Provenance.SCALED)
    assert own.band < near.band < far.band


def test_lengths_within_five_per_cent_count_as_measured() -> None:
    """Mean lengths are never exactly those of a benchmark."""
    assert latency(SWEEP, Shape(1000, 500), 0.5).provenance is Provenance.MEASURED


def test_longer_requests_lower_the_cap() -> None:
    """No more tokens are held in the KV cache than were measured together; shorter ones do not raise it."""
    assert curve(SWEEP, Shape(2560, 512)).cap == 32
    assert curve(SWEEP, Shape(100, 100)).cap == 64


def test_the_nearest_shape_is_used_whatever_the_order() -> None:
    """The shorter shape wins a tie."""
    both = points((8, 1, 1), inputs=500).points + points((8, 2, 2), inputs=2000).points
    for order in (both, both[::-1]):
        assert curve(MeasuredPoints(order), Shape(1900, 512)).token_ms[7] == pytest.approx(2, rel=0.05)
        assert curve(MeasuredPoints(order), Shape(1000, 512)).token_ms[-1] < 2


def test_prefix_hits_lower_ttft_and_tpot() -> None:
    """Fewer tokens to prefill, for oneself and for the others in the batch."""
    plain, cached = latency(SWEEP, SHAPE, 1.0), latency(SWEEP, Shape(1024, 512, 0.8), 1.0)
    assert cached.ttft_ms < plain.ttft_ms
    assert cached.tpot_ms < plain.tpot_ms
    assert cached.provenance is Provenance.SCALED


@given(rows, st.integers(1, 20_000), st.integers(1, 20_000), st.floats(0, 1))
def test_times_never_fall_with_concurrency(
    measured: list[tuple[int, float, float]], inputs: int, outputs: int, hits: float
) -> None:
    """Whatever the noise and the shape."""
    made = curve(points(*measured), Shape(inputs, outputs, hits))
    for values in (made.first_ms, made.token_ms):
        assert all(b >= a * (1 - 1e-12) > 0 for a, b in itertools.pairwise(values))


@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_points_does_not_matter(
    measured: list[tuple[int, float, float]], shuffled: random.Random
) -> None:
    """Same points, same curve, to the bit."""
    other = list(measured)
    shuffled.shuffle(other)
    assert curve(points(*measured), SHAPE) == curve(points(*other), SHAPE)
