"""What must hold of the physics whatever its constants."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from chipwise.performance.estimator import physics, table
from chipwise.performance.estimator.kernels import kernels
from hypothesis import given
from hypothesis import strategies as st

from tests.performance.estimator.cases import CHIP, DENSE, PLAIN, ROUTED, cases

TPOT, TTFT = physics.supposed(physics.TPOT), physics.supposed(physics.TTFT)
SLACK = 1 + 1e-9


def times(*those):
    found = table(those)
    step = physics.step_ms(found, TPOT)
    return np.stack([step, physics.first_ms(found, TTFT, step)])


@given(cases())
def test_times_are_positive_and_finite(case):
    found = times(case)
    assert np.isfinite(found).all()
    assert (found > 0).all()


@given(cases(), st.floats(1, 100))
def test_a_fuller_batch_is_never_faster(case, more):
    before, after = times(case, replace(case, concurrency=case.concurrency * more)).T
    assert (after * SLACK >= before).all()


@given(cases(), st.floats(1, 10), st.sampled_from(["bandwidth_bytes_per_second", "flops"]))
def test_a_better_chip_is_never_slower(case, better, figure):
    improved = replace(case.chip, **{figure: getattr(case.chip, figure) * better})
    before, after = times(case, replace(case, chip=improved)).T
    assert (after <= before * SLACK).all()


@given(cases(), st.floats(0, 1))
def test_a_prefix_in_the_cache_never_costs_time(case, share):
    before, after = times(case, replace(case, prefix_tokens=case.input_tokens * share)).T
    assert (after <= before * SLACK).all()


def test_no_step_is_faster_than_reading_the_weights_it_needs():
    """At the stated bandwidth; of a mixture of experts one token needs its active share."""
    for architecture, parameters in ((DENSE, DENSE.parameters), (ROUTED, ROUTED.active_parameters)):
        case = replace(PLAIN, architecture=architecture, concurrency=1.0)
        least = 1000 * 0.99 * parameters * 2 / case.chip.bandwidth_bytes_per_second
        assert times(case)[0, 0] > least


def test_a_batch_touches_more_experts_until_it_touches_all():
    routed = replace(PLAIN, architecture=ROUTED, output_tokens=1e6, input_tokens=1.0)
    one, some, many, more = times(*(replace(routed, concurrency=n) for n in (1.0, 16.0, 1000.0, 1001.0)))[0]
    assert one < some < many
    assert more - many < 1e-3 * many


def test_where_the_cache_holds_fewer_the_first_token_waits_for_a_place():
    small = replace(PLAIN, chip=replace(PLAIN.chip, memory_bytes=20_000_000_000), input_tokens=4000.0)
    fits = float(physics.places_in_cache(table([small]))[0])
    assert 1 <= fits < 64
    roomy = replace(small, chip=replace(small.chip, memory_bytes=80_000_000_000))
    crowded = [replace(each, concurrency=fits * 8) for each in (small, roomy)]
    held, free = times(*crowded)[1]
    assert held > free


def test_a_pipeline_has_the_room_of_all_its_chips_and_each_stage_a_part_of_the_work():
    """As many chips in a pipeline as in tensor parallelism: about the same room, a token that waits longer, and nothing absurd."""
    tensor, pipeline = (replace(PLAIN, tensor=8), replace(PLAIN, tensor=1, pipeline=8))
    places = physics.places_in_cache(table([tensor, pipeline]))
    assert places[1] == pytest.approx(places[0], rel=0.01)
    (step, first), (step_p, first_p) = times(tensor, pipeline).T
    assert step < step_p < 8 * step
    assert first < first_p < 8 * first


@pytest.mark.parametrize("engine", physics.ENGINES)
def test_constants_of_an_engine_are_its_own(engine):
    own = physics.supposed(physics.TTFT).copy()
    names = [each.name for each in physics.TTFT]
    own[names.index(f"kernel_us.{engine}")] += 1.0
    found = table([replace(PLAIN, engine=each) for each in (engine, "another")])
    step = physics.step_ms(found, TPOT)
    before, after = physics.first_ms(found, TTFT, step), physics.first_ms(found, own, step)
    assert after[0] > before[0]
    assert after[1] == before[1]


def test_kernels_are_those_of_the_kind_of_layer():
    latent = replace(DENSE, latent_dim=576)
    dense, routed, of_latents, both = map(kernels, (DENSE, ROUTED, latent, replace(ROUTED, latent_dim=576)))
    assert (dense, routed) == (10, 15)
    assert of_latents - dense == both - routed == 5


def test_a_short_prompt_takes_as_long_as_its_launches():
    """A model of twice the layers takes twice the time beyond what any request takes, however few its parameters."""
    prompt = replace(PLAIN, input_tokens=8.0, concurrency=1.0)
    small = replace(DENSE, parameters=10**8, active_parameters=10**8)
    one, two, four = (replace(prompt, architecture=replace(small, layers=layers)) for layers in (16, 32, 64))
    found = table([one, two, four])
    first = physics.first_ms(found, TTFT, np.zeros(3))
    assert first[2] - first[1] == pytest.approx(2 * (first[1] - first[0]), rel=0.02)
    assert first[2] - first[1] > 0.9 * 32 * 10 * 50e-3


def test_no_first_token_is_earlier_than_its_weights_are_read():
    slow = replace(PLAIN, chip=replace(CHIP, bandwidth_bytes_per_second=1e11), input_tokens=1.0)
    assert times(slow)[1, 0] > 1000 * DENSE.parameters * 2 / 1e11
