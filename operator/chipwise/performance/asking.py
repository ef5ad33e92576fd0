"""Questions to an estimator, many at once: times and bands of a replica at some concurrencies.

What is asked of one model and chip is answered in one table, for most of the time goes into what all of it shares; and an answer is
remembered, for every decision asks anew. Numpy is loaded with the first question, for the command line must start fast without it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from chipwise.performance.iteration import fresh_tokens
from chipwise.performance.types import Shape, Unmeasured

if TYPE_CHECKING:
    from chipwise.performance.estimator import Case, Estimates

REMEMBERED = 20_000
"""Answers of 1 KB each at most, the last asked for."""

DIGITS = 7
"""Figures are rounded to so many: the last bits of a sum depend on what is asked together, and no decision may."""

TOGETHER = 32
"""Questions in one table: what lies between 500 measurements and as many cases as that has are 2 MB."""


@dataclass(frozen=True, slots=True)
class Question:
    """One replica serving requests of this shape, with so many in service; ``levels`` ascend."""

    knowledge: Unmeasured
    shape: Shape
    levels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """Milliseconds and relative bands at each level, and what is leant on (a value of ``estimator.Support``), alike at all."""

    ttft_ms: array[float]
    tpot_ms: array[float]
    ttft_band: array[float]
    tpot_band: array[float]
    support: str


_remembered: dict[Question, Answer] = {}


def answer(question: Question) -> Answer:
    """Estimate, or remember."""
    found = _remembered.pop(question, None) or _estimated([question])[0]
    _remember([question], [found])
    return found


def foresee(questions: Iterable[Question]) -> None:
    """Answer all of them together, so that each is remembered when it is asked."""
    new = sorted(dict.fromkeys(one for one in questions if one not in _remembered), key=_pair)
    for _, group in groupby(new, _pair):
        alike = list(group)
        for start in range(0, len(alike), TOGETHER):
            some = alike[start : start + TOGETHER]
            _remember(some, _estimated(some))


def _remember(questions: Sequence[Question], answers: Sequence[Answer]) -> None:
    """As the last that were asked; the longest unasked go."""
    _remembered.update(zip(questions, answers, strict=True))
    while len(_remembered) > REMEMBERED:
        _remembered.pop(next(iter(_remembered)), None)


def _pair(question: Question) -> tuple[int, str, str]:
    """What is estimated together."""
    known = question.knowledge
    return id(known.estimator), known.names.model, known.names.accelerator


def _estimated(questions: Sequence[Question]) -> list[Answer]:
    from chipwise.performance.estimator import table  # noqa: PLC0415  see the module docstring

    cases = [_case(one, n) for one in questions for n in one.levels]
    told = questions[0].knowledge.estimator.estimate(table(cases))
    found, start = [], 0
    for one in questions:
        found.append(_part(told, slice(start, start + len(one.levels))))
        start += len(one.levels)
    return found


def _part(told: Estimates, which: slice) -> Answer:
    ttft, tpot = told.ttft, told.tpot
    return Answer(
        ttft_ms=_rounded(ttft.value[which]),
        tpot_ms=_rounded(tpot.value[which]),
        ttft_band=_rounded((ttft.high / ttft.value - 1)[which]),
        tpot_band=_rounded((tpot.high / tpot.value - 1)[which]),
        support=str(told.support[which][0]),
    )


def _rounded(values: Iterable[float]) -> array[float]:
    return array("d", (float(f"{value:.{DIGITS}g}") for value in values))


def _case(question: Question, concurrency: int) -> Case:
    """All chips of the replica as one tensor-parallel group."""
    from chipwise.performance.estimator import Case  # noqa: PLC0415  see the module docstring

    hardware, names, shape = question.knowledge.hardware, question.knowledge.names, question.shape
    return Case(
        model=names.model,
        architecture=hardware.architecture,
        accelerator=names.accelerator,
        chip=hardware.chip,
        precision=names.precision,
        weight_bits=hardware.weight_bits,
        input_tokens=shape.input_tokens,
        output_tokens=shape.output_tokens,
        concurrency=concurrency,
        prefix_tokens=shape.input_tokens - fresh_tokens(shape),
        tensor=hardware.chips,
        engine=names.engine,
        engine_version=names.engine_version,
    )
