"""The iteration-time model against the answer that llm-inferno publishes for its own sample."""

from __future__ import annotations

import pytest
from chipwise.performance import Coefficients, Provenance, Shape, curve_for
from chipwise.performance.iteration import batch_cap
from chipwise.reasons import Reason

from tests.performance import inferno
from tests.performance.builders import CHAT, GRANITE_ON_A100, curve, latency, refused

EVERY_SERVER = pytest.mark.parametrize("name", sorted(inferno.SERVERS))


@EVERY_SERVER
def test_latencies_equal_the_published_ones(name: str) -> None:
    """At the published accelerator and replica count, mean TPOT and TTFT are theirs to 1e-4."""
    asked, published = inferno.SERVERS[name], inferno.ALLOCATIONS[name]
    knowledge = inferno.coefficients(asked.model, published["accelerator"])
    got = latency(knowledge, asked.shape, asked.requests_per_second / published["numReplicas"])
    assert got.tpot_ms == pytest.approx(published["itlAverage"], rel=1e-6)
    assert got.ttft_ms == pytest.approx(published["ttftAverage"], rel=1e-4)


@EVERY_SERVER
def test_batch_cap_equals_the_published_one(name: str) -> None:
    """The cap at other output lengths is max_batch * at_tokens / out, rounded down."""
    asked, published = inferno.SERVERS[name], inferno.ALLOCATIONS[name]
    knowledge = inferno.coefficients(asked.model, published["accelerator"])
    assert published["maxBatch"] == batch_cap(knowledge, asked.shape, None)


@EVERY_SERVER
def test_replicas_equal_the_published_ones(name: str) -> None:
    """Load over the sustained rate, rounded up, is their replica count."""
    asked, published = inferno.SERVERS[name], inferno.ALLOCATIONS[name]
    assert published["numReplicas"] == inferno.replicas(asked, published["accelerator"])


def test_cheapest_accelerators_without_capacity_limits_cost_the_known_sum() -> None:
    """Each server on its cheapest feasible accelerator: 33,327 cents per hour in all."""
    cheapest = (
        min(inferno.cents_per_hour(s, a) for a in inferno.ACCELERATORS) for s in inferno.SERVERS.values()
    )
    assert sum(cheapest) == 33_327


def test_batch_cap_is_never_below_one() -> None:
    """A request longer than the cap allows is still served, alone."""
    assert batch_cap(GRANITE_ON_A100, Shape(128, 1_000_000), None) == 1


def test_max_concurrency_only_lowers_the_cap() -> None:
    """A variant's own limit cannot lift what the coefficients were fitted for."""
    assert batch_cap(GRANITE_ON_A100, CHAT, 8) == 8
    assert batch_cap(GRANITE_ON_A100, CHAT, 1000) == 64


def test_prefix_hits_save_compute_but_not_the_reading_of_the_cache() -> None:
    """With beta = 0 nothing changes; with gamma = 0 a full hit leaves one token to prefill."""
    cached = Shape(1000, 100, prefix_hit_ratio=1.0)
    reads, computes = Coefficients(10, 0, 0.001, 16, 512), Coefficients(10, 0.1, 0, 16, 512)
    assert curve(reads, cached).rates == curve(reads, Shape(1000, 100)).rates
    saved = curve(computes, Shape(1000, 100)).prefill_ms(1) - curve(computes, cached).prefill_ms(1)
    assert saved == pytest.approx(0.1 * 999 * (1 + 1 / 101))


def test_coefficients_answer_as_fitted() -> None:
    """Provenance and a band travel with every figure."""
    got = latency(GRANITE_ON_A100, CHAT, 0.1)
    assert got.provenance is Provenance.FITTED
    assert 0 < got.band < got.ttft_band


@pytest.mark.parametrize("alpha", [0.0, -5.0, float("nan"), float("inf")])
def test_times_that_no_server_has_are_refused(alpha: float) -> None:
    """Zero, negative and non-finite times are an input error, not a rate."""
    assert refused(curve_for(Coefficients(alpha, 0, 0, 8, 512), CHAT)) is Reason.NO_PERFORMANCE


def test_a_batch_that_gets_faster_as_it_fills_is_refused() -> None:
    """A negative slope is a bad fit."""
    assert refused(curve_for(Coefficients(500, -0.1, 0, 8, 512), CHAT)) is Reason.NO_PERFORMANCE
