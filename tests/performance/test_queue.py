"""The birth-death chain against closed forms and against adding up every state."""

from __future__ import annotations

import math

import pytest
from chipwise.performance import Coefficients, Shape
from chipwise.performance.curve import Curve, Origin, trace
from chipwise.performance.queue import QUEUE_PER_SLOT, Steady, highest_rate, lowest_rate, steady
from chipwise.performance.types import Provenance
from hypothesis import given
from hypothesis import strategies as st

from tests.performance.builders import CHAT, GRANITE_ON_A100, curve

ALONE = Coefficients(alpha=10.0, beta=0.0, gamma=0.0, max_batch=1, at_tokens=1)
SERVICE_MS = 10.0 * (1 + 20)
ORIGIN = Origin(Provenance.MEASURED, 0.1, 0.1)


def one_at_a_time(load: float) -> Steady:
    return steady(curve(ALONE, Shape(5, 20)), load / SERVICE_MS)


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    """Non-decreasing times; throughput may rise, level or fall."""
    steps = st.lists(st.floats(0, 200), min_size=1, max_size=12)
    first, token = draw(steps), draw(steps)
    size = min(len(first), len(token))
    made = trace(
        size, lambda n: 1 + sum(first[:n]), lambda n: 0.1 + sum(token[:n]), draw(st.floats(1, 50)), ORIGIN
    )
    assert isinstance(made, Curve)
    return made


def every_state(made: Curve, rate: float) -> list[float]:
    weights = [1.0]
    for j in range(made.cap * (1 + QUEUE_PER_SLOT)):
        weights.append(weights[-1] * rate / made.rates[min(j, made.cap - 1)])
    return [w / math.fsum(weights) for w in weights]


@pytest.mark.parametrize("load", [0.01, 0.5, 0.9, 0.999])
def test_one_slot_is_a_bounded_single_server_queue(load: float) -> None:
    """M/M/1/11: blocking, throughput and mean wait follow the textbook."""
    got, places = one_at_a_time(load), 11
    shares = [load**j * (1 - load) / (1 - load ** (places + 1)) for j in range(places + 1)]
    accepted = 1 - shares[-1]
    in_queue = sum((j - 1) * p for j, p in enumerate(shares) if j)
    assert got.throughput == pytest.approx(load / SERVICE_MS * accepted)
    assert got.mean_in_service == pytest.approx(1 - shares[0])
    assert got.mean_wait_ms == pytest.approx(in_queue / (load / SERVICE_MS * accepted), rel=1e-8)


@pytest.mark.parametrize("load", [0.01, 0.5, 0.9])
def test_one_slot_serves_at_the_time_of_one(load: float) -> None:
    """A request in service sees at least itself, so TTFT is the wait, the prefill and a token, and TPOT the token time."""
    got = one_at_a_time(load)
    assert got.mean_tpot_ms == pytest.approx(10)
    assert got.mean_ttft_ms == pytest.approx(got.mean_wait_ms + 20)


def test_one_slot_waits_exponentially_at_moderate_load() -> None:
    """M/M/1: P(wait > t) = rho * exp(-mu (1 - rho) t); eleven places hardly cut it at a load of 0.1."""
    got = one_at_a_time(0.1)
    assert got.ttft_beyond(20 + 300) == pytest.approx(0.1 * math.exp(-0.9 * 300 / SERVICE_MS), rel=1e-6)


@given(curves(), st.floats(0, 1))
def test_the_chain_equals_adding_up_every_state(made: Curve, share: float) -> None:
    """Geometric tails and skipped states change nothing."""
    rate = lowest_rate(made) + share * (highest_rate(made) - lowest_rate(made))
    shares, got = every_state(made, rate), steady(made, rate)
    assert got.mean_in_service == pytest.approx(math.fsum(min(j, made.cap) * p for j, p in enumerate(shares)))
    accepted = math.fsum(shares[:-1])
    assert got.throughput == pytest.approx(rate * accepted)
    waits = math.fsum((j - made.cap + 1) * p for j, p in enumerate(shares[:-1]) if j >= made.cap)
    assert got.mean_wait_ms == pytest.approx(waits / accepted / made.rates[-1], rel=1e-7, abs=1e-12)
    tokens = math.fsum(made.token_ms[min(j, made.cap - 1)] * p for j, p in enumerate(shares[:-1]))
    assert got.mean_tpot_ms == pytest.approx(tokens / accepted)


@given(curves(), st.floats(0, 1))
def test_little_holds(made: Curve, share: float) -> None:
    """Mean in service is throughput times mean service time, whatever the curve."""
    rate = lowest_rate(made) + share * (highest_rate(made) - lowest_rate(made))
    got = steady(made, rate)
    mean_service = got.mean_ttft_ms - got.mean_wait_ms + (made.output_tokens - 1) * got.mean_tpot_ms
    assert got.mean_in_service == pytest.approx(got.throughput * mean_service)


@given(curves(), st.floats(0.01, 0.99), st.floats(0, 1))
def test_percentiles_are_where_the_distribution_says(made: Curve, quantile: float, share: float) -> None:
    """At the percentile at most 1 - q are slower; a little below it, more are."""
    got = steady(made, lowest_rate(made) + share * (highest_rate(made) - lowest_rate(made)))
    for beyond, value in (
        (got.ttft_beyond, got.ttft_percentile(quantile)),
        (got.tpot_beyond, got.tpot_percentile(quantile)),
    ):
        assert beyond(value) <= 1 - quantile + 1e-9
        assert beyond(value * (1 - 1e-6)) > 1 - quantile - 1e-9 or value in (
            made.first_ms[0],
            made.token_ms[0],
        )


@given(st.floats(0, 1))
def test_percentiles_are_ordered(share: float) -> None:
    """p50 <= p90 <= p95 <= p99."""
    made = curve(GRANITE_ON_A100, CHAT)
    got = steady(made, lowest_rate(made) + share * (highest_rate(made) - lowest_rate(made)))
    for percentile in (got.tpot_percentile, got.ttft_percentile):
        values = [percentile(q) for q in (0.5, 0.9, 0.95, 0.99)]
        assert values == sorted(values)
