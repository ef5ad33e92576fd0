"""Measured points to a curve: at the points' own request shape as measured, at another shape scaled by a stated rule.

Only the points of one shape are used: the nearest by the sum of the log ratios of input and output tokens, the shorter one on a
tie. Several points at one concurrency count by their median; what still falls with concurrency is noise and is levelled by isotonic
regression. Between concurrencies times are linear; above the largest nothing is claimed: it is the batch cap. Below the smallest
the first segment is continued, but to no less than half its first time (a lone point stays flat).

What is told between concurrencies misses a little; of other shapes and of lower concurrencies it is worth less: ``trust`` has how much,
and calls it extrapolated where it is far outside.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from statistics import median

from chipwise.performance.curve import Curve, trace
from chipwise.performance.isotonic import non_decreasing
from chipwise.performance.iteration import fresh_tokens
from chipwise.performance.trust import origin_at
from chipwise.performance.types import MeasuredPoints, Point, Shape
from chipwise.reasons import Reason, Refusal

FIXED_SHARE, COMPUTE_SHARE, CACHE_SHARE = 0.3, 0.6, 0.1
"""How the part of TPOT that grows with concurrency depends on the shape: not at all, with the tokens computed per output token, with
the KV cache read per request. Chosen over all pairs of shapes of one configuration in aiconfigurator's silicon sample, as a compromise
between near and far pairs."""

PREFILL_EXPONENT = 0.5
"""TTFT grows with this power of the tokens to prefill: less than 1, for a part of it is waiting for running iterations. Chosen on
the same pairs."""

LOWEST_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Track:
    """A non-decreasing time over measured concurrencies."""

    concurrency: tuple[int, ...]
    milliseconds: tuple[float, ...]

    def at(self, n: float) -> float:
        """Interpolate the time with n in service, at most the largest measured concurrency."""
        xs, ys = self.concurrency, self.milliseconds
        if len(xs) == 1 or n >= xs[-1]:
            return ys[-1]
        right = max(bisect_left(xs, n), 1)
        share = (n - xs[right - 1]) / (xs[right] - xs[right - 1])
        return max(ys[right - 1] + share * (ys[right] - ys[right - 1]), LOWEST_SHARE * ys[0])

    @property
    def idle_ms(self) -> float:
        """The part that does not grow with concurrency."""
        return self.at(0) if len(self.concurrency) > 1 else LOWEST_SHARE * self.milliseconds[0]


def measured_curve(knowledge: MeasuredPoints, shape: Shape, max_concurrency: int | None) -> Curve | Refusal:
    """Tabulate what the points tell at this shape. Refused as NO_PERFORMANCE if there are none."""
    if not knowledge.points:
        return Refusal(Reason.NO_PERFORMANCE, "The list of measured points is empty.")
    nearest = min(knowledge.points, key=lambda p: (_distance(p, shape), p.input_tokens, p.output_tokens))
    lengths = (nearest.input_tokens, nearest.output_tokens)
    points = [p for p in knowledge.points if (p.input_tokens, p.output_tokens) == lengths]
    ttft = _track([(p.concurrency, p.ttft_ms) for p in points])
    tpot = _track([(p.concurrency, p.tpot_ms) for p in points])
    growth, idle = _growth(nearest, shape), tpot.idle_ms
    prefill = (fresh_tokens(shape) / nearest.input_tokens) ** PREFILL_EXPONENT
    return trace(
        _cap(tpot, nearest, shape, max_concurrency),
        lambda n: prefill * ttft.at(n),
        lambda n: idle + growth * (tpot.at(n) - idle),
        shape.output_tokens,
        origin_at(_distance(nearest, shape), tpot.concurrency, knowledge.statistic),
    )


def _distance(point: Point, shape: Shape) -> float:
    """Sum the log ratios of input tokens, output tokens, and tokens to prefill to input tokens."""
    return (
        abs(math.log(shape.input_tokens / point.input_tokens))
        + abs(math.log(shape.output_tokens / point.output_tokens))
        + math.log(shape.input_tokens / fresh_tokens(shape))
    )


def _growth(point: Point, shape: Shape) -> float:
    """Compare how much faster TPOT grows with concurrency at the shape than at the point's."""
    inputs, outputs = point.input_tokens, point.output_tokens
    computed = (fresh_tokens(shape) + shape.output_tokens) / (shape.output_tokens + 1)
    compute = computed * (outputs + 1) / (inputs + outputs)
    cache = (shape.input_tokens + shape.output_tokens / 2) / (inputs + outputs / 2)
    return FIXED_SHARE + COMPUTE_SHARE * compute + CACHE_SHARE * cache


def _cap(track: Track, point: Point, shape: Shape, max_concurrency: int | None) -> int:
    """Allow no more requests, and no more tokens in the KV cache, than were measured together; at least one request."""
    largest = track.concurrency[-1]
    held = (point.input_tokens + point.output_tokens) / (shape.input_tokens + shape.output_tokens)
    cap = max(int(largest * min(held, 1.0)), 1)
    return cap if max_concurrency is None else min(cap, max_concurrency)


def _track(pairs: list[tuple[int, float]]) -> Track:
    """Take medians by concurrency, then what never falls."""
    concurrency = tuple(sorted({n for n, _ in pairs}))
    return Track(
        concurrency, non_decreasing(median(value for n, value in pairs if n == at) for at in concurrency)
    )
