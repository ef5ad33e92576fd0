"""The tilted bill, and the descent along it."""

from __future__ import annotations

import pytest
from chipwise.placement.canonical import canonical
from chipwise.placement.descent import Guide, descend, tilted
from chipwise.placement.instance import number
from chipwise.placement.layout import lay_out
from chipwise.placement.occupancy import Occupancy
from chipwise.placement.packing import price_of, shared_nodes
from chipwise.placement.rounding import rounded
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.placement.build import footprint, node_pool, problems

LAYOUT = lay_out(node_pool("p", 3, price=8.0, free=1), [footprint(1), footprint(4)])


@given(st.integers(0, 32))
def test_at_exponent_nought_the_slope_is_the_bill(ones):
    """Whole nodes, free ones first."""
    usage = [ones, 0]
    nodes = shared_nodes(LAYOUT, usage)
    assert nodes is not None
    assert tilted(LAYOUT, usage, {}, 0.0) == pytest.approx(price_of(LAYOUT, nodes))


def test_at_exponent_one_a_part_costs_that_part():
    """Four chips beyond the free node cost half a node; scarce nodes cost their worth."""
    assert tilted(LAYOUT, [12, 0], {}, 1.0) == 4.0
    assert tilted(LAYOUT, [12, 0], {1: 10.0}, 1.0) == 5.0


@settings(max_examples=80, deadline=None)
@given(problems(most=7), st.lists(st.floats(0, 1), min_size=30, max_size=30))
def test_the_descent_never_ends_dearer_nor_leaves_anyone_out(question, costs):
    """Whatever the guide says, it keeps the best state it saw, and that fits."""
    instance = number(canonical(question))
    if not instance.seats:
        return
    state = rounded(instance, costs[: len(instance.seats)])
    before, left_out = state.objective(), state.left_out()
    descend(state, Guide(costs[: len(instance.seats)], [{} for _ in instance.pools]))
    assert state.left_out() == left_out
    assert state.objective() <= before + 1e-9
    assert Occupancy.loaded(instance, state.chosen) is not None
