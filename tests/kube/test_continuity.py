"""A short break is no gap; after a long one nothing is believed before it is listed or told anew."""

from __future__ import annotations

from math import inf

from chipwise.kube.continuity import HICCUP, SETTLING, Continuity
from hypothesis import given
from hypothesis import strategies as st


def listed() -> Continuity:
    found = Continuity()
    found.listed(0.0)
    return found


def test_nothing_is_current_before_the_first_list():
    found = Continuity()
    assert not found.is_current(1e9)
    found.listed(5.0)
    assert found.is_current(5.0)
    assert found.current_from == 5.0


def test_a_hiccup_is_no_gap():
    found = listed()
    found.broke(100.0)
    assert found.is_current(100.0 + HICCUP)
    found.resumed(100.0 + HICCUP)
    assert found.current_from == 0.0


def test_after_a_gap_a_resumed_stream_has_a_moment_to_catch_up():
    found = listed()
    found.broke(100.0)
    assert not found.is_current(100.1 + HICCUP)
    found.resumed(200.0)
    assert not found.is_current(200.0)
    assert found.is_current(200.0 + SETTLING)
    assert found.current_from == 200.0 + SETTLING


def test_a_gap_whose_end_failed_is_not_over():
    """The server took the watch and then said that its version is too old: that is no news, only the list is."""
    found = listed()
    found.broke(100.0)
    found.resumed(200.0)
    found.broke(200.1)
    found.listed(203.0)
    assert found.current_from == 203.0
    assert found.is_current(203.0)


def test_what_is_doubted_must_be_told_anew():
    found = listed()
    found.doubt(100.0)
    assert not found.is_current(1e9)
    found.resumed(300.0)
    assert found.current_from == 300.0 + SETTLING


def test_a_gap_is_as_old_as_its_beginning():
    """What fails while it catches up goes on; a break after a good time is a gap of its own."""
    found = listed()
    assert found.gap_since is None
    found.broke(100.0)
    found.broke(101.0)
    found.resumed(200.0)
    found.broke(200.1)
    assert found.gap_since == 100.0
    found.listed(203.0)
    found.doubt(300.0)
    found.broke(301.0)
    assert found.gap_since == 300.0


EVENTS = st.tuples(st.floats(0.1, 60.0), st.sampled_from(["listed", "resumed", "broke", "doubt"]))


@given(st.lists(EVENTS, max_size=30), st.floats(0.0, 100.0))
def test_what_counts_as_watched_was_never_out_of_sight_for_longer_than_a_hiccup(
    events: list[tuple[float, str]], rest: float
):
    """From ``current_from`` to the present, whenever it says that it is current."""
    found, now, broken_at = Continuity(), 0.0, 0.0
    gaps: list[tuple[float, float]] = []
    for wait, event in events:
        now += wait
        if event in ("listed", "resumed") and broken_at < inf:
            gaps.append((broken_at, now))
            broken_at = inf
        if event == "broke":
            broken_at = min(broken_at, now)
        getattr(found, event)(now)
    now += rest
    if found.is_current(now):
        gaps.append((min(broken_at, now), now))
        for begin, end in gaps:
            assert min(end, now) - max(begin, found.current_from) <= HICCUP + 1e-9
