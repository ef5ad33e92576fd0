"""What the memory bandwidth forbids, and that no row of the silicon sample is forbidden."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest
from chipwise.performance import Architecture, Metric, Point
from chipwise.performance.plausible import READ_SHARE, implausible, least_step_ms
from chipwise.reasons import Reason
from hypothesis import given
from hypothesis import strategies as st

from tests.performance.builders import CHIP_80GB, LLAMA_8B, hardware
from tests.performance.silicon import ROWS

#: Parameters, active parameters, in billions, as the models' cards say.
MODELS = {
    "Qwen/Qwen3-32B": (32.8, 32.8),
    "meta-llama/Llama-3.1-70B": (70.6, 70.6),
    "meta-llama/Llama-3.1-8B-Instruct": (8.0, 8.0),
    "deepseek-ai/DeepSeek-R1": (671.0, 37.0),
    "openai/gpt-oss-120b": (117.0, 5.1),
    "Qwen/Qwen3-235B-A22B-FP8": (235.0, 22.0),
}
#: GB/s of one chip, as NVIDIA's data sheets say.
BANDWIDTHS = {"h100_sxm": 3350, "h200_sxm": 4800, "b200_sxm": 8000, "gb200": 8000}


def point(tpot: float, ttft: float = 100.0) -> Point:
    return Point(1, 1024, 512, ttft, tpot)


def test_a_token_takes_as_long_as_its_weights() -> None:
    """16 GB, nine tenths of them surely read, from 3.35 TB/s."""
    assert least_step_ms(hardware()) == pytest.approx(READ_SHARE * 16.06 / 3.35)


def test_faster_than_that_is_refused_with_the_figures() -> None:
    """On half the precision or twice the chips it could be true."""
    found = implausible(hardware(), point(4.0), Metric.TPOT)
    assert found is not None
    assert found.reason is Reason.IMPLAUSIBLE
    assert "4 ms is less than the 4.315 ms" in found.message
    assert implausible(hardware(bits=8), point(4.0), Metric.TPOT) is None
    assert implausible(hardware(chips=2), point(4.0), Metric.TPOT) is None
    assert implausible(hardware(), point(4.4), Metric.TPOT) is None


def test_a_first_token_needs_a_step_too() -> None:
    """However many tokens are guessed at once later."""
    assert implausible(hardware(), point(10, ttft=4.0), Metric.TTFT, tokens_per_step=3) is not None
    assert implausible(hardware(), point(10, ttft=5.0), Metric.TTFT) is None


def test_speculative_decoding_gets_several_tokens_from_a_step() -> None:
    """Two of them here, and fewer than one is none."""
    assert implausible(hardware(), point(2.5), Metric.TPOT, tokens_per_step=2) is None
    assert implausible(hardware(), point(2.0), Metric.TPOT, tokens_per_step=2) is not None
    assert implausible(hardware(), point(4.4), Metric.TPOT, tokens_per_step=0.5) is None


def test_only_active_experts_count() -> None:
    """What the batch reads beyond them cannot be known."""
    sparse = replace(LLAMA_8B, parameters=80_000_000_000)
    assert least_step_ms(hardware(sparse)) == least_step_ms(hardware())


@given(st.floats(1e-3, 1e4), st.integers(1, 64), st.floats(1.0, 8.0))
def test_exactly_what_is_below_the_least_is_refused(tpot: float, chips: int, tokens: float) -> None:
    """Nothing at the least or above, everything below."""
    found = implausible(hardware(chips=chips), point(tpot), Metric.TPOT, tokens)
    assert (found is not None) is (tpot < least_step_ms(hardware(chips=chips)) / tokens)


def test_every_row_of_the_silicon_sample_is_possible() -> None:
    """Taking blank precisions for 16 bits, the most bytes, on as many chips as the row has."""
    checked = 0
    with ROWS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            parameters, active = (int(billions * 1e9) for billions in MODELS[row["model_path"]])
            shape = Architecture(parameters, active, 1, 1, 1, 1)
            chips = int(row["tp_size"]) * int(row["pp_size"]) * (int(row["attention_dp_size"] or 1) or 1)
            chip = replace(CHIP_80GB, bandwidth_bytes_per_second=BANDWIDTHS[row["system"]] * 1e9)
            bits = {"fp8": 8, "fp4": 4, "": 16}[row["precision"]]
            told = point(float(row["silicon_tpot_ms"]), float(row["silicon_ttft_ms"]))
            for metric in Metric:
                assert implausible(hardware(shape, chip, chips, bits), told, metric) is None, row["id"]
            checked += 1
    assert checked == 1072
