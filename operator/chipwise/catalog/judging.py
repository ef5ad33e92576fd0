"""Whether an estimate of means keeps an objective, and whether its band leaves that open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chipwise.performance.confidence import margin
from chipwise.performance.types import Objective, Statistic
from chipwise.reasons import Reason, Refusal


@dataclass(frozen=True, slots=True)
class Verdict:
    """``met`` compares the figure, raised as the confidence asks, with the threshold; ``certain`` is whether the whole band is on that side.

    None where nothing can be said.
    """

    met: bool | None = None
    certain: bool | None = None
    refusal: Refusal | None = None


def judged(objective: Objective, band: Sequence[float] | None) -> Verdict:
    """``band`` is figure, low and high in milliseconds, None where there is no estimate.

    Refused as PERCENTILE_UNSUPPORTED where the objective is of anything but the mean.
    """
    refusal = _unsupported(objective)
    if refusal is not None or band is None:
        return Verdict(refusal=refusal)
    figure, low, high = band
    met = figure * margin(high / figure - 1, objective.confidence) <= objective.threshold_ms
    return Verdict(met, high <= objective.threshold_ms if met else low > objective.threshold_ms)


def _unsupported(objective: Objective) -> Refusal | None:
    if objective.statistic is Statistic.MEAN:
        return None
    return Refusal(
        Reason.PERCENTILE_UNSUPPORTED,
        f"{objective.metric.value} {objective.statistic.value} cannot be judged by an estimate of means: how requests scatter about their "
        "mean at a steady concurrency was not measured. State the mean, or import measurements of that percentile",
    )
