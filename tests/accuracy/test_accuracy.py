"""The accuracy report: nothing that is asked was learnt from, choices are judged as they should be, and the page says what was found."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from chipwise.catalog.measurements import shipped
from chipwise.performance.estimator import Figures
from chipwise.performance.estimator.bands import CONFIGURATION
from chipwise.performance.estimator.sharing import numbered

from benchmarks.accuracy import report
from benchmarks.accuracy.choices import choose
from benchmarks.accuracy.figures import TARGETS, Result, read
from benchmarks.accuracy.foretold import Told, tell_one
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
    "shape": ("model", "accelerator", "input", "output"),
    "chips": ("model", "accelerator", "chips"),
    "model": ("model",),
    "chip": ("accelerator",),
}


@pytest.mark.parametrize("split", SPLITS, ids=lambda split: split.file)
def test_what_is_called_unseen_is_unseen(split: Split):
    seen = ROWS.table
    if split.file in ("family", "generation"):
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
    assert choose(ROWS, wide, PRICES, risk=4.0).missed < choose(ROWS, told, PRICES, risk=0.0).missed


def test_one_fold_learnt_anew_is_as_good_as_the_page_says():
    """The bars are those of split (a), with some room: a fifth of its rows."""
    fold = SPLITS[0].folds[0]
    told = tell_one(ROWS, fold)
    for figures, measured, bar in ((told.tpot, ROWS.tpot_ms, 0.05), (told.ttft, ROWS.ttft_ms, 0.15)):
        assert np.median(np.abs(figures.value / measured[fold.asked] - 1)) < bar
        within = (figures.low <= measured[fold.asked]) & (measured[fold.asked] <= figures.high)
        assert 0.83 < within.mean() < 0.97


def test_a_family_that_was_never_seen_is_told_as_the_page_says():
    """Constants and all, learnt without gpt-oss: the figures of its line."""
    split = next(each for each in SPLITS if each.file == "family")
    (fold,) = (each for each in split.folds if split.parts[each.asked[0]] == "gpt-oss")
    found = tell_one(ROWS, fold)
    (told,) = (each for each in results() if each.name == split.name and each.part == "gpt-oss")
    for figures, measured, errors in (
        (found.tpot, ROWS.tpot_ms, told.tpot),
        (found.ttft, ROWS.ttft_ms, told.ttft),
    ):
        off = np.abs(figures.value / measured[fold.asked] - 1)
        within = (figures.low <= measured[fold.asked]) & (measured[fold.asked] <= figures.high)
        assert np.median(off) == pytest.approx(errors.median, abs=1e-3)
        assert within.mean() == pytest.approx(errors.covered, abs=5e-3)


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
