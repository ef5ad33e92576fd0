"""Which rows are held out, and which may be learnt from meanwhile.

Rows that are one run under several names are held out together, and never learnt from while one of them is held out. What a split calls
unseen is held out whole: all rows of that concurrency in a configuration, of that shape or chip count of a model and chip, of that
family of models, of that family of chips.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from chipwise.catalog.measurements import Measurements
from chipwise.performance.estimator import Table
from chipwise.performance.estimator.bands import CONFIGURATION
from chipwise.performance.estimator.serving import unsaid
from chipwise.performance.estimator.sharing import numbered
from numpy.typing import NDArray

FOLDS = 5

MODEL_FAMILIES = {
    "meta-llama/Llama-3.1-8B-Instruct": "Llama 3.1",
    "meta-llama/Llama-3.1-70B": "Llama 3.1",
    "Qwen/Qwen3-32B": "Qwen3",
    "Qwen/Qwen3-235B-A22B-FP8": "Qwen3",
    "deepseek-ai/DeepSeek-R1": "DeepSeek-R1",
    "openai/gpt-oss-120b": "gpt-oss",
}
CHIP_FAMILIES = {"h100-sxm": "Hopper", "h200": "Hopper", "b200": "Blackwell", "gb200": "Blackwell"}

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Fold:
    """Rows that are asked, and rows that are learnt from."""

    asked: Indices
    learnt: Indices


def as_it_is(asked: Table) -> Table:
    """Everything that is known of a case."""
    return asked


def of_any_version(asked: Table) -> Table:
    """All but the version of the engine."""
    return replace(asked, version=np.full(len(asked), ""))


def of_any_lengths(asked: Table) -> Table:
    """All but whether requests have equal lengths, which is supposed of those that have."""
    return replace(asked, equal=np.full(len(asked), np.nan))


@dataclass(frozen=True, slots=True)
class Split:
    """``name`` as in the report, ``file`` for its plot; ``letter`` of the question that it answers; ``parts`` names the rows within it that are told apart.

    ``ask`` is what of a case is told to the estimator.
    """

    letter: str
    name: str
    file: str
    folds: tuple[Fold, ...]
    parts: NDArray[np.str_]
    ask: Callable[[Table], Table] = as_it_is


def splits(rows: Measurements, deal: int = 0) -> Iterator[Split]:
    """All of them, from what is nearest to what was measured to what is farthest. Another ``deal`` deals the folds of (a) anew."""
    seen, runs = rows.table, rows.runs
    whole = _concurrencies(seen, runs, deal)
    yield whole
    yield replace(
        whole, name=f"{whole.name}, engine version not stated", file="any-version", ask=of_any_version
    )
    pair = ("model", "accelerator")
    yield _spread(
        "unseen token shape of a measured model and chip", "shape", seen, runs, (*pair, "input", "output")
    )
    yield _spread("unseen chip count of a measured model and chip", "chips", seen, runs, (*pair, "chips"))
    families = np.array([MODEL_FAMILIES.get(name, name) for name in seen.model])
    whole_families = _one_by_one("c", "unseen model on a seen chip, families whole", "family", runs, families)
    yield whole_families
    yield replace(
        whole_families,
        name=f"{whole_families.name}, settings of the server not stated",
        file="unset",
        ask=unsaid,
    )
    yield _one_by_one("c", "unseen model on a seen chip, models one by one", "model", runs, seen.model)
    generations = np.array([CHIP_FAMILIES.get(name, name) for name in seen.accelerator])
    yield _one_by_one("d", "unseen chip, families whole", "generation", runs, generations)
    yield _one_by_one("d", "unseen chip, chips one by one", "chip", runs, seen.accelerator)


def _concurrencies(seen: Table, runs: Indices, deal: int) -> Split:
    """Whole concurrencies within a configuration; those between measured ones and those at an end are told apart."""
    whole, one = numbered(seen, CONFIGURATION), numbered(seen, (*CONFIGURATION, "concurrency"))
    parts = np.full(len(seen), "", dtype="U16")
    folds = []
    for fold in _folded(one, runs, deal):
        asked = []
        for row in fold.asked:
            known = seen.concurrency[fold.learnt[whole[fold.learnt] == whole[row]]]
            if not len(known):
                continue
            between = known.min() < seen.concurrency[row] < known.max()
            parts[row] = "interpolation" if between else "end-point"
            asked.append(row)
        folds.append(Fold(np.array(asked, dtype=np.intp), fold.learnt))
    return Split("a", "unseen concurrency of a measured configuration", "concurrency", tuple(folds), parts)


def _spread(name: str, file: str, seen: Table, runs: Indices, share: tuple[str, ...]) -> Split:
    """Groups in folds; asked only where model and chip are known from other rows."""
    pair = numbered(seen, ("model", "accelerator"))
    folds = []
    for fold in _folded(numbered(seen, share), runs):
        known = np.isin(pair[fold.asked], pair[fold.learnt])
        folds.append(Fold(fold.asked[known], fold.learnt))
    return Split("b", name, file, tuple(folds), np.full(len(seen), ""))


def _one_by_one(letter: str, name: str, file: str, runs: Indices, labels: NDArray[np.str_]) -> Split:
    folds = []
    for label in np.unique(labels):
        asked = np.flatnonzero(labels == label)
        folds.append(Fold(asked, _rest(labels != label, runs, asked)))
    return Split(letter, name, file, tuple(folds), labels)


def _folded(groups: Indices, runs: Indices, deal: int = 0) -> Iterator[Fold]:
    """Groups dealt out over FOLDS parts by chance, the same chance every time."""
    names = np.unique(groups)
    part = np.random.default_rng(2026 + deal).permutation(len(names)) % FOLDS
    of = part[np.searchsorted(names, groups)]
    for number in range(FOLDS):
        asked = np.flatnonzero(of == number)
        yield Fold(asked, _rest(of != number, runs, asked))


def _rest(others: NDArray[np.bool_], runs: Indices, asked: Indices) -> Indices:
    return np.flatnonzero(others & ~np.isin(runs, runs[asked]))
