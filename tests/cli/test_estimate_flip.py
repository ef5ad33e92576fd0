"""Where the cheapest chip changes with the objective in what was measured, the plan changes with it, and the frontier says so."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from chipwise.catalog.measurements import shipped

from tests.cli.fleet import Document, chip, deployment, invoke, planned, pool, workload, write
from tests.cli.measurements import SILICON

MODEL, INPUT, OUTPUT = "meta-llama/Llama-3.1-70B", 1024, 8192
PRICES = {"b200": 14.2416, "h200": 7.912}
"""Dollars for a chip and hour: us-east-1, July 2026."""

TIGHT, LOOSE, TTFT = 12.0, 30.0, 2000.0


def cheapest_measured(tpot_ms: float) -> str:
    """The chip of the cheapest measured row within the objective."""
    rows = shipped()
    found = []
    for case, ttft, tpot in zip(rows.cases, rows.ttft_ms, rows.tpot_ms, strict=True):
        asked = case.model == MODEL and (case.input_tokens, case.output_tokens) == (INPUT, OUTPUT)
        if not asked or case.accelerator not in PRICES or tpot > tpot_ms or ttft > TTFT:
            continue
        rate = case.concurrency * OUTPUT / (ttft + tpot * (OUTPUT - 1))
        found.append((PRICES[case.accelerator] * case.chips / rate, case.accelerator))
    return min(found)[1]


def measured_profile() -> Document:
    """What import makes of these rows."""
    wheres = (f"model_path={MODEL}", f"isl={INPUT}", f"osl={OUTPUT}", "backend=trtllm", "concurrency!=")
    conditions = [word for where in wheres for word in ("--where", where)]
    told = (
        "--statistic",
        "mean",
        "--startup-seconds",
        "180",
        "--engine-version",
        "unknown",
        "--date",
        "unknown",
    )
    result = invoke("import", "silicon", SILICON, *told, *conditions)
    assert result.exit_code == 0, result.output
    profile: Document
    (profile,) = (each for each in yaml.safe_load_all(result.stdout) if each["kind"] == "ModelProfile")
    return profile


def decided(tmp_path: Any, tpot_ms: float) -> str:
    """The class that a plan gives a workload with this objective."""
    profile = measured_profile()
    classes = sorted({each["className"] for each in profile["spec"]["variants"]} & set(PRICES))
    supply = [
        *(chip(name) for name in classes),
        *(
            pool(
                name,
                str(PRICES[name]),
                price={"amount": str(PRICES[name]), "unit": "Chip"},
                nodes={"max": 200},
            )
            for name in classes
        ),
        profile,
    ]
    asked = workload(
        "chat",
        modelProfileName=profile["metadata"]["name"],
        traffic={"meanRequestsPerSecond": "40", "inputTokens": INPUT, "outputTokens": OUTPUT},
        objectives=[
            {"metric": "TPOT", "statistic": "Mean", "threshold": f"{tpot_ms:g}ms"},
            {"metric": "TTFT", "statistic": "Mean", "threshold": f"{TTFT:g}ms"},
        ],
    )
    found = planned(write(tmp_path, *supply, asked, deployment("chat", classes[0], 1)))
    (placement,) = found["workloads"][0]["placements"]
    return str(placement["acceleratorClass"])


def test_the_plan_flips_where_the_measured_rows_do(tmp_path):
    assert (cheapest_measured(TIGHT), cheapest_measured(LOOSE)) == ("b200", "h200")
    assert (decided(tmp_path, TIGHT), decided(tmp_path, LOOSE)) == ("b200", "h200")


def test_the_frontier_flips_too():
    """Told from the same rows: only these two chips have a price."""
    asked = (
        "--input-tokens",
        INPUT,
        "--output-tokens",
        OUTPUT,
        "--engine",
        "trtllm",
        "--region",
        "us-east-1",
    )
    result = invoke("estimate", "--frontier", MODEL, *asked, "--precision", "fp8", "-o", "json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    by_chip = {
        each["chip"]: {way["tpotMilliseconds"]: way for way in each["within"]} for each in document["chips"]
    }
    cost = {
        name: {
            tpot: float(way["costPerMillionOutputTokens"])
            for tpot, way in by_chip[name].items()
            if "chips" in way
        }
        for name in PRICES
    }
    assert cost["b200"][10] < cost["h200"].get(10, float("inf"))
    assert cost["h200"][30] < cost["b200"][30]
    assert document["flips"] > 0


@pytest.mark.parametrize("tpot", [10, 15, 20, 30, 50])
def test_what_is_called_cheapest_is(tpot):
    result = invoke("estimate", "--frontier", MODEL, "--region", "us-east-1", "-o", "json")
    document = json.loads(result.stdout)
    told = next(each for each in document["cheapest"] if each["tpotMilliseconds"] == tpot)
    ways = [(float(way["costPerMillionOutputTokens"]), each["chip"]) for each in document["chips"]
            for way in each["frontier"] if way["expectedTpotMilliseconds"]["value"] <= tpot]  # fmt: skip
    assert (float(told["costPerMillionOutputTokens"]), told["chip"]) == min(ways)
    assert told["ttftMilliseconds"]["value"] <= 2000
