"""TTFT and TPOT of any model on any chip, with a band: physics, calibrated on measurements, corrected by those nearby. Pure numpy."""

from chipwise.performance.estimator import physics
from chipwise.performance.estimator.bands import Support
from chipwise.performance.estimator.cases import NOTHING_SAID, Case, Loads, Serving, Table, spread, table
from chipwise.performance.estimator.estimator import (
    Constants,
    Estimates,
    Estimator,
    Figures,
    calibrate,
    learn,
    remembered,
)
from chipwise.performance.estimator.provenance import provenance
from chipwise.performance.estimator.room import Room, room_of

__all__ = [
    "NOTHING_SAID",
    "Case",
    "Constants",
    "Estimates",
    "Estimator",
    "Figures",
    "Loads",
    "Room",
    "Serving",
    "Support",
    "Table",
    "calibrate",
    "learn",
    "physics",
    "provenance",
    "remembered",
    "room_of",
    "spread",
    "table",
]
