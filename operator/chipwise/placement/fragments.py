"""Places that the plan gave and the nodes do not have: taken out of the question, so that the next best is chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from chipwise.placement.moves import Move
from chipwise.placement.problem import Candidate, Workload
from chipwise.reasons import Reason

#: So often the question is asked again. What does not fit then is held.
ROUNDS = 8

Barred = Mapping[str, tuple[Candidate, ...]]


def fragmented(moves: Iterable[Move]) -> Barred:
    """By workload, the place that it was given in vain."""
    return {
        move.workload: (Candidate(move.target.variant, move.target.pool, move.refusal),)
        for move in moves
        if move.target is not None
        and move.refusal is not None
        and move.refusal.reason is Reason.FRAGMENTED
        and move.step is None
    }


def joined(known: Barred, more: Barred) -> Barred:
    """Both."""
    return {key: (*known.get(key, ()), *more.get(key, ())) for key in sorted({*known, *more})}


def without(workload: Workload, barred: Barred) -> Workload:
    """The workload less what was barred, which is refused instead."""
    out = barred.get(workload.key, ())
    if not out:
        return workload
    places = {(candidate.variant, candidate.pool) for candidate in out}
    return replace(
        workload,
        options=tuple(option for option in workload.options if (option.variant, option.pool) not in places),
        refused=(*workload.refused, *out),
    )
