"""Cases of the estimator: as a table, in memory, and what their figures are worth."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from chipwise.catalog.measurements import shipped
from chipwise.performance import memory
from chipwise.performance.estimator import Case, Loads, Support, Table, provenance, room_of, spread, table
from chipwise.performance.estimator.bands import support
from chipwise.performance.types import Hardware, Provenance, Shape
from chipwise.reasons import Reason, Refusal


def cases() -> list[Case]:
    """Of every kind that was measured, and one with a sliding window."""
    found = list(shipped().cases[::29])
    windowed = replace(found[0].architecture, sliding_window=512, sliding_layers=10)
    return [*found, replace(found[0], architecture=windowed)]


def test_many_loads_of_few_setups_are_the_table_of_every_case():
    setups = cases()
    random = np.random.default_rng(1)
    which = random.integers(0, len(setups), 200)
    loads = Loads(*(random.integers(1, 20_000, 200).astype(float) for _ in range(3)))
    plain = table(
        [
            replace(setups[setup], input_tokens=i, output_tokens=o, concurrency=c)
            for setup, i, o, c in zip(which, loads.input, loads.output, loads.concurrency, strict=True)
        ]
    )
    quick = spread(setups, which, loads)
    for field in fields(Table):
        told, wanted = getattr(quick, field.name), getattr(plain, field.name)
        assert told.dtype.kind == wanted.dtype.kind
        assert np.array_equal(told, wanted, equal_nan=told.dtype.kind == "f"), field.name


def test_on_one_copy_without_a_pipeline_memory_is_what_it_is_elsewhere():
    for case in cases():
        if case.data > 1 or case.pipeline > 1:
            continue
        hardware = Hardware(case.architecture, case.chip, case.tensor, case.weight_bits)
        told = memory.requests_that_fit(hardware, Shape(case.input_tokens, case.output_tokens))
        assert room_of(case).holds(case.input_tokens, case.output_tokens) == told


def test_a_pipeline_divides_weights_and_cache():
    case = next(each for each in shipped().cases if each.chips == 2 and each.tensor == 2)
    piped, wide = replace(case, pipeline=2), replace(case, tensor=4)
    held = [room_of(each).holds(1000, 1000) for each in (case, piped, wide)]
    assert all(isinstance(each, int) for each in held)
    one, two, four = (each if isinstance(each, int) else 0 for each in held)
    assert one < two <= four


def test_a_request_longer_than_the_context_is_refused():
    case = next(each for each in shipped().cases if each.architecture.max_context_tokens)
    most = case.architecture.max_context_tokens or 0
    found = room_of(case).holds(most, 1)
    assert isinstance(found, Refusal)
    assert found.reason is Reason.CONTEXT_EXCEEDED


def measured() -> Table:
    """One configuration at concurrencies 8 and 32."""
    one = replace(shipped().cases[0], engine="vllm")
    return table([replace(one, concurrency=each) for each in (8, 32)])


@pytest.mark.parametrize(
    ("change", "worth"),
    [
        ({"concurrency": 8}, Provenance.MEASURED),
        ({"concurrency": 20}, Provenance.MEASURED),
        ({"concurrency": 4}, Provenance.MEASURED),
        ({"concurrency": 3}, Provenance.EXTRAPOLATED),
        ({"concurrency": 33}, Provenance.EXTRAPOLATED),
        ({"input_tokens": 8000}, Provenance.SCALED),
        ({"input_tokens": 40_000}, Provenance.EXTRAPOLATED),
        ({"output_tokens": 10}, Provenance.EXTRAPOLATED),
        ({"tensor": 4}, Provenance.SCALED),
        ({"engine": "sglang"}, Provenance.ESTIMATED),
        ({"model": "another"}, Provenance.ESTIMATED),
        ({"accelerator": ""}, Provenance.ESTIMATED),
    ],
)
def test_a_figure_is_worth_what_was_measured_near_it(change, worth):
    seen = measured()
    one = replace(shipped().cases[0], engine="vllm", concurrency=8)
    asked = table([one, replace(one, **change)])
    levels = support(asked, seen)
    assert levels[0] == Support.CONFIGURATION.value
    assert provenance(asked, seen, levels).tolist() == [Provenance.MEASURED.value, worth.value]
