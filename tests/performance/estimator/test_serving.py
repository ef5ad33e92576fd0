"""How a server is set where a case does not say, and what that does to a first token."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from chipwise.performance.estimator import Serving, Support, physics, provenance, table
from chipwise.performance.estimator.bands import support
from chipwise.performance.estimator.serving import BATCHED_TOKENS, settings, settled, unsaid
from chipwise.performance.types import Provenance
from hypothesis import given
from hypothesis import strategies as st

from tests.performance.estimator.cases import PLAIN, cases

TPOT, TTFT = physics.supposed(physics.TPOT), physics.supposed(physics.TTFT)
SET = Serving(batched_tokens=2048.0, held_steps=20.0, equal_lengths=True)


def first_ms(*those):
    found = table(those)
    return physics.first_ms(found, TTFT, physics.step_ms(found, TPOT))


def told(asked, *seen):
    found = settled(table([asked]), table(seen))
    return found.batched[0], found.held[0], found.equal[0]


def test_what_a_case_says_stays():
    asked = replace(PLAIN, serving=Serving(4096.0, 0.0, equal_lengths=False))
    assert told(asked, replace(PLAIN, serving=SET)) == (4096.0, 0.0, 0.0)


def test_what_it_does_not_say_is_as_in_the_nearest_row_that_was_measured():
    near = replace(PLAIN, concurrency=16.0, serving=SET)
    far = replace(PLAIN, concurrency=64.0, serving=Serving(8192.0, 0.0, equal_lengths=False))
    assert told(replace(PLAIN, concurrency=12.0), far, near) == (2048.0, 20.0, 1.0)
    assert told(replace(PLAIN, concurrency=100.0), far, near) == (8192.0, 0.0, 0.0)
    half = replace(PLAIN, concurrency=12.0, serving=Serving(held_steps=1.0))
    assert told(half, far, near) == (2048.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("nearer", "further"),
    [
        ({}, {"engine_version": "2"}),
        ({"engine_version": "2"}, {"tensor": 4}),
        ({"tensor": 4}, {"accelerator": "another"}),
        ({"precision": "fp8"}, {"accelerator": "another"}),
    ],
)
def test_a_row_of_its_like_counts_before_one_that_is_nearer(nearer, further):
    like = replace(PLAIN, concurrency=1000.0, serving=SET, **nearer)
    other = replace(PLAIN, serving=Serving(1.0, 1.0, equal_lengths=False), **further)
    assert told(PLAIN, other, like) == (2048.0, 20.0, 1.0)


def test_without_a_release_the_nearest_of_any_counts():
    of_none = replace(
        PLAIN, engine_version="", concurrency=64.0, serving=Serving(1.0, 1.0, equal_lengths=False)
    )
    assert told(replace(PLAIN, engine_version=""), of_none, replace(PLAIN, serving=SET)) == (
        2048.0,
        20.0,
        1.0,
    )


@pytest.mark.parametrize("apart", [{"model": "other"}, {"engine": "sglang"}, {"engine": ""}, {"data": 2}])
def test_nothing_is_taken_from_what_is_not_of_its_like(apart):
    assert np.isnan(told(replace(PLAIN, **apart), replace(PLAIN, serving=SET))).all()
    assert np.isnan(told(PLAIN, replace(PLAIN, serving=SET, **apart))).all()


def test_a_row_that_does_not_say_either_leaves_it_open():
    assert np.isnan(told(PLAIN, PLAIN)).all()
    assert np.isnan(told(replace(PLAIN, model=""), replace(PLAIN, model="", serving=SET))).all()


@given(cases())
def test_what_nobody_said_is_as_engines_are_by_default(case):
    default = replace(case, serving=Serving(BATCHED_TOKENS, 0.0, equal_lengths=False))
    bare, same = first_ms(case, default)
    assert bare == same


@given(cases(), st.floats(1, 100_000), st.floats(1, 20))
def test_the_more_prompts_a_step_takes_the_earlier_the_first_token(case, tokens, more):
    few, many = (replace(case, serving=Serving(batched_tokens=tokens * by)) for by in (1.0, more))
    slow, fast = first_ms(few, many)
    assert fast <= slow * (1 + 1e-9)


def test_a_prompt_that_is_held_back_waits_for_so_many_steps():
    held = replace(PLAIN, serving=Serving(held_steps=20.0))
    found = table([PLAIN, held])
    bare, late = physics.first_ms(found, TTFT, np.array([10.0, 10.0]))
    share = np.exp(TTFT)[[each.name for each in physics.TTFT].index("held_share")]
    assert late - bare == pytest.approx(20 * 10 * share)


@given(cases())
def test_requests_of_equal_lengths_wait_for_those_that_come_with_them(case):
    varied, equal = first_ms(case, replace(case, serving=Serving(equal_lengths=True)))
    beside = physics.served(table([case]))[0] / case.data > 1
    assert equal > varied if beside else equal >= varied


def test_alone_no_request_keeps_step_with_another():
    alone = replace(PLAIN, concurrency=1.0)
    varied, equal = first_ms(alone, replace(alone, serving=Serving(equal_lengths=True)))
    assert equal == pytest.approx(varied)


@pytest.mark.parametrize(
    ("said", "level"),
    [
        (Serving(), Support.CONFIGURATION),
        (SET, Support.CONFIGURATION),
        (Serving(held_steps=20.0), Support.CONFIGURATION),
        (Serving(held_steps=19.0), Support.RELEASE),
        (Serving(batched_tokens=3071.0), Support.CONFIGURATION),  # two prompts of 1,024 tokens, as with 2,048
        (Serving(batched_tokens=3072.0), Support.RELEASE),
        (Serving(equal_lengths=False), Support.RELEASE),
    ],
)
def test_a_server_that_is_set_otherwise_was_not_measured(said, level):
    """Its band is another, and its figure is scaled from what was."""
    seen = table([replace(PLAIN, serving=SET), replace(PLAIN, concurrency=32.0, serving=SET)])
    asked = table([replace(PLAIN, concurrency=16.0, serving=said)])
    found = support(asked, seen)
    assert list(found) == [level.value]
    wanted = Provenance.MEASURED if level is Support.CONFIGURATION else Provenance.SCALED
    assert list(provenance(asked, seen, found)) == [wanted.value]


@pytest.mark.parametrize(
    ("concurrency", "version", "said", "worth"),
    [
        (4.0, "1", Serving(), Provenance.MEASURED),
        (3.9, "1", Serving(), Provenance.EXTRAPOLATED),
        (32.0, "1", Serving(), Provenance.MEASURED),
        (33.0, "1", Serving(), Provenance.EXTRAPOLATED),
        (64.0, "1", Serving(), Provenance.EXTRAPOLATED),
        (64.0, "2", Serving(), Provenance.MEASURED),
        (64.0, "", Serving(), Provenance.MEASURED),
        (64.0, "3", Serving(), Provenance.SCALED),
        (65.0, "3", Serving(), Provenance.EXTRAPOLATED),
        (16.0, "1", Serving(held_steps=3.0), Provenance.SCALED),
        (65.0, "1", Serving(held_steps=3.0), Provenance.EXTRAPOLATED),
    ],
)
def test_what_it_is_worth_is_by_the_loads_of_its_release(concurrency, version, said, worth):
    """Measured from 8 to 32 requests with release 1, at 64 with release 2."""
    loads = ((8.0, "1"), (32.0, "1"), (64.0, "2"))
    seen = table([replace(PLAIN, concurrency=load, engine_version=release) for load, release in loads])
    asked = table([replace(PLAIN, concurrency=concurrency, engine_version=version, serving=said)])
    assert list(provenance(asked, seen, support(asked, seen))) == [worth.value]


def test_a_default_is_what_a_row_that_does_not_say_has():
    asked = table([replace(PLAIN, serving=Serving(BATCHED_TOKENS, 0.0, equal_lengths=False))])
    assert list(support(asked, table([PLAIN]))) == [Support.CONFIGURATION.value]


def test_what_counts_is_told():
    near = table([replace(PLAIN, serving=Serving(2048.0, 20.0))])
    found = settings(settled(table([PLAIN, replace(PLAIN, model="other")]), near))
    assert found.tolist() == [[2048.0, BATCHED_TOKENS], [20.0, 0.0], [0.0, 0.0]]


def test_rows_that_say_nothing_say_nothing():
    found = unsaid(table([replace(PLAIN, serving=SET)]))
    assert np.isnan([found.batched[0], found.held[0], found.equal[0]]).all()
