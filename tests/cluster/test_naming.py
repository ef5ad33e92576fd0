"""By which names an estimate finds the measurements that ship."""

from __future__ import annotations

from typing import Any

import pytest
from chipwise.api import AcceleratorClass, ModelProfile, parse
from chipwise.cluster.naming import ENGINES, names_of
from chipwise.performance.estimator import physics

from tests.cluster import documents as docs


def names(variant: Any = None, chip_class: Any = None, model: str = "example/llama", **spec: Any) -> Any:
    profile = parse(docs.profile(variant or docs.variant("h100", container=None), model=model, **spec))
    found = parse(chip_class or docs.chip_class("h100"))
    assert isinstance(profile, ModelProfile)
    assert isinstance(found, AcceleratorClass)
    return names_of(profile, profile.spec.variants[0], found)


@pytest.mark.parametrize(
    ("name", "vendor", "chip", "known"),
    [
        ("h100", "NVIDIA", "H100 SXM", "h100-sxm"),
        ("h100-sxm", "nvidia", "whatever it is called", "h100-sxm"),
        ("ours", "NVIDIA", "h100 sxm", "h100-sxm"),
        ("ours", "NVIDIA", "H100", ""),
        ("h100", "ACME", "h100", ""),
        ("h200", "NVIDIA", "H100 SXM", "h200"),
        ("maia", "Microsoft", "Maia 200", "maia-200"),
    ],
)
def test_a_chip_is_known_by_the_name_of_its_class_or_by_its_vendors_words(
    name: str, vendor: str, chip: str, known: str
) -> None:
    """A name or alias first; never a chip of another vendor, and nothing is guessed from words that are not the same."""
    assert names(chip_class=docs.chip_class(name, vendor=vendor, chip=chip)).accelerator == known


@pytest.mark.parametrize(
    ("model", "known"),
    [
        ("Qwen/Qwen3-32B", "Qwen/Qwen3-32B"),
        ("qwen/qwen3-32b", "Qwen/Qwen3-32B"),
        ("example/llama", "example/llama"),
    ],
)
def test_a_model_goes_by_its_id(model: str, known: str) -> None:
    """Spelt as the catalogue does; one that nobody listed keeps its own."""
    assert names(model=model).model == known


QWEN = {
    "parameters": 32_762_123_264,
    "layers": 64,
    "hiddenSize": 5120,
    "attentionHeads": 64,
    "kvHeads": 8,
    "headDim": 128,
}


@pytest.mark.parametrize(
    ("changed", "known"),
    [
        ({}, "Qwen/Qwen3-32B"),
        ({"parameters": 32_800_000_000}, "Qwen/Qwen3-32B"),
        ({"maxContextTokens": 131_072}, "Qwen/Qwen3-32B"),
        ({"layers": 32}, "Qwen/Qwen3-32B (own shape)"),
        ({"parameters": 9_000_000_000}, "Qwen/Qwen3-32B (own shape)"),
    ],
)
def test_an_id_that_is_given_to_another_shape_is_another_model(changed: Any, known: str) -> None:
    """What was measured of the one that ships says nothing of it."""
    assert names(model="Qwen/Qwen3-32B", architecture={**QWEN, **changed}).model == known


@pytest.mark.parametrize(
    ("image", "base", "engine"),
    [
        ("vllm/vllm-openai:v0.12.0", (), "vllm"),
        ("rocm/vllm:rocm7.0.0_vllm_0.11.2_20251210", (), "vllm"),
        ("lmsysorg/sglang:v0.5.6", ("vllm/*",), "sglang"),
        ("nvcr.io/nvidia/tensorrt-llm/release:1.0.0", (), "trtllm"),
        ("example.com/engine:1", ("vllm/vllm-openai:*",), ""),
        (None, ("vllm/vllm-openai:*", "example.com/vllm:*"), "vllm"),
        (None, ("vllm/vllm-openai:*", "lmsysorg/sglang:*"), ""),
        (None, ("vllm/vllm-openai:*", "example.com/*"), ""),
        (None, (), ""),
    ],
)
def test_the_engine_is_that_of_the_image(image: str | None, base: tuple[str, ...], engine: str) -> None:
    """The variant's own, else all that it was made for; empty where they differ or do not tell."""
    container = {"image": image} if image else None
    variant = docs.variant("h100", container=container, baseImages=list(base))
    assert names(variant).engine == engine


def test_the_precision_is_the_variants() -> None:
    """As the manifest spells it, so do the measurements."""
    assert names(docs.variant("h100", precision="bf16")).precision == "bf16"


def test_the_engines_that_images_tell_are_those_that_the_estimator_learns() -> None:
    """One of another name would be estimated as if nobody had said it."""
    assert set(ENGINES) == set(physics.ENGINES)
