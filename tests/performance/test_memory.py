"""What fits a replica's memory, and what the refusal says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chipwise.performance import Architecture, Hardware, Shape
from chipwise.performance.memory import (
    UNBOUNDED,
    cache_bytes,
    requests_that_fit,
    weight_bytes,
)
from chipwise.reasons import Reason, Refusal
from hypothesis import given
from hypothesis import strategies as st

from tests.performance.builders import CHIP_80GB, LLAMA_8B, hardware, refused

LARGE = replace(
    LLAMA_8B, parameters=70_600_000_000, active_parameters=70_600_000_000, layers=80, hidden_size=8192
)
LATENT = replace(LLAMA_8B, layers=61, kv_heads=128, head_dim=128, latent_dim=576)
"""The attention of DeepSeek-V3."""
WINDOWED = replace(LLAMA_8B, layers=36, kv_heads=8, head_dim=64, sliding_window=128, sliding_layers=18)
"""The attention of gpt-oss-120b."""
HYBRID = replace(LLAMA_8B, layers=48, kv_heads=2, head_dim=256, linear_layers=36)
"""The attention of Qwen3-Next."""


def test_weights_and_cache_follow_the_architecture() -> None:
    """8 billion parameters in 16 bits; 32 layers, 8 heads of 128, keys and values in 16 bits."""
    assert weight_bytes(hardware()) == 16_060_000_000
    assert cache_bytes(hardware(), 1, 1) == 131_072


def test_more_chips_than_heads_hold_copies() -> None:
    """Sixteen chips keep eight KV heads twice."""
    assert cache_bytes(hardware(chips=16), 1, 16) == 2 * 131_072


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


def test_a_latent_vector_is_kept_once_on_every_chip() -> None:
    """576 elements of 2 bytes in each of 61 layers; no chip can hold a part of one, so eight chips hold eight."""
    one = 61 * 576 * 2
    assert cache_bytes(hardware(LATENT), 1, 1) == one
    assert cache_bytes(hardware(LATENT), 1000, 8) == 8 * 1000 * one


def test_more_chips_do_not_make_room_for_a_latent_cache() -> None:
    """What a chip has beside its share of the weights bounds the requests, and the count named allows for it."""
    chip = replace(CHIP_80GB, memory_bytes=20 * 10**9)
    heavy = replace(LATENT, parameters=100_000_000_000)
    shape = Shape(100_000, 100)
    answer = requests_that_fit(hardware(heavy, chip), shape)
    assert isinstance(answer, Refusal)
    named = int(answer.message.rsplit("usable. ", 1)[1].split()[0])
    request = cache_bytes(hardware(heavy), 100_100, 1)
    assert 18e9 - 200e9 / named >= request > 18e9 - 200e9 / (named - 1)


@pytest.mark.parametrize(("tokens", "kept"), [(100, 36 * 100), (128, 36 * 128), (4096, 18 * 128 + 18 * 4096)])
def test_a_window_keeps_its_last_tokens_only(tokens: int, kept: int) -> None:
    assert cache_bytes(hardware(WINDOWED), tokens, 1) == kept * 2 * 8 * 64 * 2


def test_linear_layers_keep_nothing_per_token() -> None:
    """Twelve of 48 layers have a KV cache."""
    assert cache_bytes(hardware(HYBRID), 1000, 1) == 1000 * 12 * 2 * 2 * 256 * 2


@st.composite
def attentions(draw: st.DrawFn) -> Architecture:
    """Any mix of full, windowed and linear layers, of heads or of latent vectors."""
    layers = draw(st.integers(1, 60))
    sliding = draw(st.integers(0, layers))
    return replace(
        LLAMA_8B,
        layers=layers,
        kv_heads=draw(st.sampled_from((1, 2, 8, 128))),
        latent_dim=draw(st.none() | st.integers(64, 1024)),
        sliding_layers=sliding,
        sliding_window=draw(st.integers(1, 10_000)) if sliding else None,
        linear_layers=draw(st.integers(0, layers - sliding)),
    )


COUNTS = st.integers(1, 32)
LENGTHS = st.integers(1, 200_000)


@given(attentions(), LENGTHS, LENGTHS, COUNTS)
def test_a_longer_request_keeps_no_less_and_never_more_than_by_the_token(
    shape: Architecture, tokens: int, more: int, chips: int
) -> None:
    machine = hardware(shape)
    short, long = cache_bytes(machine, tokens, chips), cache_bytes(machine, tokens + more, chips)
    assert short <= long <= (tokens + more) * cache_bytes(machine, 1, chips) * (1 + 1e-9)


@given(attentions(), LENGTHS, COUNTS)
def test_without_windows_and_linear_layers_a_request_keeps_no_less(
    shape: Architecture, tokens: int, chips: int
) -> None:
    full = replace(shape, sliding_layers=0, sliding_window=None, linear_layers=0)
    assert cache_bytes(hardware(shape), tokens, chips) <= cache_bytes(hardware(full), tokens, chips)


@given(attentions(), LENGTHS, COUNTS)
def test_more_chips_keep_no_less_together_and_no_more_each(
    shape: Architecture, tokens: int, chips: int
) -> None:
    machine = hardware(shape)
    now, then = cache_bytes(machine, tokens, chips), cache_bytes(machine, tokens, chips + 1)
    assert now <= then
    assert then / (chips + 1) <= now / chips * (1 + 1e-9)
    if shape.latent_dim is not None:
        assert now == pytest.approx(chips * cache_bytes(machine, tokens, 1))


@given(attentions(), LENGTHS, st.integers(1, 200), COUNTS)
def test_what_is_said_to_fit_fits_and_one_more_does_not(
    shape: Architecture, tokens: int, memory_gb: int, chips: int
) -> None:
    machine = hardware(shape, replace(CHIP_80GB, memory_bytes=memory_gb * 10**9), chips)
    answer = requests_that_fit(machine, Shape(tokens, 1))
    request = cache_bytes(machine, tokens + 1, chips)
    room = chips * memory_gb * 0.9e9 - weight_bytes(machine)
    if isinstance(answer, Refusal):
        assert request > room
    elif request:
        assert answer == min(int(room / request), UNBOUNDED)
        assert answer >= 1
    else:
        assert answer == UNBOUNDED
