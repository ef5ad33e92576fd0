"""``python -m benchmarks.accuracy.closer``: what docs/accuracy.md says beside its table, a minute; writes nothing.

How far the physics alone is off with constants fitted to all rows, and what the choices of split (a) come to under other rules, over some
deals of its folds. The planner's rule is that expected figures meet the objective: as if there were no bands.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product

import numpy as np
from chipwise.catalog.measurements import shipped
from chipwise.performance.estimator import Figures, calibrate, physics

from benchmarks.accuracy.choices import Choices, Rule, chip_prices, choose
from benchmarks.accuracy.foretold import Told, tell
from benchmarks.accuracy.splits import splits

DEALS, DOUBTS, RISKS = 4, (0.3, 0.35, 0.4, 0.5), (0.0, 0.3, 0.6, 1.0)


def main() -> None:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    rows, prices = shipped(), chip_prices()
    constants = calibrate(rows.table, rows.ttft_ms, rows.tpot_ms)
    step = physics.step_ms(rows.table, constants.tpot)
    first = physics.first_ms(rows.table, constants.ttft, step)
    for metric, told, measured in (("TPOT", step, rows.tpot_ms), ("TTFT", first, rows.ttft_ms)):
        print(
            f"physics alone, constants fitted to all rows: {metric} {np.median(np.abs(told / measured - 1)):.1%} in the median"
        )
    with ProcessPoolExecutor() as pool:
        dealt = [tell(rows, next(splits(rows, deal)), pool) for deal in range(DEALS)]
    planner = choose(rows, _certain(dealt[0]), prices, Rule(doubt=0.5, risk=0.0, tolerated=1.0))
    print(f"(a), by the planner's rule: {_words([planner])}")
    print(f"(a), regret and infeasible choices under {DEALS} deals of its folds:")
    for doubt, risk in product(DOUBTS, RISKS):
        print(
            f"  doubt {doubt:g}, risk {risk:g}: {_words([choose(rows, told, prices, Rule(doubt, risk)) for told in dealt])}"
        )


def _certain(told: Told) -> Told:
    """The same figures with bands of hardly any width."""
    ttft, tpot = (
        Figures(of.value, of.value / (1 + 1e-9), of.value * (1 + 1e-9)) for of in (told.ttft, told.tpot)
    )
    return replace(told, ttft=ttft, tpot=tpot)


def _words(found: list[Choices]) -> str:
    return f"{np.mean([each.regret for each in found]):.1%} and {np.mean([each.infeasible for each in found]):.1%}"


if __name__ == "__main__":
    main()
