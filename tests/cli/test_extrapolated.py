"""A profile whose points are far from the load says so in plan and explain."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.fleet import Document, chip, invoke, planned, pool, profile, variant, workload, write


def fleet(folder: Any, *concurrencies: int) -> Any:
    """A light load on one chip, measured at these concurrencies."""
    point = {"inputTokens": 100, "outputTokens": 100, "ttft": "100ms", "tpot": "20ms"}
    measured = variant("nova", performance={"points": [point | {"concurrency": n} for n in concurrencies]})
    return write(folder, chip("nova"), pool("nova", "4"), profile(measured), workload("chat"))


def placed(folder: Any, *concurrencies: int) -> Document:
    (only,) = planned(fleet(folder, *concurrencies))["workloads"]
    found: Document = only["placements"][0]
    return found


@pytest.mark.parametrize(
    ("concurrencies", "provenance"),
    [((1, 16), "Measured"), ((64, 128), "Extrapolated"), ((128,), "Extrapolated")],
)
def test_a_load_far_below_what_was_measured_is_extrapolated(tmp_path, concurrencies, provenance):
    assert placed(tmp_path, *concurrencies)["provenance"] == provenance


def test_the_band_is_wider_the_less_was_measured(tmp_path):
    bands = [placed(tmp_path, *concurrencies)["band"] for concurrencies in ((1, 16), (64, 128), (128,))]
    assert bands == sorted(set(bands))


def test_explain_says_it_in_words(tmp_path):
    said = invoke("explain", "chat", "-f", fleet(tmp_path, 128)).stdout
    assert "(Extrapolated, within 8" in " ".join(said.split())
