"""The chips that ship: every figure has a source that is described, or says why there is none."""

from __future__ import annotations

import pytest
from chipwise import catalog
from chipwise.api import AcceleratorClass, parse
from chipwise.catalog import ChipEntry
from chipwise.catalog.manifests import chip_class
from chipwise.performance import Chip

CHIPS = [pytest.param(chip, id=chip.name) for chip in catalog.chips()]
NAMES = {
    *(
        "maia-100",
        "maia-200",
        "t4",
        "a10",
        "a10g",
        "a100-40",
        "a100-80",
        "l4",
        "l40s",
        "h100-sxm",
        "h100-nvl",
    ),
    *("h200", "b200", "gb200", "b300", "gb300", "rtx-pro-6000", "mi300x", "mi325x", "mi355x"),
    *("tpu-v5e", "tpu-v5p", "tpu-v6e", "tpu-v7", "inferentia2", "trainium1", "trainium2", "trainium3"),
    *("gaudi2", "gaudi3"),
}
UNPUBLISHED = {"maia-100", "maia-200"}


def entry(name: str) -> ChipEntry:
    found = catalog.chip(name)
    assert isinstance(found, ChipEntry), found
    return found


def test_all_of_them_ship():
    assert {chip.name for chip in catalog.chips()} >= NAMES
    vendors = {chip.vendor for chip in catalog.chips()}
    assert vendors == {"NVIDIA", "AMD", "Microsoft", "Google", "AWS", "Intel"}


@pytest.mark.parametrize("chip", CHIPS)
def test_a_figure_is_sourced_or_says_why_it_is_missing(chip: ChipEntry):
    for name, figure in chip.figures().items():
        assert figure.sources if figure.value is not None else figure.note, name
        assert all(chip.sources[key] for key in figure.sources)
        assert not (figure.note == "unverified" and figure.value is not None), name


@pytest.mark.parametrize("chip", CHIPS)
def test_no_figure_rests_on_memory(chip: ChipEntry):
    assert not [text for text in chip.sources.values() if "unverified" in text or "from memory" in text]


@pytest.mark.parametrize("chip", CHIPS)
def test_a_class_of_it_is_what_the_api_takes(chip: ChipEntry):
    found = parse(chip_class(chip))
    assert isinstance(found, AcceleratorClass)
    assert {str(one.precision): one.dense for one in found.spec.tflops} == chip.dense
    assert (found.spec.interconnect_gbps, found.spec.watts) == (chip.interconnect.value, chip.watts.value)
    assert (found.spec.resource_name is None) == (chip.name in UNPUBLISHED)


def test_nothing_that_kubernetes_would_need_of_maia_is_made_up():
    for name in UNPUBLISHED:
        spec = chip_class(entry(name))["spec"]
        assert not {"resourceName", "discovery", "tolerations", "architecture"} & set(spec)


def test_no_name_or_alias_means_two_chips():
    names = [name for chip in catalog.chips() for name in (chip.name, *chip.aliases)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("h100_sxm", "h100-sxm"),
        ("H100", "h100-sxm"),
        ("h200_sxm", "h200"),
        ("b200_sxm", "b200"),
        ("gb200", "gb200"),
    ],
)
def test_a_chip_is_found_by_the_names_that_others_give_it(asked: str, name: str):
    assert entry(asked).name == name


def test_the_performance_model_gets_bytes_and_operations():
    """80 GiB, 3,350 GB/s, 1,979 TFLOPS at fp8, 450 GB/s in one direction; nothing at a precision that is not published."""
    assert entry("h100").at("fp8") == Chip(80 * 2**30, 3350e9, 1979e12, 450e9)
    assert entry("h100").at("fp4").flops is None
    assert entry("trainium2").at("bf16").interconnect_bytes_per_second is None


def test_links_are_in_one_direction():
    """TPUs are stated both ways, Maia and NVLink in one."""
    assert entry("tpu-v5e").interconnect.value == 200
    assert entry("maia-200").interconnect.value == 1400
