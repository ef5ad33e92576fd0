"""What fits a replica's memory, and what the refusal says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chipwise.performance import Hardware, Shape
from chipwise.performance.memory import cache_bytes_per_token, requests_that_fit, weight_bytes
from chipwise.reasons import Reason, Refusal

from tests.performance.builders import CHIP_80GB, LLAMA_8B, hardware, refused

LARGE = replace(
    LLAMA_8B, parameters=70_600_000_000, active_parameters=70_600_000_000, layers=80, hidden_size=8192
)


def test_weights_and_cache_follow_the_architecture() -> None:
    """8 billion parameters in 16 bits; 32 layers, 8 heads of 128, keys and values in 16 bits."""
    assert weight_bytes(hardware()) == 16_060_000_000
    assert cache_bytes_per_token(hardware(), 1) == 131_072


def test_more_chips_than_heads_hold_copies() -> None:
    """Sixteen chips keep eight KV heads twice."""
    assert cache_bytes_per_token(hardware(chips=16), 16) == 2 * 131_072


def test_requests_fill_what_the_weights_leave() -> None:
    """0.9 * 80 GB less 16.06 GB, at 2,048 tokens each."""
    assert requests_that_fit(hardware(), Shape(1024, 1024)) == int((72e9 - 16.06e9) / (2048 * 131_072))


def test_the_refusal_names_figures_and_the_smallest_chip_count() -> None:
    """141.2 GB of weights do not fit 72 GB usable; two such chips do."""
    answer = requests_that_fit(hardware(LARGE), Shape(1024, 1024))
    assert isinstance(answer, Refusal)
    assert answer.reason is Reason.MEMORY_EXCEEDED
    for part in ("141.2 GB", "72.0 GB", "2 of these chips"):
        assert part in answer.message


@pytest.mark.parametrize("memory_gb", [9, 12, 16, 24, 40, 80])
@pytest.mark.parametrize("tokens", [1_000, 100_000])
def test_the_chip_count_named_is_the_smallest_that_fits(memory_gb: int, tokens: int) -> None:
    """One fewer is refused, that many are not; also where KV heads must be copied."""
    chip = replace(CHIP_80GB, memory_bytes=memory_gb * 10**9)
    shape = Shape(tokens, 100)
    answer = requests_that_fit(hardware(LARGE, chip), shape)
    if not isinstance(answer, Refusal):
        pytest.fail("one chip cannot hold it")
    if "No number" in answer.message:
        assert all(refused(requests_that_fit(Hardware(LARGE, chip, n, 16), shape)) for n in range(1, 200))
        return
    named = int(answer.message.rsplit("usable. ", 1)[1].split()[0])
    assert isinstance(requests_that_fit(Hardware(LARGE, chip, named, 16), shape), int)
    assert refused(requests_that_fit(Hardware(LARGE, chip, named - 1, 16), shape)) is Reason.MEMORY_EXCEEDED
