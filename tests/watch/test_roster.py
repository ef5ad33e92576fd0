"""What the feed's events do to the sink."""

from __future__ import annotations

from typing import Any

import pytest
from chipwise.kube.resources import INFERENCE_WORKLOADS as IW
from chipwise.watch.roster import Roster

from tests.watch.sinks import DictSink, named


def told(name: str, uid: str, version: int, **more: Any) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "prod", "name": name, "uid": uid, "resourceVersion": str(version)},
        **more,
    }


CHAT = ("prod", "chat")


@pytest.fixture
def sink():
    return DictSink()


@pytest.fixture
def roster(sink):
    return Roster(sink, named)


async def test_events_become_facts(roster, sink):
    """Listed, added and modified alike: put; deleted: drop."""
    roster.observe(IW, None, told("chat", "u1", 1))
    roster.observe(IW, "MODIFIED", told("chat", "u1", 2))
    assert sink.of(IW) == {CHAT: "u1@2"}
    roster.observe(IW, "DELETED", told("chat", "u1", 3))
    assert sink.of(IW) == {}
    assert roster.uids(IW) == {}


async def test_the_end_of_an_old_object_does_not_take_its_namesake(roster, sink):
    """kopf handles uids in parallel, so a deletion may come late."""
    roster.observe(IW, "ADDED", told("chat", "u1", 1))
    roster.observe(IW, "ADDED", told("chat", "u2", 5))
    roster.observe(IW, "MODIFIED", told("chat", "u1", 2))
    roster.observe(IW, "DELETED", told("chat", "u1", 4))
    assert sink.of(IW) == {CHAT: "u2@5"}


async def test_the_newest_version_is_known_from_events_and_answers(roster, sink):
    """An answer to a write of ours can be faster than the event of it, and slower than that of a later write."""
    assert roster.version(IW, CHAT) == ""
    roster.observe(IW, "ADDED", told("chat", "u1", 3))
    roster.wrote(IW, told("chat", "u1", 7))
    roster.observe(IW, "MODIFIED", told("chat", "u1", 5))
    assert roster.version(IW, CHAT) == "7"
    assert sink.of(IW) == {CHAT: "u1@5"}
    roster.observe(IW, "MODIFIED", told("chat", "u1", 9))
    roster.wrote(IW, told("chat", "u1", 8))
    assert roster.version(IW, CHAT) == "9"


async def test_the_answer_about_a_namesake_that_is_gone_is_forgotten(roster):
    roster.observe(IW, "ADDED", told("chat", "u2", 9))
    roster.wrote(IW, told("chat", "u1", 12))
    assert roster.version(IW, CHAT) == "9"


async def test_an_object_without_a_fact_is_known_all_the_same(roster, sink):
    """Or the audit would wait for it for ever."""
    roster.observe(IW, "ADDED", told("chat", "u1", 1, ignore=True))
    assert sink.of(IW) == {}
    assert roster.uids(IW) == {CHAT: "u1"}


async def test_an_unreadable_object_is_no_crash(roster, sink, caplog):
    """A document of a shape nobody thought of is logged and ignored."""
    roster.observe(IW, "ADDED", told("chat", "u1", 1, broken=True))
    assert sink.of(IW) == {}
    assert "cannot be read" in caplog.text


async def test_forget_means_one_uid(roster, sink):
    """The audit's verdict is about the object it saw missing."""
    roster.observe(IW, "ADDED", told("chat", "u2", 1))
    roster.forget(IW, CHAT, "u1")
    assert sink.of(IW) == {CHAT: "u2@1"}
    roster.forget(IW, CHAT, "u2")
    assert sink.of(IW) == {}


@pytest.mark.looptime
async def test_departures_are_counted_for_a_while(roster):
    """Deleted or forgotten, a caller can see how many went at once."""
    for index in range(3):
        roster.observe(IW, "ADDED", told(f"w{index}", f"u{index}", index))
    roster.observe(IW, "DELETED", told("w0", "u0", 9))
    roster.forget(IW, ("prod", "w1"), "u1")
    assert roster.departed(IW, within=60.0) == 2
