"""What the estimator tells of rows that it has not seen: everything is learnt anew for each fold, by the code that ships."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import numpy as np
from chipwise.catalog.estimating import learnt_from
from chipwise.catalog.measurements import Measurements, shipped
from chipwise.performance.estimator import Figures, Table
from numpy.typing import NDArray

from benchmarks.accuracy.splits import Fold, Split

Floats = NDArray[np.float64]


class Pool(Protocol):
    """Who learns the folds: an executor, or one after the other."""

    def map(
        self, of: Callable[[Fold], Sequence[Floats]], folds: Iterable[Fold], /
    ) -> Iterator[Sequence[Floats]]:
        """What each fold comes to, in their order."""


@dataclass(frozen=True, slots=True)
class Told:
    """Both metrics of a split for every row, NaN where the split does not ask."""

    split: Split
    ttft: Figures
    tpot: Figures
    asked: NDArray[np.bool_] = field(repr=False)


def tell(rows: Measurements, split: Split, pool: Pool) -> Told:
    """Learn and estimate fold by fold."""
    figures = {metric: np.full((3, len(rows.cases)), np.nan) for metric in ("ttft", "tpot")}
    of_fold = partial(_one, ask=split.ask)
    for fold, found in zip(split.folds, pool.map(of_fold, split.folds), strict=True):
        for metric, of in zip(("ttft", "tpot"), found, strict=True):
            figures[metric][:, fold.asked] = of
    asked = np.isfinite(figures["tpot"][0])
    return Told(split, Figures(*figures["ttft"]), Figures(*figures["tpot"]), asked)


def _one(fold: Fold, *, ask: Callable[[Table], Table]) -> Sequence[Floats]:
    """What is told of the rows that a fold asks about, by what was learnt from its others."""
    rows = shipped()
    found = learnt_from(rows.take(fold.learnt)).estimate(ask(rows.take(fold.asked).table))
    return [np.stack([f.value, f.low, f.high]) for f in (found.ttft, found.tpot)]
