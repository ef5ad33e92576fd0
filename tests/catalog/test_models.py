"""The models that ship: counted anew from their shapes, and held against what their makers publish."""

from __future__ import annotations

import re

import pytest
from chipwise import catalog
from chipwise.api import Architecture, ModelProfile, parse
from chipwise.catalog import ModelEntry
from chipwise.catalog.chip_figures import ChipEntry
from chipwise.catalog.manifests import Wanted, profile
from chipwise.performance.memory import cache_bytes
from chipwise.performance.types import Hardware

from tests.catalog.counting import recount

MODELS = [pytest.param(model, id=model.name) for model in catalog.models()]
MEASURED = (
    "deepseek-ai/DeepSeek-R1",
    "openai/gpt-oss-120b",
    "meta-llama/Llama-3.1-70B",
    "Qwen/Qwen3-32B",
    "Qwen/Qwen3-235B-A22B-FP8",
    "meta-llama/Llama-3.1-8B-Instruct",
)
"""Of these there are public measurements: published rows name them so."""


def stated(text: str) -> tuple[float, float]:
    """The count, and how much of it is rounding: 30.5B is 30.5 billion, give or take 0.05."""
    found = re.fullmatch(r"(\d+)(?:\.(\d+))?([BT])", text)
    assert found, text
    unit = {"B": 1e9, "T": 1e12}[found[3]]
    return float(f"{found[1]}.{found[2] or 0}") * unit, unit * 0.5 * 10.0 ** -len(found[2] or "")


@pytest.mark.parametrize("model", MODELS)
def test_the_parameters_are_those_of_the_shape(model: ModelEntry):
    """Vocabulary, widths, heads and experts as config.json has them make the number in the entry, to a thousandth."""
    counted = recount(model)
    assert model.architecture.parameters == pytest.approx(counted.total, rel=1e-3)
    assert model.architecture.active_parameters == pytest.approx(counted.active, rel=1e-3)


@pytest.mark.parametrize("model", MODELS)
def test_the_parameters_are_those_that_the_makers_publish(model: ModelEntry):
    """As far as the published digits go, and two per cent at most beyond: some count a vision encoder or a draft layer."""
    whole, rounding = stated(model.published["parameters"])
    assert abs(model.architecture.parameters - whole) <= max(rounding, 0.02 * whole)
    if "active" in model.published:
        active, rounding = stated(model.published["active"])
        assert abs(model.architecture.active_parameters - active) <= max(rounding, 0.02 * active)


def test_there_are_the_models_that_people_serve_and_those_that_were_measured():
    assert len(catalog.models()) >= 40
    assert {catalog.model_entry(name).id for name in MEASURED} == set(MEASURED)  # type: ignore[union-attr]


def test_a_mixture_of_experts_says_what_it_activates():
    for model in catalog.models():
        if model.architecture.experts:
            assert "active" in model.published
            assert model.architecture.active_parameters < model.architecture.parameters


def test_no_name_id_or_alias_means_two_models():
    names = [name.lower() for model in catalog.models() for name in (model.name, model.id, *model.aliases)]
    repeated = {name for name in names if names.count(name) > 1}
    assert not repeated


@pytest.mark.parametrize("model", MODELS)
def test_a_profile_takes_the_shape_as_it_is(model: ModelEntry):
    """In the API's own words, and nothing is lost on the way."""
    shape = Architecture.model_validate(model.fields, by_alias=True, by_name=False)
    assert shape.model_dump(by_alias=True, exclude_unset=True) == model.fields


def test_a_model_without_variants_is_no_profile_and_says_why():
    maia = chip_of("maia-100")
    found, refusals = profile(entry("deepseek-r1"), [(maia, 4)], Wanted())
    assert found is None
    assert [one.reason.value for one in refusals] == ["MemoryExceeded"]
    found, refusals = profile(entry("deepseek-r1"), [(chip_of("a10g"), 8)], Wanted())
    assert found is None
    assert [one.reason.value for one in refusals] == ["NoPrecision"]


@pytest.mark.parametrize(
    ("name", "chip", "variants"),
    [
        ("openai/gpt-oss-120b", "b200", ["b200-x1-fp4"]),  # as the checkpoint is
        ("openai/gpt-oss-120b", "h100", ["h100-sxm-x1-fp4"]),  # a format of storage there
        ("Qwen/Qwen3-32B", "h100", ["h100-sxm-x2-bf16"]),
        ("Qwen/Qwen3-32B", "t4", ["t4-x8-fp16"]),  # read as what the chip has
    ],
)
def test_a_variant_has_the_fewest_chips_that_hold_it(name: str, chip: str, variants: list[str]):
    found, refusals = profile(entry(name), [(chip_of(chip), 8)], Wanted(startup_seconds=240))
    assert found is not None
    assert not refusals
    parsed = parse(found)
    assert isinstance(parsed, ModelProfile)
    assert [variant.name for variant in parsed.spec.variants] == variants
    assert {variant.startup_seconds for variant in parsed.spec.variants} == {240}


@pytest.mark.parametrize(
    ("name", "elements"),
    [
        ("deepseek-ai/DeepSeek-R1", 61 * 576),
        ("Qwen/Qwen3-Next-80B-A3B-Instruct", 12 * 2 * 2 * 256),
        ("meta-llama/Llama-3.1-70B", 80 * 2 * 8 * 128),
        ("nvidia/Llama-3_3-Nemotron-Super-49B-v1", 49 * 2 * 8 * 128),
    ],
)
def test_what_a_token_keeps_is_that_of_its_kind_of_attention(name: str, elements: int):
    """Known from the models' papers, in elements of two bytes."""
    hardware = Hardware(entry(name).architecture, chip_of("h200").at("bf16"), 1, 16)
    assert cache_bytes(hardware, 1, 1) == 2 * elements


def entry(name: str) -> ModelEntry:
    found = catalog.model_entry(name)
    assert isinstance(found, ModelEntry), found
    return found


def chip_of(name: str) -> ChipEntry:
    found = catalog.chip(name)
    assert isinstance(found, ChipEntry), found
    return found
