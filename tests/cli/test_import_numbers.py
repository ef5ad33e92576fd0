"""Whatever stands in a cell: it is a point of the manifest, or refused by row and column, and never anything between."""

from __future__ import annotations

import csv
import json
from decimal import Decimal, InvalidOperation
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from chipwise.api import parse
from chipwise.performance.bounds import BOUNDS
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cli.fleet import invoke
from tests.cli.measurements import FLAGS, VLLM, words

COLUMNS = {
    "concurrency": "concurrency",
    "input_tokens": "isl",
    "output_tokens": "osl",
    "ttft": "silicon_ttft_ms",
    "tpot": "silicon_tpot_ms",
}
SOUND = {"concurrency": "8", "isl": "1024", "osl": "128", "silicon_ttft_ms": "150", "silicon_tpot_ms": "20"}
REST = {
    "id": "it",
    "model_path": "acme/nobody-listed-it",
    "system": "h100_sxm",
    "precision": "fp8",
    "backend": "vllm",
    "backend_version": "0.12.0",
    "silicon_data_source": "measured=2026-01-25",
    "tp_size": "4",
    "pp_size": "1",
    "attention_dp_size": "",
}

numbers = st.one_of(
    st.integers(-10, 2_000_000).map(str),
    st.decimals(allow_nan=True, allow_infinity=True).map(str),
    st.floats(allow_nan=True).map(repr),
    st.sampled_from(
        [
            "",
            "0",
            "-0",
            "0x10",
            "1e999999",
            "1e-999999",
            "1_000",
            "١٢",
            "1,5",
            " 12 ",
            "NaN",
            "sNaN",
            "-inf",
            "true",
        ]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00"), max_size=12),
)


def imported(folder: Path, cells: dict[str, str]) -> Any:
    path = folder / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*REST, *cells])
        writer.writeheader()
        writer.writerow(REST | cells)
    return invoke("import", "silicon", path, "--statistic", "mean", "--startup-seconds", "60")


def sound(name: str, cell: str) -> Decimal | None:
    """The number that a cell means; None if it cannot be taken."""
    try:
        number = Decimal(cell.strip())
    except InvalidOperation:
        return None
    if not number.is_finite() or number.adjusted() > 12 or "_" in cell or not cell.strip().isascii():
        return None
    low, high = BOUNDS[name]
    if not low <= number <= high or (
        name in ("concurrency", "input_tokens", "output_tokens") and number != int(number)
    ):
        return None
    return number


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(sorted(COLUMNS)), numbers)
def test_a_cell_is_a_figure_of_the_point_or_refused_by_name(name: str, cell: str) -> None:
    """No cell is rounded to something else, defaulted, or left out."""
    with TemporaryDirectory() as folder:
        result = imported(Path(folder), SOUND | {COLUMNS[name]: cell})
    number = sound(name, cell)
    if number is None:
        assert (result.exit_code, result.stdout) == (2, "")
        assert f"rows.csv: row 2 (it): {COLUMNS[name]}: " in result.stderr
        return
    assert result.exit_code == 0, result.output
    document = yaml.safe_load(result.stdout)
    parse(document)
    (point,) = document["spec"]["variants"][0]["performance"]["points"]
    field = {"input_tokens": "inputTokens", "output_tokens": "outputTokens"}.get(name, name)
    told = Decimal(str(point[field]).removesuffix("ms"))
    assert abs(told - number) <= Decimal("0.0006")


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(
        [
            "mean_ttft_ms",
            "mean_tpot_ms",
            "max_concurrency",
            "completed",
            "failed",
            "total_input_tokens",
            "date",
        ]
    ),
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=True),
        st.text(max_size=8),
        st.lists(st.integers(), max_size=2),
        st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    ),
)
def test_a_field_of_a_result_never_breaks_an_import(field: str, value: Any) -> None:
    """It ends with a manifest that the API server takes, or with a sentence about the file and 2."""
    run = json.loads(min(VLLM.glob("*.json")).read_text()) | {field: value}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "run.json"
        path.write_text(json.dumps(run))
        result = invoke("import", "vllm-bench", path, *words({**FLAGS, "--class": "h100-sxm"}))
    if result.exit_code == 0:
        parse(yaml.safe_load(result.stdout))
        return
    assert (result.exit_code, result.stdout) == (2, "")
    assert "run.json: " in result.stderr
