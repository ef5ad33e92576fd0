"""How a server is set where a case does not say: as the nearest of its like was that was measured, else as engines are by default.

Of its like is, best first: the same model, chip, engine, precision, sizes and, where it is stated, release; without the release; at the
same tensor parallelism and copies of the attention; the same model, chip, engine and copies; these on any chip. An engine that is not named is set as by default. The nearest is that of
the least distance in the logarithms of concurrency, lengths and chips.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from chipwise.performance.estimator.cases import Floats, Table
from chipwise.performance.estimator.covariance import places
from chipwise.performance.estimator.sharing import PARALLEL, VARIANT, Shared

BATCHED_TOKENS = 8192.0
"""Prompt tokens of a step unless told: the default of ``trtllm-serve --max_num_tokens``, and of vLLM's server on chips of 70 GiB and
more but A100 (``EngineArgs``, ``UsageContext.OPENAI_API_SERVER``)."""

_TOLD = {"batched": BATCHED_TOKENS, "held": 0.0, "equal": 0.0}
"""The columns, and what engines do where nothing is known."""

_OF_RELEASE = (*PARALLEL, "version")
_LIKE = (
    _OF_RELEASE,
    PARALLEL,
    (*VARIANT, "tensor", "data"),
    ("model", "accelerator", "engine", "data"),
    ("model", "engine", "data"),
)

_CLOSE = 1e-6
_AT_ONCE = 1024


def settled(asked: Table, seen: Table) -> Table:
    """The cases with what they do not say filled in from the rows that were measured; NaN where no row is of their like, or says it."""
    told = {name: getattr(asked, name) for name in _TOLD}
    open_ones = np.any([np.isnan(values) for values in told.values()], axis=0)
    if not open_ones.any() or not len(seen):
        return asked
    nearest = _nearest(asked, seen, open_ones)
    known = nearest >= 0
    return replace(
        asked,
        **{
            name: np.where(np.isnan(values) & known, getattr(seen, name)[nearest], values)
            for name, values in told.items()
        },
    )


def settings(t: Table) -> Floats:
    """What figures of settled cases count with: prompt tokens of a step, steps held back, and 1 where lengths are equal; shape (3, len(t))."""
    return np.stack([batched_tokens(t), held_steps(t), keeps_step(t).astype(np.float64)])


def set_otherwise(asked: Table, seen: Table) -> NDArray[np.bool_]:
    """Whether a case says of its server what makes another of the nearest row of its like; what a row does not say is by default.

    Budgets that hold as many prompts are one.
    """
    said = ~np.all([np.isnan(getattr(asked, name)) for name in _TOLD], axis=0)
    differs = np.zeros(len(asked), dtype=bool)
    if not said.any() or not len(seen):
        return differs
    nearest = _nearest(asked, seen, said)
    known = nearest >= 0
    like = seen.take(np.maximum(nearest, 0))
    for name, default in _TOLD.items():
        here, there = getattr(asked, name), np.nan_to_num(getattr(like, name), nan=default)
        if name == "batched":
            here, there = (_prompts(asked, budget) for budget in (here, there))
        differs |= known & (np.abs(here - there) > _CLOSE * np.maximum(np.abs(there), 1.0))
    return differs


def unsaid(t: Table) -> Table:
    """The same cases, of which nobody says how the server is set."""
    nothing = np.full(len(t), np.nan)
    return replace(t, batched=nothing, held=nothing, equal=nothing)


def batched_tokens(t: Table) -> Floats:
    """The most prompt tokens of a step."""
    return np.where(np.isnan(t.batched), BATCHED_TOKENS, t.batched)


def held_steps(t: Table) -> Floats:
    """For how many steps a prompt is held back."""
    return np.nan_to_num(t.held, nan=0.0)


def keeps_step(t: Table) -> NDArray[np.bool_]:
    """Whether requests are of equal lengths."""
    return np.nan_to_num(t.equal, nan=0.0) > 0


def _prompts(t: Table, budget: Floats) -> Floats:
    """How many prompts a step takes of what is there; one at least, NaN where the budget is."""
    found: Floats = np.minimum(np.maximum(np.floor(budget / t.input), 1.0), t.concurrency)
    return found


def _nearest(asked: Table, seen: Table, wanted: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The nearest row of the like of every case that is wanted, -1 where there is none."""
    found = np.full(len(asked), -1, dtype=np.intp)
    shared, here, there = Shared(asked, seen), places(asked), places(seen)
    wanted = wanted & (asked.engine != "")
    for share in _LIKE:
        of_asked, of_seen = shared.codes(share)
        among = wanted & (asked.version != "") if share is _OF_RELEASE else wanted
        open_ones = np.flatnonzero(among & (found < 0) & (of_asked >= 0))
        for code in np.unique(of_asked[open_ones]):
            cases, rows = open_ones[of_asked[open_ones] == code], np.flatnonzero(of_seen == code)
            for some in np.array_split(cases, -(-len(cases) // _AT_ONCE)):
                apart = ((here[some][:, None, :] - there[rows][None, :, :]) ** 2).sum(axis=2)
                found[some] = rows[np.argmin(apart, axis=1)]
    return found
