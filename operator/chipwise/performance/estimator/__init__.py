"""TTFT and TPOT of any model on any chip, with a band: physics, calibrated on measurements, corrected by those nearby. Pure numpy."""

from chipwise.performance.estimator import physics
from chipwise.performance.estimator.bands import Support
from chipwise.performance.estimator.cases import Case, Table, table
from chipwise.performance.estimator.estimator import (
    Constants,
    Estimates,
    Estimator,
    Figures,
    calibrate,
    learn,
    remembered,
)

__all__ = [
    "Case",
    "Constants",
    "Estimates",
    "Estimator",
    "Figures",
    "Support",
    "Table",
    "calibrate",
    "learn",
    "physics",
    "remembered",
    "table",
]
