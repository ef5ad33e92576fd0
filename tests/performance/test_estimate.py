"""The estimate of one replica: what it leans on, which way it moves, what it is worth, and what is refused."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from chipwise.catalog import shelf
from chipwise.catalog.estimating import shipped_estimator
from chipwise.catalog.measurements import shipped
from chipwise.performance import (
    Hardware,
    Metric,
    Names,
    Provenance,
    Shape,
    Statistic,
    Unmeasured,
    answers,
    curve_for,
    latency_at,
    latency_with,
)
from chipwise.performance.assess import figure
from chipwise.performance.curve import Curve
from chipwise.performance.estimate import estimate_together, leans_on, levels_up_to
from chipwise.performance.estimator import Case, Support, table
from chipwise.performance.queue import steady
from chipwise.reasons import Reason, Refusal
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.performance.builders import (
    CHAT,
    CHIP_80GB,
    LLAMA_8B,
    curve,
    latency,
    points,
    refused,
    sustained,
    tpot,
    ttft,
    unmeasured,
)

EXPERTS = replace(
    LLAMA_8B, parameters=47_000_000_000, active_parameters=13_000_000_000, experts=8, experts_per_token=2
)

models = st.sampled_from(["", "Qwen/Qwen3-32B", "somebody/else"])
chips = st.sampled_from(["", "h200", "somebody-elses"])
engines = st.sampled_from(["", "vllm", "trtllm", "sglang"])
names = st.builds(Names, models, chips, st.sampled_from(["", "bf16", "fp8"]), engines)
shapes = st.builds(Shape, st.floats(1, 50_000), st.floats(1, 8_000), st.floats(0, 1))
replicas = st.builds(
    unmeasured,
    names,
    architecture=st.sampled_from([LLAMA_8B, EXPERTS]),
    chips=st.sampled_from([1, 2, 3, 8]),
    bits=st.sampled_from([4, 8, 16]),
)


def of(case: Case) -> Unmeasured:
    """The variant that a measured case is of."""
    hardware = Hardware(case.architecture, case.chip, case.chips, case.weight_bits)
    named = Names(case.model, case.accelerator, case.precision, case.engine, case.engine_version)
    return Unmeasured(hardware, named, shipped_estimator())


def known(model: str, chip: str, precision: str, engine: str, chips: int) -> Unmeasured:
    entry, figures = shelf.model_entry(model), shelf.chip(chip)
    assert not isinstance(entry, Refusal)
    assert not isinstance(figures, Refusal)
    hardware = Hardware(entry.architecture, figures.at(precision), chips, {"bf16": 16, "fp8": 8}[precision])
    return Unmeasured(hardware, Names(entry.id, figures.name, precision, engine), shipped_estimator())


@settings(deadline=None)
@given(replicas, shapes)
def test_times_never_fall_and_bands_are_positive(known: Unmeasured, shape: Shape) -> None:
    """Whatever is corrected by whatever measurement: a fuller batch is not faster, and nothing is known for certain."""
    found = curve_for(known, shape)
    if isinstance(found, Refusal):
        assert found.reason in (Reason.MEMORY_EXCEEDED, Reason.CONTEXT_EXCEEDED)
        return
    assert all(a <= b * (1 + 1e-12) for times in (found.first_ms, found.token_ms) for a, b in pairwise(times))
    for concurrency in {1, found.cap // 2 or 1, found.cap}:
        origin = found.origin.at(concurrency)
        assert 0 < origin.tpot_band < math.inf
        assert 0 < origin.ttft_band < math.inf


@settings(deadline=None)
@given(
    st.sampled_from(["bandwidth_bytes_per_second", "flops", "interconnect_bytes_per_second"]),
    st.floats(1, 20),
    st.sampled_from([LLAMA_8B, EXPERTS]),
    st.sampled_from([1, 2, 8]),
    shapes,
)
def test_a_faster_chip_is_never_slower(figure: str, by: float, model: Any, chips: int, shape: Shape) -> None:
    """All else equal, and nothing measured of either."""
    faster = replace(CHIP_80GB, **{figure: by * getattr(CHIP_80GB, figure)})
    slow, fast = (
        curve_for(unmeasured(architecture=model, chip=chip, chips=chips), shape)
        for chip in (CHIP_80GB, faster)
    )
    if isinstance(slow, Refusal) or isinstance(fast, Refusal):
        assert slow == fast
        return
    assert fast.cap == slow.cap
    assert all(a <= b * (1 + 1e-9) for a, b in zip(fast.token_ms, slow.token_ms, strict=True))
    assert all(a <= b * (1 + 1e-9) for a, b in zip(fast.first_ms, slow.first_ms, strict=True))


def test_without_names_it_is_physics_with_the_widest_band() -> None:
    """Nothing measured is leant on, and it says that it is an estimate."""
    nameless, named = unmeasured(), known("Qwen/Qwen3-32B", "h100", "bf16", "vllm", 4)
    assert leans_on(nameless, CHAT) == Support.NONE
    got, better = latency(nameless, CHAT, 1.0), latency(named, CHAT, 1.0)
    assert got.provenance is Provenance.ESTIMATED
    assert got.band > better.band
    assert got.ttft_band > better.ttft_band


@pytest.mark.parametrize(
    ("asked", "support", "provenance"),
    [
        (known("Qwen/Qwen3-32B", "h100", "bf16", "sglang", 8), Support.VARIANT, Provenance.SCALED),
        (known("Qwen/Qwen3-32B", "h100", "bf16", "", 8), Support.PAIR, Provenance.ESTIMATED),
        (known("Qwen/Qwen3-32B", "mi300x", "bf16", "vllm", 8), Support.MODEL, Provenance.ESTIMATED),
        (known("Qwen/Qwen3-14B", "h100", "bf16", "vllm", 8), Support.CHIP, Provenance.ESTIMATED),
        (known("Qwen/Qwen3-14B", "mi300x", "bf16", "vllm", 8), Support.NONE, Provenance.ESTIMATED),
    ],
)
def test_it_is_scaled_where_the_variant_was_measured_elsewhere(
    asked: Unmeasured, support: Support, provenance: Provenance
) -> None:
    """Same model, chip, engine and precision: at another shape or parallelism. Anything less is an estimate."""
    shape = Shape(1500, 300)
    assert leans_on(asked, shape) == support
    assert latency(asked, shape, 0.2).provenance is provenance


def test_what_was_measured_is_told_within_the_band() -> None:
    """The rows that ship, at their own concurrency: nine in ten within the band of the curve."""
    rows = shipped()
    kept = [
        (of(case), Shape(case.input_tokens, case.output_tokens), case, tpot_ms)
        for case, tpot_ms in zip(rows.cases[::7], rows.tpot_ms[::7], strict=True)
        if case.chips == case.tensor and case.expert == 1
    ]
    estimate_together((asked, shape, 4096) for asked, shape, *_ in kept)
    within = total = 0
    for asked, shape, case, tpot_ms in kept:
        told = latency_with(asked, shape, int(case.concurrency), max_concurrency=4096)
        if isinstance(told, Refusal):
            continue
        total += 1
        within += told.tpot_ms / (1 + told.band) <= tpot_ms <= told.tpot_ms * (1 + told.band)
    assert total > 50
    assert within >= 0.9 * total


def test_the_curve_is_the_estimate_at_the_concurrencies_asked_for() -> None:
    """And between two of them linear, close to what would be estimated there."""
    asked, shape = known("Qwen/Qwen3-32B", "h100", "bf16", "vllm", 4), Shape(1024, 512)
    found = curve(asked, shape)
    for concurrency in (1, 8, 27, 100, 256):
        case = Case(
            model=asked.names.model,
            architecture=asked.hardware.architecture,
            accelerator=asked.names.accelerator,
            chip=asked.hardware.chip,
            precision="bf16",
            weight_bits=16,
            input_tokens=1024,
            output_tokens=512,
            concurrency=concurrency,
            tensor=4,
            engine="vllm",
        )
        told = asked.estimator.estimate(table([case]))
        close = 1e-6 if concurrency in levels_up_to(found.cap) else 0.03
        assert found.token_ms[concurrency - 1] == pytest.approx(float(told.tpot.value[0]), rel=close)
        assert found.first_ms[concurrency - 1] == pytest.approx(float(told.ttft.value[0]), rel=close)


@given(st.integers(1, 5000))
def test_concurrencies_asked_for_have_both_ends(cap: int) -> None:
    """In ascending order, few."""
    levels = levels_up_to(cap)
    assert (levels[0], levels[-1]) == (1, cap)
    assert list(levels) == sorted(set(levels))
    assert len(levels) <= 2 * math.log2(cap) + 3


def test_one_request_alone_is_bound_by_memory_and_layers() -> None:
    """8 billion parameters in 16 bits on 3.35 TB/s take at least 4.8 ms a token, and not much more than twice that."""
    assert 4.8 < curve(unmeasured(), CHAT).token_ms[0] < 10


def test_fewer_bits_and_more_chips_are_faster_but_not_in_proportion() -> None:
    """Layer latency and all-reduces do not shrink."""
    alone = curve(unmeasured(), CHAT).token_ms[0]
    halved = curve(unmeasured(bits=8), CHAT).token_ms[0]
    spread = curve(unmeasured(chips=8), CHAT).token_ms[0]
    assert alone / 2 < halved < alone
    assert alone / 8 < spread < alone


def test_experts_read_more_weights_as_the_batch_grows() -> None:
    """One token reads the active share, a large batch nearly everything: a step grows by more than a dense model's does."""
    dense = replace(EXPERTS, parameters=EXPERTS.active_parameters, experts=0, experts_per_token=0)

    def growth(model: Any) -> float:
        found = curve(unmeasured(architecture=model, chips=4), Shape(1, 1000))
        return found.token_ms[15] - found.token_ms[0]

    unread = (47e9 - 13e9) * 2 / (4 * 3.35e12) * 1000
    assert 0.7 * unread < growth(EXPERTS) - growth(dense) < 1.5 * unread


def test_one_chip_exchanges_nothing() -> None:
    """All-reduces begin with the second chip, so the link of a lone one makes no difference."""
    slower = replace(CHIP_80GB, interconnect_bytes_per_second=1e9)
    assert curve(unmeasured(chip=slower), CHAT) == curve(unmeasured(), CHAT)
    assert curve(unmeasured(chip=slower, chips=2), CHAT).first_ms > curve(unmeasured(chips=2), CHAT).first_ms


def test_a_class_without_interconnect_is_taken_as_slow() -> None:
    """Tensor parallelism over the host's bus, not for free."""
    bare = replace(CHIP_80GB, interconnect_bytes_per_second=None)
    assert (
        curve(unmeasured(chip=bare, chips=4), CHAT).first_ms[0] > curve(unmeasured(chips=4), CHAT).first_ms[0]
    )


def test_the_cache_bounds_the_batch() -> None:
    """Long requests leave room for few."""
    assert curve(unmeasured(), CHAT).cap == 256
    assert curve(unmeasured(), Shape(100_000, 1_000)).cap == 4
    assert curve(unmeasured(), CHAT, cap=16).cap == 16


def test_prefix_hits_lower_ttft() -> None:
    """Cached tokens are not computed."""
    cached = latency(unmeasured(), Shape(8000, 100, 0.9), 0.5)
    assert cached.ttft_ms < latency(unmeasured(), Shape(8000, 100), 0.5).ttft_ms


@pytest.mark.parametrize("statistic", [Statistic.P50, Statistic.P90, Statistic.P99])
@pytest.mark.parametrize("metric", list(Metric))
def test_percentiles_of_estimates_count_at_the_upper_end_of_the_band(
    statistic: Statistic, metric: Metric
) -> None:
    """How single requests scatter was not seen by what learns from means; so never too hopeful, and the mean is as it is told."""
    asked = known("Qwen/Qwen3-32B", "h100", "bf16", "vllm", 4)
    found, shape = curve(asked, CHAT), CHAT
    bold = replace(found, origin=replace(found.origin, cautious=False))
    rate = found.rates[-1] / 3
    cautious, plain = (figure(steady(each, rate), metric, statistic) for each in (found, bold))
    widest = max(
        origin.ttft_band if metric is Metric.TTFT else origin.tpot_band
        for origin in (found.origin, *(below for _, below in found.origin.below))
    )
    assert cautious == pytest.approx(plain * (1 + widest))
    for each in (found, bold):
        assert figure(steady(each, rate), metric, Statistic.MEAN) == pytest.approx(
            figure(steady(found, rate), metric, Statistic.MEAN)
        )
    threshold = (ttft if metric is Metric.TTFT else tpot)(3 * cautious, statistic)
    at = sustained(asked, shape, threshold).requests_per_second
    assert at <= sustained(asked, shape).requests_per_second


def test_points_are_judged_as_before() -> None:
    """Measured means convert through the queue as they are."""
    assert curve(points((1, 80, 10), (32, 300, 26))).origin.margin(Metric.TPOT) == 1.0
    assert answers(curve(unmeasured()).origin.statistic, Statistic.P99)


def test_what_cannot_be_estimated_is_refused() -> None:
    """No FLOP/s, too little memory, too long a request."""
    blind = unmeasured(chip=replace(CHIP_80GB, flops=None))
    small = unmeasured(chip=replace(CHIP_80GB, memory_bytes=8_000_000_000))
    assert refused(curve_for(blind, CHAT)) is Reason.NO_PERFORMANCE
    assert refused(latency_at(small, CHAT, 1.0)) is Reason.MEMORY_EXCEEDED
    assert refused(curve_for(unmeasured(), Shape(200_000, 10))) is Reason.CONTEXT_EXCEEDED


def test_equal_questions_are_answered_once() -> None:
    """Every decision asks again; what is asked is equal if everything in it is, and of one estimator."""
    one, other = (
        known("Qwen/Qwen3-32B", "h100", "bf16", "", 4),
        known("Qwen/Qwen3-32B", "h100", "bf16", "", 4),
    )
    assert one is not other
    assert one == other
    assert hash(one) == hash(other)
    learnt_anew = replace(one.estimator, constants=one.estimator.constants)
    assert replace(one, estimator=learnt_anew) != one
    assert isinstance(curve_for(one, CHAT), Curve)
