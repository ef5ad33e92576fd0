"""How much an objective's confidence costs: nothing by default, and in proportion to what is not known."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from chipwise.performance import Knowledge, Objective, Shape, Sustained, sustained_rate
from chipwise.performance.confidence import margin, raised
from chipwise.performance.curve import Curve
from chipwise.performance.types import COVERED, EVEN, Statistic
from chipwise.reasons import Reason, Refusal
from hypothesis import given
from hypothesis import strategies as st

from tests.performance.builders import (
    CHAT,
    GRANITE_ON_A100,
    curve,
    points,
    refused,
    sustained,
    tpot,
    ttft,
    unmeasured,
)

MEASURED = points((1, 80, 10), (8, 120, 14), (32, 300, 26), (64, 700, 60))
SPARSE = points((8, 120, 14), (32, 300, 26))
KINDS: list[Knowledge] = [MEASURED, SPARSE, GRANITE_ON_A100, unmeasured()]
CONFIDENCES = st.sampled_from([0.5, 0.6, 0.75, 0.8, 0.9, 0.95])


def sure(objective: Objective, confidence: float) -> Objective:
    return replace(objective, confidence=confidence)


def rate(knowledge: Knowledge, *objectives: Objective) -> float:
    """0 where nothing is sustained."""
    found = sustained_rate(knowledge, CHAT, objectives)
    if isinstance(found, Refusal):
        assert found.reason is Reason.OBJECTIVE_MISSED
        return 0.0
    return found.requests_per_second


@given(st.floats(0.01, 3.0))
def test_a_margin_is_none_at_even_odds_and_the_upper_end_where_that_is(band):
    assert margin(band, EVEN) == 1.0
    assert margin(band, (1 + COVERED) / 2) == pytest.approx(1 + band)


@given(st.floats(0.01, 3.0), st.floats(0.5, 0.94))
def test_as_much_above_as_below(band, confidence):
    """In the logarithm: what is exceeded with one probability is as far above as what is exceeded with the other lies below."""
    share = 1 - confidence
    assert margin(band, confidence) * margin(band, share) == pytest.approx(1.0)
    assert margin(band, confidence + 0.01) > margin(band, confidence)


@given(st.sampled_from(KINDS), st.floats(11, 200), st.floats(90, 5000), CONFIDENCES, CONFIDENCES)
def test_the_surer_the_less_a_replica_is_given(knowledge, token, first, one, other):
    """Of any kind of knowledge; and both metrics count, each as sure as it must be."""
    low, high = sorted((one, other))
    less = rate(knowledge, sure(tpot(token), high), sure(ttft(first), high))
    mixed = rate(knowledge, sure(tpot(token), high), sure(ttft(first), low))
    more = rate(knowledge, sure(tpot(token), low), sure(ttft(first), low))
    assert less <= mixed * (1 + 1e-6)
    assert mixed <= more * (1 + 1e-6)
    alone = min(rate(knowledge, sure(tpot(token), high)), rate(knowledge, sure(ttft(first), low)))
    assert mixed == pytest.approx(alone, rel=1e-6)


@given(st.sampled_from(KINDS), CONFIDENCES)
def test_a_raised_curve_is_a_server_and_never_faster(knowledge, confidence):
    expected = curve(knowledge)
    found = raised(expected, confidence)
    assert isinstance(found, Curve)
    assert all(a >= b for a, b in zip(found.token_ms, expected.token_ms, strict=True))
    assert all(a >= b for a, b in zip(found.first_ms, expected.first_ms, strict=True))
    assert list(found.token_ms) == sorted(found.token_ms)
    assert list(found.first_ms) == sorted(found.first_ms)


def test_a_batch_that_is_less_full_is_no_worse_than_one_that_was_measured():
    """Below the smallest measured concurrency bands are wide; what was measured at it bounds them all the same."""
    expected = curve(SPARSE, Shape(1024, 512))
    alone, measured = expected.origin.at(1).tpot_band, expected.origin.at(8).tpot_band
    found = raised(expected, 0.9)
    assert isinstance(found, Curve)
    assert expected.token_ms[0] * margin(alone, 0.9) > found.token_ms[7]
    assert found.token_ms[0] <= found.token_ms[7] == pytest.approx(14 * margin(measured, 0.9))


def test_what_is_measured_loses_less_than_what_is_estimated():
    """The same expected figures from both: at even odds they are worth the same, and the estimate's band costs more."""
    estimate = curve(unmeasured())
    levels = [2**power for power in range(estimate.cap.bit_length())]
    measured = points(
        *((n, estimate.first_ms[n - 1], estimate.token_ms[n - 1]) for n in levels),
        inputs=int(CHAT.input_tokens),
        outputs=int(CHAT.output_tokens),
    )
    limit = tpot(1.6 * estimate.token_ms[0])
    assert rate(measured, limit) == pytest.approx(rate(unmeasured(), limit), rel=0.05)
    assert rate(measured, sure(limit, 0.8)) > 1.05 * rate(unmeasured(), sure(limit, 0.8))


def test_the_latency_that_is_told_stays_the_expected_one():
    """Only the load that is allowed changes."""
    found = sustained(MEASURED, CHAT, sure(tpot(40), 0.9))
    assert found.at_rate.tpot_ms * margin(found.at_rate.band, 0.9) <= 40
    assert found.at_rate.tpot_ms < sustained(MEASURED, CHAT, tpot(40)).at_rate.tpot_ms
    assert found.binding == "TPOT Mean <= 40 ms with a confidence of 90%"


def test_a_refusal_says_how_sure_it_must_be():
    """10 ms alone are kept by the expected figure, and not by the upper end of its band."""
    assert isinstance(sustained_rate(MEASURED, CHAT, [tpot(10.5)]), Sustained)
    found = sustained_rate(MEASURED, CHAT, [sure(tpot(10.5), 0.95)])
    assert refused(found) is Reason.OBJECTIVE_MISSED
    assert isinstance(found, Refusal)
    assert "TPOT Mean is at best " in found.message
    assert "ms with a confidence of 95%, above 10.5 ms" in found.message


@given(st.sampled_from([Statistic.P90, Statistic.P95, Statistic.P99]), CONFIDENCES, st.floats(300, 5000))
def test_percentiles_of_estimates_are_raised_too(statistic, confidence, threshold):
    """They are at the upper end of the band anyway, for the load that is expected; a slow chip also has more in service."""
    limit = ttft(threshold, statistic)
    sure_of_it = rate(unmeasured(), sure(limit, confidence))
    assert sure_of_it <= rate(unmeasured(), limit) * (1 + 1e-6)
    # Of a wait with a long tail the mean may be a little above the 90th percentile.
    assert sure_of_it <= rate(unmeasured(), sure(ttft(threshold), confidence)) * 1.05


def test_percentiles_of_measurements_are_raised_like_means():
    measured = replace(MEASURED, statistic=Statistic.P95)
    limit = ttft(500, Statistic.P95)
    assert 0 < rate(measured, sure(limit, 0.9)) < rate(measured, limit)
    assert math.isfinite(rate(measured, limit))


def test_what_the_batch_cap_allows_is_less_the_surer_and_says_so():
    """A slow chip finishes fewer requests, whatever the objectives."""
    expected, surely = (sustained(MEASURED, CHAT, sure(tpot(10_000), each)) for each in (0.5, 0.9))
    assert expected.binding == "batch cap of 64 requests in service"
    assert surely.binding == "batch cap of 64 requests in service with a confidence of 90%"
    assert surely.requests_per_second < 0.9 * expected.requests_per_second


def test_the_first_token_is_not_judged_by_the_band_of_the_others():
    """Where a prompt is so short that its first token takes less than any other, one per cent more confidence costs one per cent or so."""
    short = points((1, 12, 15), (8, 13, 18), (16, 14, 22), inputs=64, outputs=256)
    shape, limit = Shape(64, 256), ttft(14.5)
    even, more = (sustained(short, shape, sure(limit, each)) for each in (0.5, 0.51))
    assert more.requests_per_second > 0.9 * even.requests_per_second
