"""The joint choice: the optimum where it can be checked, the same answer in any order, and nothing promised that does not fit."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from chipwise.placement.billing import bill
from chipwise.placement.canonical import MalformedProblemError, canonical
from chipwise.placement.instance import number
from chipwise.placement.occupancy import Occupancy
from chipwise.placement.plan import Plan
from chipwise.placement.problem import (
    Billing,
    Bucket,
    Candidate,
    Footprint,
    Limit,
    Option,
    Pool,
    Problem,
    Room,
    SolveLimits,
    Workload,
)
from chipwise.placement.rounding import rounded
from chipwise.placement.solve import solve
from chipwise.reasons import Reason, Refusal
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.placement.build import (
    GIB,
    assignment,
    bins_of,
    brute_force,
    chip_pool,
    footprint,
    node_pool,
    option,
    placed_by_priority,
    problem,
    problems,
    true_cost,
    within_limits,
    without_patterns,
    workload,
)


@settings(max_examples=250, deadline=None)
@given(problems())
def test_the_plan_is_the_optimum_of_brute_force(question):
    """Node billing, chip billing, limits, priorities, odd footprints: the same counts by priority and the same objective."""
    plan = solve(question)
    placed, objective = brute_force(question)
    assert placed_by_priority(question, assignment(plan)) == placed
    assert plan.objective_per_hour == pytest.approx(objective, abs=1e-6)
    assert plan.optimal
    assert plan.gap == 0.0
    assert plan.lower_bound_per_hour == plan.objective_per_hour


@settings(max_examples=60, deadline=None)
@given(problems(most=7), st.randoms(use_true_random=False))
def test_the_order_of_the_question_does_not_matter(question, random):
    """Shuffled workloads, options, pools, buckets and limits give the same bytes."""

    def shuffled(items):
        items = list(items)
        random.shuffle(items)
        return tuple(items)

    other = Problem(
        shuffled(replace(w, options=shuffled(w.options)) for w in question.workloads),
        shuffled(replace(p, buckets=shuffled(p.buckets)) for p in question.pools),
        shuffled(question.limits),
    )
    assert repr(solve(other)) == repr(solve(question))


@settings(max_examples=100, deadline=None)
@given(problems(most=7))
def test_the_plan_keeps_within_capacity_and_limits(question):
    """All that is placed fits the nodes, and costs what the cheapest of them do."""
    plan = solve(question)
    chosen = assignment(plan)
    assert within_limits(question, chosen)
    assert true_cost(bins_of(question), chosen) == pytest.approx(plan.cost_per_hour)
    assert bill(question, chosen).cost_per_hour == plan.cost_per_hour


@settings(max_examples=100, deadline=None)
@given(problems(most=7))
def test_shares_add_up_to_the_bill(question):
    """To the nano-dollar, for each pool."""
    plan = solve(question)
    for use in plan.pools:
        shares = [c.cost_per_hour for c in plan.choices if c.option is not None and c.option.pool == use.pool]
        assert sum(round(share * 1e9) for share in shares) == round(use.cost_per_hour * 1e9)


@settings(max_examples=150, deadline=None)
@given(problems(most=7), st.lists(st.floats(0, 1), min_size=30, max_size=30))
def test_rounding_always_fits(question, shares):
    """Whatever the relaxation says, the incumbent is feasible and its bill is what it claims."""
    instance = number(canonical(question))
    if not instance.seats:
        return
    state = rounded(instance, shares[: len(instance.seats)])
    again = Occupancy.loaded(instance, state.chosen)
    assert again is not None
    assert again.settled() == pytest.approx(state.settled())


@settings(max_examples=60, deadline=None)
@given(problems(most=6), st.sampled_from([SolveLimits(mip_nodes=0), SolveLimits(mip_options=0)]))
def test_a_stopped_search_still_gives_a_plan_that_fits(question, limits):
    """Without a tree the plan is the rounding's, its bound holds, and it does not claim more than it proved."""
    _claims_no_more_than_is_true(question, solve(question, limits))


@settings(max_examples=200, deadline=None)
@given(problems(most=6))
def test_where_not_every_packing_is_tried_no_more_is_claimed_than_is_true(question):
    """With too many patterns to list: what is promised fits, the bound holds, the optimum is one, and who is refused is told how surely."""
    with without_patterns():
        plan = solve(question)
    _claims_no_more_than_is_true(question, plan)
    if plan.optimal and question.workloads:
        placed, _ = brute_force(question)
        assert placed_by_priority(question, assignment(plan)) == placed


def _claims_no_more_than_is_true(question: Problem, plan: Plan) -> None:
    placed, objective = brute_force(question)
    chosen, bins = assignment(plan), bins_of(question)
    assert true_cost(bins, chosen) is not None
    if placed_by_priority(question, chosen) == placed:
        assert plan.lower_bound_per_hour <= objective + 1e-6
    if plan.optimal:
        assert plan.objective_per_hour == pytest.approx(objective, abs=1e-6)
    for choice in plan.choices:
        if choice.refusal is None or "Others of equal or higher" not in choice.refusal.message:
            continue
        refused = next(w for w in question.workloads if w.key == choice.workload)
        for one in refused.options:
            more = {**chosen, choice.workload: one}
            assert true_cost(bins, more) is None or not within_limits(question, more)


def _sizes(*replicas: tuple[int, Footprint]) -> list[Workload]:
    """One workload of so many replicas of each footprint."""
    return [
        Workload(f"prod/{n}", 0, (Option("gpu", f"v{n}", count, size),))
        for n, (count, size) in enumerate(replicas)
    ]


@pytest.mark.parametrize(
    "replicas",
    [
        [(1, footprint(4, 4, 1000)), (1, footprint(2, 4, 500)), (1, footprint(1, 4, 300))],
        [(1, footprint(3)), (1, footprint(5))],
        [(1, footprint(6)), (2, footprint(1))],
        [(2, footprint(1, 16)), (2, footprint(2, 32))],
        [(6, footprint(1, 16))],
        [(1, footprint(1, 20)), (1, footprint(4, 40))],
    ],
)
def test_what_fits_one_node_is_placed_on_one_node(replicas):
    """Sizes that do not divide the node, hungry for CPU or for memory: with one node all are placed, with two one is paid for."""
    room = Room(8, 96_000, 1900 * GIB, 110)
    for nodes in (1, 2):
        plan = solve(problem(_sizes(*replicas), [node_pool("gpu", nodes, price=98.32, room=room)]))
        assert all(choice.option is not None for choice in plan.choices)
        assert plan.cost_per_hour == 98.32
        assert plan.optimal
        assert plan.pools[0].nodes == 1


def test_a_refusal_says_where_not_every_packing_was_tried():
    """Two nodes do for all six, but no quick way finds it: the last one is refused, and told that this is not certain."""
    sizes = _sizes((1, footprint(4)), (2, footprint(3)), (3, footprint(2)))
    with without_patterns():
        plan = solve(problem(sizes, [node_pool("gpu", 2)]))
    (refusal,) = [choice.refusal for choice in plan.choices if choice.refusal]
    assert refusal.reason is Reason.CAPACITY_EXHAUSTED
    assert "not every way was tried" in refusal.message
    assert not plan.optimal
    assert solve(problem(sizes, [node_pool("gpu", 2)])).optimal


def test_whole_nodes_are_paid_for():
    """One chip in a node of eight costs the node; a second workload that fits beside it costs nothing more."""
    a, b = (workload(n, option("gpu")) for n in "ab")
    plan = solve(problem([a, b], [node_pool("gpu", 2, price=8.0)]))
    assert plan.cost_per_hour == 8.0
    assert [c.cost_per_hour for c in plan.choices] == [4.0, 4.0]
    assert [c.amortised_per_hour for c in plan.choices] == [1.0, 1.0]


def test_workloads_share_a_dear_node_rather_than_each_taking_a_cheap_one():
    """Jointly 10 $/h, though for each alone the other pool is cheaper."""
    pools = [node_pool("big", 1, price=10.0), node_pool("small", 4, price=6.0)]
    both = [workload(n, option("big", 4), option("small", 8)) for n in "ab"]
    plan = solve(problem(both, pools))
    assert plan.cost_per_hour == 10.0
    assert {c.option.pool for c in plan.choices if c.option} == {"big"}


def test_committed_chips_cost_nothing():
    """Billing by the chip starts beyond them."""
    plan = solve(problem([workload("a", option("tpu", 5))], [chip_pool("tpu", 8, price=2.0, committed=3)]))
    assert plan.cost_per_hour == 4.0
    assert plan.pools[0].nodes_paid == 0


def test_a_higher_priority_is_placed_whatever_it_costs():
    """One dear workload of high priority goes before two cheap ones."""
    high = workload("high", option("gpu", 8, switching=100.0), priority=10)
    low = [workload(n, option("gpu", 4)) for n in "ab"]
    plan = solve(problem([high, *low], [node_pool("gpu", 1)]))
    assert plan.choice("prod/high").option is not None
    assert plan.choice("prod/a").option is None
    assert plan.optimal


def test_switching_costs_keep_what_runs():
    """A saving below the cost of moving is not taken, and the objective says what was minimised."""
    one = workload("a", option("here", 8), option("there", 8, switching=1.5))
    plan = solve(problem([one], [node_pool("here", 1, price=8.0), node_pool("there", 1, price=7.0)]))
    assert plan.choice("prod/a").option == one.options[0]
    assert plan.objective_per_hour == 8.0


def test_exhausted_capacity_names_the_smallest_change():
    """The change is the cheapest, counted in whole nodes, and making it lets the workload in."""
    first, second = workload("a", option("gpu", 8)), workload("b", option("gpu", 12), priority=-1)
    plan = solve(problem([first, second], [node_pool("gpu", 1)]))
    refusal = plan.choice("prod/b").refusal
    assert refusal is not None
    assert refusal.reason is Reason.CAPACITY_EXHAUSTED
    assert "2 more nodes of pool gpu" in refusal.message
    assert "16.00 $/h" in refusal.message
    assert solve(problem([first, second], [node_pool("gpu", 3)])).choice("prod/b").option is not None


@pytest.mark.parametrize(
    ("other", "words"), [(8, "Others of equal or higher"), (None, "too little room even")]
)
def test_exhausted_capacity_blames_others_only_where_they_are_to_blame(other, words):
    """Room for 8 chips: one that needs 8 is kept out by another, one that needs 12 by nobody."""
    wants = 8 if other else 12
    some = [workload("b", option("gpu", wants), priority=-1)]
    some += [workload("a", option("gpu", other))] if other else []
    refusal = solve(problem(some, [node_pool("gpu", 1)])).choice("prod/b").refusal
    assert refusal is not None
    assert refusal.reason is Reason.CAPACITY_EXHAUSTED
    assert words in refusal.message
    assert "1 more node of pool gpu" in refusal.message


def test_exhausted_quota_is_named_too():
    """A limit that is short is named with the amount."""
    both = [
        workload(n, option("gpu", 4, usage=(("prod/chips", 4),)), priority=p) for n, p in (("a", 1), ("b", 0))
    ]
    plan = solve(problem(both, [node_pool("gpu", 2)], [Limit("prod/chips", 6)]))
    refusal = plan.choice("prod/b").refusal
    assert refusal is not None
    assert "with 2 more of prod/chips" in refusal.message


def test_no_feasible_variant_repeats_the_nearest_miss():
    """The tally of reasons and the message of the one that came nearest."""
    refused = (
        Candidate("v1", "gpu", Refusal(Reason.MEMORY_EXCEEDED, "needs 90 GB of 80 GB")),
        Candidate(
            "v2", "gpu", Refusal(Reason.OBJECTIVE_MISSED, "TPOT is 61 ms at one request, 50 ms is allowed")
        ),
    )
    one = replace(workload("a"), refused=refused)
    refusal = solve(problem([one], [node_pool("gpu", 1)])).choice("prod/a").refusal
    assert refusal is not None
    assert refusal.reason is Reason.NO_FEASIBLE_VARIANT
    assert "1 MemoryExceeded, 1 ObjectiveMissed" in refusal.message
    assert "v2 on gpu: TPOT is 61 ms" in refusal.message


def test_what_fits_no_node_at_all_is_said():
    """Sixteen chips in a replica never fit nodes of eight, however many."""
    refusal = solve(problem([workload("a", option("gpu", 1, 16))], [node_pool("gpu", 4)])).choices[0].refusal
    assert refusal is not None
    assert "No node" in refusal.message


def test_nothing_to_place_is_a_plan():
    """No workloads, no pools, no cost."""
    plan = solve(problem([], []))
    assert plan.optimal
    assert plan.cost_per_hour == 0.0


@pytest.mark.parametrize(
    "question",
    [
        problem([workload("a"), workload("a")], []),
        problem([], [node_pool("p", 1), node_pool("p", 1)]),
        problem([workload("a", option("nowhere"))], []),
        problem([workload("a", option("p", 0))], [node_pool("p", 1)]),
    ],
)
def test_a_question_that_contradicts_itself_is_refused(question):
    """Duplicates, unknown pools and empty options are the caller's mistakes."""
    with pytest.raises(MalformedProblemError):
        solve(question)


def test_a_warm_start_does_not_change_the_optimum():
    """It is only where the search begins."""
    ways = [workload(n, option("x", 3), option("y", 4)) for n in "abc"]
    question = problem(ways, [node_pool("x", 1), node_pool("y", 2, price=7.0)])
    warm = {w.key: w.options[1] for w in ways}
    assert solve(question, warm=warm).objective_per_hour == solve(question).objective_per_hour


def test_what_the_solver_makes_of_its_start_is_checked():
    """HiGHS 1.16 forgets in presolve what the node of this start costs, and calls it the optimum at nothing."""
    small, big = Footprint(1, 4_000, 0), Footprint(5, 30_000, 16 * GIB)
    ways = (Option("p", "small", 2, small), Option("p", "big", 1, big, 0.3), Option("p", "big", 2, big))
    rooms = (Room(1, 20_000, 64 * GIB, 20), Room(6, 8_000, 256 * GIB, 2), Room(5, 48_000, 256 * GIB, 4))
    buckets = tuple(Bucket(room, count, 10.0) for room, count in zip(rooms, (2, 1, 2), strict=True))
    plan = solve(problem([workload("a", *ways)], [Pool("p", "c", Billing.NODE, 10.0, 8, buckets)]))
    assert plan.optimal
    assert plan.lower_bound_per_hour == plan.objective_per_hour == 10.0


def test_the_solver_is_not_imported_before_it_is_needed():
    """``chipwise --help`` must start fast."""
    code = (
        "import sys, chipwise.placement.solve, chipwise.placement.moves, chipwise.placement.explain;"
        "sys.exit('highspy' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_solver_writes_nothing_to_standard_output():
    """The JSON of the command line must stay JSON."""
    code = (
        "from tests.placement.build import *; from chipwise.placement.solve import solve;"
        "solve(problem([workload('a', option('gpu', 4), option('tpu', 3))], [node_pool('gpu', 1), chip_pool('tpu', 9)]))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert done.stdout == b""
