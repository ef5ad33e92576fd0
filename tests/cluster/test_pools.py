"""A pool is joined with its class and nodes, or says in one word why it cannot be used."""

from __future__ import annotations

import pytest
from chipwise.cluster.pools import PoolView, view_pools
from chipwise.reasons import Reason

from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.world import World


def views(*objects: Document) -> dict[str, PoolView]:
    return view_pools(World(*objects).snapshot())


def refusals(*objects: Document) -> dict[str, Reason | None]:
    return {name: view.refusal.reason if view.refusal else None for name, view in views(*objects).items()}


H100 = docs.chip_class("h100")


@pytest.mark.parametrize(
    ("objects", "reason"),
    [
        ((docs.pool("h100"),), Reason.CLASS_MISSING),
        ((docs.chip_class("h100", resourceName=None), docs.pool("h100")), Reason.RESOURCE_NAME_MISSING),
        ((H100, docs.pool("h100", price=None)), Reason.UNPRICED),
        ((H100, docs.pool("h100")), None),
    ],
)
def test_a_pool_that_lacks_something_says_what(objects: tuple[Document, ...], reason: Reason | None):
    assert refusals(*objects) == {"h100": reason}


def test_all_prices_are_in_the_currency_of_the_first_priced_pool():
    """By name, so that the answer does not depend on who was created first; an unpriced pool has no say."""
    found = refusals(
        H100,
        docs.pool("a", "h100", price=None),
        docs.pool("b", "h100", price={"amount": "1.0", "currency": "EUR"}),
        docs.pool("c", "h100", price={"amount": "1.0"}),
    )
    assert found == {"a": Reason.UNPRICED, "b": None, "c": Reason.CURRENCY_MISMATCH}


def test_a_second_currency_names_both_pools():
    euro = docs.pool("b", "h100", price={"amount": "1.0", "currency": "EUR"})
    (refusal,) = (v.refusal for v in views(H100, docs.pool("a", "h100"), euro).values() if v.refusal)
    assert refusal.message == "pool b is priced in EUR, and pool a, the first by name with a price, in USD"


def test_two_pools_that_match_one_node_are_both_unusable():
    both = docs.node("a", labels={"team": "ml"})
    objects = (H100, docs.pool("a", "h100"), docs.pool("b", "h100", nodeSelector={"team": "ml"}))
    assert refusals(*objects, both) == {"a": Reason.OVERLAPPING, "b": Reason.OVERLAPPING}
    assert refusals(*objects) == {"a": None, "b": None}


def test_two_pools_of_which_one_selects_all_of_the_other_overlap_at_zero_nodes():
    narrow = docs.pool("b", "h100", nodeSelector={docs.NODE_LABEL: "a", "team": "ml"})
    found = views(H100, docs.pool("a", "h100"), narrow, docs.pool("c", "h100"))
    assert found["a"].refusal is not None
    assert "every node of pool b would match pool a too" in found["a"].refusal.message
    assert found["b"].refusal is not None
    assert found["c"].refusal is None


def test_an_overlap_does_not_hide_an_earlier_reason():
    objects = (
        H100,
        docs.pool("a", "h100", price=None),
        docs.pool("b", "h100", nodeSelector={docs.NODE_LABEL: "a"}),
    )
    assert refusals(*objects) == {"a": Reason.UNPRICED, "b": Reason.OVERLAPPING}


def test_nodes_of_a_pool_are_those_that_carry_all_its_labels():
    selector = {docs.NODE_LABEL: "a", "tier": "gold"}
    nodes = (
        docs.node("a", 0),
        docs.node("a", 1, labels={"tier": "gold"}),
        docs.node("b", 2, labels={"tier": "gold"}),
    )
    found = views(H100, docs.pool("a", "h100", nodeSelector=selector), *nodes)
    assert [node.name for node in found["a"].nodes] == ["a-1"]


def test_usable_nodes_are_ready_not_cordoned_and_tolerated_by_class_or_pool():
    taint = {"key": "team", "value": "ml", "effect": "NoSchedule"}
    objects = (
        H100,
        docs.node("a", 0),
        docs.node("a", 1, taints=[taint]),
        docs.node("a", 2, ready=False),
        docs.node("a", 3, unschedulable=True),
        docs.node("a", 4, taints=[{"key": "broken", "effect": "NoExecute"}]),
    )
    plain = views(*objects, docs.pool("a", "h100"))["a"]
    assert [node.name for node in plain.usable_nodes] == ["a-0"]
    tolerant = docs.pool("a", "h100", tolerations=[{"key": "team", "value": "ml"}])
    assert [node.name for node in views(*objects, tolerant)["a"].usable_nodes] == ["a-0", "a-1"]
    assert len(plain.nodes) == 5


@pytest.mark.parametrize(("unit", "chip_price"), [("Node", 10.0), ("Chip", 80.0)])
def test_the_price_of_a_chip_is_its_share_of_a_full_node(unit: str, chip_price: float):
    found = views(H100, docs.pool("h100", price={"amount": "80.00", "unit": unit}))["h100"]
    assert found.chip_price_per_hour == chip_price
