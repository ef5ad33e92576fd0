"""Overlays follow prices with hysteresis, keep spot below on-demand at every moment, and are chipwise's own only."""

from __future__ import annotations

from typing import Any

from chipwise.cluster.node_overlays import HYSTERESIS, Output, Verb, output
from chipwise.cluster.pools import view_pools
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
    assert verbs(found) == [(Verb.CREATE, "chipwise-a"), (Verb.CREATE, "chipwise-s")]
    assert "it is reserved" in found.without["r"]


def test_of_a_node_pool_with_both_either_both_are_written_or_none():
    both = kd.node_pool("h100", BOTH)
    assert "may offer spot too" in told(pool("a", "12.50"), both).without["a"]
    assert "may offer spot too" in told(pool("a", "12.50"), kd.node_pool()).without["a"]
    assert len(told(pool("a", "12.50"), pool("s", "5.00", "Spot"), both).changes) == 2


def test_spot_that_is_not_cheaper_is_not_written():
    found = told(pool("a", "5.00"), pool("s", "5.00", "Spot"), kd.node_pool("h100", BOTH), ours("a", "9"))
    assert verbs(found) == [(Verb.DELETE, "chipwise-a")]
    assert set(found.without) == {"a", "s"}


CENTS = st.integers(100, 2_000)


@given(old=st.tuples(CENTS, CENTS), new=st.tuples(CENTS, CENTS))
def test_spot_is_below_on_demand_after_each_write(old: tuple[int, int], new: tuple[int, int]):
    """Whatever the prices were and are, as long as they were in order."""
    (spot, dear), (later_spot, later_dear) = sorted(old), new
    if spot == dear:
        return
    there = [ours("a", f"{dear / 100}"), ours("s", f"{spot / 100}", "spot")]
    found = snapshot(
        CLASS,
        pool("a", f"{later_dear / 100}"),
        pool("s", f"{later_spot / 100}", "Spot"),
        kd.node_pool("h100", BOTH),
        *there,
    )
    prices = {name: float(one.price or 0) for name, one in found.node_overlays.items()}
    for change in output(view_pools(found), found).changes:
        if change.overlay is not None:
            prices[change.name] = float(change.overlay.price)
        else:
            del prices[change.name]
        if len(prices) == 2:
            assert prices["chipwise-s"] < prices["chipwise-a"]
