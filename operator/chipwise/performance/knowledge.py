"""From any kind of knowledge to a curve, and which statistic it may answer."""

from __future__ import annotations

from chipwise.performance.curve import Curve
from chipwise.performance.estimate import estimated_curve
from chipwise.performance.iteration import iteration_curve
from chipwise.performance.measured import measured_curve
from chipwise.performance.types import Coefficients, Knowledge, MeasuredPoints, Shape, Statistic
from chipwise.reasons import Refusal


def curve_for(knowledge: Knowledge, shape: Shape, max_concurrency: int | None = None) -> Curve | Refusal:
    """Bring knowledge to the times of one replica serving requests of this shape, or why nothing can be said.

    ``max_concurrency`` can only lower the batch cap that the knowledge itself implies.
    """
    match knowledge:
        case MeasuredPoints():
            return measured_curve(knowledge, shape, max_concurrency)
        case Coefficients():
            return iteration_curve(knowledge, shape, max_concurrency)
        case _:
            return estimated_curve(knowledge, shape, max_concurrency)


def answers(known: Statistic, asked: Statistic) -> bool:
    """Say whether figures in one statistic may answer an objective in another.

    Means answer the mean as they are, and percentiles through the distribution of the load. Figures in P90, P95 or P99 answer that
    percentile, a lower one and the mean, each time as if every request were as slow as the percentile: too pessimistic, never too
    hopeful. A median answers only a median, and no percentile answers a higher one. Estimates are means.
    """
    if known is Statistic.MEAN:
        return True
    known_quantile, asked_quantile = known.quantile or 0.0, asked.quantile
    if asked_quantile is None:
        return known is not Statistic.P50
    return asked_quantile <= known_quantile
