"""``chipwise estimate --rows``: every row comes out, in order, with its own cells."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.fleet import ROOT, invoke

FIGURES = ("ttft_ms", "ttft_low", "ttft_high", "tpot_ms", "tpot_low", "tpot_high")
ADDED = (*FIGURES, "provenance", "reason")
ROW = {
    "model": "openai/gpt-oss-120b",
    "accelerator": "h100",
    "precision": "fp4",
    "chips": "2",
    "input_tokens": "1024",
    "output_tokens": "512",
    "concurrency": "16",
}
Row = dict[str, str]


def written(folder: Path, rows: list[Row], header: list[str] | None = None) -> Path:
    path = folder / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, header or list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return path


def answered(folder: Path, rows: list[Row]) -> list[Row]:
    result = invoke("estimate", "--rows", written(folder, rows))
    assert result.exit_code == 0, result.output
    return list(csv.DictReader(io.StringIO(result.stdout)))


def one(folder: Path, **cells: str) -> Row:
    (found,) = answered(folder, [ROW | cells])
    return found


def refused(folder: Path, rows: list[Row], header: list[str] | None = None) -> str:
    result = invoke("estimate", "--rows", written(folder, rows, header))
    assert (result.exit_code, result.stdout) == (2, "")
    said: str = result.stderr
    return said


def test_figures_are_added_behind_the_columns_of_the_file(tmp_path):
    path = written(tmp_path, [ROW | {"team": "chat, support", "note": 'says "hi"\nand more'}])
    result = invoke("estimate", "--rows", path)
    header = result.stdout.splitlines()[0].split(",")
    assert header == [*ROW, "team", "note", *ADDED]
    (row,) = csv.DictReader(io.StringIO(result.stdout))
    assert (row["team"], row["note"]) == ("chat, support", 'says "hi"\nand more')
    assert float(row["tpot_low"]) < float(row["tpot_ms"]) < float(row["tpot_high"])
    assert row["reason"] == ""


def test_a_row_alone_and_the_same_case_by_flags_have_the_same_figures(tmp_path):
    words = ("--model", ROW["model"], "--accelerator", "h100", "--chips", 2, "--input-tokens", 1024)
    load = ("--output-tokens", 512, "--concurrency", 16, "-o", "csv")
    (told,) = csv.DictReader(io.StringIO(invoke("estimate", *words, *load).stdout))
    row = one(tmp_path)
    for name in FIGURES:
        assert float(row[name]) == pytest.approx(float(told[name]), rel=1e-4)


def test_the_same_holds_of_how_the_server_is_set(tmp_path):
    words = ("--model", ROW["model"], "--accelerator", "h100", "--chips", 2, "--input-tokens", 1024)
    load = ("--output-tokens", 512, "--concurrency", 16, "-o", "csv", "--held-steps", 8, "--equal-lengths")
    (told,) = csv.DictReader(io.StringIO(invoke("estimate", *words, *load).stdout))
    set_so = {"held_steps": "8", "equal_lengths": "yes", "batched_tokens": ""}
    plain, row = answered(tmp_path, [ROW | dict.fromkeys(set_so, ""), ROW | set_so])
    for name in FIGURES:
        assert float(row[name]) == pytest.approx(float(told[name]), rel=1e-4)
    assert float(row["ttft_ms"]) > float(plain["ttft_ms"])


TEXTS = st.sampled_from(
    ["", "openai/gpt-oss-120b", "Qwen/Qwen3-32B", "llama-3.1-8b", "nobody/none", 'gpt,\n"x"']
)
NUMBERS = st.sampled_from(["", "0", "1", "2", "8", "-1", "1e3", "2.5", "1_0", "nan", "inf", "x", "1e400", " 4 ", "٣", "100000000"])  # fmt: skip
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "model": TEXTS,
            "accelerator": st.sampled_from(["h100", "h200_sxm", "maia-200", "MI300X", "", "abacus", "a10"]),
            "precision": st.sampled_from(["", "fp8", "BF16", "fp4", "int3"]),
            "chips": NUMBERS,
            "input_tokens": NUMBERS,
            "output_tokens": NUMBERS,
            "concurrency": NUMBERS,
            "tensor_parallel": NUMBERS,
            "data_parallel": NUMBERS,
            "expert_parallel": NUMBERS,
            "engine": st.sampled_from(["", "vllm", "VLLM", "sglang", "own"]),
            "mine": st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5),
        }
    ),
    min_size=1,
    max_size=12,
)


@given(ROWS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_row_comes_out_with_figures_or_with_a_typed_reason(tmp_path, rows):
    found = answered(tmp_path, rows)
    assert [{name: row[name] for name in rows[0]} for row in found] == rows
    for row in found:
        figures = [row[name] for name in FIGURES]
        if any(figures):
            ttft, ttft_low, ttft_high, tpot, tpot_low, tpot_high = map(float, figures)
            assert 0 < ttft_low <= ttft <= ttft_high
            assert 0 < tpot_low <= tpot <= tpot_high
            assert row["provenance"] in ("Measured", "Scaled", "Extrapolated", "Estimated")
        else:
            reason, colon, message = row["reason"].partition(": ")
            assert colon
            assert message
            assert reason in (
                "Invalid",
                "ModelUnknown",
                "ChipUnknown",
                "NoPrecision",
                "MemoryExceeded",
                "ContextExceeded",
            )
            assert row["provenance"] == ""


@given(ROWS, st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_of_rows_changes_only_the_order_of_answers(tmp_path, rows, random):
    shuffled = [row | {"mine": str(number)} for number, row in enumerate(rows)]
    random.shuffle(shuffled)
    found = sorted(answered(tmp_path, shuffled), key=lambda row: int(row["mine"]))
    for row, again in zip(answered(tmp_path, rows), found, strict=True):
        assert row["reason"] == again["reason"]
        assert [float(row[name] or 0) for name in FIGURES] == pytest.approx(
            [float(again[name] or 0) for name in FIGURES], rel=1e-3, abs=0.002
        )


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"model": "nobody/nothing-1b"}, "ModelUnknown: the catalogue has no model nobody/nothing-1b"),
        ({"accelerator": "h1000"}, "ChipUnknown: the catalogue has no chip h1000"),
        ({"accelerator": "a10"}, "NoPrecision: no dense TFLOPS are published for a10"),
        ({"precision": "fp7"}, "Invalid: precision fp7 is none of"),
        ({"chips": "0"}, "Invalid: chips 0 is not a whole number from 1"),
        ({"chips": "2.5"}, "Invalid: chips 2.5 is not a whole number from 1"),
        ({"chips": "two"}, "Invalid: chips two is not a whole number from 1"),
        ({"chips": ""}, "Invalid: neither chips nor tensor_parallel is given"),
        ({"input_tokens": "0"}, "Invalid: input tokens 0 is not between 1 and 10,000,000"),
        (
            {"output_tokens": "1"},
            "Invalid: output tokens 1 is not between 2 and 10,000,000: TPOT is the time per token after the first",
        ),
        (
            {"chips": "64", "tensor_parallel": "1", "pipeline_parallel": "64"},
            "Invalid: pipeline_parallel 64 is more than the model's 36 layers",
        ),
        ({"chips": "128"}, "Invalid: tensor_parallel 128 is more than the model's 64 attention heads"),
        (
            {"chips": "8", "expert_parallel": "16"},
            "Invalid: expert_parallel 16 is more than the 8 chip(s) of the replica",
        ),
        (
            {"chips": "8", "expert_parallel": "8", "model": "Qwen/Qwen3-32B", "precision": "fp8"},
            "Invalid: expert_parallel 8: the model is dense",
        ),
        (
            {"chips": "256", "tensor_parallel": "8", "data_parallel": "32", "expert_parallel": "256"},
            "Invalid: expert_parallel 256 is more than the model's 128 experts",
        ),
        ({"output_tokens": ""}, "Invalid: output_tokens empty is not a number"),
        ({"concurrency": "many"}, "Invalid: concurrency many is not a number"),
        ({"concurrency": "1e9"}, "Invalid: concurrency 1e+09 is not between 1 and 1,000,000"),
        ({"batched_tokens": "few"}, "Invalid: batched_tokens few is not a number"),
        ({"held_steps": "-2"}, "Invalid: held_steps -2 is not between 0 and 10,000"),
        ({"equal_lengths": "maybe"}, "Invalid: equal_lengths maybe is neither yes nor no"),
        ({"chips": "1", "model": "deepseek-ai/DeepSeek-R1"}, "MemoryExceeded: Needs "),
        ({"input_tokens": "200000"}, "ContextExceeded: a request of 200512 tokens"),
    ],
)
def test_a_row_that_cannot_be_answered_says_why(tmp_path, cells, reason):
    row = one(tmp_path, **cells)
    assert row["reason"].startswith(reason)
    assert {row[name] for name in (*FIGURES, "provenance")} == {""}


@pytest.mark.parametrize(
    ("sizes", "chips"),
    [
        ({"chips": "8"}, 8),
        ({"tensor_parallel": "4", "chips": ""}, 4),
        ({"tensor_parallel": "4", "data_parallel": "2", "chips": "8"}, 8),
        ({"data_parallel": "8", "expert_parallel": "8", "chips": "8"}, 8),
        ({"tensor_parallel": "64", "expert_parallel": "8", "chips": "8"}, 8),
        ({"tensor_parallel": "64", "expert_parallel": "8", "chips": "64"}, 64),
    ],
)
def test_sizes_that_are_left_out_follow_from_the_others(tmp_path, sizes, chips):
    row = one(tmp_path, model="deepseek-ai/DeepSeek-R1", accelerator="b200", **sizes)
    assert row["tpot_ms"]
    twice = sizes.get("tensor_parallel") == "64" and sizes["chips"] == "8"
    assert row["reason"] == (f"read as {chips} chips: 64 is expert_parallel 8 counted twice" if twice else "")


def test_sizes_that_contradict_the_chips_are_refused(tmp_path):
    row = one(tmp_path, chips="8", tensor_parallel="4")
    assert row["reason"] == (
        "Invalid: tensor_parallel 4 x pipeline_parallel 1 x data_parallel 1 are 4 chips, not 8"
    )
    row = one(tmp_path, chips="8", data_parallel="3")
    assert row["reason"].startswith("Invalid: 8 chips cannot be divided into")


def test_who_waits_for_memory_is_told_beside_the_figures(tmp_path):
    row = one(tmp_path, model="llama-3.1-8b", precision="bf16", chips="1", concurrency="5000")
    assert row["tpot_ms"]
    assert row["reason"].startswith("MemoryExceeded: ")
    assert "of the 5000 requests are sure to fit" in row["reason"]


@pytest.mark.parametrize("column", ["model", "accelerator", "input_tokens", "output_tokens", "concurrency"])
def test_a_missing_column_is_named(tmp_path, column):
    row = {name: cell for name, cell in ROW.items() if name != column}
    assert f"rows.csv: lacks the column(s) {column}; it has " in refused(tmp_path, [row])


def test_chips_may_be_told_by_either_of_two_columns(tmp_path):
    row = {name: cell for name, cell in ROW.items() if name != "chips"}
    assert "lacks the column(s) chips (or tensor_parallel)" in refused(tmp_path, [row])
    assert answered(tmp_path, [row | {"tensor_parallel": "2"}])[0]["tpot_ms"]


def test_what_is_no_table_is_refused_by_row(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(",".join(ROW) + "\n" + ",".join(ROW.values()) + "\na,b\n")
    result = invoke("estimate", "--rows", path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "row 3: has 2 cells, and the first row has 7" in result.stderr
    path.write_bytes(b"\xff\xfe")
    assert "is not UTF-8" in invoke("estimate", "--rows", path).stderr
    path.write_text("model,model\n")
    assert "has the column(s) model twice" in invoke("estimate", "--rows", path).stderr
    path.write_text("")
    assert "lacks the column(s)" in invoke("estimate", "--rows", path).stderr


def test_a_table_without_rows_has_an_answer_without_rows(tmp_path):
    result = invoke("estimate", "--rows", written(tmp_path, [], list(ROW)))
    assert (result.exit_code, result.stdout) == (0, ",".join([*ROW, *ADDED]) + "\n")


def test_standard_input_and_a_file_as_output(tmp_path):
    text = (ROOT / "examples" / "estimate.csv").read_text()
    shown = invoke("estimate", "--rows", "-", stdin=text)
    assert shown.exit_code == 0
    output: Any = tmp_path / "out.csv"
    assert invoke("estimate", "--rows", "-", "-o", output, stdin=text).stdout == ""
    assert output.read_text() == shown.stdout
    again = invoke("estimate", "--rows", output)
    assert again.stdout == shown.stdout
    assert "are written anew" in again.stderr
    nowhere = invoke("estimate", "--rows", "-", "-o", tmp_path / "none" / "out.csv", stdin=text)
    assert nowhere.exit_code == 2


def test_an_engine_that_nothing_was_measured_with_is_said_beside_the_figures(tmp_path):
    heard, slip = answered(tmp_path, [ROW | {"engine": "VLLM"}, ROW | {"engine": "vlm"}])
    assert heard["reason"] == ""
    assert slip["reason"].startswith("nothing was measured with an engine vlm, only with sglang")
    assert slip["tpot_ms"]
