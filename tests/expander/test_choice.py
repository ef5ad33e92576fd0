"""Which groups are answered with: never none, all where nobody has an opinion, and those by which the worst off loses least."""

from __future__ import annotations

from chipwise.cluster.extract import extract
from chipwise.expander.book import Scores, book_of
from chipwise.expander.choice import Offer, best
from chipwise.kube.resources import ACCELERATOR_POOLS, INFERENCE_WORKLOADS
from chipwise.rendering.bridge import Bridge
from hypothesis import given
from hypothesis import strategies as st

from tests.cluster import documents as docs

groups = st.sampled_from(["a", "b", "c", "d"])
scores = st.builds(
    Scores,
    st.lists(groups, max_size=2, unique=True).map(tuple),
    st.dictionaries(groups, st.floats(0, 100)),
)
known = st.dictionaries(st.sampled_from([b"1", b"2", b"3"]), scores)
offers = st.lists(
    st.builds(Offer, groups, st.lists(st.sampled_from([b"1", b"2", b"3", b"foreign"]), max_size=4)),
    max_size=6,
)


def never() -> bool:
    return False


def chosen(given_offers: list[Offer], known_scores: dict[bytes, Scores]) -> list[str]:
    return [given_offers[index].group for index in best(given_offers, known_scores.get, never)]


@given(offers, known)
def test_never_none_of_some(given_offers, known_scores):
    found = best(given_offers, known_scores.get, never)
    assert bool(found) == bool(given_offers)
    assert found == sorted(set(found))


@given(offers)
def test_all_where_nobody_has_an_opinion(given_offers):
    assert best(given_offers, lambda _: None, never) == list(range(len(given_offers)))


@given(offers, known)
def test_what_nobody_we_know_is_in_is_never_taken_out(given_offers, known_scores):
    """Other people's pods are not held up by ours."""
    found = best(given_offers, known_scores.get, never)
    foreign = [at for at, offer in enumerate(given_offers) if not known_scores.keys() & set(offer.pods)]
    assert set(foreign) <= set(found)


@given(scores, st.lists(groups, min_size=1, max_size=4, unique=True))
def test_alone_a_workload_gets_the_place_that_was_planned_else_the_cheapest(mine, names):
    found = chosen([Offer(name, [b"1"]) for name in names], {b"1": mine})
    planned = [group for group in mine.planned if group in names]
    costs = {group: cost for group, cost in mine.costs.items() if group in names}
    if planned:
        assert found == planned[:1]
    elif costs:
        assert set(found) == {group for group, cost in costs.items() if cost == min(costs.values())}
    else:
        assert found == names


def test_the_worst_off_decides():
    """One loses 6 $/h in a, the other 1 in b."""
    one, other = Scores((), {"a": 7.0, "b": 1.0}), Scores((), {"a": 1.0, "b": 2.0})
    found = chosen([Offer("a", [b"1", b"2"]), Offer("b", [b"1", b"2"])], {b"1": one, b"2": other})
    assert found == ["b"]


def test_a_pod_is_weighed_against_what_it_is_offered():
    """Its cheapest group is full and not on offer: the next one loses nothing."""
    mine = Scores((), {"cheap": 1.0, "middle": 5.0, "dear": 9.0})
    assert chosen([Offer("dear", [b"1"]), Offer("middle", [b"1"])], {b"1": mine}) == ["middle"]


def test_two_workloads_with_groups_of_their_own_are_both_served():
    one, other = Scores((), {"a": 7.0}), Scores((), {"b": 2.0})
    assert chosen([Offer("a", [b"1"]), Offer("b", [b"2"])], {b"1": one, b"2": other}) == ["a", "b"]


def test_a_book_is_made_of_statuses():
    """Costs of candidates that were not refused, the plan's place first, and a bridge is its author's."""
    pools = {
        ("", name): extract(ACCELERATOR_POOLS, docs.pool(name, nodeGroup=f"{name}-asg"))
        for name in docs.RESOURCES
    }
    placed = {"pool": "h100", "variant": "h100-x4", "costPerHour": "80.00"}
    proposed = {"pool": "maia", "variant": "maia-x4", "costPerHour": "16.00"}
    candidates = [
        {"variant": "maia-x4", "pool": "maia", "costPerHour": "16.00"},
        {"variant": "h100-x4", "pool": "h100", "costPerHour": "80.00"},
        {"variant": "h100-x8", "pool": "h100", "costPerHour": "90.00"},
        {"variant": "mi300x-x4", "pool": "mi300x", "reason": "Stockout", "message": "none"},
    ]
    status = {"placements": [placed], "proposed": [proposed], "candidates": candidates}
    workload = extract(
        INFERENCE_WORKLOADS,
        {
            **docs.workload(
                "served", targetRef={"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat"}
            ),
            "status": status,
        },
    )
    bridge = Bridge("chat", "uid", "served", "maia", "maia-x4", "over", "rendered")
    book = book_of({("prod", "served"): workload}, pools, {("prod", "chat-bridge-1"): bridge})
    found = book.of(("prod", "chat"))
    assert found == Scores(("maia-asg", "h100-asg"), {"maia-asg": 16.0, "h100-asg": 80.0})
    assert book.of(("prod", "chat-bridge-1")) == found
    assert book.of(("prod", "other")) is None
    assert found.losses(frozenset({"h100-asg", "mi300x-asg"})) == {
        "h100-asg": 0.0,
        "mi300x-asg": float("inf"),
    }


def test_objects_that_break_their_schema_and_workloads_without_status_are_passed_over():
    broken = extract(INFERENCE_WORKLOADS, docs.workload(mode="Sometimes"))
    fresh = extract(INFERENCE_WORKLOADS, docs.workload("fresh"))
    book = book_of({("prod", "chat"): broken, ("prod", "fresh"): fresh}, {}, {})
    assert book.of(("prod", "chat")) is None
    assert book.of(("prod", "fresh")) == Scores((), {})


def test_pods_of_a_workload_in_mode_off_go_where_they_went_before():
    """What is proposed for it is shown and steers nobody; a second workload of the Deployment that is not Off does."""
    pools = {("", "maia"): extract(ACCELERATOR_POOLS, docs.pool("maia", nodeGroup="maia-asg"))}
    status = {"proposed": [{"pool": "maia", "variant": "maia-x4", "costPerHour": "16.00"}]}
    off, on = (
        extract(INFERENCE_WORKLOADS, {**docs.workload("chat", mode=mode), "status": status})
        for mode in ("Off", "Initial")
    )
    bridge = {("prod", "b"): Bridge("chat", "uid", "chat", "maia", "maia-x4", "over", "rendered")}
    assert book_of({("prod", "chat"): off}, pools, bridge).scores == {}
    found = book_of({("prod", "chat"): off, ("prod", "other"): on}, pools, {})
    assert found.of(("prod", "chat")) == Scores(("maia-asg",), {"maia-asg": 16.0})
