"""``python -m benchmarks.accuracy.closer``: what docs/accuracy.md says beside its table, a minute; writes nothing.

How far the physics alone is off with constants fitted to all rows; TTFT (c) by what is supposed of the requests' lengths; what the choices of split (a) come to under other rules, over some
deals of its folds, and by the planner's rule at several confidences; what an estimator that is off by so much, and not more, could choose.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product

import numpy as np
from chipwise.catalog.measurements import Measurements, shipped
from chipwise.performance.estimator import calibrate, physics

from benchmarks.accuracy.allowed import COMMON, told_with
from benchmarks.accuracy.choices import Choices, Rule, chip_prices, choose, of_planner
from benchmarks.accuracy.foretold import Told, tell
from benchmarks.accuracy.splits import of_any_lengths, splits

DEALS, DOUBTS, RISKS = 4, (0.3, 0.35, 0.4, 0.5), (0.0, 0.3, 0.6, 1.0)
OFF_BY = {
    "(a)": ((0.15, 0.05), (0.084, 0.028)),
    "(c)": ((0.25, 0.15), (0.12, 0.07), (0.09, 0.05)),
}
"""Median errors of TTFT and TPOT: the targets, ours, and what it would take."""
CONFIDENCES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


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
        whole = next(each for each in splits(rows) if each.file == "family")
        unseen = tell(rows, whole, pool)
        supposing = tell(rows, replace(whole, ask=of_any_lengths), pool)
    varied = np.array([case.serving.equal_lengths is False for case in rows.cases])
    for among, asked, which in (
        ("without supposing equal lengths", supposing, supposing.asked),
        ("of the rows with varied lengths", unseen, unseen.asked & varied),
    ):
        off = np.abs(asked.ttft.value[which] / rows.ttft_ms[which] - 1)
        print(f"TTFT (c) {among}: {np.median(off):.1%} of {which.sum()} rows in the median")
    print("(a), choices that miss the objective, by model:")
    for model in np.unique(rows.table.model):
        found = choose(rows, replace(dealt[0], asked=dealt[0].asked & (rows.table.model == model)), prices)
        print(f"  {model}: {found.missed * found.asked:.0f} of {found.asked}")
    print("by the planner's rule, at a confidence of: regret, misses, refusals")
    for name, asked in (("(a)", dealt[0]), ("(c)", unseen)):
        for confidence in CONFIDENCES:
            found = choose(rows, asked, prices, of_planner(confidence))
            print(
                f"  {name} {confidence:.0%}: {found.regret:.1%}, {found.missed:.1%}, {found.refused:.1%} of {found.asked}"
            )
    print(f"(a), regret and infeasible choices under {DEALS} deals of its folds:")
    for doubt, risk in product(DOUBTS, RISKS):
        print(
            f"  doubt {doubt:g}, risk {risk:g}: {_words([choose(rows, told, prices, Rule(doubt, risk)) for told in dealt])}"
        )
    print(
        "who is off by so much and has the best rule, regret and infeasible (more of it in common to a model):"
    )
    for name, asked in (("(a)", dealt[0]), ("(c)", unseen)):
        for medians in OFF_BY[name]:
            best = [_best(rows, asked, prices, medians, common) for common in COMMON]
            print(f"  {name} TTFT {medians[0]:.1%}, TPOT {medians[1]:.1%}: {'; '.join(map(_words, best))}")


def _best(
    rows: Measurements, told: Told, prices: Mapping[str, float], medians: tuple[float, float], common: float
) -> list[Choices]:
    """The choices of whoever is off by ``medians``, under the rule whose worse mean of regret and infeasible is least."""
    off = [told_with(rows, told.split, told.asked, medians, common, seed) for seed in range(DEALS)]
    rules = [Rule(doubt, risk) for doubt, risk in product((0.2, *DOUBTS), (*RISKS, 2.0))]
    chosen = [[choose(rows, each, prices, rule) for each in off] for rule in rules]
    return min(
        chosen,
        key=lambda found: max(np.mean([(each.regret, each.infeasible) for each in found], axis=0)),
    )


def _words(found: list[Choices]) -> str:
    return f"{np.mean([each.regret for each in found]):.1%} and {np.mean([each.infeasible for each in found]):.1%}"


if __name__ == "__main__":
    main()
