"""What must hold of the physics whatever its constants."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from chipwise.performance.estimator import physics, room_of, table
from chipwise.performance.estimator.kernels import kernels
from chipwise.reasons import Refusal
from hypothesis import given
from hypothesis import strategies as st

from tests.performance.estimator.cases import CHIP, DENSE, PLAIN, ROUTED, cases

TPOT, TTFT = physics.supposed(physics.TPOT), physics.supposed(physics.TTFT)
SLACK = 1 + 1e-9
PEAK = CHIP.flops or 0.0


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
    roomy = replace(PLAIN.chip, memory_bytes=10**15)
    routed = replace(PLAIN, architecture=ROUTED, chip=roomy, output_tokens=1e6, input_tokens=1.0)
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


@pytest.mark.parametrize("architecture", [DENSE, ROUTED])
def test_copies_of_a_dense_model_are_as_many_servers(architecture):
    """Eight copies with eight times the requests take as long as one; of routed experts, which they share, they take other times."""
    one = replace(PLAIN, architecture=architecture, input_tokens=4096.0)
    eight = replace(one, data=8, concurrency=8 * one.concurrency)
    step, first = times(one, eight)
    if architecture is DENSE:
        assert step[1] == pytest.approx(step[0])
        of_the_client = np.exp(TTFT)[[each.name for each in physics.TTFT].index("request_ms")] * 7 * 8
        assert first[1] - first[0] == pytest.approx(of_the_client)
    else:
        assert step[1] != pytest.approx(step[0])


def test_one_request_is_computed_by_the_copy_that_serves_it():
    """Not before its chip could at the stated peak."""
    alone = replace(PLAIN, data=8, concurrency=1.0, input_tokens=32_000.0)
    assert times(alone)[1, 0] > 1000 * 2 * DENSE.active_parameters * 32_000 / PEAK


def test_a_sliding_window_bounds_what_a_prompt_attends_to():
    """By hand: 24 of 32 layers see the last 1,000 of 100,000 tokens."""
    slides = replace(DENSE, sliding_window=1000, sliding_layers=24)
    whole, near = (
        replace(PLAIN, architecture=each, input_tokens=100_000.0, concurrency=1.0) for each in (DENSE, slides)
    )
    all_pairs, near_pairs = 100_000**2 / 2, 1000**2 / 2 + 99_000 * 1000
    spared = 4 * 32 * 128 * 24 * (all_pairs - near_pairs) / (PEAK * np.exp(TTFT)[0])
    found = times(whole, near)
    without_token = found[1] - np.exp(TTFT)[[each.name for each in physics.TTFT].index("steps")] * found[0]
    assert without_token[0] - without_token[1] == pytest.approx(1000 * spared, rel=1e-6)


@given(cases(), st.floats(1, 50))
def test_beyond_its_places_a_replica_makes_no_more_tokens(case, more):
    places = float(physics.places_in_cache(table([case]))[0])
    those = [replace(case, concurrency=places * crowd) for crowd in (1.0, more, more * 3)]
    step, first = times(*those)
    assert step[1:] == pytest.approx(step[0])
    rate = [
        each.concurrency * case.output_tokens / (f + t * case.output_tokens)
        for each, f, t in zip(those, first, step, strict=True)
    ]
    assert max(rate) <= places / step[0] * SLACK


@given(cases())
def test_what_is_sure_to_fit_has_a_place(case):
    """Places are counted at mean length, and with the cache of the engine. Scales of 4-bit weights count there alone."""
    case = replace(case, weight_bits=max(case.weight_bits, 8))
    held = room_of(case).holds(case.input_tokens, case.output_tokens)
    if not isinstance(held, Refusal):
        assert physics.places_in_cache(table([case]))[0] >= held * 0.99
