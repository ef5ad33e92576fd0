"""``chipwise catalog`` without files or a cluster: what ships, manifests of it, and price lists held against it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from chipwise import catalog
from chipwise.api import parse
from chipwise.cli.catalogue import SHIPPED

from tests.cli.fleet import EXAMPLES, ROOT, invoke
from tests.cli.test_catalog import documented, shown, text

PRICES = ROOT / "tests" / "data" / "prices"


def refused(*arguments: Any) -> str:
    result = invoke("catalog", *arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    return result.stderr


def made(*arguments: Any) -> list[dict[str, Any]]:
    result = invoke("catalog", "manifests", *arguments)
    assert result.exit_code == 0, result.output
    return [document for document in yaml.safe_load_all(result.stdout) if document]


def test_without_anything_it_shows_the_chips_that_ship():
    names = [one["name"] for one in shown()["chips"]]
    assert names == sorted(chip.name for chip in catalog.chips())
    assert all(name in text() for name in names)


@pytest.mark.parametrize("section", SHIPPED)
def test_every_entry_that_ships_can_be_shown(section: str):
    entries = shown(section)[section]
    assert entries
    for entry in entries[:: max(1, len(entries) // 20)]:
        assert entry["name"] in text(section, entry["name"])


@pytest.mark.parametrize("section", SHIPPED)
def test_every_field_of_what_ships_is_documented(section: str):
    told = documented("### What ships")
    assert not [field for field in shown(section)[section][0] if f"`{field}`" not in told]


def test_what_ships_is_not_what_a_file_has():
    assert [one["name"] for one in shown("chips", "-f", EXAMPLES)["chips"]] == ["h100", "maia200", "mi300x"]
    assert shown("chips", "h100", "-f", EXAMPLES)["chips"][0]["pools"] == ["h100"]
    assert shown("chips", "h100")["chips"][0]["name"] == "h100-sxm"


def test_files_and_a_cluster_at_once_are_refused():
    assert "either -f or --cluster" in refused("chips", "-f", EXAMPLES, "--cluster")


def test_a_chip_shows_each_figure_with_its_source_or_why_there_is_none():
    figures = shown("chips", "maia-200")["chips"][0]["figures"]
    assert set(figures["memory"]["sources"]) == {"msblog", "hc26"}
    assert figures["resourceName"]["note"].startswith("not published")
    lines = text("chips", "h100-nvl").splitlines()
    assert next(line for line in lines if line.startswith("tflops.bf16")).split()[1] == "unverified"
    assert any("https://blogs.microsoft.com/" in line for line in text("chips", "maia-200").splitlines())


def test_a_model_is_found_by_its_id():
    (found,) = shown("models", "deepseek-ai/DeepSeek-R1")["models"]
    assert (found["attention"], found["latentDim"], found["experts"]) == ("latent", 576, 256)
    assert found["sources"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("chips", "h100_sx"), ("ChipUnknown", "h100-sxm")),
        (("models", "Qwen/Qwen3-33B"), ("ModelUnknown", "Qwen/Qwen3-32B")),
        (("instances", "p5.48xlage"), ("InstanceUnknown", "p5.48xlarge")),
        (("prices", "p5.48xlarge", "--region", "us-west-2"), ("PriceUnknown", "us-east-1", "--price")),
        (("prices", "--region", "us-west-2"), ("PriceUnknown", "us-east-1", "westus3")),
        (("prices", "--cloud", "gcp"), ("PriceUnknown", "none of this cloud")),
        (("manifests", "--chip", "h1000"), ("ChipUnknown",)),
        (("manifests", "--model", "gpt-5"), ("ModelUnknown",)),
        (("manifests", "--instance", "p5.48xlarge"), ("needs --region",)),
        (("manifests", "--cloud", "azure"), ("needs --region",)),
        (("manifests", "--region", "westus3"), ("needs --cloud or --instance",)),
        (("manifests", "--cloud", "aws", "--region", "us-west-2"), ("PriceUnknown", "us-east-1")),
        (
            ("manifests", "--cloud", "gcp", "--region", "us-central1"),
            ("PriceUnknown", "no price of it is known"),
        ),
        (("manifests", "--instance", "p5.48xlarge", "--region", "us-west-2"), ("PriceUnknown", "us-east-1")),
        (
            (
                "manifests",
                "--instance",
                "a3-highgpu-8g",
                "--region",
                "us-central1",
                "--price",
                "a3-highgpu-8g=88",
            ),
            ("ShapeUnknown", "--node-cpu"),
        ),
        (("manifests", "--instance", "p5.48xlarge", "--region", "x", "--price", "p5.48xlarge"), ("--price",)),
        (
            ("manifests", "--instance", "p5.48xlarge", "--region", "x", "--price", "p5.48xlarge=0"),
            ("above 0",),
        ),
        (
            ("manifests", "--instance", "p5.48xlarge", "--region", "x", "--price", "p5.48xlrge=1"),
            ("InstanceUnknown",),
        ),
        (
            ("manifests", "--cloud", "aws", "--region", "us-east-1", "--node-pool", "a"),
            ("exactly one --instance",),
        ),
        (
            ("manifests", "--chip", "maia-100", "--model", "deepseek-r1"),
            ("no variant of deepseek-r1 is left",),
        ),
        (("manifests", "--model", "qwen3-8b", "--precision", "fp12"), ("fp12",)),
        (("manifests", "--instance", "p5.48xlarge", "--region", "x", "--prices", "none.csv"), ("none.csv",)),
    ],
)
def test_what_cannot_be_answered_says_why_and_writes_nothing(
    arguments: tuple[str, ...], says: tuple[str, ...]
):
    said = refused(*arguments)
    assert all(part in said for part in says), said


def test_without_a_choice_all_classes_are_made():
    found = made()
    assert {document["kind"] for document in found} == {"AcceleratorClass"}
    assert len(found) == len(catalog.chips())


def test_classes_profiles_and_pools_of_a_region_plan_together(tmp_path: Path):
    """What is made is enough to be read as a fleet."""
    path = tmp_path / "made.yaml"
    result = invoke(
        *(
            "catalog",
            "manifests",
            "--cloud",
            "azure",
            "--region",
            "westus3",
            "--chip",
            "h100",
            "--chip",
            "mi300x",
        ),
        *("--model", "Qwen/Qwen3-32B", "--max-nodes", 4, "-o", path),
    )
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    for document in yaml.safe_load_all(path.read_text()):
        if document:
            parse(document)
    assert {one["name"] for one in shown("chips", "-f", path)["chips"]} == {"h100-sxm", "mi300x"}
    (model,) = shown("models", "-f", path)["models"]
    assert all(variant["usable"] for variant in model["variants"])
    assert {pool["pricePerHour"] for pool in shown("pools", "-f", path)["pools"]} == {"98.3200", "48.0000"}


def test_maia_has_no_resource_name_and_the_output_says_so():
    (maia,) = made("--chip", "maia-200")
    assert "resourceName" not in maia["spec"]
    assert "nobody has published how Kubernetes shows the chip" in text("manifests", "--chip", "maia-200")


def test_a_variant_that_is_left_out_is_said_on_standard_error():
    result = invoke("catalog", "manifests", "--chip", "h100", "--chip", "a10g", "--model", "qwen3-8b")
    assert result.exit_code == 0
    assert result.stderr.startswith("left out, NoPrecision: qwen3-8b: no dense TFLOPS are published for a10g")


def test_a_price_of_ones_own_makes_a_pool_anywhere():
    found = made("--instance", "p5.48xlarge", "--region", "us-west-2", "--price", "p5.48xlarge=60.54")[-1]
    assert found["spec"]["price"]["amount"] == "60.54"
    assert found["metadata"]["annotations"] == {"chipwise.dev/price-source": "given with --price"}


@pytest.mark.parametrize(
    ("file", "instance", "region", "amount"),
    [
        ("skypilot.csv", "p5.48xlarge", "us-west-2", "60.54"),
        ("azure_retail.json", "Standard_ND96isr_H100_v5", "norwayeast", "98.32"),
    ],
)
def test_a_price_list_of_ones_own_makes_pools_of_its_regions(
    file: str, instance: str, region: str, amount: str
):
    found = made("--instance", instance, "--region", region, "--prices", PRICES / file)[-1]
    assert found["spec"]["price"]["amount"] == amount
    assert found["metadata"]["annotations"]["chipwise.dev/price-source"] == file


def test_a_price_in_another_currency_stays_in_it(tmp_path: Path):
    (tmp_path / "mine.json").write_text((PRICES / "azure_retail.json").read_text().replace('"USD"', '"EUR"'))
    arguments = ("--instance", "Standard_ND96isr_H100_v5", "--region", "norwayeast")
    found = made(*arguments, "--prices", tmp_path / "mine.json")[-1]
    assert found["spec"]["price"]["currency"] == "EUR"


def test_a_refused_row_makes_no_pool(tmp_path: Path):
    rows = (PRICES / "skypilot.csv").read_text().replace("60.54,21.5", "60.54,61.5")
    (tmp_path / "mine.csv").write_text(rows)
    arguments = ("--instance", "p5.48xlarge", "--region", "us-west-2", "--prices", tmp_path / "mine.csv")
    said = refused("manifests", *arguments)
    assert "row 2: SpotAboveOnDemand" in said
    said = refused("manifests", "--instance", "p5.48xlarge", "--region", "eu-west-1", *arguments[4:])
    assert "PriceUnknown" in said


@pytest.mark.parametrize("name", ["skypilot.csv", "azure_retail.json"])
def test_a_good_price_list_is_said_to_be_good(name: str):
    assert "rows are prices of a machine for an hour" in text("check-prices", PRICES / name)


def test_bad_rows_are_listed_and_end_with_2(tmp_path: Path):
    path = tmp_path / "mine.csv"
    path.write_text((PRICES / "skypilot.csv").read_text().replace("0.8048", "700.0"))
    result = invoke("catalog", "check-prices", path)
    assert result.exit_code == 2
    (line,) = [line for line in result.stdout.splitlines() if "PricePlaceholder" in line]
    assert line.split()[:3] == ["3", "g6.xlarge", "us-west-2"]
    assert "1 of 3 rows are refused" in result.stderr
    document = json.loads(invoke("catalog", "check-prices", path, "-o", "json").stdout)
    assert [[one["reason"] for one in row["refusals"]] for row in document["rows"]] == [
        [],
        ["PricePlaceholder"],
        [],
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"InstanceType,Price\n", "the column vCPUs is missing"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "is not UTF-8"),
    ],
)
def test_a_file_in_no_known_format_says_what_is_missing(tmp_path: Path, content: bytes, says: str):
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    assert says in refused("check-prices", path)


def test_a_price_list_can_come_through_a_pipe():
    result = invoke("catalog", "check-prices", "-", stdin=(PRICES / "skypilot.csv").read_text())
    assert result.exit_code == 0
