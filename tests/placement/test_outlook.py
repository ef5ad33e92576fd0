"""What is said to be secure is bound however the scheduler lets the pods fall; and alone, not one replica less."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from chipwise.placement.ground import FIRST, Crowd, Ground, Site, Truth
from chipwise.placement.outlook import Outlook
from chipwise.placement.problem import Footprint, Option
from chipwise.placement.terms import Spread, Terms
from chipwise.reasons import Reason, Refusal
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.placement.build import GIB

PLENTY = (96_000, 1024 * GIB, 110)


def node(name: str, chips: int, leaving: int = 0, cpu: int = 96_000) -> Site:
    return Site(name, (chips, cpu, 1024 * GIB, 110), (leaving, 0, 0, leaving and 1))


def ground(*sites: Site, **more: object) -> Ground:
    return replace(Ground("p", FIRST, sites), **more)  # type: ignore[arg-type]


def anywhere(*names: str, **more: object) -> Terms:
    return replace(Terms(frozenset(names), new_nodes=False), **more)  # type: ignore[arg-type]


def option(replicas: int, chips: int, terms: Terms, cpu: int = 1_000) -> Option:
    return Option("p", f"x{chips}", replicas, Footprint(chips, cpu, GIB), terms=terms)


def outlook(found: Ground, **left: int) -> Outlook:
    return Outlook(Truth({"p": found}, left))


def reason(refusal: Refusal | None) -> Reason | None:
    return refusal.reason if refusal else None


A_B = anywhere("a", "b")


def test_free_chips_on_several_nodes_are_no_room_for_one_large_replica():
    """Seven are free, and four together nowhere: told with the figures."""
    found = outlook(ground(node("a", 3), node("b", 3), node("c", 1))).lacks(
        option(1, 4, anywhere("a", "b", "c"))
    )
    assert found is not None
    assert found.reason is Reason.FRAGMENTED
    assert found.message == "7 chips are free on pool p, but no node has 4 together"


def test_only_nodes_that_may_take_it_count():
    """A zone pin, a taint, a cordon: the sentence says of how many nodes it speaks."""
    found = outlook(ground(node("a", 8), node("b", 2))).lacks(option(2, 2, anywhere("b")))
    assert found is not None
    assert (
        found.message
        == "2 chips are free on the 1 of 2 nodes of pool p that take it, which hold 1 of 2 replicas of 2 chips"
    )
    assert outlook(ground(node("a", 8), node("b", 2))).lacks(option(1, 2, anywhere("b"))) is None


def test_another_resource_than_chips_can_be_what_is_short():
    found = outlook(ground(node("a", 8, cpu=500))).lacks(option(1, 4, anywhere("a")))
    assert found is not None
    assert "no node has 4 with the CPU, memory and pods beside them" in found.message


def test_a_resource_that_no_node_hands_out_is_never_there():
    wants = anywhere("a", more=(("example.com/nic", 1),))
    assert reason(outlook(ground(node("a", 8))).lacks(option(1, 4, wants))) is Reason.FRAGMENTED
    site = Site("a", (8, *PLENTY, 1), (0, 0, 0, 0, 0))
    rich = Ground("p", (*FIRST, "example.com/nic"), (site,))
    assert Outlook(Truth({"p": rich})).lacks(option(1, 4, wants)) is None
    assert reason(Outlook(Truth({"p": rich})).lacks(option(2, 4, wants))) is Reason.FRAGMENTED


def test_who_stays_does_not_repack_and_who_leaves_makes_room():
    held = {"other": {"a": (5, 1_000, GIB, 1)}}
    found = outlook(ground(node("a", 3), node("b", 3), held=held))
    assert reason(found.lacks(option(1, 8, A_B))) is Reason.FRAGMENTED
    assert found.lacks(option(1, 8, A_B), leaving=("other",)) is None
    found.leave("other")
    assert found.lacks(option(1, 8, A_B)) is None


def test_what_holds_more_than_there_is_leaves_room_only_when_all_of_it_has_left():
    """A device plugin restarts: allocatable is zero while eight chips are held."""
    held = {"other": {"a": (8, 1_000, GIB, 1)}}
    found = outlook(ground(node("a", -8), held=held))
    assert reason(found.lacks(option(1, 1, anywhere("a")), leaving=("other",))) is Reason.FRAGMENTED


def test_small_ones_placed_at_the_same_time_may_spoil_every_node():
    """Two small replicas land on two nodes, and neither has eight chips left: the large one waits."""
    found = outlook(ground(node("a", 8), node("b", 8)))
    assert found.enter("small", option(2, 1, A_B)) is None
    assert reason(found.enter("large", option(1, 8, A_B))) is Reason.NO_SURGE_CAPACITY
    other = outlook(ground(node("a", 8), node("b", 8)))
    assert other.enter("large", option(1, 8, A_B)) is None
    assert reason(other.enter("small", option(2, 1, A_B))) is Reason.NO_SURGE_CAPACITY
    assert other.enter("small", option(1, 1, A_B)) is None


def test_a_node_more_than_can_be_spoilt_is_secure():
    found = outlook(ground(node("a", 8), node("b", 8), node("c", 8)))
    terms = anywhere("a", "b", "c")
    assert found.enter("small", option(2, 1, terms)) is None
    assert found.enter("large", option(1, 8, terms)) is None


def test_pods_that_use_what_is_plenty_spoil_nothing():
    """A hundred pods without chips wait for any node: there is CPU for all of them on each."""
    crowd = Crowd((0, 100, GIB, 1), 100, A_B)
    found = outlook(ground(node("a", 8), node("b", 8), crowds=(crowd,)))
    assert found.enter("w", option(2, 8, A_B)) is None


def test_what_is_leaving_goes_to_those_who_wait_before_it_goes_to_us():
    """Four are free and four Terminating: a pod that waits for six may take two of those that we count on."""
    crowd = Crowd((6, 100, GIB, 1), 1, anywhere("a"))
    busy, calm = node("a", 4, leaving=4), node("a", 4)
    assert outlook(ground(calm, crowds=(crowd,))).enter("w", option(1, 4, anywhere("a"))) is None
    assert reason(outlook(ground(busy, crowds=(crowd,))).enter("w", option(1, 4, anywhere("a")))) is not None


def test_a_promise_that_was_made_is_not_broken_by_the_next():
    flying = Crowd((4, 1_000, GIB, 1), 1, anywhere("a"), "first", promised=True)
    found = outlook(ground(node("a", 4), crowds=(flying,)))
    assert reason(found.enter("second", option(1, 1, anywhere("a")))) is Reason.NO_SURGE_CAPACITY


def test_nodes_to_come_count_as_many_as_may_come():
    new = Site("", (8, *PLENTY), (0, 0, 0, 0), count=2)
    terms = replace(anywhere(), new_nodes=True)
    assert outlook(ground(new)).lacks(option(4, 4, terms)) is None
    assert reason(outlook(ground(new)).lacks(option(5, 4, terms))) is Reason.FRAGMENTED
    assert reason(outlook(ground(new)).lacks(option(1, 4, anywhere()))) is Reason.FRAGMENTED


def test_one_replica_a_node_where_hosts_repel():
    terms = anywhere("a", "b", one_per_node=True)
    assert outlook(ground(node("a", 8), node("b", 8))).lacks(option(2, 1, terms)) is None
    assert reason(outlook(ground(node("a", 8), node("b", 8))).lacks(option(3, 1, terms))) is not None


def test_who_minds_its_neighbours_is_placed_alone():
    found = outlook(ground(node("a", 8), node("b", 8)))
    assert found.enter("first", option(1, 1, A_B)) is None
    picky = option(1, 1, anywhere("a", "b", one_per_node=True))
    refusal = found.enter("second", picky)
    assert refusal is not None
    assert "minds the pods beside it" in refusal.message


def test_a_quota_that_both_copies_exceed_is_said():
    found = Outlook(Truth({"p": ground(node("a", 8))}, {"prod/q/pods": 3}))
    wants = replace(option(2, 1, anywhere("a")), usage=(("prod/q/pods", 2),))
    assert found.enter("first", wants) is None
    refusal = found.enter("second", wants)
    assert refusal is not None
    assert (refusal.reason, refusal.message) == (
        Reason.QUOTA_EXCEEDED,
        "quota prod/q/pods leaves 1 while both copies run, and 2 more are needed",
    )


def test_growth_is_as_much_as_is_secure():
    """Of three more replicas two fit, and then nobody else does."""
    found = outlook(ground(node("a", 8), node("b", 3)))
    assert found.grow("w", option(3, 4, A_B)) == 2
    assert found.grow("other", option(1, 4, A_B)) == 0
    limited = Outlook(Truth({"p": ground(node("a", 8))}, {"prod/q/pods": 1}))
    assert limited.grow("w", replace(option(2, 1, anywhere("a")), usage=(("prod/q/pods", 2),))) == 1


def test_old_pods_of_the_same_workload_that_wait_are_rivals():
    """The Deployment keeps an old pod that pends until a new one serves: a node that comes may be the old one's."""
    new = Site("", (8, *PLENTY), (0, 0, 0, 0))
    coming = replace(anywhere(), new_nodes=True)
    waits = Crowd((4, 1_000, GIB, 1), 1, coming, "w")
    assert outlook(ground(new, crowds=(waits,))).enter("w", option(2, 3, coming)) is not None
    assert outlook(ground(new, crowds=(waits,))).enter("w", option(1, 3, coming)) is None


def test_pods_that_wait_already_are_among_those_it_grows_by():
    """Two of three are made and wait: room for three is enough, and what was promised to them is not lost to the next."""
    waits = Crowd((4, 1_000, GIB, 1), 2, A_B, "w", promised=True)
    found = outlook(ground(node("a", 8), node("b", 4), crowds=(waits,)))
    assert found.grow("w", option(3, 4, A_B)) == 3
    assert reason(outlook(ground(node("a", 8), crowds=(waits,))).enter("x", option(1, 1, A_B))) is not None


def test_growth_breaks_no_promise():
    """Eight together are promised on one of two nodes: one small replica spoils the other node at most, two would spoil both."""
    found = outlook(ground(node("a", 8), node("b", 8)))
    assert found.enter("large", option(1, 8, A_B)) is None
    assert found.grow("small", option(2, 1, A_B)) == 1
    assert found.grow("more", option(1, 1, A_B)) == 0


def test_growth_leaves_room_for_pods_that_were_promised_before():
    flying = Crowd((4, 1_000, GIB, 1), 1, anywhere("a"), "first", promised=True)
    found = outlook(ground(node("a", 4), node("b", 4), crowds=(flying,)))
    assert found.grow("second", option(2, 1, anywhere("a"))) == 0
    assert found.grow("second", option(2, 1, anywhere("b"))) == 2


def test_who_minds_its_neighbours_grows_alone():
    """Neither it beside a promise, nor others beside it."""
    picky = anywhere("a", "b", one_per_node=True)
    found = outlook(ground(node("a", 8), node("b", 8)))
    assert found.grow("picky", option(2, 4, picky)) == 2
    assert found.grow("small", option(1, 1, A_B)) == 0
    other = outlook(ground(node("a", 8), node("b", 8)))
    assert other.enter("small", option(1, 1, A_B)) is None
    assert other.grow("picky", option(1, 4, picky)) == 0


def test_growth_beside_what_was_broken_already_is_not_held_up():
    """A pod that was promised room and lost it to a cordon: nobody makes it worse, and nobody waits for it."""
    lost = Crowd((8, 1_000, GIB, 1), 1, anywhere("a"), "first", promised=True)
    found = outlook(ground(node("a", 4), crowds=(lost,)))
    assert found.grow("second", option(1, 4, anywhere("a"))) == 1


def test_a_pool_that_is_not_known_is_taken_on_trust():
    assert Outlook(Truth()).enter("w", option(9, 8, anywhere())) is None
    assert outlook(ground()).enter("w", replace(option(9, 8, anywhere()), terms=None)) is None


def bind(free: list[list[int]], need: Sequence[int], dice: random.Random) -> bool:
    """Put one pod on any node that takes it."""
    fitting = [n for n, room in enumerate(free) if all(h >= w for h, w in zip(room, need, strict=True))]
    if not fitting:
        return False
    chosen = dice.choice(fitting)
    free[chosen] = [h - w for h, w in zip(free[chosen], need, strict=True)]
    return True


counts = st.tuples(st.integers(1, 4), st.integers(1, 8), st.sampled_from([1_000, 8_000, 30_000]))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 8), st.sampled_from([8_000, 64_000])), min_size=1, max_size=4),
    st.lists(st.tuples(counts, st.booleans()), min_size=1, max_size=4),
    st.integers(0, 1_000),
)
def test_all_who_enter_or_grow_are_bound_in_any_order_on_any_node(
    nodes: list[tuple[int, int]], wishes: list[tuple[tuple[int, int, int], bool]], seed: int
):
    """A scheduler without any plan takes pods of all workloads at random, and nodes at random."""
    sites = [
        Site(f"n{i}", (chips, cpu, 1024 * GIB, 110), (0, 0, 0, 0)) for i, (chips, cpu) in enumerate(nodes)
    ]
    terms, found = anywhere(*(site.name for site in sites)), outlook(ground(*sites))
    coming: list[tuple[int, ...]] = []
    for number, ((replicas, chips, cpu), grows) in enumerate(wishes):
        key, wish = f"w{number}", option(replicas, chips, terms, cpu)
        whole = 0 if grows or found.enter(key, wish) is not None else replicas
        coming += [(chips, cpu, GIB, 1)] * (found.grow(key, wish) if grows else whole)
    dice = random.Random(seed)
    for _ in range(5):
        dice.shuffle(coming)
        free = [list(site.free) for site in sites]
        assert all(bind(free, need, dice) for need in coming)


@given(st.lists(st.integers(0, 8), min_size=1, max_size=5), st.integers(1, 8), st.integers(1, 10))
def test_alone_not_one_replica_less_than_fits(chips: list[int], each: int, replicas: int):
    sites = [node(f"n{i}", count) for i, count in enumerate(chips)]
    found = outlook(ground(*sites)).lacks(option(replicas, each, anywhere(*(s.name for s in sites))))
    assert (found is None) == (replicas <= sum(count // each for count in chips))


def spread_out(standing: dict[str, int], capacity: dict[str, int], skew: int, dice: random.Random) -> int:
    """The filter of the scheduler, one pod after the other, into any domain that it lets through."""
    there, left, placed = dict(standing), dict(capacity), 0
    while True:
        least = min(there.values())
        free = [d for d in there if left.get(d, 0) and there[d] + 1 - least <= skew]
        if not free:
            return placed
        chosen = dice.choice(free)
        there[chosen], left[chosen], placed = there[chosen] + 1, left[chosen] - 1, placed + 1


domains = st.dictionaries(st.sampled_from("xyz"), st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1)


@settings(max_examples=300)
@given(domains, st.integers(1, 3), st.integers(0, 100))
def test_a_spread_is_counted_as_the_scheduler_will_place_it(
    found: dict[str, tuple[int, int]], skew: int, seed: int
):
    """Whatever domain it takes at each step, the same number is bound in the end."""
    standing = {domain: there for domain, (there, _) in found.items()}
    capacity = {domain: room for domain, (_, room) in found.items()}
    spread = Spread(tuple((f"n-{d}", d) for d in found), skew, tuple(standing.items()))
    dice = random.Random(seed)
    assert spread.allowed(capacity) == spread_out(standing, capacity, skew, dice)


def test_one_for_each_domain_and_none_beside_another():
    spread = Spread((("a", "x"), ("b", "x"), ("c", "y")), None, (("y", 1),))
    assert spread.allowed({"x": 5, "y": 5}) == 1


def test_fewer_domains_than_asked_for_count_from_zero():
    spread = Spread((("a", "x"),), 2, (("x", 1),), from_zero=True)
    assert spread.allowed({"x": 5}) == 1
