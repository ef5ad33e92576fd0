"""Rows of measurements that an estimator learns from: with the columns of aiconfigurator's silicon sample.

The sample itself ships (``data/silicon``, with its notice): 1,072 rows of real servers on four NVIDIA chips. Rows without a concurrency
are left out and counted, for nothing says at which load they were taken.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from chipwise.catalog import cells, server_settings, shelf
from chipwise.catalog.cases import (
    LEAST_OUTPUT,
    MOST_CHIPS,
    MOST_CONCURRENCY,
    MOST_TOKENS,
    Named,
    Sizes,
    case_of,
)
from chipwise.catalog.layouts import Impossible, impossible
from chipwise.catalog.model_shapes import ModelEntry
from chipwise.catalog.recipes import serving_of
from chipwise.catalog.records import BrokenCatalogue
from chipwise.performance.bounds import BOUNDS
from chipwise.performance.computing import WEIGHT_BITS
from chipwise.performance.estimator import Case, Serving, Table, table
from chipwise.performance.plausible import implausible
from chipwise.performance.types import Hardware, Metric, Point
from chipwise.reasons import Reason, Refusal

REQUIRED = (
    *("model_path", "system", "precision", "backend", "isl", "osl", "concurrency"),
    *("tp_size", "silicon_ttft_ms", "silicon_tpot_ms"),
)

SIZE_COLUMNS = {
    "tensor": "tp_size",
    "pipeline": "pp_size",
    "data": "attention_dp_size",
    "expert": "moe_ep_size",
}
"""The column of each of ``Sizes``."""

_SAME_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Measurements:
    """Measured cases, milliseconds, and the number of the run each row is of: rows equal in both figures are one run."""

    cases: tuple[Case, ...]
    ttft_ms: NDArray[np.float64]
    tpot_ms: NDArray[np.float64]
    runs: NDArray[np.intp]
    left_out: int

    @property
    def table(self) -> Table:
        """The cases as one table."""
        return table(self.cases)

    def take(self, which: NDArray[np.intp]) -> Measurements:
        """The rows of an index, in its order; of those that were left out there is no more to say."""
        cases = tuple(self.cases[row] for row in which.tolist())
        return Measurements(cases, self.ttft_ms[which], self.tpot_ms[which], self.runs[which], 0)


@dataclass(frozen=True, slots=True)
class BadRow:
    """Row (the first below the header is 2, as editors count) and column, and what is wrong."""

    row: int
    column: str
    problem: str


@lru_cache(maxsize=1)
def shipped() -> Measurements:
    """The rows that ship."""
    text = (files("chipwise.catalog") / "data" / "silicon" / "serving_measurements.csv").read_text("utf-8")
    found = read(csv.DictReader(io.StringIO(text)))
    if isinstance(found, Measurements):
        return found
    raise BrokenCatalogue(f"data/silicon: {found[0]}")


def read(
    rows: Iterable[Mapping[str, str]], model_of: Callable[[str], ModelEntry | Refusal] = shelf.model_entry
) -> Measurements | Sequence[BadRow]:
    """Read rows, all or none: if any is wrong, every wrong one is told."""
    cases, figures, bad, left_out = [], [], [], 0
    for number, row in enumerate(rows, start=2):
        if missing := [name for name in REQUIRED if row.get(name) is None]:
            return [BadRow(1, name, "the column is missing") for name in missing]
        if not row["concurrency"].strip():
            left_out += 1
            continue
        try:
            named = named_of(row)
            ttft, tpot = (_milliseconds(row, name) for name in ("ttft", "tpot"))
        except BadCellError as wrong:
            bad.append(BadRow(number, wrong.column, str(wrong)))
            continue
        case = case_of(named, model_of)
        if isinstance(case, Refusal) and (wrong_size := _layout(named, model_of)):
            bad.append(BadRow(number, SIZE_COLUMNS[wrong_size.size], f"{case.reason.value}: {case.message}"))
            continue
        if isinstance(case, Refusal):
            bad.append(BadRow(number, _COLUMN.get(case.reason, ""), f"{case.reason.value}: {case.message}"))
            continue
        if cannot := _cannot_be(case, ttft, tpot):
            bad += [BadRow(number, column, message) for column, message in cannot]
            continue
        cases.append(replace(case, serving=_served(case, row.get("silicon_data_source") or "")))
        figures.append((ttft, tpot))
    if bad:
        return bad
    told = np.array(figures, dtype=np.float64).reshape(-1, 2)
    runs = np.unique(_rounded(told), axis=0, return_inverse=True)[1].ravel()
    return Measurements(tuple(cases), told[:, 0], told[:, 1], runs, left_out)


def _served(case: Case, source: str) -> Serving:
    """How the server was set: what the row says, else what its campaign published."""
    told, published = case.serving, serving_of(case, source)
    return Serving(
        *(a if a is not None else b for a, b in zip(astuple(told), astuple(published), strict=True))
    )


def _layout(named: Named, model_of: Callable[[str], ModelEntry | Refusal]) -> Impossible | None:
    """The size that the model cannot be run in."""
    model = model_of(named.model)
    return None if isinstance(model, Refusal) else impossible(named.sizes, model.architecture)


def _cannot_be(case: Case, ttft_ms: float, tpot_ms: float) -> list[tuple[str, str]]:
    """Columns whose figure is faster than the chips can read the weights, with what is said of it."""
    hardware = Hardware(case.architecture, case.chip, case.chips, case.weight_bits)
    point = Point(int(case.concurrency), int(case.input_tokens), int(case.output_tokens), ttft_ms, tpot_ms)
    told = (
        ("silicon_ttft_ms", implausible(hardware, point, Metric.TTFT)),
        ("silicon_tpot_ms", implausible(hardware, point, Metric.TPOT)),
    )
    return [(column, f"{each.reason.value}: {each.message}") for column, each in told if each]


def _rounded(figures: NDArray[np.float64]) -> NDArray[np.float64]:
    """To eight digits: copies of a table may differ in the next."""
    digits = 10.0 ** (_SAME_DIGITS - 1 - np.floor(np.log10(figures)))
    rounded: NDArray[np.float64] = np.round(figures * digits) / digits
    return rounded


class BadCellError(ValueError):
    """A cell that cannot be read; ``column`` names it."""

    def __init__(self, column: str, problem: str) -> None:
        super().__init__(problem)
        self.column = column


def named_of(row: Mapping[str, str]) -> Named:
    """The case of a row in words. Raises BadCellError."""
    told = Sizes(
        tensor=_whole(row, "tp_size", MOST_CHIPS),
        pipeline=_whole(row, "pp_size", MOST_CHIPS, blank=1),
        data=_whole(row, "attention_dp_size", MOST_CHIPS, blank=1),
        expert=_whole(row, "moe_ep_size", MOST_CHIPS, blank=1),
    )
    if row["precision"].strip().lower() not in ("", *WEIGHT_BITS):
        raise BadCellError("precision", f"{row['precision']} is none of {', '.join(WEIGHT_BITS)}, or empty")
    serving = server_settings.read(row)
    if isinstance(serving, server_settings.Wrong):
        raise BadCellError(serving.column, serving.problem)
    return Named(
        model=row["model_path"],
        accelerator=row["system"],
        precision=row["precision"].strip(),
        sizes=sizes_of(told, row.get("id") or ""),
        input_tokens=_whole(row, "isl", MOST_TOKENS),
        output_tokens=_whole(row, "osl", MOST_TOKENS, least=LEAST_OUTPUT),
        concurrency=_whole(row, "concurrency", MOST_CONCURRENCY),
        engine=row["backend"],
        engine_version=row.get("backend_version") or "",
        serving=serving,
    )


def sizes_of(told: Sizes, name: str) -> Sizes:
    """The sizes of a row without what was counted twice.

    ``name`` is the row's id: one such as ``..._tp2_0_ep2_0_...`` says how many chips the run had, also where its sizes alone could be right.
    """
    once = told.without_double_count()
    found = re.search(r"_tp(\d+)_(?:\d+_)?ep(\d+)_", name)
    if once != told or found is None or told.pipeline * told.data != 1:
        return once
    tensor, expert = (int(group) for group in found.groups())
    return replace(told, tensor=tensor) if told.tensor == tensor * expert and told.expert == expert else told


_COLUMN = {
    Reason.MODEL_UNKNOWN: "model_path",
    Reason.CHIP_UNKNOWN: "system",
    Reason.NO_PRECISION: "precision",
}


def _whole(row: Mapping[str, str], column: str, most: int, blank: int | None = None, least: int = 1) -> int:
    """A whole number from ``least`` to ``most``; blank or 0 as ``blank`` where that is given."""
    text = (row.get(column) or "").strip()
    if blank is not None and text in ("", "0", "0.0"):
        return blank
    value = _number(column, text)
    if value < least or value != int(value):
        raise BadCellError(column, f"{text or 'empty'} is not a whole number from {least}")
    if value > most:
        raise BadCellError(column, f"{text} is not between {least} and {most:,}")
    return int(value)


def _milliseconds(row: Mapping[str, str], name: str) -> float:
    column = f"silicon_{name}_ms"
    value = _number(column, row[column].strip())
    least, most = BOUNDS[name]
    if not least <= value <= most:
        raise BadCellError(column, f"{value:g} ms is not between {least:f} and {most:f}")
    return value


def _number(column: str, text: str) -> float:
    value = cells.number(text)
    if value is None:
        raise BadCellError(column, f"{text or 'empty'} is not a number")
    return value
