"""Nodes to come that several pools share: together they never open more than there may be, and the plan is still the optimum."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest
from chipwise.placement.canonical import MalformedProblemError, canonical
from chipwise.placement.ceilings import granted, nodes_to_come
from chipwise.placement.explain import Explainer
from chipwise.placement.plan import Plan
from chipwise.placement.problem import Billing, Bucket, Ceiling, Pool, Problem, SolveLimits, Workload
from chipwise.placement.solve import solve
from chipwise.reasons import Reason
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.placement.build import (
    EIGHT,
    any_room,
    assignment,
    brute_force,
    node_pool,
    option,
    placed_by_priority,
    problems,
    without_patterns,
    workload,
)


@st.composite
def shared_problems(draw: st.DrawFn, most: int = 4) -> Problem:
    """Pools with some nodes to come, some of them paid for anyway, under one or two ceilings that count them alike or not."""
    question = draw(problems(most))
    pools = tuple(_growing(draw, pool) for pool in question.pools)
    ceilings = tuple(
        Ceiling(key, draw(st.integers(0, 5)), tuple((pool.name, draw(st.integers(0, 2))) for pool in pools))
        for key in draw(st.sampled_from([("nodes",), ("nodes", "cpu")]))
    )
    return replace(question, pools=pools, ceilings=ceilings)


def _growing(draw: st.DrawFn, pool: Pool) -> Pool:
    room = draw(any_room) if pool.billing is Billing.NODE else pool.buckets[0].room
    price = pool.price_per_hour if pool.billing is Billing.NODE else 0.0
    coming = [Bucket(room, draw(st.integers(1, 2)), price, to_come=True)]
    if draw(st.booleans()):
        coming.append(Bucket(room, 1, 0.0, to_come=True))
    there = pool.buckets if draw(st.booleans()) else ()
    return replace(pool, buckets=(*there, *coming))


def shares(question: Problem) -> Iterator[Problem]:
    """Every way to share out the nodes to come, as questions without ceilings. Written without a line of the product."""
    for counts in product(*(range(sum(b.count for b in p.buckets if b.to_come) + 1) for p in question.pools)):
        given_to = {pool.name: n for pool, n in zip(question.pools, counts, strict=True)}
        if any(sum(each * given_to[p] for p, each in c.each) > c.amount for c in question.ceilings):
            continue
        pools = []
        for pool in question.pools:
            left, buckets = given_to[pool.name], []
            for bucket in sorted(pool.buckets, key=lambda b: b.price_per_hour):
                count = min(left, bucket.count) if bucket.to_come else bucket.count
                left -= count if bucket.to_come else 0
                buckets.append(replace(bucket, count=count, to_come=False))
            pools.append(replace(pool, buckets=tuple(buckets)))
        yield replace(question, pools=tuple(pools), ceilings=())


def best(question: Problem) -> tuple[tuple[int, ...], float]:
    return min((brute_force(way) for way in shares(question)), key=lambda b: ([-n for n in b[0]], b[1]))


def keeps_to_ceilings(question: Problem, plan: Plan) -> bool:
    given_to = dict(plan.grants)
    return all(sum(n * given_to[p] for p, n in c.each) <= c.amount for c in question.ceilings)


@settings(max_examples=150, deadline=None)
@given(shared_problems())
def test_the_plan_is_the_optimum_of_every_way_to_share(question):
    plan = solve(question)
    placed, objective = best(question)
    assert keeps_to_ceilings(question, plan)
    assert placed_by_priority(question, assignment(plan)) == placed
    assert plan.objective_per_hour == pytest.approx(objective, abs=1e-6)
    assert plan.optimal
    alone = brute_force(granted(question, dict(plan.grants)))
    assert alone[0] == placed
    assert alone[1] == pytest.approx(objective, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(shared_problems(), st.sampled_from([SolveLimits(mip_nodes=0), SolveLimits(mip_options=0), None]))
def test_a_search_that_is_cut_short_claims_no_more_than_is_true(question, limits):
    if limits is None:
        with without_patterns():
            plan = solve(question)
    else:
        plan = solve(question, limits)
    placed, objective = best(question)
    assert keeps_to_ceilings(question, plan)
    if placed_by_priority(question, assignment(plan)) == placed:
        assert plan.lower_bound_per_hour <= objective + 1e-6
    if plan.optimal:
        assert placed_by_priority(question, assignment(plan)) == placed
        assert plan.objective_per_hour == pytest.approx(objective, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(shared_problems(most=6), st.randoms(use_true_random=False))
def test_the_order_of_the_question_does_not_matter(question, random):
    def shuffled(items):
        items = list(items)
        random.shuffle(items)
        return tuple(items)

    other = replace(
        question,
        workloads=shuffled(question.workloads),
        pools=shuffled(replace(p, buckets=shuffled(p.buckets)) for p in question.pools),
        ceilings=shuffled(replace(c, each=shuffled(c.each)) for c in question.ceilings),
    )
    assert repr(solve(other)) == repr(solve(question))


def coming(name: str, nodes: int, price: float) -> Pool:
    pool = node_pool(name, nodes, price)
    return replace(pool, buckets=(Bucket(EIGHT, nodes, price, to_come=True),))


BOTH = Ceiling("limits.nodes of NodePool gpu", 2, (("od", 1), ("spot", 1)))


def crowd(count: int) -> list[Workload]:
    return [workload(f"w{n}", option("spot", 1, 8), option("od", 1, 8)) for n in range(count)]


def test_two_pools_of_one_limit_get_no_more_than_it_has():
    question = Problem(tuple(crowd(4)), (coming("spot", 2, 8.0), coming("od", 2, 20.0)), (), (BOTH,))
    plan = solve(question)
    assert (len(assignment(plan)), plan.cost_per_hour, plan.optimal) == (2, 16.0, True)
    refused = [c.refusal for c in plan.choices if c.option is None]
    assert {r.reason for r in refused if r} == {Reason.CAPACITY_EXHAUSTED}
    assert all(
        "1 more node of pool spot and 1 more of limits.nodes of NodePool gpu" in r.message
        and r.message.startswith("Others of equal or higher priority hold the room")
        for r in refused
        if r
    )


def test_what_nobody_needs_goes_to_pools_that_need_some_first():
    """So that a rollout there has room beside what the plan uses."""
    ceiling = replace(BOTH, amount=3)
    needs = [workload("w", option("od", 1, 8))]
    plan = solve(Problem(tuple(needs), (coming("spot", 2, 8.0), coming("od", 2, 20.0)), (), (ceiling,)))
    assert dict(plan.grants) == {"od": 2, "spot": 1}


def test_what_an_option_would_cost_alone_counts_every_node_that_its_pool_may_have():
    question = Problem(tuple(crowd(2)), (coming("spot", 2, 8.0), coming("od", 2, 20.0)), (), (BOTH,))
    found = Explainer(question, solve(question)).candidates("prod/w0")
    assert {ranked.pool: ranked.alone_per_hour for ranked in found} == {"spot": 8.0, "od": 20.0}
    assert "1 more of limits.nodes" in next(r.refusal.message for r in found if r.refusal is not None)


def test_a_large_fleet_under_ceilings_is_near_its_bound():
    """Forty pools two by two on one limit that binds: rounding within a share loses little."""
    pairs = range(20)
    pools = [
        coming(f"{kind}{n}", 30, price + n / 10) for n in pairs for kind, price in (("s", 8.0), ("d", 20.0))
    ]
    ceilings = tuple(Ceiling(f"limit{n}", 38, ((f"s{n}", 1), (f"d{n}", 1))) for n in pairs)
    fleet = tuple(
        workload(
            f"w{n:04}",
            *(option(f"{kind}{(n + at) % 20}", 1 + n % 3, 2 ** (n % 3)) for at in range(4) for kind in "sd"),
        )
        for n in range(1000)
    )
    plan = solve(Problem(fleet, tuple(pools), (), ceilings))
    assert all(choice.option is not None for choice in plan.choices)
    assert plan.gap <= 0.002


def test_a_ceiling_that_contradicts_the_pools_is_refused():
    with pytest.raises(MalformedProblemError, match="unknown pool"):
        canonical(Problem((), (coming("spot", 1, 1.0),), (), (BOTH,)))
    mixed = replace(
        coming("spot", 1, 1.0),
        buckets=(Bucket(EIGHT, 1, 1.0, True), Bucket(replace(EIGHT, chips=4), 1, 1.0, True)),
    )
    with pytest.raises(MalformedProblemError, match="not alike"):
        canonical(Problem((), (mixed,), (), (Ceiling("n", 1, (("spot", 1),)),)))


def test_nodes_to_come_count_only_where_somebody_counts_them():
    question = canonical(Problem((), (coming("spot", 3, 1.0),)))
    assert nodes_to_come(question.pools[0]) == 0
