"""``chipwise estimate --measurements`` and ``--models``: what somebody brings along."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from chipwise.catalog.shelf import model_entry
from chipwise.reasons import Refusal

from tests.cli.fleet import ROOT, Document, invoke
from tests.cli.measurements import SILICON

ASKED = ("--model", "meta-llama/Llama-3.1-70B", "--accelerator", "h200", "--precision", "fp8", "--chips", "1")
LOAD = ("--input-tokens", "1024", "--output-tokens", "8192", "--concurrency", "32", "--engine", "trtllm")
Row = dict[str, str]


def silicon(**where: str) -> list[Row]:
    with SILICON.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if all(row[key] == value for key, value in where.items())]


def table(folder: Path, rows: list[Row], without: tuple[str, ...] = ()) -> Path:
    path = folder / "measured.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        names = [name for name in rows[0] if name not in without]
        writer = csv.DictWriter(file, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def learnt(*words: Any) -> tuple[Document, str]:
    result = invoke("estimate", *ASKED, *LOAD, *words, "-o", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout), result.stderr


def refused(*words: Any) -> str:
    result = invoke("estimate", *ASKED, *LOAD, *words)
    assert (result.exit_code, result.stdout) == (2, "")
    said: str = result.stderr
    return said


def test_few_rows_correct_the_shipped_physics_and_nothing_else_is_leant_on(tmp_path):
    rows = [row for row in silicon(model_path="openai/gpt-oss-120b", system="h200_sxm") if row["concurrency"]]
    document, said = learnt("--measurements", table(tmp_path, rows[:50]))
    assert document["learnt"] == {
        "from": str(tmp_path / "measured.csv"), "rows": 50, "leftOut": 0, "constants": "Shipped",
    }  # fmt: skip
    assert document["cases"][0]["leansOn"] == "Chip"
    assert (
        "learnt from 50 rows of 1 model(s) on 1 chip(s) and from no others; the constants are the shipped ones"
        in said
    )


def test_enough_rows_fit_the_constants_too(tmp_path):
    rows = [*silicon(model_path="meta-llama/Llama-3.1-70B"), *silicon(model_path="Qwen/Qwen3-32B")]
    document, said = learnt("--measurements", table(tmp_path, rows))
    assert document["learnt"]["constants"] == "Fitted"
    assert "all constants are fitted to them" in said


def test_what_is_learnt_is_what_is_told(tmp_path):
    """Rows that say that a server is three times slower than any that ships move the figure three times."""
    rows = [
        row
        for row in silicon(model_path="meta-llama/Llama-3.1-70B", system="h200_sxm", backend="trtllm")
        if row["concurrency"]
    ]
    slow = [row | {"silicon_tpot_ms": str(3 * float(row["silicon_tpot_ms"]))} for row in rows]
    (before,), (after,) = (
        learnt("--measurements", table(tmp_path, each))[0]["cases"] for each in (rows, slow)
    )
    share = after["tpotMilliseconds"]["value"] / before["tpotMilliseconds"]["value"]
    assert share == pytest.approx(3, rel=0.2)


def test_a_single_row_is_enough_to_learn_from(tmp_path):
    rows = [
        row for row in silicon(model_path="meta-llama/Llama-3.1-70B", system="h200_sxm") if row["concurrency"]
    ]
    document, _ = learnt("--measurements", table(tmp_path, rows[:1]))
    assert document["learnt"]["rows"] == 1


def test_every_wrong_row_is_named_and_nothing_is_learnt(tmp_path):
    rows = [
        row for row in silicon(model_path="meta-llama/Llama-3.1-70B", system="h200_sxm") if row["concurrency"]
    ][:8]
    rows[0] = rows[0] | {"silicon_tpot_ms": "0.06"}
    rows[1] = rows[1] | {"model_path": "nobody/nothing-1b"}
    rows[2] = rows[2] | {"system": "abacus"}
    rows[3] = rows[3] | {"isl": "-4"}
    rows[4] = rows[4] | {"silicon_ttft_ms": "soon"}
    rows[5] = rows[5] | {"precision": "fp7"}
    rows[6] = rows[6] | {"silicon_ttft_ms": "0.5"}
    said = refused("--measurements", table(tmp_path, rows))
    assert "measured.csv: row 2: silicon_tpot_ms: Implausible: 0.06 ms is less than the " in said
    assert "row 3: model_path: ModelUnknown: " in said
    assert "row 4: system: ChipUnknown: " in said
    assert "row 5: isl: -4 is not a whole number from 1" in said
    assert "row 6: silicon_ttft_ms: soon is not a number" in said
    assert "row 7: precision: fp7 is none of bf16" in said
    assert "row 8: silicon_ttft_ms: Implausible: 0.5 ms" in said
    assert "row 9" not in said
    assert "learn" not in said


def test_a_missing_column_is_named(tmp_path):
    path = table(tmp_path, silicon(), without=("silicon_tpot_ms", "osl"))
    assert "measured.csv: lacks the column(s) osl, silicon_tpot_ms" in refused("--measurements", path)


def test_rows_that_do_not_say_their_load_are_left_out(tmp_path):
    with_load = [row for row in silicon(model_path="Qwen/Qwen3-32B") if row["concurrency"]][:5]
    without = [row | {"concurrency": ""} for row in with_load]
    document, said = learnt("--measurements", table(tmp_path, [*with_load, *without]))
    assert (document["learnt"]["rows"], document["learnt"]["leftOut"]) == (5, 5)
    assert "learnt from 5 rows (5 without a concurrency left out)" in said
    assert "no row states a concurrency" in refused("--measurements", table(tmp_path, without))


OWN = {
    "name": "our-9b",
    "parameters": 9_000_000_000,
    "layers": 40,
    "hiddenSize": 4096,
    "kvHeads": 8,
    "headDim": 128,
    "weights": "bf16",
}


def models(folder: Path, document: Any, name: str = "models.yaml") -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump(document) if not isinstance(document, str) else document)
    return path


def told(path: Path, name: str) -> Document:
    words = ("--model", name, "--accelerator", "h100", "--chips", 1, "--concurrency", 4)
    result = invoke("estimate", *words, "--models", path, "-o", "json")
    assert result.exit_code == 0, result.output
    document: Document = json.loads(result.stdout)
    return document


@pytest.mark.parametrize(
    "document", [{"models": [OWN | {"id": "us/our-9b"}]}, [OWN | {"id": "us/our-9b"}]], ids=["models", "list"]
)
def test_a_model_of_somebodys_own_is_known_by_name_and_id(tmp_path, document):
    path = models(tmp_path, document)
    by_name, by_id = told(path, "our-9b"), told(path, "US/our-9b")
    assert by_name == by_id
    assert by_name["model"] == "us/our-9b"
    assert by_name["cases"][0]["precision"] == "bf16"


def test_a_model_that_nobody_listed_works_from_its_config(tmp_path):
    config = ROOT / "tests" / "data" / "hf-config" / "qwen3-32b"
    words = ("--class", "h100-sxm", "--chips", "4", "--precision", "fp8", "--startup-seconds", "180")
    profile = tmp_path / "profile.yaml"
    assert (
        invoke("import", "hf-config", config, "--model", "us/own-32b", *words, "-o", profile).exit_code == 0
    )
    assert told(profile, "us/own-32b")["cases"][0]["precision"] == "fp8"


def test_it_goes_before_what_ships(tmp_path):
    path = models(tmp_path, [OWN | {"id": "Qwen/Qwen3-32B"}])
    own = told(path, "Qwen/Qwen3-32B")["cases"][0]["requestsThatFit"]
    assert own > 2 * told(path, "qwen3-32b")["cases"][0]["requestsThatFit"]


@pytest.mark.parametrize("field", ["id", "name"])
def test_a_shape_of_its_own_does_not_have_the_measurements_of_the_id_that_it_borrows(tmp_path, field):
    words = ("estimate", *ASKED, *LOAD, "-o", "json")
    name = "meta-llama/Llama-3.1-70B"
    borrowed = models(tmp_path, [{**OWN, field: name}])
    alone = models(tmp_path, [{**OWN, "name": name, "id": "us/our-9b"}], "alone.yaml")
    one, other = (json.loads(invoke(*words, "--models", path).stdout) for path in (borrowed, alone))
    assert one["model"] == f"{name} (own shape)"
    assert one["cases"][0]["provenance"] == "Estimated"
    for figure in ("ttftMilliseconds", "tpotMilliseconds", "leansOn"):
        assert one["cases"][0][figure] == other["cases"][0][figure]


def test_the_shape_that_ships_keeps_its_measurements_when_it_is_given_again(tmp_path):
    entry = model_entry("meta-llama/Llama-3.1-70B")
    assert not isinstance(entry, Refusal)
    shape = {**entry.fields, "parameters": 70_000_000_000, "maxContextTokens": 65536}
    shape.pop("activeParameters", None)
    given = {"id": entry.id, "weights": entry.weights, **shape}
    words = ("estimate", *ASKED, *LOAD, "-o", "json", "--models", models(tmp_path, [given]))
    document, ships = json.loads(invoke(*words).stdout), learnt()[0]
    assert document["model"] == ships["model"] == entry.id
    assert document["cases"][0]["leansOn"] == ships["cases"][0]["leansOn"] != "None"
    assert document["cases"][0]["provenance"] == ships["cases"][0]["provenance"] != "Estimated"


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"silicon_tpot_ms": "900000"}, "silicon_tpot_ms: "),
        ({"silicon_ttft_ms": "4000000"}, "silicon_ttft_ms: "),
        ({"silicon_tpot_ms": "0.01"}, "silicon_tpot_ms: "),
        ({"silicon_tpot_ms": "0.06"}, "silicon_tpot_ms: Implausible: "),
        ({"isl": "20000000"}, "isl: "),
        ({"isl": "1_024"}, "isl: "),
        ({"osl": "1"}, "osl: "),
        ({"moe_ep_size": "64"}, "moe_ep_size: Invalid: expert_parallel 64 is more than the 2 chip(s)"),
        ({"moe_ep_size": "2"}, "moe_ep_size: Invalid: expert_parallel 2: the model is dense"),
        ({"moe_ep_size": "x"}, "moe_ep_size: "),
        ({"tp_size": "1", "pp_size": "100"}, "pp_size: Invalid: pipeline_parallel 100 is more than the model's 80"),
        ({"tp_size": "128"}, "tp_size: Invalid: tensor_parallel 128 is more than the model's 64 attention heads"),
    ],
)  # fmt: skip
def test_one_rule_refuses_a_row_that_is_learnt_from_and_one_that_is_imported(tmp_path, cells, said):
    ships = silicon(model_path="meta-llama/Llama-3.1-70B", system="h200_sxm")
    row = {**next(row for row in ships if row["concurrency"]), "id": "it", "backend_version": "1"}
    path = table(tmp_path, [{**row, "tp_size": "2", **cells}])
    words = ("--statistic", "mean", "--startup-seconds", "60", "--date", "unknown")
    imported = invoke("import", "silicon", path, *words)
    assert (imported.exit_code, imported.stdout) == (2, "")
    assert f"measured.csv: row 2 (it): {said}" in imported.stderr
    assert f"measured.csv: row 2: {said}" in refused("--measurements", path)


def test_its_measurements_can_be_learnt_from(tmp_path):
    rows = [
        row | {"model_path": "our-9b"}
        for row in silicon(model_path="meta-llama/Llama-3.1-70B", system="h200_sxm")
        if row["concurrency"]
    ]
    path = table(tmp_path, rows)
    assert "ModelUnknown" in refused("--measurements", path)
    document, _ = learnt("--measurements", path, "--models", models(tmp_path, [OWN]))
    assert document["learnt"]["rows"] == len(rows)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([{k: v for k, v in OWN.items() if k != "layers"}], "models.yaml, our-9b: layers must be a whole number, not None"),
        ([OWN | {"layers": 0}], "our-9b: layers must be at least 1, not 0"),
        ([OWN | {"weights": "fp7"}], "our-9b: weights must be one of bf16"),
        ([OWN | {"colour": "red"}], "our-9b: unknown field colour"),
        ([OWN | {"activeParameters": 10**12}], "our-9b: activeParameters must not exceed parameters"),
        ([OWN | {"experts": 8}], "our-9b: expertsPerToken must be between 1 and experts"),
        ([OWN | {"experts": 8, "expertsPerToken": 4, "activeParameters": 10**9}], "our-9b: activeParameters must not be below parameters x expertsPerToken / experts"),
        ([OWN | {"activeParameters": 1000}], "our-9b: activeParameters 1000 must be at least 167772160"),
        ([OWN | {"parameters": 9}], "our-9b: parameters 9 must be at least 167772160"),
        ([OWN, OWN | {"parameters": 7 * 10**10}], "--models: our-9b: two models of this name are given, and they differ"),
        ([OWN, OWN | {"name": "other", "id": "Our-9B", "weights": "fp8"}], "--models: Our-9B: two models of this name"),
        ([OWN | {"attentionHeads": 4}], "our-9b: attentionHeads must not be below kvHeads"),
        ([{k: v for k, v in OWN.items() if k != "name"}], "an entry without name: id must be a text"),
        ({"models": "none"}, "models must be a list of maps"),
        ({"kind": "Deployment"}, "has no model"),
        ({"kind": "ModelProfile", "metadata": {"name": "x"}, "spec": {"model": "x"}}, "ModelProfile x: architecture must be a map"),
        ("a: [", "is not YAML"),
        ("", "has no model"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_model_is_named(tmp_path, document, said):
    path = models(tmp_path, document)
    assert said in refused("--models", path)
