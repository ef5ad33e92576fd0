"""Objectives as people type them, METRIC:STATISTIC:THRESHOLD, and whether an estimate of means keeps them."""

from __future__ import annotations

from typing import Any

from chipwise.api.durations import to_milliseconds
from chipwise.cli.errors import BadInput
from chipwise.cli.figures import milliseconds
from chipwise.performance.types import Metric, Objective, Statistic
from chipwise.reasons import Reason, Refusal


def read(text: str) -> Objective:
    """Such as TTFT:Mean:500ms; case makes no difference, and TTFT:500ms is of the mean. Raises BadInput with what is wrong."""
    parts = text.split(":")
    if len(parts) == 2:
        parts.insert(1, Statistic.MEAN.value)
    metric = next((each for each in Metric if each.value.lower() == parts[0].strip().lower()), None)
    if len(parts) != 3 or metric is None:
        raise BadInput(f"--objective {text}: must be METRIC:STATISTIC:THRESHOLD, such as TTFT:Mean:500ms")
    statistic = next((each for each in Statistic if each.value.lower() == parts[1].strip().lower()), None)
    if statistic is None:
        raise BadInput(
            f"--objective {text}: {parts[1]} is none of {', '.join(each.value for each in Statistic)}"
        )
    try:
        threshold = to_milliseconds(parts[2].strip())
    except ValueError as error:
        raise BadInput(f"--objective {text}: {error}") from error
    if threshold <= 0:
        raise BadInput(f"--objective {text}: must be above 0")
    return Objective(metric, statistic, threshold)


def unsupported(objective: Objective) -> Refusal | None:
    """Refuse as PERCENTILE_UNSUPPORTED what estimates of means cannot judge; None for a mean."""
    if objective.statistic is Statistic.MEAN:
        return None
    return Refusal(
        Reason.PERCENTILE_UNSUPPORTED,
        f"{objective.metric.value} {objective.statistic.value} cannot be judged by an estimate of means: how requests scatter about their "
        "mean at a steady concurrency was not measured. State the mean, or import measurements of that percentile",
    )


def judged(objective: Objective, band: dict[str, float]) -> dict[str, Any]:
    """``met`` compares the figure with the threshold; ``certain`` is whether the whole band is on that side."""
    refusal = unsupported(objective)
    met = None if refusal else band["value"] <= objective.threshold_ms
    sure = met is not None and (
        band["high"] <= objective.threshold_ms if met else band["low"] > objective.threshold_ms
    )
    return {
        "metric": objective.metric.value,
        "statistic": objective.statistic.value,
        "thresholdMilliseconds": milliseconds(objective.threshold_ms),
        "met": met,
        "certain": None if refusal else sure,
        "reason": refusal.reason.value if refusal else None,
        "message": refusal.message if refusal else None,
    }
