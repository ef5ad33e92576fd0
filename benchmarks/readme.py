"""The README's table of figures, written from the results so that the two cannot differ."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.figures import shown
from benchmarks.marked import rewrite

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- figures: written by make bench -->\n", "<!-- end of figures -->\n"
_HEAD = (
    "| what | measured | at most | kept | only this: `.venv/bin/python -m benchmarks` |\n"
    "| --- | --- | --- | --- | --- |\n"
)

#: What the README shows, in this order; beside these, every figure that misses its bar.
NAMES = (
    "start.import.wall",
    "start.help.wall",
    "start.help.ratio",
    "start.plan.wall",
    "operator.memory.settled",
    "operator.memory.peak",
    "operator.price.p50",
    "operator.price.p99",
    "operator.price.ratio",
    "plan.inferno.cost",
    "plan.inferno.off",
    "plan.inferno.published",
    "plan.100x10.gap",
    "plan.1000x30.gap",
    "plan.10000x50.gap",
    "plan.10000x50.solve",
    "plan.10000x50.memory",
    "estimate.rows.wall",
    "estimate.rows.memory",
)


def table(results: Mapping[str, Any]) -> str:
    """The rows, in the order of ``NAMES``; what was never measured is left out."""
    figures = {
        figure["name"]: (part, figure)
        for part, measured in results.get("parts", {}).items()
        for figure in measured["figures"]
    }
    missed = [name for name, (_, figure) in figures.items() if figure["holds"] is False]
    names = [*NAMES, *(name for name in missed if name not in NAMES)]
    return _HEAD + "".join(_row(*figures[name]) for name in names if name in figures)


def _row(part: str, figure: Mapping[str, Any]) -> str:
    def quantity(value: float) -> str:
        return f"{shown(value)} {figure['unit']}".strip()

    bar = "" if figure["at_most"] is None else quantity(figure["at_most"])
    kept = {True: "yes", False: "**no**", None: ""}[figure["holds"]]
    return f"| {figure['what']} | {quantity(figure['value'])} | {bar} | {kept} | `--only {part}` |\n"


def update(results: Mapping[str, Any]) -> None:
    """Write the table into the README. ValueError if its place is not there."""
    rewrite(README, BEGIN, END, table(results))
