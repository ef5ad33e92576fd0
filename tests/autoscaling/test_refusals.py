"""What Cluster Autoscaler says of pods for which it adds no node, as it was recorded."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from chipwise.autoscaling.refusals import (
    EVENT,
    OwnGroup,
    ScaleUpRefusal,
    parts,
    reason_of,
    refusal_of,
    verdict,
    words_of,
)
from chipwise.reasons import Reason
from hypothesis import given
from hypothesis import strategies as st

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MISMATCH = "node(s) didn't match Pod's node affinity/selector"
FULL = "max node group size reached"
BACKOFF = "in backoff after failed scale-up"
TAINT = "node(s) had untolerated taint {nvidia.com/gpu: , sku: gpu}"

RECORDED = {
    "pod didn't trigger scale-up: 2 node(s) didn't match Pod's node affinity/selector, 1 max node group size reached": {
        MISMATCH: 2,
        FULL: 1,
    },
    "pod didn't trigger scale-up: 1 max node group size reached, 2 node(s) didn't match Pod's node affinity/selector": {
        MISMATCH: 2,
        FULL: 1,
    },
    "pod didn't trigger scale-up: 1 in backoff after failed scale-up": {BACKOFF: 1},
    "pod didn't trigger scale-up: 3 node(s) didn't match Pod's node affinity/selector": {MISMATCH: 3},
}


def stamp(seconds: float) -> str:
    return (NOON + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def event(
    message: str, *, first: float = 0, last: float = 0, count: int = 1, **changes: object
) -> dict[str, object]:
    return {
        "metadata": {"name": "chat-1.17", "namespace": "prod"},
        "involvedObject": {"kind": "Pod", "name": "chat-1", "namespace": "prod", "uid": "u1"},
        "reason": EVENT,
        "message": message,
        "count": count,
        "firstTimestamp": stamp(first),
        "lastTimestamp": stamp(last),
        **changes,
    }


def said(message: str, *, first: float = 0, last: float = 0, count: int = 1) -> ScaleUpRefusal:
    found = refusal_of(event(message, first=first, last=last, count=count))
    assert found is not None
    return found


@pytest.mark.parametrize("message", RECORDED)
def test_every_recorded_text_is_parsed(message):
    counts = RECORDED[message]
    assert dict(parts(message)) == counts
    told = verdict([said(message, last=30, count=4)], NOON + timedelta(seconds=31))
    assert told == parts(message)


@given(
    st.dictionaries(
        st.sampled_from([MISMATCH, FULL, BACKOFF, TAINT, "Insufficient nvidia.com/gpu"]),
        st.integers(1, 999),
        min_size=1,
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_parts_means_nothing(counts, dice: random.Random):
    """A taint has a comma of its own."""
    whys = list(counts)
    dice.shuffle(whys)
    message = "pod didn't trigger scale-up: " + ", ".join(f"{counts[why]} {why}" for why in whys)
    assert dict(parts(message)) == counts
    assert parts(message) == tuple(sorted(counts.items()))


def test_said_once_it_means_nothing():
    """A pod that is about to be bound gets it too."""
    assert verdict([said("pod didn't trigger scale-up: 1 max node group size reached")], NOON) is None
    twice = said("pod didn't trigger scale-up: 1 max node group size reached", last=10, count=2)
    assert verdict([twice], NOON + timedelta(seconds=11)) is None


def test_said_in_different_words_it_is_said_again():
    """The parts change places, so the API server keeps two Events that were said once each."""
    one = said("pod didn't trigger scale-up: 1 max node group size reached, 1 node(s) were odd")
    other = said(
        "pod didn't trigger scale-up: 1 node(s) were odd, 1 max node group size reached", first=25, last=25
    )
    told = verdict([other, one], NOON + timedelta(seconds=26))
    assert told is not None
    assert words_of(told, []) == "1 max node group size reached, 1 node(s) were odd"


def test_what_is_over_is_over():
    old = said("pod didn't trigger scale-up: 1 in backoff after failed scale-up", last=30, count=4)
    assert verdict([old], NOON + timedelta(seconds=200)) is None


def test_repetition_is_news_once():
    first = said("pod didn't trigger scale-up: 1 max node group size reached")
    again = said("pod didn't trigger scale-up: 1 max node group size reached", last=20, count=3)
    later = said("pod didn't trigger scale-up: 1 max node group size reached", last=300, count=30)
    assert first.decisive != again.decisive
    assert again.decisive == later.decisive


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": "TriggeredScaleUp"},
        {"involvedObject": {"kind": "Node", "uid": "u1"}},
        {"involvedObject": {"kind": "Pod"}},
        {"message": "pod triggered scale-up: [{h100-b 0->2 (max: 10)}]"},
        {"message": ""},
        {"firstTimestamp": None, "lastTimestamp": None},
    ],
)
def test_other_events_are_of_no_interest(changes):
    assert (
        refusal_of({**event("pod didn't trigger scale-up: 1 in backoff after failed scale-up"), **changes})
        is None
    )


def test_events_of_the_newer_api_are_read_too():
    found = refusal_of(
        event(
            "pod didn't trigger scale-up: 1 in backoff after failed scale-up",
            count=0,
            firstTimestamp=None,
            lastTimestamp=None,
            eventTime=stamp(0),
            series={"count": 7, "lastObservedTime": stamp(60)},
        )
    )
    assert found is not None
    assert found.last == stamp(60)


OPEN, FULL_GROUP, DRY = OwnGroup(), OwnGroup(Reason.GROUP_AT_MAXIMUM), OwnGroup(Reason.STOCKOUT)
UNKNOWN = OwnGroup(known=False)


@pytest.mark.parametrize(
    ("groups", "reason"),
    [
        ([FULL_GROUP], Reason.GROUP_AT_MAXIMUM),
        ([DRY], Reason.STOCKOUT),
        ([FULL_GROUP, DRY], Reason.STOCKOUT),
        ([FULL_GROUP, OPEN], Reason.SCALE_UP_REFUSED),
        ([OPEN], Reason.SCALE_UP_REFUSED),
        ([UNKNOWN], Reason.SCALE_UP_REFUSED),
        ([], Reason.SCALE_UP_REFUSED),
    ],
)
def test_only_the_pods_own_groups_say_why(groups, reason):
    assert reason_of(groups) is reason


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ([OPEN], "1 Insufficient cpu"),
        ([FULL_GROUP], "1 Insufficient cpu, 2 max node group size reached"),
        ([DRY], "1 Insufficient cpu, 1 in backoff after failed scale-up"),
        ([UNKNOWN], "1 Insufficient cpu, 1 in backoff after failed scale-up, 2 max node group size reached"),
    ],
)
def test_what_is_said_of_other_groups_is_not_repeated(groups, words):
    """They are counted before the autoscaler looks at the pod. What nothing is known of keeps all the words."""
    found = parts(f"pod didn't trigger scale-up: 2 {FULL}, 1 {BACKOFF}, 1 Insufficient cpu")
    assert words_of(found, groups) == words


def test_where_nothing_else_is_said_all_words_are_kept():
    assert words_of(parts(f"pod didn't trigger scale-up: 2 {FULL}"), [OPEN]) == f"2 {FULL}"
