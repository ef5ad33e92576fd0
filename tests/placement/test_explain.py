"""Figures that a platform engineer can check."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chipwise.placement.explain import Explainer, candidates, cost_per_million_tokens, explain_choice
from chipwise.placement.problem import Candidate, Figures
from chipwise.placement.solve import solve
from chipwise.reasons import Reason, Refusal
from hypothesis import given, settings

from tests.placement.build import chip_pool, node_pool, option, problem, problems, workload

FIGURES = Figures(2.5, 412.0, 28.1, "Measured", 0.05, "TPOT Mean 30 ms")


def question():
    a = workload("a", replace(option("old", 8), figures=FIGURES), option("new", 4, switching=0.5))
    refused = (Candidate("v9", None, Refusal(Reason.MEMORY_EXCEEDED, "needs 90 GB of 80 GB")),)
    a = replace(a, refused=refused)
    b = workload("b", option("new", 6))
    return problem([a, b], [node_pool("old", 1, price=12.0), node_pool("new", 2, price=8.0)])


def test_a_choice_is_told_with_its_figures():
    """Where, how many chips, what of the bill, what per token, and the next best."""
    one = question()
    lines = explain_choice(one, solve(one), "prod/a")
    assert lines[0] == "prod/a gets 4 replicas of new-x1 on new (class-new), 1 chip each, 4 together"
    assert lines[1].startswith(
        "Its share of the bill is 6.40 $/h (4 of the 10 chips for which 2 nodes of new at 8.00 $/h are billed, 16.00 $/h), "
        "1.78 $ per million output tokens; at full nodes"
    )
    assert "0.50 $/h over the payback horizon" in lines[2]
    assert lines[-1].startswith("Next best is old-x1 on old (8 x 1 chips): adds 12.00 $/h")


def test_candidates_are_ranked_by_what_they_add():
    """The chosen one first here, then the other, then the refused with its message."""
    one = question()
    ranked = candidates(one, solve(one), "prod/a")
    assert [
        (r.variant, r.added_per_hour, r.alone_per_hour, r.amortised_per_hour, r.chosen) for r in ranked
    ] == [
        ("new-x1", 8.0, 8.0, 4.0, True),
        ("old-x1", 12.0, 12.0, 12.0, False),
        ("v9", None, None, None, False),
    ]
    assert ranked[2].sentence() == "v9: needs 90 GB of 80 GB"
    assert len(candidates(one, solve(one), "prod/a", top=1)) == 1


def test_a_feasible_option_that_others_leave_no_room_for_says_so():
    """With what would let it in."""
    both = [workload("a", option("gpu", 8), option("dear", 8)), workload("b", option("gpu", 8), priority=1)]
    one = problem(both, [node_pool("gpu", 1), node_pool("dear", 1, price=20.0)])
    ranked = candidates(one, solve(one), "prod/a")
    assert ranked[1].added_per_hour is None
    assert "1 more node of pool gpu" in ranked[1].sentence()


def test_the_unplaced_are_told_why():
    """The refusal's reason and message."""
    one = problem([workload("a", option("gpu", 9))], [node_pool("gpu", 1)])
    lines = explain_choice(one, solve(one), "prod/a")
    assert lines[0].startswith("prod/a is not placed (CapacityExhausted)")


def test_the_only_option_is_told_to_be():
    """There is no next best."""
    one = problem([workload("a", option("gpu", 1))], [node_pool("gpu", 1)])
    assert explain_choice(one, solve(one), "prod/a")[-1] == "No other option is feasible"


def test_nodes_that_cost_nothing_more_are_told_from_those_that_do():
    """Somebody else keeps the first one in use."""
    one = problem([workload("a", option("gpu", 12))], [node_pool("gpu", 1, free=1)])
    (_, money, *_) = explain_choice(one, solve(one), "prod/a")
    wanted = "12 of the 12 chips on 2 nodes of gpu, 1 of them billed at 8.00 $/h and the others in use or paid for anyway"
    assert f"{wanted}, 8.00 $/h" in money


def test_a_share_of_chips_billed_one_by_one_is_told_with_their_price():
    """Committed chips cost nothing more."""
    pool = chip_pool("shared", 8, price=2.0, committed=2)
    one = problem([workload("a", option("shared", 8))], [pool])
    (_, money, *_) = explain_choice(one, solve(one), "prod/a")
    assert "8 of the 8 chips that shared bills at 2.00 $/h each beyond 2 committed ones" in money


def test_dollars_per_million_tokens():
    """3.6 $/h at 1,000 tokens/s are 1 $ per million."""
    assert cost_per_million_tokens(3.6, 1000.0) == pytest.approx(1.0)
    assert cost_per_million_tokens(3.6, 0.0) is None


@settings(max_examples=60, deadline=None)
@given(problems())
def test_every_workload_can_be_explained(one):
    """Whatever the problem; and no option that fits adds less, switching included, than the chosen one of an optimal plan."""
    plan = solve(one)
    explainer = Explainer(one, plan)
    for w in one.workloads:
        assert explainer.choice(w.key)
        ranked = [
            r
            for r in explainer.candidates(w.key, 99)
            if r.option is not None and r.added_per_hour is not None
        ]
        totals = [
            (r.added_per_hour or 0.0) + (r.option.switching_cost_per_hour if r.option else 0.0)
            for r in ranked
        ]
        mine = [t for r, t in zip(ranked, totals, strict=True) if r.chosen]
        if mine:
            assert mine[0] <= min(totals) + 1e-6
