"""The accuracy report: nothing that is asked was learnt from, choices are judged as they should be, and the page says what was found."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from chipwise.catalog.measurements import shipped
from chipwise.performance.confidence import margin
from chipwise.performance.estimator import Figures
from chipwise.performance.estimator.bands import CONFIGURATION
from chipwise.performance.estimator.sharing import numbered

from benchmarks.accuracy import report
from benchmarks.accuracy.allowed import told_with
from benchmarks.accuracy.choices import Rule, _meets, chip_prices, choose, of_planner
from benchmarks.accuracy.figures import TARGETS, Result, read
from benchmarks.accuracy.figures import results as found_in
from benchmarks.accuracy.foretold import Told, tell
from benchmarks.accuracy.splits import CHIP_FAMILIES, MODEL_FAMILIES, Split, splits

HOME = Path(__file__).parents[2]
ROWS = shipped()
SPLITS = list(splits(ROWS))
PRICES = {"h100-sxm": 2.0, "h200": 3.0, "b200": 5.0}


@pytest.mark.parametrize("split", SPLITS, ids=lambda split: split.file)
def test_no_run_is_both_asked_and_learnt_from(split: Split):
    for fold in split.folds:
        assert not set(ROWS.runs[fold.asked]) & set(ROWS.runs[fold.learnt])
        assert len(fold.asked)


UNSEEN = {
    "concurrency": (*CONFIGURATION, "concurrency"),
    "any-version": (*CONFIGURATION, "concurrency"),
    "shape": ("model", "accelerator", "input", "output"),
    "chips": ("model", "accelerator", "chips"),
    "model": ("model",),
    "chip": ("accelerator",),
}


@pytest.mark.parametrize("split", SPLITS, ids=lambda split: split.file)
def test_what_is_called_unseen_is_unseen(split: Split):
    seen = ROWS.table
    if split.file in ("family", "unset", "generation"):
        names, families = (
            (seen.model, MODEL_FAMILIES) if split.letter == "c" else (seen.accelerator, CHIP_FAMILIES)
        )
        groups = np.array([families[name] for name in names])
    else:
        groups = numbered(seen, UNSEEN[split.file])
    for fold in split.folds:
        assert not set(groups[fold.asked]) & set(groups[fold.learnt])


def test_every_row_is_asked_once_where_something_can_be_leant_on():
    for split in SPLITS:
        asked = np.concatenate([fold.asked for fold in split.folds])
        assert len(asked) == len(set(asked))
        if split.letter in "cd":
            assert len(asked) == len(ROWS.cases)


def perfect(split: Split, ttft: float = 1.0, tpot: float = 1.0) -> Told:
    """Estimates that are measurements, or off by a factor."""
    asked = np.ones(len(ROWS.cases), dtype=bool)
    first, step = (Figures(of, of * 0.999, of * 1.001) for of in (ROWS.ttft_ms * ttft, ROWS.tpot_ms * tpot))
    return Told(split, first, step, asked)


def test_who_knows_everything_loses_nothing():
    found = choose(ROWS, perfect(SPLITS[0]), PRICES)
    assert found.asked > 300
    assert (found.regret, found.missed, found.refused) == (0.0, 0.0, 0.0)


def test_who_thinks_all_too_fast_misses_and_who_thinks_all_too_slow_refuses_or_pays():
    hopeful = choose(ROWS, perfect(SPLITS[0], tpot=0.7), PRICES)
    fearful = choose(ROWS, perfect(SPLITS[0], tpot=1.4), PRICES)
    assert hopeful.missed > 0.1
    assert hopeful.refused == 0.0
    assert fearful.missed == 0.0
    assert fearful.refused > 0.0
    assert fearful.regret > 0.05


def test_a_band_keeps_the_choice_away_from_the_edge():
    told = perfect(SPLITS[0], tpot=0.9)
    wide = replace(told, tpot=Figures(told.tpot.value, told.tpot.value / 1.3, told.tpot.value * 1.3))
    assert (
        choose(ROWS, wide, PRICES, Rule(risk=4.0)).missed < choose(ROWS, told, PRICES, Rule(risk=0.0)).missed
    )


class InTurn:
    """One fold after the other, in this process."""

    def map(self, of, folds):
        return map(of, folds)


@pytest.mark.parametrize("split", SPLITS, ids=lambda split: split.file)
def test_everything_learnt_anew_is_as_good_as_the_page_says(split: Split):
    """Constants, corrections, bands and choices: every figure of every line. Rows that are all but equal may change places elsewhere."""
    again = list(found_in(ROWS, tell(ROWS, split, InTurn()), chip_prices()))
    before = [each for each in results() if each.name == split.name]
    assert [each.part for each in again] == [each.part for each in before]
    for new, old in zip(again, before, strict=True):
        assert new.rows == old.rows
        assert new.questions == pytest.approx(old.questions, abs=2)
        for errors, told in ((new.tpot, old.tpot), (new.ttft, old.ttft)):
            assert errors.median == pytest.approx(told.median, abs=2e-3)
            assert errors.ninth == pytest.approx(told.ninth, rel=0.05)
            assert errors.covered == pytest.approx(told.covered, abs=1e-2)
        if old.regret is not None:
            assert new.regret == pytest.approx(old.regret, abs=1e-2)
            assert new.infeasible == pytest.approx(old.infeasible, abs=1e-2)


def results() -> list[Result]:
    told = json.loads((HOME / "benchmarks" / "results" / "accuracy.json").read_text(encoding="utf-8"))
    assert told["rows"] == len(ROWS.cases)
    return [read(each) for each in told["results"]]


def test_the_page_has_the_figures_of_the_last_run():
    page = (HOME / "docs" / "accuracy.md").read_text(encoding="utf-8")
    found = page.partition(report.BEGIN)[2].partition(report.END)[0].strip()
    assert found == report.table(results())


def test_every_question_of_the_report_is_answered():
    found = results()
    assert {each.letter for each in found} == set(TARGETS)
    assert {each.part for each in found if each.letter == "a"} == {"", "interpolation", "end-point"}
    for split in SPLITS:
        assert (HOME / "docs" / f"accuracy-{split.file}.svg").is_file()


@pytest.mark.parametrize("confidence", [0.5, 0.6, 0.8, 0.95])
def test_the_rule_of_the_planner_keeps_its_margin(confidence):
    """Every row of it is one that the planner would call met at this confidence, and every other one is not: at any limit."""
    band, limits = 0.4, np.linspace(8.03, 16.03, 33)
    told = Figures(*(np.full(1, each) for each in (10.0, 10.0 / (1 + band), 10.0 * (1 + band))))
    kept = [_meets(told, np.array([0]), limit)[0] >= of_planner(confidence).sure for limit in limits]
    assert kept == [10.0 * margin(band, confidence) <= limit for limit in limits]
    assert any(kept)
    assert not all(kept)


@pytest.mark.parametrize("common", [0.0, 0.9])
def test_who_is_off_by_so_much_is_off_by_so_much(common):
    """In the median, with bands that hold nine of ten; the more is common to a model, the more models differ."""
    everything = np.ones(len(ROWS.cases), dtype=bool)
    dealt = [told_with(ROWS, SPLITS[0], everything, (0.25, 0.1), common, seed) for seed in range(40)]
    for figures, measured, median in (
        ([each.ttft for each in dealt], ROWS.ttft_ms, 0.25),
        ([each.tpot for each in dealt], ROWS.tpot_ms, 0.1),
    ):
        apart = np.abs(np.log([each.value / measured for each in figures]))
        assert np.median(apart) == pytest.approx(np.log1p(median), rel=0.15)
        inside = [(each.low <= measured) & (measured <= each.high) for each in figures]
        assert np.mean(inside) == pytest.approx(0.9, abs=0.03)
    error = np.log(dealt[0].tpot.value / ROWS.tpot_ms)
    between = np.std([error[ROWS.table.model == name].mean() for name in np.unique(ROWS.table.model)])
    within = np.mean([error[ROWS.table.model == name].std() for name in np.unique(ROWS.table.model)])
    assert (between > within) == (common == 0.9)
