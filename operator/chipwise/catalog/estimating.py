"""The estimator that ships: learnt from the measurements that ship, so that nothing is fitted when it is asked.

``data/learnt.json`` has the calibrated constants, the factors of the bands and the weight of every measured row. ``make calibrate``
writes it anew from all rows; a test holds constants and weights against the rows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np

from chipwise.catalog.measurements import Measurements, shipped
from chipwise.performance.estimator import Constants, Estimator, Support, learn, physics, remembered

FILE = "learnt.json"
ENOUGH_ROWS, ENOUGH_KINDS = 200, 2
"""Rows, and models and chips among them, to which all constants can be fitted."""

_DIGITS = 9


@lru_cache(maxsize=1)
def shipped_estimator() -> Estimator:
    """What was learnt from ``measurements.shipped()``."""
    told = json.loads((files("chipwise.catalog") / "data" / FILE).read_text("utf-8"))
    rows = shipped()
    return remembered(
        rows.table,
        rows.ttft_ms,
        rows.tpot_ms,
        constants_of(told),
        weights=(np.array(told["weights"]["ttft"]), np.array(told["weights"]["tpot"])),
        factors=tuple(
            {Support(name): factor for name, factor in told["bands"][metric].items()}
            for metric in ("ttft", "tpot")
        ),
    )


def constants_of(told: Mapping[str, Any]) -> Constants:
    """The calibrated constants in a document, in the order of the physics."""
    return Constants(
        tpot=np.log([told["constants"]["tpot"][each.name] for each in physics.TPOT]),
        ttft=np.log([told["constants"]["ttft"][each.name] for each in physics.TTFT]),
    )


def learnt_from(rows: Measurements) -> Estimator:
    """Learn everything from these rows."""
    return learn(rows.table, rows.ttft_ms, rows.tpot_ms, runs=rows.runs)


def learnt_from_alone(rows: Measurements) -> Relearnt:
    """Learn from rows of somebody's own, and from nothing that ships where they are enough to go by.

    With ENOUGH_ROWS rows of two models on two chips the constants of the physics are fitted to them; with fewer the shipped ones stay.
    Bands are held against these rows as far as they can be left out, else they have the shipped factors.
    """
    seen, shipped_ones = rows.table, shipped_estimator()
    anew = (
        len(seen) >= ENOUGH_ROWS
        and len(set(seen.model.tolist())) >= ENOUGH_KINDS
        and len(set(seen.accelerator.tolist())) >= ENOUGH_KINDS
    )
    found = learn(
        seen,
        rows.ttft_ms,
        rows.tpot_ms,
        None if anew else shipped_ones.constants,
        runs=rows.runs,
        otherwise=(shipped_ones.ttft_bands.factors, shipped_ones.tpot_bands.factors),
    )
    return Relearnt(found, anew)


@dataclass(frozen=True, slots=True)
class Relearnt:
    """``anew`` is whether the constants were fitted to the rows."""

    estimator: Estimator
    anew: bool


def document(found: Estimator) -> dict[str, Any]:
    """What ``data/learnt.json`` keeps of an estimator."""

    def by_name(constants: tuple[physics.Constant, ...], logs: Any) -> dict[str, float]:
        return {c.name: _short(v) for c, v in zip(constants, np.exp(logs), strict=True)}

    return {
        "constants": {
            "tpot": by_name(physics.TPOT, found.constants.tpot),
            "ttft": by_name(physics.TTFT, found.constants.ttft),
        },
        "bands": {
            "ttft": {level.value: _short(factor) for level, factor in found.ttft_bands.factors.items()},
            "tpot": {level.value: _short(factor) for level, factor in found.tpot_bands.factors.items()},
        },
        "weights": {
            "ttft": [_short(weight, 4) for weight in found.ttft.weights],
            "tpot": [_short(weight, 4) for weight in found.tpot.weights],
        },
    }


def _short(value: float, digits: int = _DIGITS) -> float:
    return float(f"{value:.{digits}g}")
