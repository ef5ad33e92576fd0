"""Overlays follow prices with hysteresis, keep spot below on-demand at every moment, and are chipwise's own only."""

from __future__ import annotations

from typing import Any

from chipwise.cluster.node_overlays import HYSTERESIS, Output, output
from chipwise.cluster.pools import view_pools
from chipwise.cluster.verbs import Verb
from hypothesis import given
from hypothesis import strategies as st

from tests.cluster import karpenter_documents as kd
from tests.cluster.documents import Document
from tests.cluster.test_karpenter import CLASS, SHAPE, snapshot

TYPE = "karpenter.sh/capacity-type"
BOTH = kd.requirement(TYPE, "spot", "on-demand")
ON_DEMAND = kd.requirement(TYPE, "on-demand")


def told(*objects: Document) -> Output:
    found = snapshot(CLASS, *objects)
    return output(view_pools(found), found)


def pool(name: str, price: str | None, capacity_type: str = "OnDemand", **spec: Any) -> Document:
    found = kd.pool(name, class_name="h100", shape=SHAPE, price=price, capacityType=capacity_type, **spec)
    found["spec"]["karpenter"] = {"nodePool": "h100"}
    return found


def ours(name: str, price: str, capacity_type: str = "on-demand", **more: Any) -> Document:
    requirements = [kd.requirement("karpenter.sh/nodepool", "h100"), kd.requirement(TYPE, capacity_type)]
    return kd.overlay(f"chipwise-{name}", *requirements, owner=name, price=price, **more)


def verbs(found: Output) -> list[tuple[Verb, str]]:
    return [(change.verb, change.name) for change in found.changes]


def test_a_price_becomes_an_absolute_price_of_exactly_the_pools_nodes():
    (change,) = told(pool("a", "12.50"), kd.node_pool("h100", ON_DEMAND)).changes
    assert change.overlay is not None
    assert change.overlay.document == {
        "apiVersion": "karpenter.sh/v1alpha1",
        "kind": "NodeOverlay",
        "metadata": {"name": "chipwise-a", "labels": {"chipwise.dev/overlay-for": "a"}},
        "spec": {
            "requirements": [
                {"key": TYPE, "operator": "In", "values": ["on-demand"]},
                {"key": "karpenter.sh/nodepool", "operator": "In", "values": ["h100"]},
            ],
            "price": "12.50",
        },
    }


def test_what_is_written_already_is_not_written_again():
    assert told(pool("a", "12.50"), kd.node_pool("h100", ON_DEMAND), ours("a", "12.50")).changes == ()


@given(before=st.integers(100, 10_000), now=st.integers(100, 10_000))
def test_less_than_a_tenth_is_not_written(before: int, now: int):
    found = told(pool("a", f"{now / 100}"), kd.node_pool("h100", ON_DEMAND), ours("a", f"{before / 100}"))
    assert bool(found.changes) == (abs(now - before) >= HYSTERESIS * before - 1e-6)


def test_an_overlay_that_somebody_changed_is_put_right():
    changed = ours("a", "12.50", weight=7)
    assert verbs(told(pool("a", "12.50"), kd.node_pool("h100", ON_DEMAND), changed)) == [
        (Verb.UPDATE, "chipwise-a")
    ]


def test_without_a_pool_or_a_price_ours_goes_and_that_of_others_stays():
    found = told(
        pool("a", None),
        kd.node_pool("h100", ON_DEMAND),
        ours("a", "1"),
        ours("b", "1"),
        kd.overlay("c", price="9"),
    )
    assert verbs(found) == [(Verb.DELETE, "chipwise-a"), (Verb.DELETE, "chipwise-b")]


def test_where_others_may_price_the_same_nodes_nothing_is_written():
    """At the same weight Karpenter would refuse one of the two, and not always ours."""
    theirs = kd.overlay(
        "x", kd.requirement("node.kubernetes.io/instance-type", "gpu-8"), priceAdjustment="-10%"
    )
    found = told(pool("a", "12.50"), kd.node_pool("h100", ON_DEMAND), ours("a", "12.50"), theirs)
    assert verbs(found) == [(Verb.DELETE, "chipwise-a")]
    assert "NodeOverlay x" in found.without["a"]
    elsewhere = kd.overlay("x", kd.requirement("karpenter.sh/nodepool", "other"), price="1")
    assert verbs(told(pool("a", "12.50"), kd.node_pool("h100", ON_DEMAND), elsewhere)) == [
        (Verb.CREATE, "chipwise-a")
    ]


def test_a_foreign_overlay_of_our_name_is_left_alone():
    theirs = kd.overlay("chipwise-a", kd.requirement("karpenter.sh/nodepool", "other"), price="1")
    found = told(pool("a", "12.50"), kd.node_pool("h100", ON_DEMAND), theirs)
    assert found.changes == ()
    assert "somebody else" in found.without["a"]


def test_a_pool_that_is_billed_by_the_chip_gets_none():
    chip = pool("a", None)
    chip["spec"]["price"] = {"amount": "2.00", "unit": "Chip"}
    assert "by the chip" in told(chip, kd.node_pool("h100", ON_DEMAND)).without["a"]


def test_reserved_capacity_gets_none():
    """The price that its owner allots to it would put spot before what is paid for anyway."""
    every = kd.node_pool("h100", kd.requirement(TYPE, "reserved", "spot", "on-demand"))
    pools = (pool("a", "50.00"), pool("r", "20.00", "Reserved"), pool("s", "15.00", "Spot"))
    found = told(*pools, every)
    assert verbs(found) == [(Verb.CREATE, "chipwise-s")]  # the other when this is seen
    assert "it is reserved" in found.without["r"]


def test_of_a_node_pool_with_both_either_both_are_written_or_none():
    both = kd.node_pool("h100", BOTH)
    assert "may offer spot too" in told(pool("a", "12.50"), both).without["a"]
    assert "may offer spot too" in told(pool("a", "12.50"), kd.node_pool()).without["a"]
    fleet = (both, pool("a", "12.50"), pool("s", "5.00", "Spot"))
    assert verbs(told(*fleet)) == [(Verb.CREATE, "chipwise-s")]
    assert verbs(told(*fleet, ours("s", "5.00", "spot"))) == [(Verb.CREATE, "chipwise-a")]


def test_a_node_pool_that_makes_no_spot_needs_no_price_of_it():
    """However it says so."""
    no_spot = kd.node_pool("h100", kd.requirement(TYPE, "spot", operator="NotIn"))
    assert verbs(told(pool("a", "12.50"), no_spot)) == [(Verb.CREATE, "chipwise-a")]


def test_words_about_a_price_are_for_people():
    """Only where the figure is a NodeOverlay's is there nothing to tell Karpenter."""
    worded = pool("a", None)
    worded["spec"]["price"] = {"amount": "9.00", "source": "NodeOverlay list of finance, May"}
    assert verbs(told(worded, kd.node_pool("h100", ON_DEMAND))) == [(Verb.CREATE, "chipwise-a")]
    theirs = kd.overlay("x", kd.requirement("karpenter.sh/nodepool", "h100"), price="3")
    assert (
        "that of NodeOverlay x" in told(pool("a", None), kd.node_pool("h100", ON_DEMAND), theirs).without["a"]
    )


def test_spot_that_is_not_cheaper_is_not_written():
    fleet = (pool("a", "5.00"), pool("s", "5.00", "Spot"), kd.node_pool("h100", BOTH))
    assert told(*fleet).changes == ()
    assert set(told(*fleet).without) == {"a", "s"}


# where spot and on-demand touch


def pair(on_demand: str, spot: str, *there: Document) -> tuple[Document, ...]:
    return (pool("a", on_demand), pool("s", spot, "Spot"), kd.node_pool("h100", BOTH), *there)


WRITTEN = (ours("a", "30.00"), ours("s", "29.90", "spot"))


def test_a_pair_in_order_stays_while_no_price_has_moved_by_a_tenth():
    """0.7 % of spot, there and back, is no write."""
    assert told(*pair("30.00", "30.10", *WRITTEN)) == Output((), {})


def test_out_of_order_by_more_a_written_pair_stays_until_it_is_given_up():
    found = told(*pair("30.00", "35.00", *WRITTEN))
    assert found.changes == ()
    assert found.waiting == {"chipwise-a", "chipwise-s"}
    views = snapshot(CLASS, *pair("30.00", "35.00", *WRITTEN))
    late = output(view_pools(views), views, found.waiting)
    assert verbs(late) == [(Verb.DELETE, "chipwise-a")]
    assert late.waiting == found.waiting


def test_what_cannot_be_used_for_a_while_keeps_its_overlay():
    """A selector that somebody mends in a minute is worth no node."""
    twin = pool("twin", "9.00")
    found = told(pool("a", "12.50"), twin, kd.node_pool("h100", ON_DEMAND), ours("a", "12.50"))
    assert found.changes == ()
    assert found.waiting == {"chipwise-a"}
    assert "twin" in found.without["a"]


def test_a_price_that_is_taken_away_is_no_accident():
    found = told(pool("a", None), kd.node_pool("h100", ON_DEMAND), ours("a", "12.50"))
    assert (verbs(found), found.waiting) == ([(Verb.DELETE, "chipwise-a")], frozenset())


# where a NodePool has several kinds of machine

ZONE = "topology.kubernetes.io/zone"
ZONES = ("x", "y")


def zoned(name: str, price: str, zone: str, capacity_type: str = "OnDemand") -> Document:
    return pool(name, price, capacity_type, nodeSelector={ZONE: zone})


def test_on_demand_of_a_zone_needs_spot_of_that_zone():
    """In y spot has its list price, and on-demand at 12 would be below it."""
    fleet = (
        kd.node_pool("h100", BOTH, kd.requirement(ZONE, *ZONES)),
        zoned("spot-x", "10", "x", "Spot"),
        zoned("od-x", "30", "x"),
        zoned("od-y", "12", "y"),
    )
    assert written_in_the_end(fleet) == {"od-x": "30", "spot-x": "10"}
    assert "may offer spot too" in told(*fleet).without["od-y"]


def test_one_spot_pool_serves_on_demand_of_each_zone():
    zones = (zoned("od-x", "30", "x"), zoned("od-y", "12", "y"))
    fleet = (kd.node_pool("h100", BOTH, kd.requirement(ZONE, *ZONES)), pool("s", "10", "Spot"), *zones)
    assert written_in_the_end(fleet) == {"od-x": "30", "od-y": "12", "s": "10"}
    open_ended = (kd.node_pool("h100", BOTH), *fleet[1:])
    assert written_in_the_end(open_ended) == {}


def test_machines_that_have_nothing_to_do_with_each_other_may_cost_what_they_do():
    """Spot of a zone is compared with on-demand of that zone."""
    fleet = (
        kd.node_pool("h100", BOTH, kd.requirement(ZONE, *ZONES)),
        zoned("spot-x", "20", "x", "Spot"),
        zoned("od-x", "30", "x"),
        zoned("spot-y", "4", "y", "Spot"),
        zoned("od-y", "12", "y"),
    )
    assert written_in_the_end(fleet) == {"od-x": "30", "od-y": "12", "spot-x": "20", "spot-y": "4"}


def test_a_pair_whose_labels_change_comes_over():
    before = ended((kd.node_pool("h100", BOTH), zoned("s", "10", "x", "Spot"), zoned("a", "30", "x")), ())
    after = (kd.node_pool("h100", BOTH), zoned("s", "10", "y", "Spot"), zoned("a", "30", "y"))
    moved = ended(after, before)
    assert {one["spec"]["requirements"][2]["values"][0] for one in moved} == {"y"}
    assert len(moved) == 2


def applied(found: Output, there: tuple[Document, ...]) -> tuple[Document, ...]:
    """The overlays after these changes."""
    known = {one["metadata"]["name"]: one for one in there}
    for change in found.changes:
        known.pop(change.name, None)
        if change.overlay is not None:
            uid = {"uid": f"no-{change.name}"}
            document = change.overlay.document
            known[change.name] = {**document, "metadata": {**document["metadata"], **uid}}
    return tuple(known.values())


def ended(fleet: tuple[Document, ...], there: tuple[Document, ...]) -> tuple[Document, ...]:
    """What stands when there is nothing left to write."""
    for _ in range(8):
        found = told(*fleet, *there)
        if not found.changes:
            return there
        there = applied(found, there)
    raise AssertionError("it comes to no end")


def written_in_the_end(fleet: tuple[Document, ...]) -> dict[str, str]:
    return {
        one["metadata"]["name"].removeprefix("chipwise-"): one["spec"]["price"] for one in ended(fleet, ())
    }


# every moment between two writes

#: A pool, if it is there: the zone that it is for, if for one, and its price.
MAYBE = st.none() | st.tuples(st.sampled_from(("", *ZONES)), st.integers(1, 6))
Pools = dict[str, tuple[str, int] | None]
PRICED = st.fixed_dictionaries({"s1": MAYBE, "s2": MAYBE, "o1": MAYBE, "o2": MAYBE})


def priced(pools: Pools) -> tuple[Document, ...]:
    """A NodePool with both in two zones, and pools, some of which may overlap."""
    return (
        kd.node_pool("h100", BOTH, kd.requirement(ZONE, *ZONES)),
        *(
            pool(
                name,
                str(price),
                {"s": "Spot", "o": "OnDemand"}[name[0]],
                **({"nodeSelector": {ZONE: zone}} if zone else {}),
            )
            for name, (zone, price) in ((name, one) for name, one in pools.items() if one is not None)
        ),
    )


def is_in_order(there: tuple[Document, ...]) -> bool:
    """As Karpenter reads it: in each zone on-demand with a price of ours is dearer than spot with a price of ours."""
    for zone in ZONES:
        prices: dict[str, float] = {}
        for one in there:
            told_of = {each["key"]: each["values"][0] for each in one["spec"]["requirements"]}
            if told_of.get(ZONE, zone) == zone:
                prices[told_of[TYPE]] = float(one["spec"]["price"])
        if "on-demand" in prices and not prices.get("spot", float("inf")) < prices["on-demand"]:
            return False
    return True


@given(history=st.lists(PRICED, min_size=1, max_size=5), data=st.data())
def test_spot_is_below_on_demand_after_each_write_whichever_are_lost(
    history: list[Pools], data: st.DataObject
):
    """Prices and pools come and go; of what may be written any part is, in any order, with or without patience."""
    there: tuple[Document, ...] = ()
    for prices in history:
        for _ in range(data.draw(st.integers(1, 4))):
            found = snapshot(CLASS, *priced(prices), *there)
            views = view_pools(found)
            given_up = output(views, found).waiting if data.draw(st.booleans()) else frozenset()
            changes = output(views, found, given_up).changes
            order = data.draw(st.permutations(changes))
            for change in order[: data.draw(st.integers(0, len(order)))]:
                there = applied(Output((change,), {}), there)
                assert is_in_order(there)


@st.composite
def pairs(draw: st.DrawFn) -> Pools:
    """Each pool of spot with one of on-demand beside it, in order of price."""
    places = draw(st.sampled_from((("",), ("x",), ("x", "y"), ("y", "x"))))
    found: Pools = {}
    for number, place in enumerate(places, start=1):
        spot, dear = sorted(draw(st.lists(st.integers(1, 9), min_size=2, max_size=2, unique=True)))
        found |= {f"s{number}": (place, spot), f"o{number}": (place, dear)}
    return found


@given(before=pairs(), after=pairs(), data=st.data())
def test_from_one_order_to_another_there_is_none_that_is_wrong(
    before: Pools, after: Pools, data: st.DataObject
):
    there = ended(priced(before), ())
    assert len(there) == len(before)
    while changes := told(*priced(after), *there).changes:
        order = data.draw(st.permutations(changes))
        for change in order[: data.draw(st.integers(1, len(order)))]:
            there = applied(Output((change,), {}), there)
            assert is_in_order(there)
    assert len(there) == len(after)


@given(before=PRICED, after=PRICED)
def test_it_comes_to_an_end_that_depends_on_nothing_that_was(before: Pools, after: Pools):
    """But for prices that are near enough, and what waits to be given up."""
    there = ended(priced(before), ())
    found = ended(priced(after), there)
    anew = ended(priced(after), ())
    names = {one["metadata"]["name"] for one in anew}
    waiting = told(*priced(after), *found).waiting
    assert names <= {one["metadata"]["name"] for one in found} <= names | waiting
    for one in found:
        if one["metadata"]["name"] in names - waiting:
            price = next(o["spec"]["price"] for o in anew if o["metadata"]["name"] == one["metadata"]["name"])
            written = float(one["spec"]["price"])
            assert abs(float(price) - written) < HYSTERESIS * written or price == one["spec"]["price"]
