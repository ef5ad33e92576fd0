"""The measurements that ship, what was learnt from them, and rows that are wrong."""

from __future__ import annotations

import numpy as np
import pytest
from chipwise.catalog.cases import Named, Sizes, case_of
from chipwise.catalog.estimating import document, shipped_estimator
from chipwise.catalog.measurements import Measurements, read, shipped, sizes_of
from chipwise.performance.estimator import calibrate, physics
from chipwise.performance.estimator.correction import learnt
from chipwise.reasons import Reason, Refusal

ROW = {
    "model_path": "Qwen/Qwen3-32B",
    "system": "h100_sxm",
    "precision": "fp8",
    "backend": "trtllm",
    "backend_version": "1.0.0rc3",
    "isl": "1024",
    "osl": "128",
    "tp_size": "4",
    "concurrency": "8",
    "silicon_ttft_ms": "117.2",
    "silicon_tpot_ms": "8.6",
}


def test_all_that_state_a_concurrency_are_read():
    rows = shipped()
    assert (len(rows.cases), rows.left_out, len(set(rows.runs))) == (1066, 6, 1015)
    assert len({case.model for case in rows.cases}) == 6
    assert {case.accelerator for case in rows.cases} == {"h100-sxm", "h200", "b200", "gb200"}


def test_what_ships_was_learnt_from_them():
    """`make calibrate` was run since rows, physics or priors last changed."""
    rows = shipped()
    found = calibrate(rows.table, rows.ttft_ms, rows.tpot_ms)
    told = document(shipped_estimator())["constants"]
    for metric, constants, logs in (("tpot", physics.TPOT, found.tpot), ("ttft", physics.TTFT, found.ttft)):
        anew = {each.name: value for each, value in zip(constants, np.exp(logs), strict=True)}
        assert told[metric] == pytest.approx(anew, rel=1e-3)


def test_the_weights_that_ship_are_those_of_the_rows():
    """As they are weighed by the errors that the constants that ship leave."""
    for ships in (shipped_estimator().ttft, shipped_estimator().tpot):
        anew = learnt(ships.seen, ships.errors, ships.noise, ships.scale)
        assert ships.weights == pytest.approx(anew.weights, rel=1e-3)


def test_a_measured_row_is_told_as_it_was_measured():
    rows = shipped()
    found = shipped_estimator().estimate(rows.table)
    assert np.median(np.abs(found.tpot.value / rows.tpot_ms - 1)) < 0.02
    assert np.median(np.abs(found.ttft.value / rows.ttft_ms - 1)) < 0.04


def test_a_good_row_is_read():
    found = read([ROW])
    assert isinstance(found, Measurements)
    (case,) = found.cases
    assert (case.chips, case.concurrency, case.precision, case.chip.flops) == (4, 8.0, "fp8", 1979e12)


@pytest.mark.parametrize(
    ("cell", "value", "said"),
    [
        ("model_path", "Qwen/Qwen3-33B", "near are"),
        ("system", "h100_sxn", "near are"),
        ("precision", "fp7", "none of"),
        ("isl", "0", "whole number"),
        ("isl", "1e9", "not between"),
        ("osl", "ten", "not a number"),
        ("tp_size", "2.5", "whole number"),
        ("concurrency", "-3", "whole number"),
        ("silicon_tpot_ms", "0", "not between"),
        ("silicon_tpot_ms", "nan", "not a number"),
        ("silicon_ttft_ms", "1e12", "not between"),
    ],
)
def test_a_bad_cell_is_named_and_nothing_is_read(cell: str, value: str, said: str):
    found = read([ROW, ROW | {cell: value}, ROW])
    assert not isinstance(found, Measurements)
    (bad,) = found
    assert bad.row == 3
    assert said in bad.problem
    assert bad.column in (cell, "")


def test_a_missing_column_is_named():
    found = read([{key: value for key, value in ROW.items() if key != "osl"}])
    assert not isinstance(found, Measurements)
    assert [(bad.row, bad.column) for bad in found] == [(1, "osl")]


@pytest.mark.parametrize(
    ("sizes", "read_as"),
    [
        (Sizes(tensor=64, expert=8), Sizes(tensor=8, expert=8)),
        (Sizes(tensor=16, expert=4), Sizes(tensor=4, expert=4)),
        (Sizes(data=64, expert=8), Sizes(data=8, expert=8)),
        (Sizes(tensor=4, expert=2), Sizes(tensor=4, expert=2)),
        (Sizes(tensor=8, expert=8), Sizes(tensor=8, expert=8)),
        (Sizes(tensor=4, expert=1), Sizes(tensor=4, expert=1)),
        (Sizes(tensor=2, data=8, expert=4), Sizes(tensor=2, data=8, expert=4)),
    ],
)
def test_sizes_that_count_the_same_chips_twice(sizes: Sizes, read_as: Sizes):
    assert sizes.without_double_count() == read_as


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        ("2026_04_06_gpt_oss_120b_b200_sxm_trtllm_fp4_agg_1024x1024_c256_tp2_ep2_1741", 2),
        ("2026_03_25_made_up_c256_tp2_0_ep2_0_1741", 2),
        ("openai_gpt_oss_120b_h100_sxm_trtllm_agg_4000x1000_c384_tp4_epnone_3", 4),
        ("", 4),
    ],
)
def test_where_sizes_could_be_right_the_name_of_the_run_decides(name: str, tensor: int):
    assert sizes_of(Sizes(tensor=4, expert=2), name) == Sizes(tensor=tensor, expert=2)


def test_runs_that_differ_in_the_ninth_digit_are_one():
    found = read([ROW | {"silicon_ttft_ms": ttft} for ttft in ("117.20000000", "117.20000001", "117.3")])
    assert isinstance(found, Measurements)
    assert found.runs[0] == found.runs[1] != found.runs[2]


def test_experts_are_on_the_chips_there_are():
    found = case_of(Named("openai/gpt-oss-120b", "b200", "", Sizes(tensor=8, expert=64), 1024, 128, 4))
    assert isinstance(found, Refusal)
    assert found.reason is Reason.INVALID


def test_weights_in_a_format_the_chip_has_no_units_for_are_computed_at_16_bits():
    found = case_of(Named("openai/gpt-oss-120b", "h100-sxm", "fp4", Sizes(), 1024, 128, 4))
    assert not isinstance(found, Refusal)
    assert found.chip.flops == 989e12
    without = case_of(Named("openai/gpt-oss-120b", "a10", "", Sizes(), 1024, 128, 4))
    assert isinstance(without, Refusal)
    assert without.reason is Reason.NO_PRECISION


def test_a_precision_left_out_is_the_checkpoint_s_own():
    for model, precision in (
        ("Qwen/Qwen3-32B", "bf16"),
        ("deepseek-ai/DeepSeek-R1", "fp8"),
        ("openai/gpt-oss-120b", "fp4"),
    ):
        found = case_of(Named(model, "b200", "", Sizes(tensor=8), 1024, 128, 4))
        assert not isinstance(found, Refusal)
        assert found.precision == precision
