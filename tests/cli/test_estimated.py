"""A variant that nobody measured says in plan and explain how far it is to be trusted, and what it leans on."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from chipwise import catalog
from chipwise.catalog.manifests import chip_class
from chipwise.catalog.shelf import model_entry
from chipwise.reasons import Refusal

from tests.cli.fleet import EXAMPLES, Document, chip, invoke, planned, pool, profile, variant, workload, write


def fleet(folder: Any, name: str, model: str, engine: str = "vllm", objective: Any = None) -> Any:
    """A variant of a shipped model on a shipped chip, without a measurement."""
    shipped, entry = catalog.chip(name), model_entry(model)
    assert not isinstance(shipped, Refusal)
    assert not isinstance(entry, Refusal)
    unmeasured = variant(name, chips=4, precision="bf16", performance=None, baseImages=[f"{engine}/*"])
    described = profile(unmeasured)
    described["spec"] |= {"model": model, "architecture": dict(entry.fields)}
    asked = workload("chat", objectives=[objective or {"metric": "TPOT", "threshold": "40ms"}])
    return write(folder, chip_class(shipped), pool(name, "4"), described, asked)


def placed(path: Any) -> Document:
    (only,) = planned(path)["workloads"]
    found: Document = only["placements"][0]
    return found


CASES = [
    ("h100-sxm", "Qwen/Qwen3-32B", "vllm", "Scaled", "measurements of Qwen/Qwen3-32B on h100-sxm with vllm"),
    ("h100-sxm", "Qwen/Qwen3-32B", "own", "Estimated", "h100-sxm with another engine or precision"),
    ("mi300x", "Qwen/Qwen3-32B", "vllm", "Estimated", "measurements of Qwen/Qwen3-32B on other chips"),
    ("h100-sxm", "Qwen/Qwen3-14B", "vllm", "Estimated", "measurements of other models on h100-sxm"),
    ("mi300x", "Qwen/Qwen3-14B", "vllm", "Estimated", "chip alone, for no measurement of either ships"),
]


@pytest.mark.parametrize(("chip", "model", "engine", "provenance", "words"), CASES)
def test_explain_says_what_an_estimate_leans_on(tmp_path, chip, model, engine, provenance, words):
    path = fleet(tmp_path, chip, model, engine)
    assert placed(path)["provenance"] == provenance
    said = " ".join(invoke("explain", "chat", "-f", path).stdout.split())
    assert f"({provenance}, within " in said
    assert words in said


def test_the_band_is_wider_the_less_was_measured_of_it(tmp_path):
    near, elsewhere, nothing = (
        placed(fleet(tmp_path, chip, model))["band"] for chip, model, *_ in (CASES[0], CASES[2], CASES[4])
    )
    assert near < elsewhere < nothing


def test_a_percentile_of_an_estimate_counts_at_the_upper_end_of_its_band(tmp_path):
    """An objective just above the expected time is met by the mean and not by a percentile."""
    expected = placed(fleet(tmp_path, "h100-sxm", "Qwen/Qwen3-32B"))["tpotMilliseconds"]
    near = {"metric": "TPOT", "threshold": f"{expected * 1.1:.1f}ms"}
    assert planned(fleet(tmp_path, "h100-sxm", "Qwen/Qwen3-32B", objective=near))["summary"]["placed"] == 1
    strict = fleet(tmp_path, "h100-sxm", "Qwen/Qwen3-32B", objective=near | {"statistic": "P90"})
    (refused,) = planned(strict, exit_code=1)["workloads"]
    assert refused["candidates"][0]["reason"] == "ObjectiveMissed"
    assert "at the upper end of the estimate's band, above" in refused["candidates"][0]["message"]


def test_the_surer_it_must_be_the_more_a_measurement_is_worth(tmp_path):
    """An estimate is cheaper and keeps the objective by what is expected; a measurement is dearer and keeps it with room."""
    shipped = catalog.chip("h100-sxm")
    assert not isinstance(shipped, Refusal)
    model = "Qwen/Qwen3-14B"
    entry = model_entry(model)
    assert not isinstance(entry, Refusal)
    guessed = variant("h100-sxm", chips=4, performance=None, baseImages=["vllm/*"])
    described = profile(guessed, variant("dear", tpot="5ms"))
    described["spec"] |= {"model": model, "architecture": dict(entry.fields)}
    expected = placed(fleet(tmp_path, "h100-sxm", model))["tpotMilliseconds"]
    kinds = chip_class(shipped), chip("dear"), pool("h100-sxm", "4"), pool("dear", "30"), described
    one = {"metric": "TPOT", "threshold": f"{expected * 1.2:.1f}ms"}

    def where(**more: str) -> tuple[str, str]:
        path = write(tmp_path, *kinds, workload("chat", objectives=[one | more]))
        return placed(path)["variant"], " ".join(invoke("explain", "chat", "-f", path).stdout.split())

    chosen, said = where()
    assert chosen == where(confidence="50%")[0] == "h100-sxm-x2"
    assert "confidence" not in said
    chosen, said = where(confidence="90%")
    assert chosen == "dear-x2"
    assert f"TPOT Mean <= {one['threshold']} with a confidence of 90%" in said


def test_a_plan_of_measured_variants_loads_no_measurements_that_ship():
    """Nor the estimator: it starts fast, and takes no memory for what it does not ask."""
    code = (
        "import sys; from click.testing import CliRunner; from chipwise.cli.main import main; "
        f"found = CliRunner().invoke(main, ['plan', '-f', {str(EXAMPLES)!r}]); "
        "print(found.exit_code, [name for name in sys.modules "
        "if name.startswith(('chipwise.performance.estimator', 'chipwise.catalog.measurements'))])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "1 []"
