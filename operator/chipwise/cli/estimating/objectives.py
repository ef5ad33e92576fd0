"""Objectives as people type them, METRIC:STATISTIC:THRESHOLD[:CONFIDENCE], and the verdict on them as a document says it."""

from __future__ import annotations

from typing import Any

from chipwise.api.decimals import CONFIDENCE, to_share
from chipwise.api.durations import to_milliseconds
from chipwise.catalog.judging import judged
from chipwise.cli.errors import BadInput
from chipwise.cli.figures import milliseconds
from chipwise.performance.types import EVEN, Metric, Objective, Statistic


def read(text: str) -> Objective:
    """Such as TTFT:Mean:500ms or TTFT:Mean:500ms:80%; case makes no difference, and TTFT:500ms is of the mean.

    Raises BadInput with what is wrong.
    """
    parts = text.split(":")
    confidence = _confidence(text, parts.pop().strip()) if text.rstrip().endswith("%") else EVEN
    if len(parts) == 2:
        parts.insert(1, Statistic.MEAN.value)
    metric = next((each for each in Metric if each.value.lower() == parts[0].strip().lower()), None)
    if len(parts) != 3 or metric is None:
        raise BadInput(
            f"--objective {text}: must be METRIC:STATISTIC:THRESHOLD, such as TTFT:Mean:500ms, with :80% behind it for that confidence"
        )
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
    return Objective(metric, statistic, threshold, confidence)


def _confidence(text: str, percentage: str) -> float:
    if not CONFIDENCE.matches(percentage):
        raise BadInput(f"--objective {text}: the confidence {CONFIDENCE.message}")
    return to_share(percentage)


def verdict(objective: Objective, band: dict[str, float] | None) -> dict[str, Any]:
    """How an estimate keeps it, as the document says it; ``band`` is None where there is no estimate."""
    found = judged(objective, None if band is None else (band["value"], band["low"], band["high"]))
    return {
        "metric": objective.metric.value,
        "statistic": objective.statistic.value,
        "thresholdMilliseconds": milliseconds(objective.threshold_ms),
        "confidence": objective.confidence,
        "met": found.met,
        "certain": found.certain,
        "reason": found.refusal.reason.value if found.refusal else None,
        "message": found.refusal.message if found.refusal else None,
    }
