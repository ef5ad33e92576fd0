"""``chipwise estimate --rows``: every row of a CSV comes out again, with figures or with the reason why there are none."""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path

import click
import numpy as np

from chipwise.catalog.answering import FIGURES, Answers, answer, unheard_of
from chipwise.catalog.cases import case_of
from chipwise.cli.errors import BadInput
from chipwise.cli.estimating import sheet_of_rows
from chipwise.cli.estimating.basis import Basis
from chipwise.cli.importers.reading import named_text
from chipwise.performance.estimator import Loads
from chipwise.reasons import Reason, Refusal

ADDED = (*FIGURES, "provenance", "reason")
_AT_ONCE = 10_000
_SILENT_SECONDS = 2.0


def answer_rows(path: Path, output: str, given: Basis) -> None:
    """Write the answered table to ``output``, - for standard output. Raises BadInput; nothing is written then."""
    name, table_text = named_text(path)
    rows = sheet_of_rows.read(table_text, name)
    if written := [each for each in ADDED if each in rows.header]:
        click.echo(f"{name}: the column(s) {', '.join(written)} are written anew", err=True)
    kept = [place for place, each in enumerate(rows.header) if each not in ADDED]
    text = StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow([*(rows.header[place] for place in kept), *ADDED])
    for cells, added in zip(rows.cells, _answered(rows, given), strict=True):
        table.writerow([*(cells[place] for place in kept), *added])
    if output == "-":
        click.echo(text.getvalue(), nl=False)
        return
    try:
        Path(output).write_text(text.getvalue(), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{output}: {error.strerror}") from error


def _answered(rows: sheet_of_rows.Rows, given: Basis) -> list[Sequence[str]]:
    """The added cells of every row, in order. Rows of one model and chip are asked about together: they share most of the work."""
    cases = [each if isinstance(each, Refusal) else case_of(each, given.model_of) for each in rows.setups]
    notes = _notes(rows, given)
    loads, which = rows.load_arrays(), np.array(rows.which, dtype=np.intp)
    pairs = [("", "") if isinstance(each, Refusal) else (each.model, each.accelerator) for each in cases]
    place = {pair: number for number, pair in enumerate(sorted(set(pairs)))}
    order = np.argsort(np.array([place[pairs[setup]] for setup in rows.which], dtype=np.intp), kind="stable")
    found: list[Sequence[str]] = [()] * len(which)
    progress = _Progress(len(which))
    for begin in range(0, len(which), _AT_ONCE):
        part = order[begin : begin + _AT_ONCE]
        some = Loads(loads.input[part], loads.output[part], loads.concurrency[part])
        told = answer(given.estimator, cases, which[part], some)
        for row, cells in zip(part.tolist(), _cells(told, rows, notes, part.tolist()), strict=True):
            found[row] = cells
        progress.at(min(begin + _AT_ONCE, len(which)))
    progress.done()
    return found


def _notes(rows: sheet_of_rows.Rows, given: Basis) -> list[str]:
    """What to know of each setup: its sizes, and an engine that nothing was measured with."""
    engines = ["" if isinstance(each, Refusal) else each.engine for each in rows.setups]
    unheard = {engine: unheard_of(given.estimator, engine) for engine in set(engines)}
    return [
        "; ".join(filter(None, (rows.notes.get(setup), unheard[engine])))
        for setup, engine in enumerate(engines)
    ]


def _cells(
    told: Answers, rows: sheet_of_rows.Rows, notes: Sequence[str], asked: Sequence[int]
) -> Iterator[Sequence[str]]:
    """Of the rows that were asked about."""
    columns = [column.tolist() for column in told.figures]
    worths = told.provenance.tolist()
    for number, (row, worth, *figures) in enumerate(zip(asked, worths, *columns, strict=True)):
        refusal = told.refusals.get(number)
        if refusal is not None:
            if refusal.reason is Reason.INVALID:
                refusal = rows.unread.get(row, refusal)
            yield ("",) * (len(FIGURES) + 1) + (_told(refusal),)
            continue
        note = told.notes.get(number)
        said = [notes[rows.which[row]], _told(note) if note else ""]
        yield *(f"{figure:.3f}" for figure in figures), worth, "; ".join(filter(None, said))


def _told(refusal: Refusal) -> str:
    return f"{refusal.reason.value}: {refusal.message}"


class _Progress:
    """How far it is, on a terminal, from two seconds on."""

    def __init__(self, rows: int) -> None:
        self._rows, self._begin = rows, time.monotonic()
        self._shown = False

    def at(self, row: int) -> None:
        if sys.stderr.isatty() and time.monotonic() - self._begin > _SILENT_SECONDS:
            click.echo(f"\r{row:,} of {self._rows:,} rows", nl=False, err=True)
            self._shown = True

    def done(self) -> None:
        if self._shown:
            click.echo(err=True)
