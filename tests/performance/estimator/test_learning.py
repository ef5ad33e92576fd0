"""Learning: constants come back from what they made, corrections say what was measured, bands hold what they promise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from chipwise.performance.estimator import Support, calibrate, learn, physics, table
from chipwise.performance.estimator.bands import OWN, support
from chipwise.performance.estimator.correction import corrected, learnt
from chipwise.performance.estimator.covariance import covariance, variance
from chipwise.performance.estimator.estimator import SUPPOSED_FACTOR
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.performance.estimator.cases import CHIP, DENSE, PLAIN, ROUTED, cases


def fleet(seed: int = 1):
    """Some hundred cases of three models on three chips."""
    dice = np.random.default_rng(seed)
    faster = replace(CHIP, bandwidth_bytes_per_second=8e12, flops=4e15)
    models = {
        "dense": DENSE,
        "routed": ROUTED,
        "small": replace(DENSE, parameters=3 * 10**9, active_parameters=3 * 10**9, layers=24),
    }
    chips = {
        "chip": CHIP,
        "faster": faster,
        "slower": replace(CHIP, bandwidth_bytes_per_second=1.5e12, flops=3e14),
    }
    found = []
    for model, architecture in models.items():
        for name, chip in chips.items():
            for tensor in (1, 2, 8):
                for tokens in ((512.0, 128.0), (4096.0, 512.0)):
                    found += [
                        replace(
                            PLAIN,
                            model=model,
                            architecture=architecture,
                            accelerator=name,
                            chip=chip,
                            tensor=tensor,
                            input_tokens=tokens[0],
                            output_tokens=tokens[1],
                            concurrency=concurrency,
                            engine=str(dice.choice(["vllm", "trtllm"])),
                        )
                        for concurrency in (2.0, 8.0, 32.0, 128.0)
                    ]
    return table(found)


def made(seen, shift: float = 0.4):
    """Times by constants that are not the supposed ones."""
    tpot = physics.supposed(physics.TPOT) + shift * np.cos(np.arange(len(physics.TPOT)))
    ttft = physics.supposed(physics.TTFT) + shift * np.sin(np.arange(len(physics.TTFT)))
    step = physics.step_ms(seen, tpot)
    return physics.first_ms(seen, ttft, step), step


def test_constants_foretell_what_they_made_though_some_rows_are_wrong():
    """A twentieth of the rows is off by a factor of ten. Single constants need not come back: some can stand in for others."""
    seen = fleet()
    ttft, tpot = made(seen)
    wrong = np.random.default_rng(3).random(len(seen)) < 0.05
    spoilt = [np.where(wrong, of * 10, of) for of in (ttft, tpot)]
    found = calibrate(seen, *spoilt)
    step = physics.step_ms(seen, found.tpot)
    assert np.median(np.abs(step / tpot - 1)) < 0.03
    assert np.median(np.abs(physics.first_ms(seen, found.ttft, step) / ttft - 1)) < 0.05


def test_what_was_measured_is_what_is_estimated_nearby():
    seen = fleet()
    off = 0.3 * (seen.model == "routed")
    found = learnt(seen, off, noise=0.02)
    nearby = seen.take(np.flatnonzero(seen.concurrency == 8.0))
    between = replace_concurrency(nearby, 12.0)
    mean, deviation = corrected([found], between)[0]
    assert np.abs(mean - 0.3 * (between.model == "routed")).max() < 0.05
    assert deviation.max() < 0.1


def replace_concurrency(of, concurrency):
    return replace(of, concurrency=np.full(len(of), concurrency))


def test_of_an_unknown_model_on_an_unknown_chip_nothing_is_learnt():
    seen = fleet()
    found = learnt(seen, np.full(len(seen), 0.5), noise=0.05)
    mean, deviation = corrected([found], table([replace(PLAIN, model="new", accelerator="new")]))[0]
    assert mean[0] == 0.0
    assert deviation[0] == pytest.approx(np.sqrt(variance() + 0.05**2))


def versions(of, *names):
    return replace(of, version=np.array([names[number % len(names)] for number in range(len(of))]))


def test_who_does_not_know_the_version_is_told_that_of_the_only_one():
    seen = versions(fleet(), "1")
    found = learnt(seen, np.full(len(seen), 0.4), noise=0.02)
    unknown, known, another = (corrected([found], versions(seen, name))[0] for name in ("", "1", "2"))
    assert unknown[0] == pytest.approx(known[0])
    assert unknown[1] == pytest.approx(known[1])
    assert np.all(another[0] < known[0])
    assert np.all(another[1] > known[1])


def test_of_several_versions_who_knows_none_is_told_what_is_between_with_a_wider_band():
    seen = versions(fleet(), "1", "2")
    found = learnt(seen, np.where(seen.version == "1", 0.2, -0.2), noise=0.02)
    first, second, unknown = (corrected([found], versions(seen, name))[0] for name in ("1", "2", ""))
    assert np.all((second[0] < unknown[0]) & (unknown[0] < first[0]))
    assert np.all(unknown[1] > np.minimum(first[1], second[1]))


def test_a_row_that_the_others_deny_counts_little():
    seen = fleet()
    errors = np.zeros(len(seen))
    errors[10] = 2.0
    found = learnt(seen, errors, noise=0.05)
    assert found.weights[10] < 0.1
    assert np.median(found.weights) == 1.0
    mean, _ = corrected([found], seen.take(slice(10, 11)))[0]
    assert mean[0] < 1.0


@settings(deadline=None)
@given(st.lists(cases(), min_size=2, max_size=12))
def test_covariance_is_one(those):
    """Symmetric, without a negative eigenvalue, and of a case with itself what any case has."""
    found = table(those)
    matrix = covariance(found, found)
    assert np.allclose(matrix, matrix.T)
    assert np.linalg.eigvalsh(matrix).min() > -1e-9
    named = (found.model != "") & (found.accelerator != "")
    assert np.allclose(np.diag(matrix)[named], variance())


def test_support_says_what_a_case_leans_on():
    seen = table([PLAIN, replace(PLAIN, concurrency=32.0)])
    asked = {
        Support.CONFIGURATION: replace(PLAIN, concurrency=16.0),
        Support.EDGE: replace(PLAIN, concurrency=4.0),
        Support.BEYOND: replace(PLAIN, concurrency=64.0),
        Support.RELEASE: replace(PLAIN, engine_version="9.9", concurrency=16.0),
        Support.SHAPE: replace(PLAIN, input_tokens=9000.0),
        Support.VARIANT: replace(PLAIN, tensor=4),
        Support.PAIR: replace(PLAIN, engine="sglang"),
        Support.MODEL: replace(PLAIN, accelerator="new"),
        Support.CHIP: replace(PLAIN, model="new"),
        Support.NONE: replace(PLAIN, model="new", accelerator="new"),
    }
    assert list(support(table(list(asked.values())), seen)) == [each.value for each in asked]
    anyhow = replace(PLAIN, engine_version="", concurrency=16.0)
    assert list(support(table([anyhow]), seen)) == [Support.CONFIGURATION.value]
    unnamed = replace(PLAIN, model="", accelerator="")
    assert list(support(table([unnamed]), table([unnamed]))) == [Support.NONE.value]


def test_what_another_release_tells_has_a_width_of_its_own():
    """Releases that differ by a fifth: rows of one, told by those of the others, are farther off than by their own."""
    dice = np.random.default_rng(3)
    those = [
        replace(PLAIN, concurrency=float(load), input_tokens=float(length), engine_version=release)
        for release in ("1", "2", "3", "4")
        for length in range(512, 6656, 512)
        for load in (4, 16, 64)
    ]
    seen = table(those)
    ttft, tpot = made(seen)
    own = {release: dice.normal(0, 0.2) for release in np.unique(seen.version)}
    shift = np.exp([own[release] + dice.normal(0, 0.01) for release in seen.version])
    found = learn(seen, ttft * shift, tpot * shift)
    factors = found.tpot_bands.factors
    assert factors[Support.RELEASE] != SUPPOSED_FACTOR
    asked = table([replace(PLAIN, engine_version=release) for release in ("1", "new")])
    told = found.estimate(asked)
    assert list(told.support) == [Support.CONFIGURATION.value, Support.RELEASE.value]
    widths = told.tpot.high / told.tpot.low
    assert widths[1] > widths[0]


def test_another_release_is_told_no_more_narrowly_than_ones_own():
    """No row has another release, so what is supposed of one is the narrower: of these rows the own come out wider than that."""
    seen = fleet()
    dice = np.random.default_rng(6)
    found = learn(seen, *(of * np.exp(dice.normal(0, 0.1, len(seen))) for of in made(seen)))
    factors = found.tpot_bands.factors
    own = max(factors[level] for level in OWN)
    assert factors[Support.RELEASE] == own > SUPPOSED_FACTOR


def test_the_band_holds_what_it_promises():
    """Measured with an error of 10 % by everything alike but the model's own: nine rows of ten that were held out."""
    seen, dice = fleet(), np.random.default_rng(11)
    ttft, tpot = made(seen)
    own = {name: dice.normal(0, 0.15) for name in np.unique(seen.model)}
    shift = np.array([own[name] for name in seen.model])
    ttft, tpot = (of * np.exp(shift + dice.normal(0, 0.1, len(seen))) for of in (ttft, tpot))
    held = dice.random(len(seen)) < 0.3
    found = learn(seen.take(~held), ttft[~held], tpot[~held]).estimate(seen.take(held))
    for figures, truth in ((found.tpot, tpot), (found.ttft, ttft)):
        within = (figures.low <= truth[held]) & (truth[held] <= figures.high)
        assert 0.8 <= within.mean() <= 0.99
        assert (figures.low < figures.value).all()
        assert (figures.value < figures.high).all()


def test_what_leans_on_less_is_told_with_a_wider_band():
    seen = fleet()
    ttft, tpot = made(seen)
    noisy = np.exp(np.random.default_rng(5).normal(0, 0.1, len(seen)))
    found = learn(seen, ttft * noisy, tpot * noisy)
    known = seen.take(slice(1, 2))
    new = replace(known, model=np.array(["new"]))
    newer = replace(new, accelerator=np.array(["new"]))
    widths = [
        float(np.log(found.estimate(each).tpot.high / found.estimate(each).tpot.low)[0])
        for each in (known, new, newer)
    ]
    assert widths[0] < widths[1] <= widths[2] * 1.0001


def test_no_band_reaches_below_what_the_bandwidth_allows():
    """Chips of which nothing was measured have the widest bands."""
    seen = fleet()
    found = learn(seen, *made(seen))
    asked = table([replace(PLAIN, accelerator="new", model="new", concurrency=1.0, output_tokens=16.0)])
    told = found.estimate(asked)
    least = physics.least_ms(asked)
    for figures in (told.tpot, told.ttft):
        assert np.all(figures.low >= least)
        assert np.all(figures.value >= figures.low)


def test_a_pipeline_is_another_configuration():
    seen = table([PLAIN, replace(PLAIN, concurrency=32.0)])
    asked = table([replace(PLAIN, pipeline=2, concurrency=16.0)])
    assert list(support(asked, seen)) == [Support.VARIANT.value]
