"""Whole nodes, chips, and shares that add up."""

from __future__ import annotations

import pytest
from chipwise.placement.billing import DoesNotFitError, bill, share_out
from hypothesis import given
from hypothesis import strategies as st

from tests.placement.build import chip_pool, node_pool, option, problem, workload


def test_free_nodes_are_used_before_paid_ones():
    """Ten chips with one free node of eight pay for one more."""
    question = problem([workload("a", option("gpu", 10))], [node_pool("gpu", 3, price=8.0, free=1)])
    use = bill(question, {"prod/a": question.workloads[0].options[0]}).pools[0]
    assert (use.cost_per_hour, use.nodes, use.nodes_paid) == (8.0, 2, 1)
    assert (use.chips_used, use.chips_free) == (10, 22)


def test_chips_are_billed_beyond_the_committed():
    """Five chips with three committed cost two."""
    question = problem([], [chip_pool("tpu", 8, price=1.5, committed=3)])
    assert bill(question, {"a": option("tpu", 5)}).cost_per_hour == 3.0
    assert bill(question, {"a": option("tpu", 2)}).cost_per_hour == 0.0


def test_what_does_not_fit_has_no_bill():
    """The error names the pool."""
    question = problem([workload("a", option("gpu", 9))], [node_pool("gpu", 1)])
    with pytest.raises(DoesNotFitError, match="pool gpu"):
        bill(question, {"prod/a": question.workloads[0].options[0]})


@given(st.integers(0, 10**15), st.lists(st.integers(0, 5000), min_size=1, max_size=20))
def test_parts_add_up_and_stay_near_their_weight(total, weights):
    """Largest remainders: each part within one of its exact share."""
    parts = share_out(total, weights)
    assert sum(parts) == total
    if sum(weights):
        assert all(
            abs(p - total * w / sum(weights)) <= 1 + total * 1e-15
            for p, w in zip(parts, weights, strict=True)
        )
