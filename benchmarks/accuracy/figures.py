"""What a split comes to: errors, coverage of the band, and choices; a figure each, beside its target where there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from chipwise.catalog.measurements import Measurements
from chipwise.performance.estimator import Figures
from numpy.typing import NDArray

from benchmarks.accuracy.choices import choose
from benchmarks.accuracy.foretold import Told

TARGETS: Mapping[str, Mapping[str, float]] = {
    "a": {"tpot": 0.05, "ttft": 0.15, "regret": 0.02, "infeasible": 0.02},
    "b": {},
    "c": {"tpot": 0.15, "ttft": 0.25, "regret": 0.05, "infeasible": 0.05},
    "d": {"tpot": 0.25},
}
COVERAGE = (0.87, 0.93)


@dataclass(frozen=True, slots=True)
class Errors:
    """Of one metric: |estimate / measured - 1| at the median and the 90th percentile, and the share of rows within the band."""

    median: float
    ninth: float
    covered: float


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the report; shares are kept to four digits."""

    letter: str
    name: str
    part: str
    rows: int
    tpot: Errors
    ttft: Errors
    regret: float | None
    infeasible: float | None
    missed: float | None
    refused: float | None
    questions: int

    @property
    def document(self) -> dict[str, Any]:
        """As the JSON file has it; shares, not per cent."""

        def errors(of: Errors) -> dict[str, float]:
            return {"median": of.median, "p90": of.ninth, "covered": of.covered}

        return {
            "split": self.letter,
            "name": self.name,
            **({"part": self.part} if self.part else {}),
            "rows": self.rows,
            "tpot": errors(self.tpot),
            "ttft": errors(self.ttft),
            **(
                {
                    "choices": {
                        "questions": self.questions,
                        "regret": self.regret,
                        "infeasible": self.infeasible,
                        "missed": self.missed,
                        "refused": self.refused,
                    }
                }
                if self.regret is not None
                else {}
            ),
        }


def results(rows: Measurements, told: Told, prices: Mapping[str, float]) -> Iterator[Result]:
    """The whole split, then each of its parts; choices of single models or chips say too little and are left out."""
    yield _result(rows, told, prices, "")
    parts = sorted(set(told.split.parts[told.asked]) - {""})
    for part in parts:
        of_it = replace(told, asked=told.asked & (told.split.parts == part))
        yield _result(rows, of_it, prices if told.split.letter == "a" else {}, part)


def read(each: Mapping[str, Any]) -> Result:
    """From ``Result.document``."""
    tpot, ttft = (Errors(each[m]["median"], each[m]["p90"], each[m]["covered"]) for m in ("tpot", "ttft"))
    choices = each.get("choices", {})
    regret, infeasible, missed, refused = (
        choices.get(name) for name in ("regret", "infeasible", "missed", "refused")
    )
    return Result(
        each["split"],
        each["name"],
        each.get("part", ""),
        each["rows"],
        tpot,
        ttft,
        regret,
        infeasible,
        missed,
        refused,
        choices.get("questions", 0),
    )


def _result(rows: Measurements, told: Told, prices: Mapping[str, float], part: str) -> Result:
    found = choose(rows, told, prices) if prices else None
    return Result(
        told.split.letter,
        told.split.name,
        part,
        int(told.asked.sum()),
        _errors(told.tpot, rows.tpot_ms, told.asked),
        _errors(told.ttft, rows.ttft_ms, told.asked),
        regret=_r(found.regret) if found else None,
        infeasible=_r(found.infeasible) if found else None,
        missed=_r(found.missed) if found else None,
        refused=_r(found.refused) if found else None,
        questions=found.asked if found else 0,
    )


def _errors(of: Figures, measured: NDArray[np.float64], which: NDArray[np.bool_]) -> Errors:
    off = np.abs(of.value[which] / measured[which] - 1)
    within = (of.low[which] <= measured[which]) & (measured[which] <= of.high[which])
    return Errors(_r(float(np.median(off))), _r(float(np.quantile(off, 0.9))), _r(float(within.mean())))


def _r(value: float) -> float:
    return round(value, 4)
