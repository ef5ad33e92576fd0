"""``chipwise import`` of results of vLLM, GuideLLM, AIPerf and GenAI-Perf, each on a sample in the tool's own form."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.fleet import Document, invoke, planned
from tests.cli.measurements import (
    AIPERF,
    GENAI_PERF,
    GUIDELLM,
    VLLM,
    classes,
    imported,
    points,
    ran,
    refused,
    variants,
)

TOOLS = [("vllm-bench", VLLM), ("guidellm", GUIDELLM), ("aiperf", AIPERF), ("aiperf", GENAI_PERF)]
NAME = "qwen3-32b/h100-x2-bf16"


@pytest.fixture
def known(tmp_path):
    """-f with the classes."""
    return "-f", classes(tmp_path)


@pytest.fixture
def results(tmp_path):
    """A copy of a sample that a test may spoil."""

    def copied(folder: Path) -> Path:
        shutil.copytree(folder, tmp_path / "results" / folder.name)
        return Path(tmp_path / "results" / folder.name)

    return copied


def dated(folder: Path) -> dict[str, str]:
    """GenAI-Perf keeps no day."""
    return {"date": "2026-10-01"} if folder == GENAI_PERF else {}


def spoil(path: Path, change: Callable[[Any], Any]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def first(folder: Path) -> Path:
    return min(folder.rglob("*.json"))


def test_a_folder_of_vllm_runs_is_one_list_of_points(known):
    (variant,) = variants(imported("vllm-bench", VLLM, more=known)).values()
    runs = [json.loads(path.read_text()) for path in VLLM.glob("*.json")]
    told = {run["max_concurrency"]: (run["mean_ttft_ms"], run["mean_tpot_ms"]) for run in runs}
    assert [point[:3] for point in points(variant)] == [(1, 1024, 512), (8, 1024, 512), (32, 1024, 512)]
    for concurrency, _, _, ttft, tpot in points(variant):
        assert (ttft, tpot) == pytest.approx(told[concurrency], abs=0.0005)


def test_guidellm_counts_tpot_without_the_first_token(known):
    """Its own time_per_output_token_ms counts it in, and is higher by TTFT over the tokens."""
    (variant,) = variants(imported("guidellm", GUIDELLM, more=known)).values()
    benchmarks = json.loads((GUIDELLM / "benchmarks.json").read_text())["benchmarks"]
    for (concurrency, inputs, outputs, ttft, tpot), benchmark in zip(
        points(variant), benchmarks, strict=True
    ):
        metrics = benchmark["metrics"]
        mean = {name: metrics[name]["successful"]["mean"] for name in metrics if "token" in name}
        assert concurrency == benchmark["config"]["strategy"]["streams"]
        assert (inputs, outputs) == (round(mean["prompt_token_count"]), round(mean["output_token_count"]))
        assert ttft == pytest.approx(mean["time_to_first_token_ms"], abs=0.0005)
        assert tpot == pytest.approx(mean["inter_token_latency_ms"], abs=0.0005)
        assert tpot < mean["time_per_output_token_ms"] - 1


@pytest.mark.parametrize("folder", [AIPERF, GENAI_PERF])
def test_both_forms_of_nvidias_tool_are_read(folder, known):
    (variant,) = variants(imported("aiperf", folder, more=known, **dated(folder))).values()
    told = {
        int(path.parent.name.removeprefix("concurrency")): json.loads(path.read_text())
        for path in folder.rglob("*.json")
    }
    assert [point[0] for point in points(variant)] == sorted(told) == [1, 8]
    for concurrency, inputs, outputs, ttft, tpot in points(variant):
        run = told[concurrency]
        assert inputs == round(run["input_sequence_length"]["avg"])
        assert outputs == round(run["output_sequence_length"]["avg"])
        assert ttft == pytest.approx(run["time_to_first_token"]["avg"], abs=0.0005)
        assert tpot == pytest.approx(run["inter_token_latency"]["avg"], abs=0.0005)


@pytest.mark.parametrize(("kind", "folder"), TOOLS)
def test_engine_version_day_and_source_are_kept(kind, folder, known):
    ((name, variant),) = variants(imported(kind, folder, more=known, **dated(folder))).items()
    assert name == NAME
    performance = variant["performance"]
    assert (performance["engine"], performance["engineVersion"], performance["statistic"]) == (
        "vLLM",
        "0.12.0",
        "Mean",
    )
    day = {VLLM: "2026-11-04", GUIDELLM: "2026-11-26", AIPERF: "2026-11-26", GENAI_PERF: "2026-10-01"}[folder]
    assert performance["measuredAt"] == day
    tool = {
        VLLM: "vllm bench serve",
        GUIDELLM: "GuideLLM",
        AIPERF: "AIPerf 0.13.0",
        GENAI_PERF: "GenAI-Perf",
    }[folder]
    assert tool in performance["source"]
    assert first(folder).name in performance["source"]
    assert (variant["className"], variant["chips"], variant["precision"]) == ("h100", 2, "bf16")
    assert variant["startupSeconds"] == 180


@pytest.mark.parametrize(("kind", "folder"), TOOLS)
@pytest.mark.parametrize("statistic", ["p50", "p90", "p99"])
def test_another_statistic_is_taken_of_both_latencies(kind, folder, statistic, known):
    changed = dated(folder)
    (mean,) = variants(imported(kind, folder, more=known, **changed)).values()
    (other,) = variants(imported(kind, folder, more=known, statistic=statistic, **changed)).values()
    assert other["performance"]["statistic"] == statistic.upper()
    for at_mean, at_other in zip(points(mean), points(other), strict=True):
        assert at_mean[:3] == at_other[:3]
        if statistic == "p99":
            assert at_other[3] > at_mean[3]
            assert at_other[4] > at_mean[4]


def test_a_statistic_that_was_not_kept_says_how_to_keep_it(known):
    said = refused("vllm-bench", VLLM, more=known, statistic="p95")
    assert "p95_ttft_ms: is required: run with --metric-percentiles 95, or take another --statistic" in said


@pytest.mark.parametrize(("kind", "folder"), TOOLS)
@pytest.mark.parametrize("flag", ["class", "chips", "precision", "engine", "engine_version"])
def test_what_no_file_holds_is_asked_for_by_its_flag(kind, folder, flag, known):
    changed: dict[str, Any] = {**dated(folder), flag: None}
    said = refused(kind, folder, more=known, **changed)
    assert f"give --{flag.replace('_', '-')}" in said
    assert str(folder) in said


def test_start_up_time_is_never_assumed(known):
    assert "Missing option '--startup-seconds'" in refused(
        "vllm-bench", VLLM, more=known, startup_seconds=None
    )


def test_a_day_that_nobody_knows_must_be_said_to_be_unknown(known):
    assert "does not state the date: give --date" in refused("aiperf", GENAI_PERF, more=known)
    (variant,) = variants(imported("aiperf", GENAI_PERF, more=known, date="unknown")).values()
    assert "measuredAt" not in variant["performance"]


def test_a_flag_that_contradicts_the_file_is_refused(known):
    said = refused("vllm-bench", VLLM, more=known, date="2026-01-01")
    assert "says 2026-11-03, and --date says 2026-01-01" in said


def test_the_model_may_be_named_by_its_real_id(known):
    """A server is often asked by the name of a folder."""
    (document,) = imported("guidellm", GUIDELLM, more=known, model="acme/Tuned.32B")
    assert (document["metadata"]["name"], document["spec"]["model"]) == ("tuned-32b", "acme/Tuned.32B")


def test_an_unknown_chip_is_refused(tmp_path):
    said = refused("guidellm", GUIDELLM, more=("-f", classes(tmp_path)), **{"class": "h900"})
    assert "ChipUnknown: the catalogue has no chip h900: near are " in said
    assert "or give its AcceleratorClass with -f" in said
    assert "benchmarks[0]" in said


def test_a_chip_that_ships_needs_no_manifest():
    """By any of its names, under the one that it ships with."""
    ours: dict[str, Any] = {"class": "h100_sxm"}
    (variant,) = variants(imported("guidellm", GUIDELLM, **ours)).values()
    assert (variant["name"], variant["className"]) == ("h100-sxm-x2-bf16", "h100-sxm")


def test_a_point_faster_than_the_bandwidth_allows_is_named(known, results):
    """65 GB of weights over two chips of 3.35 TB/s."""
    folder = results(GUIDELLM)
    metric = ("metrics", "inter_token_latency_ms", "successful")

    def quicken(report: Document) -> None:
        found = report["benchmarks"][1]
        for key in metric:
            found = found[key]
        found.update(mean=8.0)

    spoil(folder / "benchmarks.json", quicken)
    said = refused("guidellm", folder, more=known)
    assert (
        "benchmarks[1].metrics.inter_token_latency_ms.successful: mean: Implausible: 8 ms is less than the 8.8"
        in said
    )
    assert "benchmarks[0]" not in said


def test_speculative_decoding_explains_a_fast_point(known, results):
    """vLLM tells how many tokens a step yielded; else a flag does."""
    folder = results(VLLM)
    for path in folder.glob("*.json"):
        spoil(path, lambda run: run.update(mean_tpot_ms=run["mean_tpot_ms"] / 2))
    said = refused("vllm-bench", folder, more=known)
    assert "mean_tpot_ms: Implausible" in said
    assert imported("vllm-bench", folder, more=known, tokens_per_step="2")
    for path in folder.glob("*.json"):
        spoil(path, lambda run: run.update(spec_decode_acceptance_length=2.1))
    assert imported("vllm-bench", folder, more=known)


def test_an_unknown_precision_is_refused(known):
    assert "'fp7' is not one of" in refused("guidellm", GUIDELLM, more=known, precision="fp7")


def test_metadata_of_a_vllm_run_may_name_the_flags(known, results):
    """As in ``vllm bench serve --metadata chips=4 precision=fp8 engine_version=0.13.0``."""
    folder = results(VLLM)
    for path in folder.glob("*.json"):
        spoil(
            path, lambda run: run.update(chips="4", precision="fp8", engine_version="0.13.0", engine="vLLM")
        )
    ((name, variant),) = variants(
        imported(
            "vllm-bench", folder, more=known, chips=None, precision=None, engine_version=None, engine=None
        )
    ).items()
    assert (name, variant["performance"]["engineVersion"]) == ("qwen3-32b/h100-x4-fp8", "0.13.0")


def test_runs_appended_to_one_file_are_read_like_files(known, tmp_path):
    """``--append-result`` writes one object after the other."""
    together = tmp_path / "all.json"
    together.write_text("\n".join(path.read_text() for path in sorted(VLLM.glob("*.json"))))
    (apart,) = variants(imported("vllm-bench", VLLM, more=known)).values()
    (appended,) = variants(imported("vllm-bench", together, more=known)).values()
    assert points(apart) == points(appended)


def test_a_report_in_yaml_is_the_same(known, tmp_path):
    """GuideLLM dumps the same document either way."""
    path = tmp_path / "benchmarks.yaml"
    path.write_text(yaml.dump(json.loads((GUIDELLM / "benchmarks.json").read_text())))
    (written,) = variants(imported("guidellm", path, more=known)).values()
    (plain,) = variants(imported("guidellm", GUIDELLM, more=known)).values()
    assert points(written) == points(plain)


def test_an_older_report_of_guidellm_has_its_model_in_the_arguments(known, results):
    """Version 1 of the report, up to 0.6: ``args`` in place of ``config``."""
    folder = results(GUIDELLM)

    def older(report: Document) -> None:
        report["metadata"]["version"] = 1
        report["args"] = {"model": "acme/older"}
        report.pop("config")
        for benchmark in report["benchmarks"]:
            benchmark["config"]["backend"] = {}

    spoil(folder / "benchmarks.json", older)
    (document,) = imported("guidellm", folder, more=known)
    assert document["spec"]["model"] == "acme/older"


def test_an_older_result_of_aiperf_has_its_load_elsewhere(known, results):
    """Before the phases: ``loadgen``, and the model under ``endpoint``."""
    folder = results(AIPERF)
    for path in folder.rglob("*.json"):

        def older(run: Document) -> None:
            concurrency = run["input_config"].pop("phases")[0]["concurrency"]
            run["input_config"]["loadgen"] = {"concurrency": concurrency}
            run["input_config"]["endpoint"]["model_names"] = ["acme/older"]
            run["input_config"].pop("models")

        spoil(path, older)
    (document,) = imported("aiperf", folder, more=known)
    assert document["spec"]["model"] == "acme/older"
    assert [point[0] for point in points(document["spec"]["variants"][0])] == [1, 8]


def test_latencies_in_seconds_become_milliseconds(known, results):
    folder = results(AIPERF)
    (before,) = variants(imported("aiperf", folder, more=known)).values()
    for path in folder.rglob("*.json"):

        def in_seconds(run: Document) -> None:
            metric = run["time_to_first_token"]
            metric.update(unit="sec", avg=metric["avg"] / 1000)

        spoil(path, in_seconds)
    (after,) = variants(imported("aiperf", folder, more=known)).values()
    assert points(after) == points(before)


@pytest.mark.parametrize(("kind", "folder"), TOOLS)
def test_the_order_of_files_does_not_matter(kind, folder, known):
    files = sorted(folder.rglob("*.json"))
    texts = {
        ran(kind, *order, more=known, **dated(folder)).stdout
        for order in (files, files[::-1], [folder, *files])
    }
    assert len(texts) == 1


def test_the_same_run_twice_is_counted_once_and_said(known, results):
    folder = results(VLLM)
    shutil.copy(first(folder), folder / "again.json")
    result = ran("vllm-bench", folder, more=known)
    assert len(points(next(iter(variants(list(yaml.safe_load_all(result.stdout))).values())))) == 3
    assert "# Counted once, for they agree in every figure: vllm-infqps-concurrency1" in result.stdout


def test_different_runs_at_one_concurrency_are_kept(known, results):
    folder = results(VLLM)
    shutil.copy(first(folder), folder / "again.json")
    spoil(folder / "again.json", lambda run: run.update(mean_tpot_ms=run["mean_tpot_ms"] + 1))
    (variant,) = variants(imported("vllm-bench", folder, more=known)).values()
    assert [point[0] for point in points(variant)] == [1, 1, 8, 32]


def test_more_points_than_a_list_holds_are_refused(known, tmp_path):
    run, lines = json.loads(first(VLLM).read_text()), []
    for number in range(257):
        run["mean_ttft_ms"] = 100 + number
        lines.append(json.dumps(run))
    path = tmp_path / "many.json"
    path.write_text("\n".join(lines))
    assert "has 257 points, and a list holds 256" in refused("vllm-bench", path, more=known)


def test_the_profile_makes_a_plan(known, tmp_path):
    """What is written is read again, and the plan says that it was measured."""
    profile = tmp_path / "profile.yaml"
    assert ran("vllm-bench", VLLM, more=(*known, "-o", profile)).exit_code == 0
    found = invoke("catalog", "models", "-f", profile, "-f", known[1], "-o", "json")
    (model,) = json.loads(found.stdout)["models"]
    assert model["variants"][0]["performance"]["points"] == 3
    assert planned(profile, known[1])["summary"]["placed"] == 0


@pytest.mark.parametrize(
    ("kind", "folder", "change", "message"),
    [
        (
            "vllm-bench",
            VLLM,
            lambda d: d.update(mean_tpot_ms=0),
            "mean_tpot_ms: must be greater than zero, not 0",
        ),
        (
            "vllm-bench",
            VLLM,
            lambda d: d.update(mean_ttft_ms=-3),
            "mean_ttft_ms: must be greater than zero, not -3",
        ),
        (
            "vllm-bench",
            VLLM,
            lambda d: d.update(mean_tpot_ms=float("nan")),
            "mean_tpot_ms: must be a number, not nan",
        ),
        (
            "vllm-bench",
            VLLM,
            lambda d: d.update(mean_tpot_ms="12"),
            "mean_tpot_ms: must be a number, not '12'",
        ),
        (
            "vllm-bench",
            VLLM,
            lambda d: d.update(mean_tpot_ms=0.012),
            "mean_tpot_ms: must be between 0.05 and 60000 ms",
        ),
        (
            "vllm-bench",
            VLLM,
            lambda d: d.update(mean_ttft_ms=9e9),
            "mean_ttft_ms: must be between 0.1 and 3600000 ms",
        ),
        (
            "vllm-bench",
            VLLM,
            lambda d: d.update(mean_ttft_ms=1e300),
            "mean_ttft_ms: must be a number of a sensible size",
        ),
        (
            "vllm-bench",
            VLLM,
            lambda d: d.update(max_concurrency=None),
            "max_concurrency: the load was not held",
        ),
        (
            "vllm-bench",
            VLLM,
            lambda d: d.update(max_concurrency=1.5),
            "max_concurrency: must be a whole number",
        ),
        ("vllm-bench", VLLM, lambda d: d.update(request_rate=2.0), "request_rate: the load was not held"),
        ("vllm-bench", VLLM, lambda d: d.update(failed=16), "failed: 16 of 32 requests failed"),
        (
            "vllm-bench",
            VLLM,
            lambda d: d.update(completed=16, max_concurrency=64),
            "completed: 16 requests never made up",
        ),
        (
            "vllm-bench",
            VLLM,
            lambda d: d.update(total_output_tokens=16),
            "mean output tokens: must be between 2 and",
        ),
        (
            "vllm-bench",
            VLLM,
            lambda d: d.update(date="yesterday"),
            "date: must be a date such as 20260327-104512",
        ),
        (
            "vllm-bench",
            VLLM,
            lambda d: d.pop("completed"),
            "completed: is required: this is no result of vllm bench",
        ),
        ("guidellm", GUIDELLM, lambda d: d.pop("benchmarks"), "benchmarks: is required"),
        (
            "guidellm",
            GUIDELLM,
            lambda d: d["benchmarks"][1]["config"]["strategy"].update(type_="poisson"),
            "benchmarks[1].config.strategy: type_: poisson held no concurrency",
        ),
        (
            "guidellm",
            GUIDELLM,
            lambda d: d["benchmarks"][1]["metrics"]["inter_token_latency_ms"]["successful"].update(mean=0),
            "benchmarks[1].metrics.inter_token_latency_ms.successful: mean: must be greater than zero",
        ),
        (
            "guidellm",
            GUIDELLM,
            lambda d: d["benchmarks"][0]["metrics"]["request_totals"].update(errored=9),
            "benchmarks[0].metrics.request_totals: errored: 9 of 25 requests failed",
        ),
        (
            "guidellm",
            GUIDELLM,
            lambda d: d["benchmarks"][0].update(start_time=1e15),
            "start_time: must be seconds since",
        ),
        (
            "aiperf",
            AIPERF,
            lambda d: d.pop("time_to_first_token"),
            "time_to_first_token: is required: run with --streaming",
        ),
        (
            "aiperf",
            AIPERF,
            lambda d: d["inter_token_latency"].update(unit="h"),
            "inter_token_latency: unit: must be one of",
        ),
        (
            "aiperf",
            AIPERF,
            lambda d: d["inter_token_latency"].update(avg=None),
            "inter_token_latency: avg: must be a number",
        ),
        ("aiperf", AIPERF, lambda d: d.update(was_cancelled=True), "was_cancelled: the run was cancelled"),
        (
            "aiperf",
            AIPERF,
            lambda d: d["input_config"]["phases"][0].update(type="poisson"),
            "input_config: the load was not held at a concurrency",
        ),
        (
            "aiperf",
            GENAI_PERF,
            lambda d: d["input_config"]["perf_analyzer"].update(stimulus={"request_rate": 4}),
            "input_config: the load was not held at a concurrency",
        ),
        (
            "aiperf",
            AIPERF,
            lambda d: d.update(input_config={}),
            "phases: is required: this is no result of AIPerf",
        ),
        (
            "aiperf",
            AIPERF,
            lambda d: d["input_config"]["models"]["items"].append({"name": "b"}),
            "give --model",
        ),
        ("aiperf", AIPERF, lambda d: d.update(start_time="soon"), "start_time: must be a time such as"),
    ],
)
def test_a_bad_figure_is_named_by_file_and_field(kind, folder, change, message, known, results, tmp_path):
    """And nothing of the other runs is imported either."""
    copy = results(folder)
    spoil(first(copy), change)
    output = tmp_path / "profile.yaml"
    said = refused(kind, copy, more=(*known, "-o", output), **dated(folder))
    assert message in said
    assert str(first(copy)) in said
    assert not output.exists()


def test_everything_that_is_wrong_is_said_at_once(known, results):
    folder = results(VLLM)
    for path in folder.glob("*.json"):
        spoil(path, lambda run: run.update(mean_tpot_ms=-1, mean_ttft_ms=0))
    said = refused("vllm-bench", folder, more=known, chips=None)
    assert said.count("mean_tpot_ms: must be greater than zero") == 3
    assert said.count("mean_ttft_ms: must be greater than zero") == 3
    assert "does not state the chips: give --chips (and 2 more like it)" in said


@pytest.mark.parametrize(
    ("kind", "folder", "change"),
    [
        ("vllm-bench", VLLM, lambda d: d.update(request_rate=2.0)),
        ("guidellm", GUIDELLM, lambda d: d["benchmarks"][0]["config"]["strategy"].update(type_="constant")),
        ("aiperf", AIPERF, lambda d: d["input_config"]["phases"][0].update(type="poisson")),
    ],
)
def test_runs_that_followed_a_rate_are_left_out_on_request_and_counted(kind, folder, change, known, results):
    copy = results(folder)
    spoil(first(copy), change)
    result = ran(kind, copy, more=(*known, "--skip-rates"))
    (variant,) = variants(list(yaml.safe_load_all(result.stdout))).values()
    assert 1 not in [point[0] for point in points(variant)]
    assert "# 1 " in result.stdout
    assert "left out." in result.stdout


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "[" * 100_000, '{"completed": 1' + "0" * 5000 + "}", "\x00", "null"]
)
@pytest.mark.parametrize("kind", ["vllm-bench", "guidellm", "aiperf"])
def test_a_file_that_is_no_result_is_named(kind, text, known, tmp_path):
    path = tmp_path / "bad.json"
    path.write_text(text)
    assert str(path) in refused(kind, path, more=known)


def test_yaml_that_is_none_is_named(known, tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("a: [")
    assert "bad.yaml: is not YAML" in refused("guidellm", path, more=known)


def test_a_folder_without_results_is_named(known, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "has no file *.json" in refused("vllm-bench", tmp_path / "empty", more=known)


def test_a_variant_may_have_a_name_of_its_own(known):
    assert list(variants(imported("guidellm", GUIDELLM, more=known, variant="tuned"))) == ["qwen3-32b/tuned"]
    assert "spec.variants[0].name" in refused("guidellm", GUIDELLM, more=known, variant="Not A Name")


def test_nothing_to_import_is_no_success(known, results):
    """Every run followed a rate, and was to be left out."""
    folder = results(VLLM)
    for path in folder.glob("*.json"):
        spoil(path, lambda run: run.update(request_rate=2.0))
    said = refused("vllm-bench", folder, more=(*known, "--skip-rates"))
    assert "there is no measurement to import. 3 run(s) that followed a request rate were left out." in said


@pytest.mark.parametrize("flag", ["class", "engine", "engine_version"])
def test_a_flag_that_says_nothing_is_none(flag, known):
    empty: dict[str, Any] = {flag: " "}
    assert f"give --{flag.replace('_', '-')}" in refused("vllm-bench", VLLM, more=known, **empty)
