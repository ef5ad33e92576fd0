"""Lookups: near names for what is not there, and nothing read before it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest
from chipwise import catalog
from chipwise.performance import Architecture
from chipwise.reasons import Reason, Refusal


def refusal(found: object) -> Refusal:
    assert isinstance(found, Refusal), found
    return found


@pytest.mark.parametrize(
    ("found", "reason", "near"),
    [
        (catalog.chip("h100_sx"), Reason.CHIP_UNKNOWN, "h100-sxm"),
        (catalog.chip("mi-300x"), Reason.CHIP_UNKNOWN, "mi300x"),
        (catalog.model("Qwen/Qwen3-23B"), Reason.MODEL_UNKNOWN, "Qwen/Qwen3-32B"),
        (catalog.model("someone/gpt-oss-120b"), Reason.MODEL_UNKNOWN, "gpt-oss-120b"),
        (catalog.instance("p5.48xlrage"), Reason.INSTANCE_UNKNOWN, "p5.48xlarge"),
        (catalog.instance("Standard_ND96isr_H100"), Reason.INSTANCE_UNKNOWN, "Standard_ND96isr_H100_v5"),
    ],
)
def test_an_unknown_name_is_refused_with_near_ones(found: object, reason: Reason, near: str):
    said = refusal(found)
    assert said.reason is reason
    assert near in said.message


def test_nothing_is_near_nonsense():
    assert "none is near" in refusal(catalog.chip("?")).message


@pytest.mark.parametrize("name", ["", "x" * 10_000, "h100 sxm", "../chips.yaml"])
def test_any_text_is_answered(name: str):
    assert refusal(catalog.chip(name)).reason is Reason.CHIP_UNKNOWN
    assert refusal(catalog.model(name)).reason is Reason.MODEL_UNKNOWN


def test_a_model_is_found_by_id_alias_and_name_whatever_the_case():
    names = ("Qwen/Qwen3-32B", "qwen/qwen3-32b", "Qwen/Qwen3-32B-FP8", "qwen3-32b")
    found = [catalog.model(name) for name in names]
    assert all(each == found[0] for each in found)
    assert isinstance(found[0], Architecture)


def test_importing_the_catalogue_reads_no_file():
    code = (
        "import sys, chipwise.cli.main; print('chipwise.catalog' in sys.modules); "
        "from chipwise.catalog import shelf; print(shelf.chips.cache_info().currsize, shelf.models.cache_info().currsize)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "0", "0"]
