"""Packing is true bin packing where there is little to pack; beyond that it never promises what does not fit, nor claims what it has not tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from chipwise.placement import patterns
from chipwise.placement.exact import certain, cheapest
from chipwise.placement.layout import lay_out
from chipwise.placement.packing import nodes_touched, quick
from chipwise.placement.problem import Billing, Bucket, Footprint, Pool, Room
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.placement.build import (
    EIGHT,
    GIB,
    Bins,
    any_footprint,
    any_room,
    footprint,
    node_pool,
    without_patterns,
)


def bins_hold(rooms: Sequence[Room], items: Sequence[Footprint]) -> bool:
    """Brute force: put the first item into every room that holds it, and the rest likewise."""
    if not items:
        return True
    first, rest = items[0], items[1:]
    for n, room in enumerate(rooms):
        if room in rooms[:n]:
            continue
        left = Room(
            room.chips - first.chips,
            room.cpu_milli - first.cpu_milli,
            room.memory_bytes - first.memory_bytes,
            room.pods - 1,
        )
        if min(left.chips, left.cpu_milli, left.memory_bytes, left.pods) >= 0 and bins_hold(
            [*rooms[:n], left, *rooms[n + 1 :]], rest
        ):
            return True
    return False


def pool_of(rooms: Sequence[Room], prices: Sequence[float] = ()) -> Pool:
    prices = prices or [1.0] * len(rooms)
    return Pool(
        "p", "c", Billing.NODE, 1.0, 8, tuple(Bucket(r, 1, p) for r, p in zip(rooms, prices, strict=True))
    )


def counted(pool: Pool, items: Sequence[Footprint], others: Sequence[Footprint] = ()):
    layout = lay_out(pool, [*items, *others])
    return layout, tuple(items.count(f) for f in layout.footprints)


any_item = st.builds(
    Footprint,
    st.integers(0, 6),
    st.sampled_from([0, 4_000, 12_000, 24_000]),
    st.sampled_from([0, 16 * GIB, 128 * GIB]),
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(any_room, min_size=1, max_size=3), st.lists(any_item, max_size=6), st.lists(any_item, max_size=2)
)
def test_what_is_promised_fits(rooms, items, others):
    """Soundness for any rooms and footprints, whatever other footprints the layout was made for."""
    layout, counts = counted(pool_of(rooms), items, others)
    if cheapest(layout, counts) is not None or quick(layout, counts) is not None:
        assert bins_hold(rooms, sorted(items, reverse=True))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.integers(1, 8), min_size=1, max_size=3),
    st.lists(st.sampled_from([1, 2, 4, 8]), max_size=7),
    st.sampled_from([(1, 2, 4, 8), (3, 6), (1, 3), (2, 6)]),
)
def test_a_chain_of_regular_sizes_packs_exactly(chips, picks, chain):
    """Where sizes divide one another and chips are what runs out, the answer is that of brute force."""
    rooms = [Room(c, c * 12_000, c * 128 * GIB, 110) for c in chips]
    items = [footprint(chain[pick % len(chain)]) for pick in picks]
    layout, counts = counted(pool_of(rooms), items, [footprint(s) for s in chain])
    assert (cheapest(layout, counts) is not None) == bins_hold(rooms, sorted(items, reverse=True))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 8), st.sampled_from([0.0, 1.0, 3.0])), min_size=1, max_size=4),
    st.lists(st.sampled_from([1, 2, 4]), max_size=6),
)
def test_the_price_of_a_chain_is_the_least(nodes, sizes):
    """No subset of nodes that holds the replicas costs less."""
    rooms, prices = [Room(c, c * 12_000, c * 128 * GIB, 110) for c, _ in nodes], [p for _, p in nodes]
    items = sorted((footprint(s) for s in sizes), reverse=True)
    least = min(
        (
            sum(p for n, p in enumerate(prices) if mask >> n & 1)
            for mask in range(1 << len(rooms))
            if bins_hold([r for n, r in enumerate(rooms) if mask >> n & 1], items)
        ),
        default=None,
    )
    layout, counts = counted(pool_of(rooms, prices), items)
    packing = cheapest(layout, counts)
    assert (None if packing is None else packing.price) == pytest.approx(least)


any_kind = st.builds(Bucket, any_room, st.integers(1, 3), st.sampled_from([0.0, 1.0, 1.0, 3.0]))
any_mix = st.dictionaries(st.one_of(any_item, any_footprint), st.integers(1, 4), max_size=4)


def pool_with(kinds: Sequence[Bucket]) -> Pool:
    return Pool("p", "c", Billing.NODE, 1.0, 8, tuple(kinds))


def counts_of(pool: Pool, mix: Mapping[Footprint, int], others: Sequence[Footprint]):
    layout = lay_out(pool, [*mix, *others])
    return layout, tuple(mix.get(f, 0) for f in layout.footprints)


@settings(max_examples=400, deadline=None)
@given(st.lists(any_kind, max_size=3), any_mix, st.lists(any_item, max_size=2))
def test_what_fits_and_what_it_costs_is_that_of_true_bin_packing(kinds, mix, others):
    """Several kinds of nodes, several of each, odd sizes, any shape: exactly, both ways, and it is said to be certain."""
    pool = pool_with(kinds)
    layout, counts = counts_of(pool, mix, others)
    packing, least = cheapest(layout, counts), Bins(pool).cost(mix)
    assert (None if packing is None else packing.price) == (None if least is None else pytest.approx(least))
    assert certain(layout, counts)


@settings(max_examples=300, deadline=None)
@given(st.lists(any_kind, max_size=3), any_mix, st.lists(any_item, max_size=2))
def test_nothing_is_claimed_that_was_not_tried(kinds, mix, others):
    """Where the patterns are too many: what is promised fits, and what is said to be certain is."""
    pool = pool_with(kinds)
    layout, counts = counts_of(pool, mix, others)
    least = Bins(pool).cost(mix)
    with without_patterns():
        packing, sure = cheapest(layout, counts), certain(layout, counts)
    if packing is not None:
        assert least is not None
        assert packing.price >= least - 1e-9
    if sure:
        assert (None if packing is None else packing.price) == (
            None if least is None else pytest.approx(least)
        )


def test_what_was_not_tried_is_not_certain():
    """Four, two and two chips and three, three and two fill two nodes of eight. No quick way finds it, and no law forbids it."""
    pods = [footprint(2)] * 3 + [footprint(3)] * 2 + [footprint(4)]
    layout, counts = counted(node_pool("p", 2), pods)
    assert cheapest(layout, counts) is not None
    with without_patterns():
        assert cheapest(layout, counts) is None
        assert not certain(layout, counts)


def test_patterns_are_few_where_replicas_are_few_and_where_sizes_are_few():
    """Twelve replicas all unlike, and thousands of three sizes."""
    unlike = [Footprint(1 + n % 3, 1_000 * n, n * 20 * GIB) for n in range(1, 13)]
    few = lay_out(node_pool("p", 4), unlike)
    assert patterns.book_of(few.kinds, few.footprints, [1] * 12) is not None
    alike = [footprint(3), footprint(1, cpu=30), footprint(2, memory=500)]
    many = lay_out(node_pool("p", 1000), alike)
    assert patterns.book_of(many.kinds, many.footprints, [5_000] * 3) is not None


def test_too_many_patterns_are_not_listed():
    """Forty sizes, dozens of each: the list is given up after a bounded search."""
    sizes = [Footprint(1, 1_000 * n, (60 - n) * 10 * GIB) for n in range(1, 41)]
    layout = lay_out(node_pool("p", 100), sizes)
    assert patterns.book_of(layout.kinds, layout.footprints, [30] * 40) is None


@settings(max_examples=100, deadline=None)
@given(st.lists(any_room, min_size=1, max_size=3), st.lists(any_item, min_size=1, max_size=5))
def test_fewer_replicas_fit_where_more_did(rooms, items):
    """Taking one away never breaks a fit, and never costs more."""
    layout, counts = counted(pool_of(rooms), items)
    packing = cheapest(layout, counts)
    if packing is not None:
        fewer = list(counts)
        fewer[layout.footprints.index(items[0])] -= 1
        after = cheapest(layout, tuple(fewer))
        assert after is not None
        assert after.price <= packing.price + 1e-9


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(any_room, st.integers(1, 9)), min_size=1, max_size=3),
    st.lists(any_footprint, max_size=4),
    st.integers(0, 2),
    st.integers(1, 9),
)
def test_more_nodes_of_a_kind_that_is_there_change_nothing_of_how_footprints_pack(kinds, items, which, more):
    """Which sizes share nodes follows from the kinds of nodes alone, so more of one only adds room."""
    buckets = tuple(Bucket(room, count, 1.0) for room, count in kinds)
    added = Bucket(kinds[which % len(kinds)][0], more, 0.0)
    before, after = (
        lay_out(Pool("p", "c", Billing.NODE, 1.0, 8, some), items) for some in (buckets, (*buckets, added))
    )
    assert (after.levels, after.slots, after.odd) == (before.levels, before.slots, before.odd)
    assert all(now >= then for now, then in zip(after.total, before.total, strict=True))


def test_three_chips_share_a_node_with_four():
    """An odd size may sit where the next size of the chain would."""
    layout, counts = counted(node_pool("p", 1), [footprint(3), footprint(4)])
    assert cheapest(layout, counts) is not None


def test_many_odd_replicas_get_nodes_of_their_own():
    """Seven replicas of one chip and thirteen cores fill a node of 96 cores; counted as two chips only four would."""
    layout, counts = counted(node_pool("p", 1), [footprint(1, cpu=13)] * 7, [footprint(4)])
    assert cheapest(layout, counts) is not None


def test_a_node_short_of_cpu_counts_with_fewer_chips():
    """Eight free chips with CPU for three hold three."""
    room = Room(8, 36_000, 1024 * GIB, 110)
    pool = Pool("p", "c", Billing.NODE, 1.0, 8, (Bucket(EIGHT, 2, 1.0), Bucket(room, 1, 0.0)))
    layout, counts = counted(pool, [footprint(1)] * 19)
    assert cheapest(layout, counts) is not None
    layout, counts = counted(pool, [footprint(1)] * 20)
    assert cheapest(layout, counts) is None


def test_an_empty_pool_holds_nothing():
    """A pool without nodes refuses everything and costs nothing."""
    pool = Pool("p", "c", Billing.NODE, 1.0, 8, ())
    layout, counts = counted(pool, [footprint(1)])
    assert cheapest(layout, counts) is None
    assert cheapest(layout, (0,)) is not None


def test_nodes_in_use_are_counted():
    """Nine chips in nodes of eight touch two."""
    layout, counts = counted(node_pool("p", 5, free=1), [footprint(1)] * 9)
    packing = cheapest(layout, counts)
    assert packing is not None
    assert packing.price == 8.0
    assert nodes_touched(layout, counts, packing) == 2
