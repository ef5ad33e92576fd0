"""How fast a variant is under load. Pure: numbers in, numbers or typed refusals out."""

from __future__ import annotations

from chipwise.performance.assess import describe, latency_at, latency_with, sustained_rate
from chipwise.performance.knowledge import answers, curve_for
from chipwise.performance.types import (
    Architecture,
    Chip,
    Coefficients,
    Hardware,
    Knowledge,
    Latency,
    MeasuredPoints,
    Metric,
    Names,
    Objective,
    Point,
    Provenance,
    Shape,
    Statistic,
    Sustained,
    Unmeasured,
)

__all__ = [
    "Architecture",
    "Chip",
    "Coefficients",
    "Hardware",
    "Knowledge",
    "Latency",
    "MeasuredPoints",
    "Metric",
    "Names",
    "Objective",
    "Point",
    "Provenance",
    "Shape",
    "Statistic",
    "Sustained",
    "Unmeasured",
    "answers",
    "curve_for",
    "describe",
    "latency_at",
    "latency_with",
    "sustained_rate",
]
