"""Many cases in words, answered at once: figures with bands and what they are worth, or a reason why there are none.

Cases are asked as few setups (model, chip, precision, sizes, engine) under many loads, so that what depends on the setup is looked up
once, however many rows a table has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chipwise.catalog.cases import absurd_load
from chipwise.performance.estimator import (
    Case,
    Estimator,
    Loads,
    Room,
    physics,
    provenance,
    room_of,
    spread,
)
from chipwise.reasons import Reason, Refusal

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
FIGURES = ("ttft_ms", "ttft_low", "ttft_high", "tpot_ms", "tpot_low", "tpot_high")


@dataclass(frozen=True, slots=True)
class Answers:
    """Of case i: ``figures[:, i]`` in the order of FIGURES (NaN where it is refused), what they lean on, what they are worth.

    ``refusals`` say why there are no figures, ``notes`` what to know beside them, by the number of the case. ``held`` are the requests
    that fit the memory, 0 where it is refused; ``served`` those that the engine can have in its batch, NaN where it is refused.
    ``servers`` are the settings that figures count with, said or not: a row each for prompt tokens of a step, steps held back, and 1 for
    equal lengths; NaN where it is refused.
    """

    figures: Floats
    support: NDArray[np.str_]
    provenance: NDArray[np.str_]
    refusals: dict[int, Refusal]
    notes: dict[int, Refusal]
    held: Indices
    served: Floats
    servers: Floats


def answer(estimator: Estimator, setups: Sequence[Case | Refusal], which: Indices, loads: Loads) -> Answers:
    """Answer ``setups[which[i]]`` under load i, for every i; the load that a setup has itself counts for nothing.

    Refused as its setup is (``cases.case_of``), and as ``Room.holds`` does. Where not all requests of a case are sure to
    fit the memory at once, a note (MEMORY_EXCEEDED) says so.
    """
    refusals, notes, held = _refused(setups, which, loads)
    able = np.ones(len(which), dtype=bool)
    able[list(refusals)] = False
    figures, served = np.full((len(FIGURES), len(which)), np.nan), np.full(len(which), np.nan)
    servers = np.full((3, len(which)), np.nan)
    support, worth = np.full(len(which), "", dtype="U16"), np.full(len(which), "", dtype="U16")
    asked = np.flatnonzero(able)
    if len(asked):
        of_setup = {number: place for place, number in enumerate(np.unique(which[asked]).tolist())}
        sound = [case for number in of_setup if isinstance(case := setups[number], Case)]
        places = np.array([of_setup[number] for number in which[asked].tolist()], dtype=np.intp)
        table = spread(
            sound, places, Loads(loads.input[asked], loads.output[asked], loads.concurrency[asked])
        )
        told = estimator.estimate(table)
        figures[:, asked] = [
            *(told.ttft.value, told.ttft.low, told.ttft.high),
            *(told.tpot.value, told.tpot.low, told.tpot.high),
        ]
        support[asked], served[asked] = told.support, physics.served(table)
        worth[asked] = provenance(table, estimator.tpot.seen, told.support)
        servers[:, asked] = told.servers
    return Answers(figures, support, worth, refusals, notes, held, served, servers)


def tokens_per_second(
    concurrency: float, output_tokens: float, ttft_ms: float, tpot_ms: float, served: float = np.inf
) -> float:
    """Output tokens of a replica that keeps ``concurrency`` requests in service: each has its tokens TTFT + (output - 1) x TPOT after its start.

    Never more than those ``served`` at once make: where others wait for a place, TTFT, a wait for the most part, is known the least.
    """
    kept = 1000 * concurrency * output_tokens / (ttft_ms + tpot_ms * (output_tokens - 1))
    return min(kept, 1000 * served / tpot_ms)


def unheard_of(estimator: Estimator, engine: str) -> str:
    """What to know of an engine that none of the measurements learnt from is of; empty if one is, or none is named."""
    known = sorted(set(estimator.tpot.seen.engine.tolist()) - {""})
    if not engine or engine.lower() in known:
        return ""
    return (
        f"nothing was measured with an engine {engine}, only with {', '.join(known) or 'engines unnamed'}: "
        "these count for less, as where no engine is named"
    )


def _refused(
    setups: Sequence[Case | Refusal], which: Indices, loads: Loads
) -> tuple[dict[int, Refusal], dict[int, Refusal], Indices]:
    """Refusals and notes by case, and the requests that fit."""
    rooms: dict[int, Room | Refusal] = {}
    refusals: dict[int, Refusal] = {}
    notes: dict[int, Refusal] = {}
    held = np.zeros(len(which), dtype=np.intp)
    known: dict[tuple[int, float, float], int | Refusal] = {}
    rows = zip(
        which.tolist(), loads.input.tolist(), loads.output.tolist(), loads.concurrency.tolist(), strict=True
    )
    for number, (setup, inputs, outputs, concurrency) in enumerate(rows):
        room = rooms.get(setup)
        if room is None:
            case = setups[setup]
            room = rooms[setup] = case if isinstance(case, Refusal) else room_of(case)
        if isinstance(room, Refusal):
            refusals[number] = room
            continue
        if absurd := absurd_load(inputs, outputs, concurrency):
            refusals[number] = Refusal(Reason.INVALID, absurd)
            continue
        key = setup, inputs, outputs
        fits = known.get(key)
        if fits is None:
            fits = known[key] = room.holds(inputs, outputs)
        if isinstance(fits, Refusal):
            refusals[number] = fits
            continue
        held[number] = fits
        if concurrency > fits:
            notes[number] = _waiting(concurrency, fits, room)
    return refusals, notes, held


def _waiting(concurrency: float, fits: int, room: Room) -> Refusal:
    chips = room.copy.chips * room.copies
    return Refusal(
        Reason.MEMORY_EXCEEDED,
        f"{fits} of the {concurrency:g} requests are sure to fit the memory of {chips} chip(s) at once, at full length and with a 16-bit "
        "cache; as far as the engine's cache has no place for the others, they wait, which TTFT counts",
    )
