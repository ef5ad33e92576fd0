"""The estimate: right in direction, honest in provenance."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chipwise.performance import Provenance, Shape, curve_for, latency_at
from chipwise.performance.estimate import Machine
from chipwise.reasons import Reason

from tests.performance.builders import CHAT, CHIP_80GB, LLAMA_8B, curve, hardware, latency, refused

EXPERTS = replace(LLAMA_8B, parameters=47_000_000_000, active_parameters=13_000_000_000)


def test_an_estimate_says_that_it_is_one() -> None:
    """Provenance and the wide bands."""
    got = latency(hardware(), CHAT, 1.0)
    assert got.provenance is Provenance.ESTIMATED
    assert (got.band, got.ttft_band) == (0.5, 0.9)


def test_one_request_alone_is_bound_by_memory_and_layers() -> None:
    """8 billion parameters in 16 bits on 3.35 TB/s take at least 4.8 ms a token, and not much more than twice that."""
    assert 4.8 < curve(hardware(), CHAT).token_ms[0] < 10


def test_fewer_bits_and_more_chips_are_faster_but_not_in_proportion() -> None:
    """Layer latency and all-reduces do not shrink."""
    alone = curve(hardware(), CHAT).token_ms[0]
    halved, spread = curve(hardware(bits=8), CHAT).token_ms[0], curve(hardware(chips=8), CHAT).token_ms[0]
    assert alone / 2 < halved < alone
    assert alone / 8 < spread < alone


def test_experts_read_more_weights_as_the_batch_grows() -> None:
    """One token reads the active share, a large batch nearly everything."""
    machine = Machine(hardware(EXPERTS, chips=2))
    everything = machine.weights_ms(10_000)
    assert machine.weights_ms(1) == pytest.approx(everything * 13 / 47)
    assert machine.weights_ms(4) < machine.weights_ms(16) <= everything


def test_one_chip_exchanges_nothing() -> None:
    """All-reduces begin with the second chip."""
    assert Machine(hardware()).exchange_ms(1000) == 0
    assert Machine(hardware(chips=2)).exchange_ms(1000) > 0


def test_a_class_without_interconnect_is_taken_as_slow() -> None:
    """Tensor parallelism over the host's bus, not for free."""
    bare = replace(CHIP_80GB, interconnect_bytes_per_second=None)
    assert curve(hardware(chip=bare, chips=4), CHAT).first_ms[0] > curve(hardware(chips=4), CHAT).first_ms[0]


def test_the_cache_bounds_the_batch() -> None:
    """Long requests leave room for few."""
    assert curve(hardware(), CHAT).cap == 256
    assert curve(hardware(), Shape(100_000, 1_000)).cap == 4
    assert curve(hardware(), CHAT, cap=16).cap == 16


def test_prefix_hits_lower_ttft() -> None:
    """Cached tokens are not computed."""
    cached = latency(hardware(), Shape(8000, 100, 0.9), 0.5)
    assert cached.ttft_ms < latency(hardware(), Shape(8000, 100), 0.5).ttft_ms


def test_what_cannot_be_estimated_is_refused() -> None:
    """No FLOP/s, too little memory, too long a request."""
    blind = hardware(chip=replace(CHIP_80GB, flops=None))
    small = hardware(chip=replace(CHIP_80GB, memory_bytes=8_000_000_000))
    assert refused(curve_for(blind, CHAT)) is Reason.NO_PERFORMANCE
    assert refused(latency_at(small, CHAT, 1.0)) is Reason.MEMORY_EXCEEDED
    assert refused(curve_for(hardware(), Shape(200_000, 10))) is Reason.CONTEXT_EXCEEDED
