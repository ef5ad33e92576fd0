"""The public questions: sustained rate, latency at a rate, refusals."""

from __future__ import annotations

import itertools
import math

import pytest
from chipwise.performance import (
    Coefficients,
    Knowledge,
    Metric,
    Objective,
    Shape,
    Statistic,
    Sustained,
    latency_at,
    sustained_rate,
)
from chipwise.performance.assess import figure
from chipwise.reasons import Reason, Refusal
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.performance.builders import (
    CHAT,
    GRANITE_ON_A100,
    curve,
    latency,
    points,
    refused,
    state,
    sustained,
    tpot,
    ttft,
    unmeasured,
)

MEASURED = points((1, 80, 10), (8, 120, 14), (32, 300, 26), (64, 700, 60))
FALLING = points((1, 80, 10), (16, 120, 14), (32, 3000, 200))
KNOWLEDGE: tuple[Knowledge, ...] = (GRANITE_ON_A100, MEASURED, FALLING, unmeasured())

knowledge = st.sampled_from(KNOWLEDGE)
objective = st.builds(Objective, st.sampled_from(Metric), st.sampled_from(Statistic), st.floats(1, 20_000))
objectives = st.lists(objective, min_size=1, max_size=4)


def rate(known: Knowledge, asked: list[Objective], cap: int | None = None) -> float:
    """Requests per second, 0 if refused."""
    found = sustained_rate(known, CHAT, asked, cap)
    return found.requests_per_second if isinstance(found, Sustained) else 0.0


@given(knowledge, objectives)
def test_every_objective_is_met_at_the_sustained_rate(known: Knowledge, asked: list[Objective]) -> None:
    """In its own statistic, to 1e-6; the latency shown is that at this rate."""
    found = sustained_rate(known, CHAT, asked)
    if isinstance(found, Refusal):
        assert found.reason is Reason.OBJECTIVE_MISSED
        return
    there = state(known, CHAT, found.requests_per_second)
    for one in asked:
        assert figure(there, one.metric, one.statistic) <= one.threshold_ms * (1 + 1e-6)
    again = latency(known, CHAT, found.requests_per_second)
    assert (again.ttft_ms, again.tpot_ms) == pytest.approx(
        (found.at_rate.ttft_ms, found.at_rate.tpot_ms), rel=1e-6
    )


@given(knowledge, objectives)
def test_a_little_more_load_breaks_the_binding_objective(known: Knowledge, asked: list[Objective]) -> None:
    """The rate is the highest, not merely a safe one."""
    found = sustained_rate(known, CHAT, asked)
    if isinstance(found, Refusal) or found.binding.startswith("batch cap"):
        return
    beyond = state(known, CHAT, found.requests_per_second * (1 + 1e-6))
    assert any(figure(beyond, one.metric, one.statistic) > one.threshold_ms for one in asked)


@given(knowledge, objective, st.floats(1, 10))
def test_a_looser_threshold_never_lowers_the_rate(known: Knowledge, one: Objective, factor: float) -> None:
    """Monotone in the threshold, a refusal counting as no rate."""
    looser = Objective(one.metric, one.statistic, one.threshold_ms * factor)
    assert rate(known, [one]) <= rate(known, [looser]) * (1 + 1e-8)


@given(knowledge, objectives, objective)
def test_another_objective_never_raises_the_rate(
    known: Knowledge, asked: list[Objective], more: Objective
) -> None:
    """The rate for all is the smallest over them."""
    alone = [rate(known, [one]) for one in [*asked, more]]
    assert rate(known, [*asked, more]) == pytest.approx(min(alone), rel=1e-7)


@given(st.integers(1, 64), st.integers(1, 64))
def test_a_larger_batch_never_lowers_the_rate_without_objectives(one: int, other: int) -> None:
    """Of coefficients, throughput rises with the batch."""
    small, large = sorted((one, other))
    assert rate(GRANITE_ON_A100, [], small) <= rate(GRANITE_ON_A100, [], large)


def test_under_a_tpot_objective_a_smaller_batch_can_raise_the_rate() -> None:
    """A cap at the level that still meets TPOT keeps every request there; a larger one lets some be slower."""
    threshold = curve(GRANITE_ON_A100, CHAT).token_ms[19]
    assert rate(GRANITE_ON_A100, [tpot(threshold)], 20) > rate(GRANITE_ON_A100, [tpot(threshold)], 60)


@given(st.permutations([ttft(500), tpot(30), tpot(40, Statistic.P95), ttft(2000, Statistic.P99)]))
def test_the_order_of_objectives_does_not_matter(asked: list[Objective]) -> None:
    """Same objectives, same answer, to the bit."""
    assert sustained_rate(GRANITE_ON_A100, CHAT, asked) == sustained_rate(GRANITE_ON_A100, CHAT, asked[::-1])


def test_higher_percentiles_sustain_less() -> None:
    """The same threshold is harder to keep for more of the requests."""
    for kind, threshold in ((tpot, 30.0), (ttft, 200.0)):
        rates = [
            rate(GRANITE_ON_A100, [kind(threshold, s)])
            for s in (Statistic.P50, Statistic.P90, Statistic.P95, Statistic.P99)
        ]
        assert rates == sorted(rates, reverse=True)
        assert rates[0] > rates[-1] > 0


def test_the_binding_objective_is_named() -> None:
    """As people write it; the batch cap where no objective binds."""
    assert sustained(GRANITE_ON_A100, CHAT, tpot(30), ttft(9e9)).binding == "TPOT Mean <= 30 ms"
    assert (
        sustained(GRANITE_ON_A100, CHAT, tpot(9e9), ttft(300, Statistic.P95)).binding == "TTFT P95 <= 300 ms"
    )
    assert sustained(GRANITE_ON_A100, CHAT).binding == "batch cap of 64 requests in service"


def test_an_unreachable_objective_is_refused_with_the_best_figure() -> None:
    """The best achievable is that of a request alone; each missed objective is named."""
    answer = sustained_rate(GRANITE_ON_A100, CHAT, [tpot(10), ttft(5, Statistic.P99), ttft(60_000)])
    alone = curve(GRANITE_ON_A100, CHAT).token_ms[0]
    assert isinstance(answer, Refusal)
    assert answer.reason is Reason.OBJECTIVE_MISSED
    assert f"TPOT Mean is at best {alone:.4g}" in answer.message
    assert "above 10 ms" in answer.message
    assert "TTFT P99 is at best" in answer.message
    assert "60000" not in answer.message


@pytest.mark.parametrize(
    ("known", "asked", "answered"),
    [
        ("Mean", "Mean", True),
        ("Mean", "P99", True),
        ("P50", "P50", True),
        ("P50", "Mean", False),
        ("P50", "P90", False),
        ("P90", "Mean", True),
        ("P90", "P50", True),
        ("P90", "P90", True),
        ("P90", "P95", False),
        ("P99", "P95", True),
    ],
)
def test_a_statistic_answers_itself_and_what_lies_below(known: str, asked: str, answered: bool) -> None:
    """Means convert through the queue; a percentile never answers a higher one, a median never the mean."""
    measured = points((1, 80, 10), (32, 300, 26), statistic=Statistic(known))
    answer = sustained_rate(measured, CHAT, [tpot(25, Statistic(asked))])
    assert isinstance(answer, Sustained) if answered else refused(answer) is Reason.STATISTIC_MISMATCH


def test_a_variant_that_does_not_fit_is_refused() -> None:
    """Memory comes before objectives."""
    tiny = unmeasured(bits=160)
    assert refused(sustained_rate(tiny, CHAT, [tpot(1e9)])) is Reason.MEMORY_EXCEEDED


def test_more_than_a_replica_finishes_is_refused() -> None:
    """There is no equilibrium to speak of."""
    most = sustained(GRANITE_ON_A100, CHAT).requests_per_second
    latency(GRANITE_ON_A100, CHAT, most)
    assert refused(latency_at(GRANITE_ON_A100, CHAT, most * 1.01)) is Reason.OVERLOADED


def test_an_idle_replica_shows_a_request_alone() -> None:
    """A rate of 0 is legal."""
    got, alone = latency(GRANITE_ON_A100, CHAT, 0.0), curve(GRANITE_ON_A100, CHAT)
    assert (got.ttft_ms, got.tpot_ms) == pytest.approx((alone.first_ms[0], alone.token_ms[0]), rel=1e-4)
    assert 0 < got.utilisation < 1e-3


@given(knowledge, st.floats(0, 1), st.floats(0, 1))
def test_latency_rises_with_load(known: Knowledge, one: float, other: float) -> None:
    """The search for the highest rate rests on this."""
    most = sustained(known, CHAT).requests_per_second
    calm, busy = (latency(known, CHAT, share * most) for share in sorted((one, other)))
    assert calm.ttft_ms <= busy.ttft_ms * (1 + 1e-9)
    assert calm.tpot_ms <= busy.tpot_ms * (1 + 1e-9)


positive = st.floats(1e-9, 1e9)


@settings(max_examples=60)
@given(
    st.builds(
        Coefficients,
        positive,
        st.floats(0, 1e6),
        st.floats(0, 1e6),
        st.integers(1, 10**6),
        st.integers(1, 10**6),
    ),
    st.builds(Shape, st.floats(1, 1e7), st.floats(1, 1e7), st.floats(0, 1)),
    st.lists(
        st.builds(Objective, st.sampled_from(Metric), st.sampled_from(Statistic), st.floats(1e-9, 1e15)),
        max_size=3,
    ),
    st.integers(1, 300),
)
def test_extreme_input_gives_finite_figures_or_a_refusal(
    known: Coefficients, shape: Shape, asked: list[Objective], cap: int
) -> None:
    """Never NaN, infinity or an exception."""
    found = sustained_rate(known, shape, asked, cap)
    if isinstance(found, Refusal):
        assert found.reason in {Reason.OBJECTIVE_MISSED, Reason.NO_PERFORMANCE}
        return
    shown = found.at_rate
    for value in (found.requests_per_second, shown.ttft_ms, shown.tpot_ms, shown.concurrency):
        assert math.isfinite(value)
        assert value > 0
    assert 0 < shown.utilisation < 1


@pytest.mark.parametrize(("known", "metric"), list(itertools.product(KNOWLEDGE, Metric)))
def test_percentiles_of_the_answer_are_ordered(known: Knowledge, metric: Metric) -> None:
    """p50 <= p90 <= p95 <= p99 at half the highest rate."""
    there = state(known, CHAT, sustained(known, CHAT).requests_per_second / 2)
    values = [figure(there, metric, s) for s in (Statistic.P50, Statistic.P90, Statistic.P95, Statistic.P99)]
    assert values == sorted(values)
