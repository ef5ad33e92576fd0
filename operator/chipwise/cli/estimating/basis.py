"""What an answer stands on: which models are known, and which measurements were learnt from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from chipwise.catalog import BrokenCatalogue, measurements, own_models
from chipwise.catalog.estimating import ENOUGH_KINDS, ENOUGH_ROWS, learnt_from_alone, shipped_estimator
from chipwise.catalog.model_shapes import ModelEntry
from chipwise.cli.errors import BadInput
from chipwise.cli.importers.problems import Problems
from chipwise.cli.importers.reading import read_table, text_of
from chipwise.performance.estimator import Estimator
from chipwise.reasons import Refusal

MOST_ROWS = 5000
"""Every row is held against every other: time and memory grow with the square of them."""


@dataclass(frozen=True, slots=True)
class Basis:
    """``learnt`` is what the JSON says of it: from what, how many rows, and whether the constants were fitted to them."""

    model_of: Callable[[str], ModelEntry | Refusal]
    estimator: Estimator
    learnt: dict[str, Any]


def basis(models: Sequence[Path], file: Path | None) -> Basis:
    """Read both. Raises BadInput with file, row and column; what was learnt from ``file`` is said on standard error."""
    model_of = _lookup(models)
    if file is None:
        found = shipped_estimator()
        count = len(found.tpot.seen)
        return Basis(
            model_of, found, {"from": "shipped", "rows": count, "leftOut": 0, "constants": "Shipped"}
        )
    rows = _measurements(file, model_of)
    click.echo(f"learning from {len(rows.cases):,} rows of {file} ...", err=True)
    relearnt = learnt_from_alone(rows)
    constants = "Fitted" if relearnt.anew else "Shipped"
    click.echo(_said(rows, anew=relearnt.anew), err=True)
    learnt = {
        "from": str(file),
        "rows": len(rows.cases),
        "leftOut": rows.left_out,
        "constants": constants,
    }
    return Basis(model_of, relearnt.estimator, learnt)


def _said(rows: measurements.Measurements, *, anew: bool) -> str:
    models = {case.model for case in rows.cases}
    chips = {case.accelerator for case in rows.cases}
    without = f" ({rows.left_out} without a concurrency left out)" if rows.left_out else ""
    constants = (
        "all constants are fitted to them"
        if anew
        else f"the constants are the shipped ones, for fitting takes {ENOUGH_ROWS} rows of {ENOUGH_KINDS} models on {ENOUGH_KINDS} chips"
    )
    return (
        f"learnt from {len(rows.cases):,} rows{without} of {len(models)} model(s) on {len(chips)} chip(s) and from no others; "
        f"{constants}"
    )


def _lookup(paths: Sequence[Path]) -> Callable[[str], ModelEntry | Refusal]:
    try:
        return own_models.with_shipped([entry for path in paths for entry in _models(path)])
    except BrokenCatalogue as error:
        raise BadInput(f"--models: {error}") from error


def _models(path: Path) -> tuple[ModelEntry, ...]:
    import yaml  # noqa: PLC0415 - only where there is such a file

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        documents = list(yaml.load_all(text_of(path), Loader=loader))
        return own_models.read(documents, str(path))
    except yaml.YAMLError as error:
        raise BadInput(f"{path}: is not YAML: {' '.join(str(error).split())}") from error
    except (RecursionError, ValueError) as error:
        raise BadInput(f"{path}: is not YAML: {error}") from error
    except BrokenCatalogue as error:
        raise BadInput(str(error)) from error


def _measurements(path: Path, model_of: Callable[[str], ModelEntry | Refusal]) -> measurements.Measurements:
    table = read_table(
        text_of(path),
        str(path),
        lambda header: [each for each in measurements.REQUIRED if each not in header],
    )
    rows = [dict(zip(table.header, cells, strict=True)) for cells in table.rows]
    if len(rows) > MOST_ROWS:
        raise BadInput(f"{path}: has {len(rows):,} rows; at most {MOST_ROWS:,} can be learnt from at once")
    found = measurements.read(rows, model_of)
    if not isinstance(found, measurements.Measurements):
        problems = Problems()
        for bad in found:
            problems.add(f"{path}: row {bad.row}: {bad.column + ': ' if bad.column else ''}{bad.problem}")
        problems.settle()
        raise BadInput(f"{path}: cannot be read")
    if not found.cases:
        raise BadInput(f"{path}: no row states a concurrency, so nothing says at which load it was taken")
    return found
