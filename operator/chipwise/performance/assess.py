"""The questions that the rest of chipwise asks: how much one replica sustains, and what it shows at a load.

Every figure here is a mean or a percentile by name. Means of TTFT and TPOT follow the queue's equilibrium; percentiles convert through
its distribution of the level at which requests are served and of the wait (``queue``). Thresholds meet expected figures: the band
says how far these may be off and is not added to them, unless the objective asks for more confidence than that: then the replica is
judged as if it were as slow as its bands leave possible with that probability (``confidence``). The exception are percentiles of
estimates, which are learnt from means: how single requests scatter was never seen there, so such a percentile counts at the upper end
of the band too, whatever the confidence (``Origin.cautious``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from chipwise.performance.confidence import raised, words
from chipwise.performance.curve import Curve
from chipwise.performance.knowledge import answers, curve_for
from chipwise.performance.queue import SATURATION, Steady, highest_rate, lowest_rate, steady
from chipwise.performance.types import (
    EVEN,
    Knowledge,
    Latency,
    Metric,
    Objective,
    Shape,
    Statistic,
    Sustained,
)
from chipwise.reasons import Reason, Refusal

PRECISION = 1e-9
"""Relative width at which the search for the highest rate stops; the answer is the lower end, where every objective is met."""

_PER_SECOND = 1000.0
_IDLE = 0.01
_NEVER = 1e-12


def sustained_rate(
    knowledge: Knowledge, shape: Shape, objectives: Sequence[Objective], max_concurrency: int | None = None
) -> Sustained | Refusal:
    """Find the highest request rate at which one replica meets every objective.

    Searched between 0.001 of the rate of one request alone and 0.999 of the full batch's rate. Both metrics only worsen with load, so
    the highest rate for all objectives together is the smallest over them, and ``binding`` names the one that fails just above it.

    Refused as MEMORY_EXCEEDED, CONTEXT_EXCEEDED or NO_PERFORMANCE (no curve), STATISTIC_MISMATCH (the knowledge is in a statistic that
    cannot answer), OBJECTIVE_MISSED (even at the lowest load). Never a best effort. The order of objectives does not matter.
    """
    curve = curve_for(knowledge, shape, max_concurrency)
    if isinstance(curve, Refusal):
        return curve
    ordered = sorted(set(objectives), key=_rank)
    for objective in ordered:
        if not answers(curve.origin.statistic, objective.statistic):
            return Refusal(
                Reason.STATISTIC_MISMATCH,
                f"{describe(objective)} cannot be judged by figures measured as {curve.origin.statistic}.",
            )
    found = [_sustained(curve, confidence, of) for confidence, of in _by_confidence(curve, ordered)]
    refused = [each for each in found if isinstance(each, Refusal)]
    if refused:
        return Refusal(refused[0].reason, " ".join(each.message for each in refused))
    rate, binding = min((each for each in found if not isinstance(each, Refusal)), key=lambda each: each[0])
    return Sustained(rate * _PER_SECOND, binding, _latency(steady(curve, rate)))


def latency_at(
    knowledge: Knowledge, shape: Shape, requests_per_second: float, max_concurrency: int | None = None
) -> Latency | Refusal:
    """Say what one replica is expected to show at this request rate; as good as no rate means a request alone.

    Means over the load; of points measured in a percentile, the mean over the load of that percentile. Refused as ``curve_for`` does,
    and as OVERLOADED above 0.999 of the full batch's rate, where the queue would only grow.
    """
    curve = curve_for(knowledge, shape, max_concurrency)
    if isinstance(curve, Refusal):
        return curve
    rate, most = requests_per_second / _PER_SECOND, highest_rate(curve)
    if rate > most * (1 + PRECISION):
        return Refusal(
            Reason.OVERLOADED,
            f"{requests_per_second:.4g} requests/s asked of a replica that finishes at most {most / SATURATION * _PER_SECOND:.4g}.",
        )
    return _latency(steady(curve, min(max(rate, lowest_rate(curve) * _IDLE), most)))


def latency_with(
    knowledge: Knowledge, shape: Shape, concurrency: int, max_concurrency: int | None = None
) -> Latency | Refusal:
    """Say what one replica is expected to show with a steady number of requests in service, as benchmarks hold it.

    Refused as ``curve_for`` does, and as NO_PERFORMANCE beyond the batch cap: nothing is known there.
    """
    curve = curve_for(knowledge, shape, max_concurrency)
    if isinstance(curve, Refusal):
        return curve
    if not 1 <= concurrency <= curve.cap:
        return Refusal(
            Reason.NO_PERFORMANCE,
            f"Nothing is known at a concurrency of {concurrency}: the batch cap is {curve.cap}.",
        )
    origin = curve.origin.at(concurrency)
    return Latency(
        ttft_ms=curve.first_ms[concurrency - 1],
        tpot_ms=curve.token_ms[concurrency - 1],
        concurrency=float(concurrency),
        utilisation=concurrency / curve.cap,
        provenance=origin.provenance,
        band=origin.tpot_band,
        ttft_band=origin.ttft_band,
    )


def figure(state: Steady, metric: Metric, statistic: Statistic) -> float:
    """Give a metric of the replica in equilibrium, in milliseconds, in the statistic asked for, as it meets an objective."""
    quantile = statistic.quantile
    if quantile is None:
        return state.mean_ttft_ms if metric is Metric.TTFT else state.mean_tpot_ms
    found = state.ttft_percentile(quantile) if metric is Metric.TTFT else state.tpot_percentile(quantile)
    return found * state.curve.origin.margin(metric)


def describe(objective: Objective) -> str:
    """Write the objective as people write it, such as ``TPOT Mean <= 40 ms``, and how sure it must be where that was said."""
    return f"{objective.metric} {objective.statistic} <= {objective.threshold_ms:g} ms{words(objective.confidence)}"


def _rank(objective: Objective) -> tuple[str, str, float, float]:
    return objective.metric.value, objective.statistic.value, objective.threshold_ms, objective.confidence


def _by_confidence(
    curve: Curve, objectives: Sequence[Objective]
) -> Iterator[tuple[float, Sequence[Objective]]]:
    """Objectives that are judged together, with the confidence at which they are. Cautious ones also by what is expected."""
    expected = [replace(each, confidence=EVEN) for each in objectives if _is_cautious(curve, each)]
    judged = sorted({*objectives, *expected}, key=_rank)
    for confidence in sorted({EVEN, *(each.confidence for each in judged)}):
        yield confidence, [each for each in judged if each.confidence == confidence]


def _sustained(
    expected: Curve, confidence: float, objectives: Sequence[Objective]
) -> tuple[float, str] | Refusal:
    """The highest rate in requests per millisecond, and what binds it."""
    curve = raised(expected, confidence)
    if isinstance(curve, Refusal):
        return Refusal(curve.reason, f"{curve.message.rstrip('.')}{words(confidence)}.")
    lowest, highest = steady(curve, lowest_rate(curve)), steady(curve, highest_rate(curve))
    if _excess(lowest, objectives) > 0:
        return _missed(lowest, objectives)
    if _excess(highest, objectives) <= 0:
        return highest.rate, f"batch cap of {curve.cap} requests in service{words(confidence)}"
    met, missed = _bracket(curve, objectives, lowest, highest)
    binding = max(objectives, key=lambda o: _excess(missed, [o]))
    return met.rate, f"{describe(binding)}{_where(curve, binding)}"


def _excess(state: Steady, objectives: Sequence[Objective]) -> float:
    """How far the worst objective is missed: negative or zero when all are met; smooth in the rate, whatever the statistic."""
    return max((_one_excess(state, objective) for objective in objectives), default=0.0)


def _one_excess(state: Steady, objective: Objective) -> float:
    """Compare a mean by its relative distance, a percentile by the logarithm of the share of requests beyond the threshold."""
    quantile, threshold = objective.statistic.quantile, objective.threshold_ms
    if quantile is None:
        mean = figure(state, objective.metric, objective.statistic)
        scale = max(mean, threshold)
        return (mean - threshold) / scale if scale > 0 else 0.0
    beyond = state.ttft_beyond if objective.metric is Metric.TTFT else state.tpot_beyond
    most = threshold / state.curve.origin.margin(objective.metric)
    return math.log(max(beyond(most), _NEVER) / (1 - quantile))


def _bracket(
    curve: Curve, objectives: Sequence[Objective], met: Steady, missed: Steady
) -> tuple[Steady, Steady]:
    """Close in on the highest rate from both sides.

    False position with the Illinois rule (an end kept twice counts half), a halving whenever three steps did not halve the bracket.
    Steps keep clear of both ends by less than the precision asked for, or one end would never move.
    """
    low, high = _excess(met, objectives), _excess(missed, objectives)
    width, stalled, kept = missed.rate - met.rate, 0, 0
    while missed.rate - met.rate > PRECISION * missed.rate:
        clear = 0.4 * PRECISION * missed.rate / (missed.rate - met.rate)
        share = 0.5 if stalled >= 3 or low == high else min(max(low / (low - high), clear), 1 - clear)
        middle = steady(curve, met.rate + share * (missed.rate - met.rate))
        value = _excess(middle, objectives)
        if value <= 0:
            met, low, high, kept = middle, value, high / 2 if kept > 0 else high, 1
        else:
            missed, high, low, kept = middle, value, low / 2 if kept < 0 else low, -1
        stalled += 1
        if missed.rate - met.rate <= width / 2:
            width, stalled = missed.rate - met.rate, 0
    return met, missed


def _missed(state: Steady, objectives: Sequence[Objective]) -> Refusal:
    """Name every objective that a replica misses even when requests hardly ever meet."""
    missed = [
        f"{o.metric} {o.statistic} is at best {figure(state, o.metric, o.statistic):.4g} ms{words(o.confidence)}{_where(state.curve, o)}, "
        f"above {o.threshold_ms:g} ms"
        for o in objectives
        if _one_excess(state, o) > 0
    ]
    return Refusal(Reason.OBJECTIVE_MISSED, f"At the lowest load {'; '.join(missed)}.")


def _where(curve: Curve, objective: Objective) -> str:
    """Say where the figure that is judged is not the one that is expected."""
    return " at the upper end of the estimate's band" if _is_cautious(curve, objective) else ""


def _is_cautious(curve: Curve, objective: Objective) -> bool:
    return objective.statistic.quantile is not None and curve.origin.cautious


def _latency(state: Steady) -> Latency:
    origin = state.curve.origin.at(state.mean_in_service)
    return Latency(
        ttft_ms=state.mean_ttft_ms,
        tpot_ms=state.mean_tpot_ms,
        concurrency=state.mean_in_service,
        utilisation=state.utilisation,
        provenance=origin.provenance,
        band=origin.tpot_band,
        ttft_band=origin.ttft_band,
    )
