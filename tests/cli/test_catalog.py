"""``chipwise catalog``: what is known of chips, models and pools, what nobody published, and what cannot be used."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from chipwise.cli.catalog import catalog
from chipwise.cli.catalogue import OBJECTS, SHIPPED

from tests.cli.fleet import EXAMPLES, ROOT, chip, invoke, ours, pool, profile, variant, write
from tests.cli.test_cluster import kubeconfig

__all__ = ["kubeconfig"]

SECTIONS = tuple(OBJECTS)


def shown(*arguments: Any) -> Any:
    result = invoke("catalog", *arguments, "-o", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def text(*arguments: Any) -> str:
    result = invoke("catalog", *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """A chip of which next to nothing is published, and one without a resource name."""
    figures = {"tflops": [{"precision": "bf16", "dense": 989}], "watts": 700, "source": "data sheet of 2025"}
    return write(
        tmp_path,
        chip("known", **figures, interconnectGBps=450),
        chip("quiet"),
        chip("nameless", resourceName=None),
        pool("known", "80", price={"amount": "80", "source": "invoice"}, zones=["a"]),
        pool("nameless", "16"),
        profile(variant("known"), variant("nameless"), variant("absent", performance=None)),
    )


def test_commands_and_contents_name_the_same_sections():
    assert set(catalog.commands) == {*OBJECTS, *SHIPPED, "manifests", "check-prices"}


def test_a_chip_is_shown_with_every_figure_and_its_source(fleet):
    known = next(one for one in shown("chips", "-f", fleet)["chips"] if one["name"] == "known")
    assert known == {
        "name": "known",
        "vendor": "Example",
        "chip": "known",
        "memory": "80G",
        "memoryBytes": 80_000_000_000,
        "memoryBandwidthGBps": 3000,
        "tflops": {"bf16": 989},
        "interconnectGBps": 450,
        "watts": 700,
        "architecture": "amd64",
        "resourceName": "example.com/known",
        "pools": ["known"],
        "usable": True,
        "reason": None,
        "message": None,
        "source": "data sheet of 2025",
    }


def test_what_nobody_published_is_said_and_not_guessed(fleet):
    (quiet,) = shown("chips", "quiet", "-f", fleet)["chips"]
    assert (quiet["tflops"], quiet["watts"], quiet["interconnectGBps"], quiet["source"]) == (
        {},
        None,
        None,
        None,
    )
    lines = text("chips", "quiet", "-f", fleet)
    for label in ("dense TFLOPS", "interconnect", "power"):
        assert next(line for line in lines.splitlines() if line.startswith(label)).endswith("not published")
    assert "not stated" in lines


def test_a_chip_without_a_resource_name_is_not_usable_and_says_why(fleet):
    (nameless,) = shown("chips", "nameless", "-f", fleet)["chips"]
    assert (nameless["usable"], nameless["reason"]) == (False, "ResourceNameMissing")
    assert "no, ResourceNameMissing: spec.resourceName is missing" in text("-f", fleet)
    (its_pool,) = shown("pools", "nameless", "-f", fleet)["pools"]
    assert its_pool["reason"] == "ResourceNameMissing"


def test_a_model_shows_its_variants_and_what_stands_in_their_way(fleet):
    (model,) = shown("models", "-f", fleet)["models"]
    assert [(one["name"], one["usable"], one["reason"]) for one in model["variants"]] == [
        ("known-x2", True, None),
        ("nameless-x2", False, "ResourceNameMissing"),
        ("absent-x2", False, "ClassMissing"),
    ]
    assert [one["performance"]["kind"] for one in model["variants"]] == ["Points", "Points", "None"]
    assert "bench of known" in text("models", "llama", "-f", fleet)


def test_a_pool_shows_its_price_and_what_a_chip_costs(fleet):
    known = shown("pools", "known", "-f", fleet)["pools"][0]
    assert (known["pricePerHour"], known["priceUnit"], known["chipPricePerHour"]) == (
        "80.0000",
        "Node",
        "10.0000",
    )
    assert (known["source"], known["zones"], known["nodesMax"]) == ("invoice", ["a"], 4)
    assert "80.00 $/node" in text("pools", "-f", fleet)


def test_yaml_says_the_same(fleet):
    result = invoke("catalog", "pools", "-f", fleet, "-o", "yaml")
    assert yaml.safe_load(result.stdout) == shown("pools", "-f", fleet)


def test_an_unknown_name_ends_with_2_and_the_known_ones(fleet):
    result = invoke("catalog", "chips", "none", "-f", fleet)
    assert result.exit_code == 2
    assert "no AcceleratorClass none: the known ones are known, nameless, quiet" in result.stderr


@pytest.mark.parametrize("section", SECTIONS)
def test_nothing_there_is_an_answer(tmp_path, section: str):
    empty = write(tmp_path, ours("PlacementPolicy", "default", {}))
    assert text(section, "-f", empty).startswith("There is no ")
    assert shown(section, "-f", empty) == {section: []}


@pytest.mark.parametrize("section", SECTIONS)
def test_every_entry_of_the_examples_can_be_shown(section: str):
    for entry in shown(section, "-f", EXAMPLES)[section]:
        assert entry["name"] in text(section, entry["name"], "-f", EXAMPLES)


def test_every_chip_of_the_examples_has_its_source():
    assert all(one["source"] for one in shown("-f", EXAMPLES)["chips"])


@pytest.mark.parametrize("section", SECTIONS)
def test_every_field_is_documented(section: str):
    told = documented("## What `catalog` shows")
    entry = shown(section, "-f", EXAMPLES)[section][0]
    fields = [*entry, *(field for one in entry.get("variants", ()) for field in one)]
    assert not [field for field in fields if f"`{field}`" not in told]


def documented(heading: str) -> str:
    """A section of docs/cli.md, up to the next heading."""
    return (ROOT / "docs" / "cli.md").read_text().split(f"\n{heading}\n")[1].split("\n#")[0]


async def test_of_a_cluster_only_the_three_kinds_are_read(kubeconfig):
    """So that the chart's viewer is right enough."""
    path, running = kubeconfig
    running.seen.clear()
    found = await asyncio.to_thread(invoke, "catalog", "--kubeconfig", path, "-o", "json")
    assert [one["name"] for one in json.loads(found.stdout)["chips"]] == ["cheap", "dear"]
    asked = {path.partition("?")[0].rpartition("/")[2] for _, path, _, _ in running.seen}
    assert asked == {"acceleratorclasses", "acceleratorpools", "modelprofiles"}
    assert running.methods() == {"GET"}
