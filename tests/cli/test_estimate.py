"""``chipwise estimate`` of cases named by flags."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
import yaml

from tests.cli.fleet import ROOT, Document, invoke

LLAMA = ("--model", "meta-llama/Llama-3.1-70B", "--accelerator", "h200", "--precision", "fp8", "--chips", "4")
LOAD = ("--input-tokens", "1024", "--output-tokens", "8192", "--concurrency", "32", "--engine", "trtllm")


def answered(*words: Any, exit_code: int = 0) -> Document:
    result = invoke("estimate", *words, "-o", "json")
    assert result.exit_code == exit_code, result.output
    document: Document = json.loads(result.stdout)
    return document


def refused(*words: Any) -> str:
    result = invoke("estimate", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    said: str = result.stderr
    return said


def test_a_case_has_bands_a_statistic_and_what_it_leans_on():
    document = answered(*LLAMA, *LOAD)
    (case,) = document["cases"]
    for name in ("ttftMilliseconds", "tpotMilliseconds"):
        assert case[name]["low"] < case[name]["value"] < case[name]["high"]
    assert (document["statistic"], document["coverage"]) == ("Mean", 0.9)
    assert (case["provenance"], case["leansOn"]) == ("Measured", "Configuration")
    assert case["requestsThatFit"] > 32
    assert document["learnt"]["from"] == "shipped"


def test_settings_of_the_server_decide_the_first_token():
    """Unless told it is set as the measured one was, which held prompts back for 20 steps and took 16,384 tokens of them in one."""
    words = (
        *LLAMA,
        "--input-tokens",
        "1024",
        "--output-tokens",
        "1024",
        "--concurrency",
        "64",
        "--engine",
        "trtllm",
    )

    def first(*settings: str) -> float:
        (case,) = answered(*words, *settings)["cases"]
        return float(case["ttftMilliseconds"]["value"])

    as_measured = first()
    assert first("--held-steps", "20", "--batched-tokens", "16384", "--varied-lengths") == as_measured
    assert first("--held-steps", "0") < 0.8 * as_measured
    assert first("--batched-tokens", "1024") > as_measured
    assert first("--equal-lengths") > as_measured


def test_the_settings_that_count_are_told():
    words = (*LLAMA, *LOAD)
    (case,) = answered(*words)["cases"]
    assert case["server"] == {"batchedTokens": 16384, "heldSteps": 0, "equalLengths": False}
    assert (case["provenance"], case["leansOn"]) == ("Measured", "Configuration")
    (case,) = answered(*words, "--held-steps", "7", "--equal-lengths")["cases"]
    assert case["server"] == {"batchedTokens": 16384, "heldSteps": 7, "equalLengths": True}
    assert (case["provenance"], case["leansOn"]) == ("Scaled", "Release")
    shown = invoke("estimate", *words, "--held-steps", "7").output
    assert (
        "a server with at most 16,384 prompt tokens a step, prompts held back 7 steps, requests of varied lengths"
        in shown
    )


def test_tokens_and_their_cost_follow_from_the_latencies():
    (case,) = answered(*LLAMA, *LOAD, "--price", "h200=2.50")["cases"]
    seconds = (case["ttftMilliseconds"]["value"] + 8191 * case["tpotMilliseconds"]["value"]) / 1000
    rate = 32 * 8192 / seconds
    assert case["outputTokensPerSecond"] == pytest.approx(rate, rel=1e-6)
    assert float(case["costPerMillionOutputTokens"]) == pytest.approx(4 * 2.5 / 3600 / rate * 1e6, abs=1e-4)
    assert case["price"]["source"] == "as stated"


def test_every_form_says_the_same():
    words = (*LLAMA, *LOAD, "--concurrency", "64")
    document = answered(*words)
    assert yaml.safe_load(invoke("estimate", *words, "-o", "yaml").stdout) == document
    table = list(csv.DictReader(io.StringIO(invoke("estimate", *words, "-o", "csv").stdout)))
    assert [float(row["tpot_ms"]) for row in table] == [
        each["tpotMilliseconds"]["value"] for each in document["cases"]
    ]
    text = invoke("estimate", *words).stdout
    assert "h200" in text
    assert "Configuration" in text


def test_a_load_that_does_not_fit_at_once_says_how_much_does():
    (case,) = answered(*LLAMA, *LOAD[:4], "--concurrency", "5000")["cases"]
    assert case["answered"]
    assert case["notes"][0].startswith(
        f"MemoryExceeded: {case['requestsThatFit']} of the 5000 requests are sure to fit"
    )


def test_what_does_not_fit_at_all_has_no_figures_and_ends_with_1():
    words = (
        "--model",
        "deepseek-ai/DeepSeek-R1",
        "--accelerator",
        "l4",
        "--chips",
        "1",
        "--concurrency",
        "1",
    )
    (case,) = answered(*words, exit_code=1)["cases"]
    assert (case["reason"], case["tpotMilliseconds"]) == ("MemoryExceeded", None)
    long = (
        "--model",
        "meta-llama/Llama-3.1-8B",
        "--accelerator",
        "h200",
        "--chips",
        "1",
        "--concurrency",
        "1",
    )
    (case,) = answered(*long, "--input-tokens", "200000", exit_code=1)["cases"]
    assert case["reason"] == "ContextExceeded"


def test_copies_of_the_attention_hold_requests_of_their_own():
    deepseek = ("--model", "deepseek-ai/DeepSeek-R1", "--accelerator", "h200", "--concurrency", "64")
    (spread,) = answered(
        *deepseek, "--tensor-parallel", "1", "--data-parallel", "8", "--expert-parallel", "8"
    )["cases"]
    (whole,) = answered(*deepseek, "--chips", "8")["cases"]
    assert spread["chips"] == whole["chips"] == 8
    assert spread["requestsThatFit"] > 2 * whole["requestsThatFit"]


def test_objectives_are_judged():
    (case,) = answered(*LLAMA, *LOAD, "--objective", "TPOT:Mean:500ms", "--objective", "ttft:1ms")["cases"]
    assert [(each["metric"], each["met"], each["certain"]) for each in case["objectives"]] == [
        ("TPOT", True, True),
        ("TTFT", False, True),
    ]
    value = case["tpotMilliseconds"]["value"]
    (case,) = answered(*LLAMA, *LOAD, "--objective", f"TPOT:Mean:{value * 1.01:.3f}ms")["cases"]
    assert (case["objectives"][0]["met"], case["objectives"][0]["certain"]) == (True, False)


def test_an_objective_can_ask_for_more_confidence():
    """The upper end of the band is what counts at 95 %; the text says how sure it is about."""
    (case,) = answered(*LLAMA, *LOAD)["cases"]
    band = case["tpotMilliseconds"]
    between = f"TPOT:Mean:{(band['value'] + band['high']) / 2:.3f}ms"
    wanted = [word for sure in ("", ":50%", ":95%") for word in ("--objective", f"{between}{sure}")]
    (case,) = answered(*LLAMA, *LOAD, *wanted)["cases"]
    assert [(each["confidence"], each["met"]) for each in case["objectives"]] == [
        (0.5, True),
        (0.5, True),
        (0.95, False),
    ]
    above = f"TPOT:{band['high'] * 1.01:.3f}ms:95%"
    assert "with a confidence of 95%" in invoke("estimate", *LLAMA, *LOAD, "--objective", above).stdout
    (case,) = answered(*LLAMA, *LOAD, "--objective", above)["cases"]
    assert case["objectives"][0]["met"] is True


@pytest.mark.parametrize("statistic", ["p50", "P90", "p95", "p99"])
def test_a_percentile_is_not_judged_by_an_estimate_of_means(statistic):
    (case,) = answered(*LLAMA, *LOAD, "--objective", f"TTFT:{statistic}:1s", exit_code=1)["cases"]
    assert case["answered"]
    assert (case["objectives"][0]["reason"], case["objectives"][0]["met"]) == ("PercentileUnsupported", None)


def test_no_price_is_taken_from_another_region():
    mi300x = (
        "--model",
        "meta-llama/Llama-3.1-70B",
        "--accelerator",
        "mi300x",
        "--chips",
        "8",
        "--concurrency",
        "8",
    )
    (case,) = answered(*mi300x)["cases"]
    assert (case["costPerMillionOutputTokens"], case["price"]["reason"]) == (None, "PriceUnknown")
    assert "--region with one of azure in" in case["price"]["message"]
    (case,) = answered(*mi300x, "--region", "westus3")["cases"]
    assert case["price"]["source"] == "Standard_ND96isr_MI300X_v5, azure westus3, 2026-06-18"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--model", "nobody/nothing-1b", *LLAMA[2:]), "ModelUnknown: the catalogue has no model nobody/nothing-1b"),
        ((*LLAMA[:2], "--accelerator", "h1000", *LLAMA[4:]), "ChipUnknown: the catalogue has no chip h1000"),
        ((*LLAMA[:4], "--precision", "fp7", "--chips", "4"), "Invalid: precision fp7 is none of"),
        ((*LLAMA[:6], "--chips", "0"), "Invalid"),
        ((*LLAMA[:6], "--chips", "100000"), "Invalid: chips 100000 is not between 1 and 4,096"),
        ((*LLAMA[:6],), "Invalid: neither chips nor tensor_parallel is given"),
        ((*LLAMA, "--tensor-parallel", "2"), "Invalid: tensor_parallel 2 x pipeline_parallel 1 x data_parallel 1 are 2"),
        ((*LLAMA, "--input-tokens", "0"), "Invalid: input tokens 0 is not between 1 and 10,000,000"),
        ((*LLAMA, "--output-tokens", "1"), "Invalid: output tokens 1 is not between 2 and 10,000,000: TPOT is the time per token after"),
        ((*LLAMA, "--expert-parallel", "2"), "Invalid: expert_parallel 2: the model is dense"),
        ((*LLAMA[:6], "--chips", "128"), "Invalid: tensor_parallel 128 is more than the model's 64 attention heads"),
        ((*LLAMA[:6], "--chips", "128", "--pipeline-parallel", "128"), "Invalid: pipeline_parallel 128 is more than the model's 80 layers"),
        ((*LLAMA, "--output-tokens", "-5"), "Invalid: output tokens -5"),
        ((*LLAMA, "--input-tokens", "nan"), "Invalid: input tokens nan"),
        ((*LLAMA, "--batched-tokens", "0"), "Invalid: batched_tokens 0 is not between 1 and 10,000,000"),
        ((*LLAMA, "--held-steps", "-1"), "Invalid: held_steps -1 is not between 0 and 10,000"),
        ((*LLAMA, "--held-steps", "nan"), "Invalid: held_steps nan is not between"),
        (("--frontier", "openai/gpt-oss-120b", "--held-steps", "0"), "--held-steps does not go with --frontier: its servers are"),
        (("--rows", ROOT / "examples/estimate.csv", "--varied-lengths"), "--varied-lengths does not go with --rows: the columns say it"),
        ((*LLAMA, "--objective", "TPS:Mean:1s"), "--objective TPS:Mean:1s: must be METRIC:STATISTIC:THRESHOLD"),
        ((*LLAMA, "--objective", "TTFT:p75:1s"), "--objective TTFT:p75:1s: p75 is none of Mean, P50"),
        ((*LLAMA, "--objective", "TTFT:1"), "is not a latency"),
        ((*LLAMA, "--objective", "TTFT:1s:40%"), "--objective TTFT:1s:40%: the confidence must be a whole"),
        ((*LLAMA, "--objective", "TTFT:Mean:80%"), "is not a latency"),
        ((*LLAMA, "--price", "h200=0"), "--price h200=0: must be CHIP=AMOUNT"),
        ((*LLAMA, "--price", "h2000=1"), "ChipUnknown"),
        ((*LLAMA, "--region", "atlantis"), "--region atlantis: no list of prices has it"),
        ((*LLAMA, "--cloud", "azure"), "--cloud azure needs --region"),
        ((*LLAMA, "-o", "xml"), "-o xml: must be one of table, json, yaml, csv"),
        ((*LLAMA, "--plot", "x.svg"), "--plot does not go with one case"),
        (("--rows", ROOT / "examples/estimate.csv", "--engine", "vllm"), "--engine does not go with --rows"),
        (("--frontier", "openai/gpt-oss-120b", "--chips", "4"), "--chips does not go with --frontier"),
        (("--frontier", "openai/gpt-oss-120b", "--plot", "x.png"), "is drawn as SVG"),
        (("--frontier", "openai/gpt-oss-120b", "--precision", "fp7"), "precision fp7 is none of"),
        (("--frontier", "nobody/nothing-1b"), "ModelUnknown"),
        (("--frontier", "openai/gpt-oss-120b", "--ttft", "2"), "--ttft 2: "),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_named(words, said):
    load = () if words[0] in ("--rows", "--frontier") else ("--concurrency", "8")
    assert said in refused(*words, *load)


def test_a_frontier_is_drawn_and_names_who_has_no_price(tmp_path):
    drawing = tmp_path / "frontier.svg"
    result = invoke("estimate", "--frontier", "openai/gpt-oss-120b", "--plot", drawing, "-o", "json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    chips = {each["chip"] for each in document["chips"]}
    left_out = {each["chip"]: each["reason"] for each in document["leftOut"]}
    assert {"h100-sxm", "b200", "trainium1"} <= chips
    assert left_out["maia-200"] == left_out["mi300x"] == "PriceUnknown"
    assert document["pricesOf"] == [{"cloud": "aws", "region": "us-east-1"}]
    text = drawing.read_text()
    assert text.startswith("<svg ")
    assert all(f">{chip}</text>" in text for chip in chips)


def test_a_stated_price_brings_a_chip_in():
    words = ("estimate", "--frontier", "openai/gpt-oss-120b", "--price", "maia-200=1.00", "-o", "json")
    document = json.loads(invoke(*words).stdout)
    maia = next(each for each in document["chips"] if each["chip"] == "maia-200")
    assert {way["priceSource"] for way in maia["frontier"]} == {"as stated"}
    for ways in (each["frontier"] for each in document["chips"]):
        tpot = [way["expectedTpotMilliseconds"]["value"] for way in ways]
        cost = [float(way["costPerMillionOutputTokens"]) for way in ways]
        assert tpot == sorted(tpot)
        assert cost == sorted(cost, reverse=True)


UNHEARD = "nothing was measured with an engine vlm, only with sglang, trtllm, vllm"


def test_an_engine_that_nothing_was_measured_with_is_said():
    (case,) = answered(*LLAMA, *LOAD[:-1], "vlm")["cases"]
    assert [note for note in case["notes"] if note.startswith(UNHEARD)]
    for engine in ("vllm", "TRTLLM", ""):
        assert not answered(*LLAMA, *LOAD[:-1], engine)["cases"][0]["notes"]


def test_a_frontier_of_such_an_engine_says_so_too():
    words = ("--frontier", "qwen3-8b", "--input-tokens", "100", "--output-tokens", "100")
    assert UNHEARD in invoke("estimate", *words, "--engine", "vlm").stderr
    assert not invoke("estimate", *words, "--engine", "vllm").stderr


def test_sizes_that_agree_with_the_chips_stand_as_they_are():
    gpt = (
        "--model",
        "openai/gpt-oss-120b",
        "--accelerator",
        "h100",
        "--tensor-parallel",
        16,
        "--expert-parallel",
        4,
    )
    load = ("--concurrency", 4)
    assert answered(*gpt, "--chips", 16, *load)["cases"][0]["chips"] == 16
    (unsaid,) = answered(*gpt, *load)["cases"]
    assert unsaid["chips"] == 4
    assert "counted twice" in unsaid["notes"][0]
