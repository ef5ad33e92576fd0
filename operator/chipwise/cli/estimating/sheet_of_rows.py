"""A CSV of cases as setups and loads: every row is kept as it stands, and what cannot be read in one is its refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from chipwise.catalog import cells, server_settings, sizing
from chipwise.catalog.cases import LEAST_OUTPUT, Named
from chipwise.cli.importers.reading import read_table
from chipwise.performance.estimator import Loads
from chipwise.reasons import Reason, Refusal

REQUIRED = ("model", "accelerator", "input_tokens", "output_tokens", "concurrency")
LOADS = ("input_tokens", "output_tokens", "concurrency")
SIZES = ("chips", "tensor_parallel", "pipeline_parallel", "data_parallel", "expert_parallel")
TEXTS = ("model", "accelerator", "precision", "engine", "engine_version")
_OF_SETUP = (*TEXTS, *SIZES, *server_settings.COLUMNS)
_MAY_BE_ZERO = ("pipeline_parallel", "data_parallel", "expert_parallel")


@dataclass(slots=True)
class Rows:
    """Row i is ``setups[which[i]]`` under load i. Numbers that cannot be read are NaN, and in ``unread``.

    ``setups`` have the least load; ``notes`` are of setups, by number.
    """

    header: list[str]
    cells: list[list[str]]
    setups: list[Named | Refusal] = field(default_factory=list)
    which: list[int] = field(default_factory=list)
    notes: dict[int, str] = field(default_factory=dict)
    unread: dict[int, Refusal] = field(default_factory=dict)
    loads: list[tuple[float, float, float]] = field(default_factory=list)

    def load_arrays(self) -> Loads:
        """The loads by figure."""
        told = np.array(self.loads, dtype=np.float64).reshape(-1, 3)
        return Loads(told[:, 0].copy(), told[:, 1].copy(), told[:, 2].copy())


def read(text: str, name: str) -> Rows:
    """Read a CSV. Raises BadInput with file and column for a table that lacks one, and with the row for one that is no table."""
    table = read_table(text, name, _lacking)
    header = table.header
    rows = Rows(header, table.rows)
    place = {each: header.index(each) for each in (*LOADS, *_OF_SETUP) if each in header}
    reader = _Reader(place)
    known: dict[tuple[str, ...], int] = {}
    columns = [place[each] for each in _OF_SETUP if each in place]
    for number, row in enumerate(table.rows):
        key = tuple([row[column] for column in columns])
        setup = known.get(key)
        if setup is None:
            setup = known[key] = len(rows.setups)
            found, note = reader.setup(row)
            rows.setups.append(found)
            if note:
                rows.notes[setup] = note
        rows.which.append(setup)
        load, wrong = reader.load(row)
        rows.loads.append(load)
        if wrong:
            rows.unread[number] = wrong
    return rows


def _lacking(header: Sequence[str]) -> list[str]:
    missing = [each for each in REQUIRED if each not in header]
    sized = "chips" in header or "tensor_parallel" in header
    return missing if sized else [*missing, "chips (or tensor_parallel)"]


class _Reader:
    """Cells by column; a number that was read once is known."""

    def __init__(self, place: dict[str, int]) -> None:
        self._place = place
        self._loads = [(name, place[name]) for name in LOADS]
        self._known: dict[str, float | None] = {}

    def setup(self, row: Sequence[str]) -> tuple[Named | Refusal, str]:
        """The case without its load, and a note on its sizes."""
        sizes: dict[str, int | None] = {}
        for name in SIZES:
            text = row[self._place[name]].strip() if name in self._place else ""
            value = self._number(text) if text else None
            least = 0 if name in _MAY_BE_ZERO else 1
            if text and (value is None or value < least or value != int(value)):
                return Refusal(Reason.INVALID, f"{name} {text} is not a whole number from {least}"), ""
            sizes[name] = None if value is None else int(value)
        found = sizing.read(sizing.Stated(*sizes.values()))
        if isinstance(found, Refusal):
            return found, ""
        texts = {name: row[self._place[name]].strip() if name in self._place else "" for name in TEXTS}
        for name in ("model", "accelerator"):
            if not texts[name]:
                return Refusal(Reason.INVALID, f"{name} is empty"), ""
        serving = server_settings.read(
            {name: row[self._place[name]] for name in server_settings.COLUMNS if name in self._place}
        )
        if isinstance(serving, server_settings.Wrong):
            return Refusal(Reason.INVALID, f"{serving.column} {serving.problem}"), ""
        named = Named(
            texts["model"],
            texts["accelerator"],
            texts["precision"],
            found.sizes,
            1,
            LEAST_OUTPUT,
            1,
            texts["engine"],
            texts["engine_version"],
            serving,
        )
        return named, found.note

    def load(self, row: Sequence[str]) -> tuple[tuple[float, float, float], Refusal | None]:
        """Tokens and concurrency, and what is wrong with the first that is no number."""
        told, wrong = [], None
        for name, column in self._loads:
            value = self._number(row[column])
            if value is None and wrong is None:
                wrong = Refusal(Reason.INVALID, f"{name} {row[column].strip() or 'empty'} is not a number")
            told.append(float("nan") if value is None else value)
        return (told[0], told[1], told[2]), wrong

    def _number(self, text: str) -> float | None:
        if text not in self._known:
            self._known[text] = cells.number(text)
        return self._known[text]
