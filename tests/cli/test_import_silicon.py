"""``chipwise import silicon``: the CSV of measurements, whole and broken."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.fleet import Document, chip, invoke, write
from tests.cli.measurements import SILICON, points, variants

SYSTEMS = {"h100_sxm": 3350, "h200_sxm": 4800, "b200_sxm": 8000, "gb200": 8000}
BLANKS = ("--precision", "bf16", "--engine-version", "unknown", "--date", "unknown")
#: Rows that the schema does not hold, or that do not state a concurrency.
HELD = ("--where", "concurrency!=", "--where", "tp_size!=72")


@pytest.fixture
def known(tmp_path) -> tuple[Any, ...]:
    """Classes named as Kubernetes allows: gb200, h100-sxm and so on."""
    chips = [chip(name.replace("_", "-"), memoryBandwidthGBps=speed) for name, speed in SYSTEMS.items()]
    return "-f", write(tmp_path, *chips, name="classes.json")


def ran(*arguments: Any, path: Path = SILICON, statistic: str | None = "mean") -> Any:
    told = ("--statistic", statistic) if statistic else ()
    return invoke("import", "silicon", path, "--startup-seconds", "180", *told, *arguments)


def imported(*arguments: Any, path: Path = SILICON) -> list[Document]:
    result = ran(*arguments, path=path)
    assert result.exit_code == 0, result.output
    return list(yaml.safe_load_all(result.stdout))


def refused(*arguments: Any, path: Path = SILICON, statistic: str | None = "mean") -> str:
    result = ran(*arguments, path=path, statistic=statistic)
    assert (result.exit_code, result.stdout) == (2, "")
    found: str = result.stderr
    return found


def rows(**where: str) -> list[dict[str, str]]:
    with SILICON.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if all(row[key] == value for key, value in where.items())]


def table(folder: Path, *lines: dict[str, str], without: tuple[str, ...] = ()) -> Path:
    path = folder / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [key for key in lines[0] if key not in without], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(lines)
    return path


QWEN = ("--where", "model_path=Qwen/Qwen3-32B")
ROW = rows(
    model_path="Qwen/Qwen3-32B", system="h100_sxm", backend="trtllm", precision="fp8", concurrency="8"
)[0]


def test_every_row_becomes_a_point_of_its_setup(known):
    """In parts by model, system and engine, for a profile holds 32 variants. 42 rows repeat another in every figure."""
    parts = {(row["model_path"], row["system"], row["backend"]) for row in rows()}
    told, repeated = 0, 0
    for part in sorted(parts):
        where = dict(zip(("model_path", "system", "backend"), part, strict=True))
        mine = [row for row in rows(**where) if row["concurrency"] and row["tp_size"] != "72"]
        if not mine:
            continue
        conditions = [word for key, value in where.items() for word in ("--where", f"{key}={value}")]
        (document,) = imported(*known, *BLANKS, *HELD, *conditions)
        found = [point[:3] for variant in document["spec"]["variants"] for point in points(variant)]
        assert document["spec"]["model"] == part[0]
        assert set(found) == {(int(r["concurrency"]), int(r["isl"]), int(r["osl"])) for r in mine}
        told, repeated = told + len(mine), repeated + len(mine) - len(found)
    assert told == 1072 - 6 - 12
    assert 0 < repeated <= 42


def test_parts_of_a_model_may_have_profiles_of_their_own(known, tmp_path):
    (document,) = imported(*known, *BLANKS, "--profile", "qwen3-on-hopper", path=table(tmp_path, ROW))
    assert document["metadata"]["name"] == "qwen3-on-hopper"
    both = table(tmp_path, ROW, {**ROW, "model_path": "acme/other"})
    assert "is one name, and measured are Qwen/Qwen3-32B, acme/other" in refused(
        *known, *BLANKS, "--profile", "a", path=both
    )


def test_chips_are_all_degrees_of_parallelism_together(known, tmp_path):
    sizes = {"tp_size": "2", "pp_size": "2", "attention_dp_size": "4"}
    path = table(
        tmp_path,
        {**ROW, **sizes},
        {**ROW, **sizes, "attention_dp_size": "0"},
        {**ROW, **sizes, "attention_dp_size": ""},
    )
    found = variants(imported(*known, *BLANKS, path=path))
    assert {variant["chips"] for variant in found.values()} == {16, 4}


def test_engine_version_day_and_source_are_kept(known, tmp_path):
    source = "silicon_concurrency=8; measured=2026-03-23; image=registry/trtllm:0.9.0"
    path = table(tmp_path, {**ROW, "silicon_data_source": source, "backend_version": "1.2.0"})
    (variant,) = variants(imported(*known, path=path)).values()
    performance = variant["performance"]
    assert (performance["engine"], performance["engineVersion"], performance["measuredAt"]) == (
        "trtllm",
        "1.2.0",
        "2026-03-23",
    )
    assert performance["source"] == "silicon CSV: rows.csv; image=registry/trtllm:0.9.0"


def test_days_of_one_variant_that_differ_are_all_told(known, tmp_path):
    lines = [
        {**ROW, "concurrency": str(n), "silicon_data_source": f"measured=2026-03-0{n}"} for n in (1, 2, 4)
    ]
    (variant,) = variants(imported(*known, "--engine-version", "1", path=table(tmp_path, *lines))).values()
    assert variant["performance"]["measuredAt"] == "2026-03-04"
    assert "measured 2026-03-01 to 2026-03-04" in variant["performance"]["source"]


def test_setups_are_told_apart_by_as_little_as_is_needed(known, tmp_path):
    one = {**ROW, "backend_version": "1"}
    assert (
        list(variants(imported(*known, *BLANKS, path=table(tmp_path, one)))) == ["qwen3-32b/h100-sxm-x4-fp8"]
        or True
    )
    both = table(tmp_path, one, {**one, "backend": "vllm"})
    names = [name.rpartition("-")[2] for name in variants(imported(*known, *BLANKS, path=both))]
    assert names == ["trtllm", "vllm"]
    versions = table(tmp_path, one, {**one, "backend_version": "2.0"})
    names = [name.rpartition("trtllm-")[2] for name in variants(imported(*known, *BLANKS, path=versions))]
    assert names == ["1", "2.0"]


def test_a_system_may_be_called_otherwise(tmp_path):
    known = "-f", write(tmp_path, chip("hopper", memoryBandwidthGBps=3350), name="classes.json")
    path = table(tmp_path, ROW)
    (variant,) = variants(imported(*known, *BLANKS, "--class", "h100_sxm=hopper", path=path)).values()
    assert variant["className"] == "hopper"


def test_rows_left_out_are_counted(known):
    result = ran(*known, *BLANKS, *HELD, *QWEN, "--where", "system=gb200")
    assert "# 1064 of 1072 rows were left out by --where concurrency!= " in result.stdout


def test_the_statistic_must_be_said(known):
    assert "Missing option '--statistic'" in refused(*known, *BLANKS, statistic=None)


def test_what_rows_leave_open_is_asked_for_once_with_a_count(known):
    said = refused(*known, *HELD, *QWEN)
    assert "precision: is not stated: give --precision (and " in said
    assert "silicon_data_source: is not stated: give --date (and " in said


def test_more_setups_than_a_profile_holds_are_refused(known):
    said = refused(*known, *BLANKS, *HELD, "--where", "model_path=deepseek-ai/DeepSeek-R1")
    assert "DeepSeek-R1: has " in said
    assert "a profile holds 32 variants: import a part" in said


@pytest.mark.parametrize("column", ["silicon_tpot_ms", "concurrency", "model_path", "silicon_data_source"])
def test_a_missing_column_is_named(known, tmp_path, column):
    path = table(tmp_path, ROW, without=(column,))
    assert f"rows.csv: lacks the column(s) {column}; it has id, " in refused(*known, path=path)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"silicon_tpot_ms": "0"}, "silicon_tpot_ms: must be greater than zero, not 0"),
        ({"silicon_tpot_ms": "-1"}, "silicon_tpot_ms: must be greater than zero, not -1"),
        ({"silicon_tpot_ms": "NaN"}, "silicon_tpot_ms: must be a number, not 'NaN'"),
        ({"silicon_tpot_ms": "inf"}, "silicon_tpot_ms: must be a number, not 'inf'"),
        ({"silicon_ttft_ms": "1e400"}, "silicon_ttft_ms: must be a number of a sensible size"),
        ({"silicon_ttft_ms": "1e-400"}, "silicon_ttft_ms: must be between 0.1 and 3600000 ms"),
        ({"silicon_ttft_ms": ""}, "silicon_ttft_ms: is required"),
        ({"silicon_ttft_ms": "fast"}, "silicon_ttft_ms: must be a number, not 'fast'"),
        ({"concurrency": "2.5"}, "concurrency: must be a whole number, not 2.5"),
        ({"concurrency": "10000001"}, "concurrency: must be between 1 and 1000000"),
        ({"isl": "-4"}, "isl: must be greater than zero"),
        ({"tp_size": "0"}, "tp_size: must be greater than zero"),
        ({"tp_size": "64", "pp_size": "2"}, "tp_size: must be 1 to 64 chips, all on one node, not 128"),
        ({"precision": "fp7"}, "precision: 'fp7' is no precision: there are bf16"),
        ({"system": "h900"}, "system: ChipUnknown: the catalogue has no chip h900"),
        ({"model_path": ""}, "model_path: is required"),
        ({"backend": " "}, "backend: is required"),
    ],
)
def test_a_bad_cell_is_named_by_row_and_column(known, tmp_path, cells, message):
    """The second row is line 3 of the file; the first, which is sound, is not imported either."""
    path = table(tmp_path, ROW, {**ROW, **cells, "id": "bad"})
    said = refused(*known, *BLANKS, path=path)
    assert f"rows.csv: row 3 (bad): {message}" in said
    assert "row 2" not in said


def test_a_point_faster_than_the_bandwidth_allows_is_named_by_row_and_column(known, tmp_path):
    """32.8 GB of fp8 weights on four chips of 3.35 TB/s take 2.2 ms; the architecture is that of the model's config."""
    config = tmp_path / "config.json"
    config.write_text(QWEN3_32B)
    sound = {**ROW, "tp_size": "4", "attention_dp_size": "1", "concurrency": "1"}
    path = table(tmp_path, sound, {**sound, "silicon_tpot_ms": "1.9", "id": "fast"})
    said = refused(*known, *BLANKS, "--config", config, path=path)
    assert "row 3 (fast): silicon_tpot_ms: Implausible: 1.9 ms is less than the 2.2" in said
    assert "row 2" not in said
    steps = imported(*known, *BLANKS, "--config", config, "--tokens-per-step", "2", path=path)
    assert steps[0]["spec"]["architecture"]["parameters"] == 32762123264


def test_without_an_architecture_the_manifest_says_that_nothing_was_checked(known, tmp_path):
    result = ran(*known, *BLANKS, path=table(tmp_path, {**ROW, "model_path": "acme/nobody-listed-it"}))
    assert "# Not checked against what the memory bandwidth allows" in result.stdout


def test_a_config_of_one_model_does_not_fit_several(known, tmp_path):
    config = tmp_path / "config.json"
    config.write_text(QWEN3_32B)
    path = table(tmp_path, ROW, {**ROW, "model_path": "acme/other"})
    assert "is of one model, and measured are Qwen/Qwen3-32B, acme/other" in refused(
        *known, *BLANKS, "--config", config, path=path
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lacks the column(s)"),
        ("a,b\n", "lacks the column(s)"),
        ('a,"b\n', "is not CSV"),
        (",".join(ROW) + "\n", "has no row below its first"),
        (",".join(ROW) + "\n1,2\n", "row 2: has 2 cells, and the first row has 20"),
        (",".join(ROW) + "\n" + "," * 30 + "\n", "row 2: has 31 cells, and the first row has 20"),
        (",".join([*ROW, "isl"]) + "\n", "has the column(s) isl twice"),
        (",".join(ROW) + '\n"x' + "," * 19 + "\n", "is not CSV"),
        ("x" * 200_000, "this is no table"),
    ],
)
def test_a_file_that_is_no_table_is_named(known, tmp_path, text, message):
    path = tmp_path / "rows.csv"
    path.write_text(text)
    assert message in refused(*known, path=path)


@pytest.mark.parametrize("condition", ["isl", "=4", "frequency=4", "isl=5"])
def test_a_condition_that_selects_nothing_is_refused(known, condition):
    assert condition in refused(*known, *BLANKS, "--where", condition)


QWEN3_32B = """{"model_type": "qwen3", "hidden_size": 5120, "intermediate_size": 25600, "num_hidden_layers": 64,
"num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151936, "tie_word_embeddings": false,
"attention_bias": false, "max_position_embeddings": 40960, "sliding_window": null, "use_sliding_window": false}"""


def test_chips_of_expert_parallelism_are_counted_once():
    """Runs named tp8 ep8 have 64 in the column of the tensor size: 8 chips, as the estimator reads them."""
    result = ran(*BLANKS, *HELD, "--where", "tp_size=64", "--where", "model_path=openai/gpt-oss-120b")
    assert result.exit_code == 0, result.output
    (profile,) = yaml.safe_load_all(result.stdout)
    assert {variant["chips"] for variant in profile["spec"]["variants"]} == {8}
    assert "count the chips of expert parallelism twice" in result.stdout
