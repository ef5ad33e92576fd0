"""What a profile knows of a variant's speed, from the manifest's strings into the numbers of ``chipwise.performance``.

The estimator that ships is loaded for the first variant that nobody measured: without one, neither numpy nor the measurements are.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from chipwise.api import AcceleratorClass, InferenceWorkload, ModelProfile, Performance, Variant
from chipwise.cluster.naming import names_of
from chipwise.cluster.stated import architecture_of
from chipwise.performance import (
    Chip,
    Coefficients,
    Hardware,
    Knowledge,
    Latency,
    MeasuredPoints,
    Metric,
    Objective,
    Point,
    Shape,
    Statistic,
    Sustained,
    Unmeasured,
    latency_at,
    sustained_rate,
)
from chipwise.performance.computing import WEIGHT_BITS, computed_in
from chipwise.performance.estimate import estimate_together
from chipwise.reasons import Reason, Refusal
from chipwise.rendering.quantity import whole


def knowledge_of(
    workload: InferenceWorkload, profile: ModelProfile, variant: Variant, chip_class: AcceleratorClass
) -> Knowledge | Refusal:
    """The workload's own measurements, else the profile's, else what an estimate needs; NO_PERFORMANCE without an architecture."""
    performance = _performance(workload, variant)
    if performance is not None:
        return _stated(performance)
    hardware = hardware_of(profile, variant, chip_class)
    if isinstance(hardware, Refusal):
        return hardware
    from chipwise.catalog.estimating import shipped_estimator  # noqa: PLC0415  see the module docstring

    return Unmeasured(hardware, names_of(profile, variant, chip_class), shipped_estimator())


def _performance(workload: InferenceWorkload, variant: Variant) -> Performance | None:
    own = (one.performance for one in workload.spec.performance if one.variant_name == variant.name)
    return next(own, variant.performance)


def shape_of(workload: InferenceWorkload) -> Shape:
    """The workload's mean request."""
    traffic = workload.spec.traffic
    return Shape(traffic.input_tokens, traffic.output_tokens, float(traffic.prefix_cache_hit_ratio or 0))


def objectives_of(workload: InferenceWorkload) -> tuple[Objective, ...]:
    """The objectives in order of metric and statistic."""
    found = [
        Objective(
            Metric(str(o.metric)), Statistic(str(o.statistic)), o.threshold_milliseconds, o.confidence_share
        )
        for o in workload.spec.objectives
    ]
    return tuple(sorted(found, key=lambda o: (o.metric.value, o.statistic.value)))


def foresee(asked: Iterable[tuple[InferenceWorkload, ModelProfile, Variant, AcceleratorClass]]) -> None:
    """Estimate together what these will ask of variants that nobody measured: one by one takes several times as long."""
    found = (
        (knowledge_of(workload, profile, variant, chip_class), shape_of(workload), variant.max_concurrency)
        for workload, profile, variant, chip_class in asked
        if _performance(workload, variant) is None
    )
    estimate_together((known, shape, most) for known, shape, most in found if isinstance(known, Unmeasured))


@lru_cache(maxsize=20_000)
def sustained(
    knowledge: Knowledge, shape: Shape, objectives: tuple[Objective, ...], max_concurrency: int | None
) -> Sustained | Refusal:
    """``performance.sustained_rate``, remembered: facts change far more often than measurements do."""
    return sustained_rate(knowledge, shape, objectives, max_concurrency)


@lru_cache(maxsize=20_000)
def expected(
    knowledge: Knowledge, shape: Shape, rate: float, max_concurrency: int | None
) -> Latency | Refusal:
    """``performance.latency_at``, remembered."""
    return latency_at(knowledge, shape, rate, max_concurrency)


def _stated(performance: Performance) -> Knowledge:
    if performance.coefficients is not None:
        found = performance.coefficients
        return Coefficients(
            float(found.alpha), float(found.beta), float(found.gamma), found.max_batch_size, found.at_tokens
        )
    points = [
        Point(p.concurrency, p.input_tokens, p.output_tokens, p.ttft_milliseconds, p.tpot_milliseconds)
        for p in performance.points or ()
    ]
    return MeasuredPoints(tuple(sorted(points)), Statistic(str(performance.statistic)))


def hardware_of(profile: ModelProfile, variant: Variant, chip_class: AcceleratorClass) -> Hardware | Refusal:
    """What is known of model and chip, its TFLOPS those of ``computed_in``; NO_PERFORMANCE if the profile states no architecture."""
    shape = profile.spec.architecture
    if shape is None:
        return Refusal(
            Reason.NO_PERFORMANCE,
            f"variant {variant.name} has no measurements and profile {profile.metadata.name} no spec.architecture to estimate from",
        )
    spec = chip_class.spec
    precision = str(variant.precision)
    tflops = {str(each.precision): each.dense for each in spec.tflops}
    units = computed_in(precision, tflops)
    return Hardware(
        architecture=architecture_of(shape),
        chip=Chip(
            memory_bytes=whole(spec.memory),
            bandwidth_bytes_per_second=spec.memory_bandwidth_gbps * 1e9,
            flops=tflops[units] * 1e12 if units else None,
            interconnect_bytes_per_second=spec.interconnect_gbps * 1e9 if spec.interconnect_gbps else None,
        ),
        chips=variant.chips,
        weight_bits=WEIGHT_BITS[precision],
    )
