"""What a pool still offers, and what a node of it would cost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chipwise.cluster.census import Census, census, spent_per_hour
from chipwise.cluster.launches import Launches
from chipwise.cluster.pools import view_pools
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.supply import supply
from chipwise.kube.resources import PODS
from chipwise.placement.problem import Billing, Pool
from hypothesis import given
from hypothesis import strategies as st

from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.world import World

PRICE = 80.0


def offered(*objects: Document, released: frozenset[str] = frozenset(), **pool: Any) -> Pool:
    """The pool h100, which lives between 0 and 4 nodes unless said otherwise."""
    snapshot = World(docs.chip_class("h100"), docs.pool("h100", **pool), *objects).snapshot()
    return supply(view_pools(snapshot)["h100"], snapshot, released)


def rooms(pool: Pool) -> list[tuple[int, int, float]]:
    """(free chips, nodes, price of each)."""
    return [(b.room.chips, b.count, b.price_per_hour) for b in pool.buckets]


def counted(*objects: Document, ours: frozenset[str] = frozenset()) -> Census:
    snapshot = World(docs.chip_class("h100"), docs.pool("h100"), *objects).snapshot()
    return census(view_pools(snapshot)["h100"], snapshot, ours)


def static(nodes: int) -> dict[str, int]:
    return {"min": nodes, "max": nodes}


def test_at_zero_nodes_all_may_come():
    assert rooms(offered()) == [(8, 4, PRICE)]


def test_nodes_that_exist_are_among_those_that_may_come():
    assert rooms(offered(docs.node("h100"))) == [(8, 4, PRICE)]
    assert rooms(offered(docs.node("h100", ready=False))) == [(8, 3, PRICE)]


def test_a_static_pool_has_the_nodes_that_exist_and_they_are_paid_for():
    """Equal bounds mean that nothing moves the count."""
    assert rooms(offered(docs.node("h100"), nodes=static(2))) == [(8, 1, 0.0)]
    assert rooms(offered(nodes=static(2))) == []


def test_without_any_node_given_a_static_pool_has_what_it_declares():
    """As in a plan from manifests alone."""
    built = World(docs.chip_class("h100"), docs.pool("h100", nodes=static(2))).snapshot()
    snapshot = Snapshot(classes=built.classes, pools=built.pools, assume_nodes=True)
    assert rooms(supply(view_pools(snapshot)["h100"], snapshot, ())) == [(8, 2, 0.0)]


def test_a_node_that_others_keep_alive_costs_nothing_more():
    held = docs.pod("foreign", on="h100-0", chips=3)
    assert rooms(offered(docs.node("h100"), held)) == [(5, 1, 0.0), (8, 3, PRICE)]


def test_a_daemon_takes_room_and_keeps_no_node_alive():
    """It will run on nodes to come as well."""
    daemon = docs.pod("exporter", on="h100-0", chips=1, cpu="6", owner=("DaemonSet", "exporter"))
    (tight,) = offered(docs.node("h100"), daemon).buckets
    assert (tight.room.chips, tight.room.cpu_milli, tight.price_per_hour) == (7, 90_000, PRICE)
    assert tight.count == 4


def test_a_terminating_pod_holds_its_chips_and_keeps_no_node_alive():
    """The node it leaves will be billed to whoever takes it next."""
    leaving = docs.pod("leaving", on="h100-0", chips=4, deleting=True)
    assert rooms(offered(docs.node("h100"), leaving)) == [(4, 1, PRICE), (8, 3, PRICE)]


def test_what_the_plan_may_take_away_counts_as_free():
    ours = docs.pod("ours", on="h100-0", chips=4)
    assert rooms(offered(docs.node("h100"), ours, released=frozenset({"pod-ours"}))) == [(8, 4, PRICE)]


def test_an_unbound_pod_reserves_on_a_node_that_exists():
    waiting = docs.pod("waiting", chips=6)
    assert rooms(offered(docs.node("h100"), waiting)) == [(2, 1, PRICE), (8, 3, PRICE)]


def test_an_unbound_pod_that_fits_nowhere_opens_a_node_to_come_and_shares_it():
    """The node is bought for it, so what it leaves of it costs nobody anything."""
    assert rooms(offered(docs.pod("waiting", chips=2))) == [(6, 1, 0.0), (8, 3, PRICE)]
    three = [docs.pod(f"waiting-{number}", chips=1) for number in range(3)]
    assert rooms(offered(*three)) == [(5, 1, 0.0), (8, 3, PRICE)]
    nine = [docs.pod(f"waiting-{number}", chips=1) for number in range(9)]
    assert rooms(offered(*nine)) == [(7, 1, 0.0), (8, 2, PRICE)]


def test_an_unbound_pod_that_no_empty_node_takes_reserves_nothing():
    assert rooms(offered(docs.pod("waiting", chips=9))) == [(8, 4, PRICE)]


def test_an_unbound_pod_reserves_only_where_its_selector_lets_it():
    elsewhere = docs.pod("waiting", chips=2, selector={docs.NODE_LABEL: "other"})
    assert rooms(offered(elsewhere)) == [(8, 4, PRICE)]
    assert rooms(offered(docs.pod("leaving", chips=2, deleting=True))) == [(8, 4, PRICE)]


def test_minimum_and_committed_nodes_cost_nothing():
    assert rooms(offered(nodes={"min": 1, "max": 4})) == [(8, 1, 0.0), (8, 3, PRICE)]
    assert rooms(offered(committedNodes=2)) == [(8, 2, 0.0), (8, 2, PRICE)]


def test_nodes_that_others_fill_use_the_commitment_up():
    held = docs.pod("foreign", on="h100-0", chips=8)
    assert rooms(offered(docs.node("h100"), held, committedNodes=2)) == [(8, 1, 0.0), (8, 2, PRICE)]


def test_a_pool_billed_by_the_chip_has_no_price_for_nodes():
    pool = offered(price={"amount": "10.00", "unit": "Chip"}, committedNodes=1)
    assert rooms(pool) == [(8, 4, 0.0)]
    assert (pool.price_per_hour, pool.committed_chips) == (10.0, 8)


def test_committed_chips_that_others_hold_are_not_free_for_us():
    held = docs.pod("foreign", on="h100-0", chips=6)
    pool = offered(docs.node("h100"), held, price={"amount": "10.00", "unit": "Chip"}, committedNodes=1)
    assert pool.committed_chips == 2


@given(chips=st.lists(st.integers(1, 8), max_size=6), bound=st.lists(st.booleans(), min_size=6, max_size=6))
def test_chips_are_offered_once_at_most(chips: list[int], bound: list[bool]):
    """What is held and what is reserved, together with what is offered, never exceeds what the nodes have."""
    world = World(docs.chip_class("h100"), docs.pool("h100", nodes={"min": 0, "max": 2}), docs.node("h100"))
    held = 0
    for number, (count, on_node) in enumerate(zip(chips, bound, strict=False)):
        fits = on_node and held + count <= 8
        held += count if fits else 0
        world.kube.put(PODS, docs.pod(f"p{number}", on="h100-0" if fits else None, chips=count))
    snapshot = world.snapshot()
    pool = supply(view_pools(snapshot)["h100"], snapshot, ())
    offer = sum(b.room.chips * b.count for b in pool.buckets)
    assert offer <= 16 - held
    if len(chips) == 1:
        assert offer <= 16 - chips[0]


def test_a_census_tells_ours_from_others_and_from_what_is_awaited():
    ours = docs.pod("chat-abc-1", on="h100-0", chips=2, namespace="prod", owner=("ReplicaSet", "chat-abc"))
    ours["metadata"]["labels"] = {"pod-template-hash": "abc"}
    found = counted(
        docs.node("h100", 0),
        docs.node("h100", 1, ready=False),
        ours,
        docs.pod("foreign", on="h100-0", chips=3),
        docs.pod("waiting", chips=1),
        ours=frozenset({"prod/chat"}),
    )
    assert found == Census(nodes=2, ready_nodes=1, allocatable=8, used_by_others=3, used=2, reserved=1)
    assert found.free == 2


def test_what_a_pool_costs_now():
    """Nodes whether used or not, and machines that are bought and have no Node yet; chips only where they are what is billed."""
    held = docs.pod("foreign", on="h100-0", chips=3)
    world = World(
        docs.chip_class("h100"), docs.pool("h100"), docs.node("h100", 0), docs.node("h100", 1), held
    )
    view = view_pools(world.snapshot())["h100"]
    counted = census(view, world.snapshot(), ())
    assert spent_per_hour(view, counted) == 2 * PRICE
    bought = replace(view, launches=Launches("h100", bought=3))
    assert spent_per_hour(bought, counted) == 3 * PRICE
    assert spent_per_hour(replace(bought, billing=Billing.CHIP), counted) == 3 * PRICE
    idle = replace(counted, used_by_others=0)
    assert spent_per_hour(replace(bought, billing=Billing.CHIP), idle) == 0
