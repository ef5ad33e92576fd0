"""Small things that several tests of this package build."""

from __future__ import annotations

from typing import Any

from chipwise.catalog.estimating import shipped_estimator
from chipwise.performance import (
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
    Shape,
    Statistic,
    Sustained,
    Unmeasured,
    curve_for,
    latency_at,
    sustained_rate,
)
from chipwise.performance.curve import Curve
from chipwise.performance.queue import Steady, steady
from chipwise.reasons import Reason, Refusal

CHAT = Shape(input_tokens=128, output_tokens=512)
GRANITE_ON_A100 = Coefficients(alpha=20.58, beta=0.041, gamma=0.00128125, max_batch=64, at_tokens=512)
LLAMA_8B = Architecture(
    parameters=8_030_000_000,
    active_parameters=8_030_000_000,
    layers=32,
    hidden_size=4096,
    kv_heads=8,
    head_dim=128,
    max_context_tokens=131_072,
)
CHIP_80GB = Chip(
    memory_bytes=80_000_000_000,
    bandwidth_bytes_per_second=3.35e12,
    flops=989e12,
    interconnect_bytes_per_second=450e9,
)


def hardware(
    architecture: Architecture = LLAMA_8B, chip: Chip = CHIP_80GB, chips: int = 1, bits: int = 16
) -> Hardware:
    return Hardware(architecture, chip, chips, bits)


def unmeasured(names: Names = Names(), **of: Any) -> Unmeasured:  # noqa: B008  it is frozen
    """``of`` as in ``hardware``. Without names nothing measured is leant on: physics and the widest band."""
    return Unmeasured(hardware(**of), names, shipped_estimator())


def points(
    *rows: tuple[int, float, float],
    inputs: int = 1024,
    outputs: int = 512,
    statistic: Statistic = Statistic.MEAN,
) -> MeasuredPoints:
    """Rows are (concurrency, TTFT, TPOT)."""
    return MeasuredPoints(tuple(Point(n, inputs, outputs, ttft, tpot) for n, ttft, tpot in rows), statistic)


def ttft(threshold: float, statistic: Statistic = Statistic.MEAN) -> Objective:
    return Objective(Metric.TTFT, statistic, threshold)


def tpot(threshold: float, statistic: Statistic = Statistic.MEAN) -> Objective:
    return Objective(Metric.TPOT, statistic, threshold)


def curve(knowledge: Knowledge, shape: Shape = CHAT, cap: int | None = None) -> Curve:
    found = curve_for(knowledge, shape, cap)
    assert isinstance(found, Curve), found
    return found


def state(knowledge: Knowledge, shape: Shape, rate: float, cap: int | None = None) -> Steady:
    """The queue at a rate in requests per second."""
    return steady(curve(knowledge, shape, cap), rate / 1000)


def sustained(
    knowledge: Knowledge, shape: Shape, *objectives: Objective, cap: int | None = None
) -> Sustained:
    found = sustained_rate(knowledge, shape, objectives, cap)
    assert isinstance(found, Sustained), found
    return found


def latency(knowledge: Knowledge, shape: Shape, rate: float, cap: int | None = None) -> Latency:
    found = latency_at(knowledge, shape, rate, cap)
    assert isinstance(found, Latency), found
    return found


def refused(answer: object) -> Reason:
    assert isinstance(answer, Refusal), answer
    return answer.reason
