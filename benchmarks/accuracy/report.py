"""The table of docs/accuracy.md, between two marks, with the targets beside the figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.accuracy.figures import COVERAGE, TARGETS, Errors, Result
from benchmarks.marked import rewrite

BEGIN, END = "<!-- accuracy: begin -->", "<!-- accuracy: end -->"
HEAD = (
    "| held out | rows | TPOT median, p90 | in band | TTFT median, p90 | in band | regret | infeasible |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
)


def table(found: Iterable[Result]) -> str:
    """In Markdown. Bold: a target is missed."""
    return "\n".join([*HEAD, *map(_line, found)])


def update(path: Path, found: Iterable[Result]) -> None:
    """Put the table between its marks."""
    rewrite(path, BEGIN, END, f"\n{table(found)}\n")


def _line(of: Result) -> str:
    name = f"({of.letter}) {of.name}" if not of.part else f"&nbsp;&nbsp;{of.part}"
    return f"| {' | '.join([name, f'{of.rows:,}', *_cells(of)])} |"


def _cells(of: Result) -> Iterator[str]:
    # Single models and chips are there to be looked at; targets are for the whole.
    targets = TARGETS[of.letter] if not of.part or of.letter == "a" else {}
    for name, errors in (("tpot", of.tpot), ("ttft", of.ttft)):
        yield f"{_told(errors.median, targets.get(name))}, {_percent(errors.ninth)}"
        yield _covered(errors, judged=not of.part)
    yield "" if of.regret is None else _told(of.regret, targets.get("regret"))
    yield (
        ""
        if of.infeasible is None
        else f"{_told(of.infeasible, targets.get('infeasible'))} of {of.questions}"
    )


def _told(value: float, target: float | None) -> str:
    text = _percent(value)
    return f"**{text}**" if target is not None and round(value, 3) > target else text


def _covered(errors: Errors, *, judged: bool) -> str:
    text = _percent(errors.covered)
    return f"**{text}**" if judged and not COVERAGE[0] <= round(errors.covered, 3) <= COVERAGE[1] else text


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"
