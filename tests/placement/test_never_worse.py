"""More capacity and lower prices never make a plan worse, whatever the footprints.

This can be asked only of plans that are proven optimal: one whose search was stopped may be followed by a better or a worse one.
"""

from __future__ import annotations

from dataclasses import replace

from chipwise.placement.problem import Billing, Bucket, Pool, Problem, Room
from chipwise.placement.solve import solve
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.placement.build import any_room, assignment, placed_by_priority, problems

MORE = st.integers(1, 3)
FACTORS = st.sampled_from([0.0, 0.5, 0.9, 1.0])


def _never_worse(question: Problem, better: Problem) -> None:
    before, after = solve(question), solve(better)
    assume(before.optimal and after.optimal)
    placed = placed_by_priority(question, assignment(before))
    placed_now = placed_by_priority(better, assignment(after))
    assert placed_now >= placed
    if placed_now == placed:
        assert after.objective_per_hour <= before.objective_per_hour + 1e-6


def _exchanged(question: Problem, pool: Pool, changed: Pool) -> Problem:
    return replace(question, pools=tuple(changed if p is pool else p for p in question.pools))


@settings(max_examples=150, deadline=None)
@given(problems(), st.data())
def test_more_nodes_never_place_less_nor_cost_more(question: Problem, data: st.DataObject):
    """Of a kind already there, at its price, at the list price or for nothing: lexicographically as many of each priority, for no more."""
    pool = data.draw(st.sampled_from(question.pools))
    bucket = data.draw(st.sampled_from(pool.buckets))
    price = data.draw(st.sampled_from([bucket.price_per_hour, 0.0, pool.price_per_hour]))
    more = Bucket(bucket.room, data.draw(MORE), 0.0 if pool.billing is Billing.CHIP else price)
    _never_worse(question, _exchanged(question, pool, replace(pool, buckets=(*pool.buckets, more))))


@settings(max_examples=100, deadline=None)
@given(problems(), MORE)
def test_higher_limits_never_place_less_nor_cost_more(question: Problem, more: int):
    """A quota is capacity too."""
    higher = tuple(replace(limit, amount=limit.amount + more) for limit in question.limits)
    assume(higher)
    _never_worse(question, replace(question, limits=higher))


@settings(max_examples=150, deadline=None)
@given(problems(), st.data())
def test_lower_prices_never_place_less_nor_cost_more(question: Problem, data: st.DataObject):
    """In one pool, of all its nodes or of some, down to nothing: what is placed does not depend on prices, and what it costs falls."""
    pool = data.draw(st.sampled_from(question.pools))
    cheaper = replace(
        pool,
        price_per_hour=pool.price_per_hour * data.draw(FACTORS),
        committed_chips=pool.committed_chips + data.draw(st.integers(0, 2)),
        buckets=tuple(replace(b, price_per_hour=b.price_per_hour * data.draw(FACTORS)) for b in pool.buckets),
    )
    _never_worse(question, _exchanged(question, pool, cheaper))


@settings(max_examples=150, deadline=None)
@given(problems(), st.data())
def test_nodes_of_another_kind_never_make_it_worse(question: Problem, data: st.DataObject):
    """New ones, or more room on those there are, as when others leave them."""
    bought = [pool for pool in question.pools if pool.billing is Billing.NODE]
    assume(bought)
    pool = data.draw(st.sampled_from(bought))
    at = data.draw(st.integers(0, len(pool.buckets)))
    if at == len(pool.buckets):
        price = data.draw(st.sampled_from([0.0, pool.price_per_hour]))
        buckets = (*pool.buckets, Bucket(data.draw(any_room), 1, price))
    else:
        roomier = replace(pool.buckets[at], room=_roomier(pool.buckets[at].room, data.draw(MORE)))
        buckets = (*pool.buckets[:at], roomier, *pool.buckets[at + 1 :])
    better = _exchanged(question, pool, replace(pool, buckets=buckets))
    _never_worse(question, better)


def _roomier(room: Room, more: int) -> Room:
    return Room(
        room.chips + more, room.cpu_milli + 12_000 * more, room.memory_bytes + (more << 37), room.pods + more
    )
