"""What the measurements that ship call a profile's model, a class's chip and a variant's engine.

An estimate leans on measurements of the same names. Where a name cannot be told it stays empty, and the estimate has the wider band.
"""

from __future__ import annotations

from functools import lru_cache

from chipwise.api import AcceleratorClass, ModelProfile, Variant
from chipwise.catalog import ModelEntry, shelf
from chipwise.catalog.own_models import APART, same_shape
from chipwise.cluster.stated import architecture_of
from chipwise.performance import Names
from chipwise.reasons import Refusal

ENGINES = {
    "vllm": ("vllm",),
    "sglang": ("sglang",),
    "trtllm": ("tensorrt-llm", "tensorrt_llm", "trtllm", "trt-llm"),
}
"""Words in the repositories of their images: vllm/vllm-openai, lmsysorg/sglang, nvcr.io/nvidia/tensorrt-llm/release."""


def names_of(profile: ModelProfile, variant: Variant, chip_class: AcceleratorClass) -> Names:
    """The names of everything that the manifests tell."""
    spec = chip_class.spec
    return Names(
        model=_model(profile),
        accelerator=_accelerator(chip_class.metadata.name, spec.vendor, spec.chip),
        precision=str(variant.precision),
        engine=engine_of(variant),
    )


def engine_of(variant: Variant) -> str:
    """The engine of the variant's image, else of the images it was made for; empty unless all of them are of one."""
    image = variant.container.image if variant.container is not None else None
    found = {_engine(each) for each in ((image,) if image else variant.base_images)}
    return found.pop() if len(found) == 1 else ""


def _engine(image: str) -> str:
    found = [name for name, words in ENGINES.items() if any(word in image.lower() for word in words)]
    return found[0] if len(found) == 1 else ""


def _model(profile: ModelProfile) -> str:
    """The id of the shipped model that is meant, else what is stated: it may be measured under that name. Another shape is another model."""
    stated, shape = profile.spec.model, profile.spec.architecture
    found = _shipped(stated)
    if found is None:
        return stated
    same = shape is None or same_shape(architecture_of(shape), found.architecture)
    return found.id if same else f"{found.id}{APART}"


@lru_cache(maxsize=1000)
def _shipped(stated: str) -> ModelEntry | None:
    """Remembered: who looks for a name in vain is told near ones, which takes its time."""
    found = shelf.model_entry(stated)
    return None if isinstance(found, Refusal) else found


@lru_cache(maxsize=1000)
def _accelerator(name: str, vendor: str, chip: str) -> str:
    """The shipped chip of the class's name, or of its vendor's words, but never one of another vendor."""
    found = shelf.chip(name)
    if not isinstance(found, Refusal) and found.vendor.lower() == vendor.lower():
        return found.name
    said = vendor.lower(), chip.lower()
    return next((each.name for each in shelf.chips() if (each.vendor.lower(), each.chip.lower()) == said), "")
