"""The sink is what the server holds, whatever happened on the way."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Mapping
from typing import Any

import pytest
from chipwise.kube.backoff import Backoff
from chipwise.kube.client import Client
from chipwise.kube.errors import Forbidden, Gone, KubeError, NotFound, Unauthorized, Unavailable
from chipwise.kube.protocol import Kube
from chipwise.kube.reflector import Key, Reflector
from chipwise.kube.resources import NODES, PODS, Resource
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kube.builders import node, pod
from tests.kube.clock import in_fake_time
from tests.kube.conftest import QUICK
from tests.kube.fake import Call, FakeKube
from tests.kube.server import Server, connection_to, serving


class Mirror:
    """A sink of (uid, resourceVersion) by key, and how often it was replaced."""

    def __init__(self) -> None:
        self.facts: dict[Key, str] = {}
        self.replaced = 0

    def replace(self, _: Resource, facts: Mapping[Key, str]) -> None:
        self.facts = dict(facts)
        self.replaced += 1

    def put(self, _: Resource, key: Key, fact: str) -> None:
        self.facts[key] = fact

    def drop(self, _: Resource, key: Key) -> None:
        self.facts.pop(key, None)


def version_of(_: Resource, document: Mapping[str, Any]) -> str | None:
    metadata = document["metadata"]
    labels = metadata.get("labels") or {}
    if "broken" in labels:
        raise KeyError("allocatable")
    return None if "ignore" in labels else f"{metadata['uid']}@{metadata['resourceVersion']}"


def truth(kube: FakeKube, resource: Resource = NODES) -> dict[Key, str]:
    documents = {key: kube.peek(resource, *key) for key in kube.keys(resource)}
    return {key: str(version_of(resource, document)) for key, document in documents.items()}


@contextlib.asynccontextmanager
async def reflecting(kube: Kube, mirror: Mirror, resource: Resource = NODES, **options: Any):
    backoff = Backoff(first=0.05, cap=0.4, source=random.Random(1))
    reflector = Reflector(kube, resource, mirror, version_of, backoff=backoff, **options)
    task = asyncio.ensure_future(reflector.run())
    try:
        yield reflector
        assert not task.done()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


# what can happen between two moments of calm

NAMES = st.sampled_from(["a", "b", "c"])
EVENTS = st.one_of(
    st.tuples(st.just("put"), NAMES),
    st.tuples(st.just("drop"), NAMES),
    st.tuples(st.just("end"), st.none()),
    st.tuples(st.just("break"), st.sampled_from(["500", "410"])),
    st.tuples(st.just("compact"), st.none()),
    st.tuples(
        st.just("fail"), st.tuples(st.sampled_from(["watch", "list_pages", "continue"]), st.integers(1, 3))
    ),
    st.tuples(st.just("unserve"), st.booleans()),
    st.tuples(st.just("wait"), st.sampled_from([0.0, 0.01, 1.0, 10.0])),
)
ERRORS: dict[str, KubeError] = {"500": Unavailable("500", code=500), "410": Gone("410", code=410)}


async def happen(kube: FakeKube, event: tuple[str, Any]) -> None:
    match event:
        case "put", name:
            kube.put(NODES, node(name, change=str(kube.version)))
        case "drop", name:
            if ("", name) in kube.keys(NODES):
                kube.drop(NODES, None, name)
        case "end", _:
            kube.break_streams()
        case "break", code:
            kube.break_streams(ERRORS[code])
        case "compact", _:
            kube.compact()
        case "fail", (verb, times):
            kube.fail(verb, Gone("expired") if verb == "continue" else Unavailable("503"), times=times)
        case "unserve", gone:
            (kube.unserved.add if gone else kube.unserved.discard)(NODES)
        case "wait", seconds:
            await asyncio.sleep(seconds)


@settings(max_examples=150, deadline=None)
@given(st.lists(EVENTS, max_size=25))
def test_after_any_history_the_sink_equals_the_server(events):
    """Dropped streams, 500s, 410s, compaction with deletions in the gap, a kind that vanishes and returns."""

    async def story() -> None:
        kube, mirror = FakeKube(), Mirror()
        async with reflecting(kube, mirror):
            for event in events:
                await happen(kube, event)
            kube.unserved.clear()
            await asyncio.sleep(30)
            assert mirror.facts == truth(kube)

    in_fake_time(story())


@pytest.mark.looptime
async def test_synced_after_the_first_complete_list():
    """Not while pages are missing, and for good afterwards."""
    kube, mirror = FakeKube(), Mirror()
    kube.put(NODES, node("a"))
    kube.fail("list_pages", Unavailable("503"), times=3)
    async with reflecting(kube, mirror) as reflector:
        await asyncio.sleep(0)
        assert not reflector.synced.is_set()
        await asyncio.sleep(5)
        assert reflector.synced.is_set()
        assert mirror.facts == truth(kube)


@pytest.mark.looptime
async def test_a_broken_stream_is_resumed_and_not_listed_again():
    """A list of a hundred thousand Pods is dear; the version seen last is enough."""
    kube, mirror = FakeKube(), Mirror()
    async with reflecting(kube, mirror) as reflector:
        for index in range(5):
            await asyncio.sleep(20)
            kube.put(NODES, node(f"n{index}"))
            kube.break_streams(Unavailable("reset") if index % 2 else None)
        await asyncio.sleep(20)
        assert mirror.facts == truth(kube)
        assert reflector.lists == 1


@pytest.mark.looptime
async def test_deletions_in_a_gap_are_repaired():
    """410 means that nobody can tell what was deleted, so everything is replaced."""
    kube, mirror = FakeKube(), Mirror()
    for index in range(50):
        kube.put(NODES, node(f"n{index}"))
    async with reflecting(kube, mirror):
        await asyncio.sleep(20)
        kube.break_streams(Unavailable("reset"))
        for index in range(49):
            kube.drop(NODES, None, f"n{index}")
        kube.compact()
        await asyncio.sleep(20)
        assert list(mirror.facts) == [("", "n49")]
        assert mirror.replaced == 2


@pytest.mark.looptime
async def test_objects_of_no_interest_leave_the_sink():
    """None from extract is the same as gone."""
    kube, mirror = FakeKube(), Mirror()
    kube.put(NODES, node("a"))
    async with reflecting(kube, mirror):
        await asyncio.sleep(1)
        kube.put(NODES, node("a", ignore="yes"))
        await asyncio.sleep(1)
        assert mirror.facts == {}


@pytest.mark.looptime
async def test_an_unreadable_object_is_ignored_aloud(caplog):
    """One odd Node must not hide the others."""
    kube, mirror = FakeKube(), Mirror()
    kube.put(NODES, node("a", broken="yes"))
    kube.put(NODES, node("b"))
    async with reflecting(kube, mirror):
        await asyncio.sleep(1)
    assert list(mirror.facts) == [("", "b")]
    assert "nodes a: cannot be read" in caplog.text


@pytest.mark.looptime
@pytest.mark.parametrize(
    "error", [Forbidden("no"), Unauthorized("who"), NotFound("what"), Unavailable("when")]
)
async def test_no_answer_of_the_server_ends_it(error):
    """Roles, credentials and CRDs come and go during upgrades."""
    kube, mirror = FakeKube(), Mirror()
    kube.put(NODES, node("a"))
    kube.fail("list_pages", error, times=10)
    async with reflecting(kube, mirror) as reflector:
        await asyncio.sleep(60)
        assert reflector.synced.is_set()


@pytest.mark.looptime
async def test_a_storm_is_met_with_patience():
    """A server that closes every stream at once is asked a few times a second at most."""
    kube, mirror = FakeKube(), Mirror()
    kube.fail("watch", Gone("too old"), times=10_000)
    async with reflecting(kube, mirror):
        await asyncio.sleep(60)
    lists = [call for call in kube.calls if call.verb == "list_pages"]
    assert len(lists) < 60 / 0.2 + 10


@pytest.mark.looptime
async def test_history_lost_in_an_outage_is_listed_at_once():
    """A restarted server says Gone; the wait that the outage had grown to is not waited again."""
    kube, mirror = FakeKube(), Mirror()
    async with reflecting(kube, mirror):
        await asyncio.sleep(20)
        kube.fail("watch", Unavailable("refused"), times=8)
        kube.fail("watch", Gone("restarted"))
        kube.break_streams(Unavailable("reset"))
        kube.put(NODES, node("a"))
        asked = await times_of(kube, seconds=20)
        gone_at, (listed_at, _) = asked[8][0], next(each for each in asked if each[1] == "list_pages")
        assert listed_at - gone_at < 0.01
        assert mirror.facts == truth(kube)


async def times_of(kube: FakeKube, seconds: float) -> list[tuple[float, str]]:
    """When the next requests arrive, and what they are."""
    loop, found = asyncio.get_running_loop(), list[tuple[float, str]]()

    async def note(call: Call) -> None:
        found.append((loop.time(), call.verb))

    kube.pause = note
    await asyncio.sleep(seconds)
    return found


@pytest.mark.looptime
async def test_the_servers_wait_is_kept():
    """429 with Retry-After: no request before."""
    kube, mirror = FakeKube(), Mirror()
    kube.fail("list_pages", Unavailable("busy", code=429, retry_after=40.0))
    async with reflecting(kube, mirror) as reflector:
        await asyncio.sleep(39)
        assert len(kube.calls) == 1
        await asyncio.sleep(2)
        assert reflector.synced.is_set()


@pytest.mark.looptime
async def test_a_selector_narrows_what_is_seen():
    """An object that stops matching is gone, as the server tells it."""
    kube, mirror = FakeKube(), Mirror()
    kube.put(NODES, node("a", pool="x"))
    kube.put(NODES, node("b"))
    async with reflecting(kube, mirror, label_selector="pool=x"):
        await asyncio.sleep(1)
        assert list(mirror.facts) == [("", "a")]
        kube.put(NODES, node("a"))
        await asyncio.sleep(1)
        assert mirror.facts == {}


async def until_equal(mirror: Mirror, kube: FakeKube, resource: Resource = NODES) -> None:
    async with asyncio.timeout(10):
        while mirror.facts != truth(kube, resource):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_over_the_wire_it_survives_the_worst(caplog):
    """500 storms, a restart that refuses connections, a stalled stream and lost history, one after another."""
    async with serving() as server, Client(connection_to(server), QUICK) as client:
        mirror = Mirror()
        server.kube.put(NODES, node("a"))
        async with reflecting(client, mirror):
            await until_equal(mirror, server.kube)
            for trouble in (storm, restart, stall, lose_history):
                await trouble(server)
                await until_equal(mirror, server.kube)


async def storm(server: Server) -> None:
    server.fail(500, times=5)
    server.kube.break_streams(Unavailable("reset", code=500))
    server.kube.put(NODES, node("b"))


async def restart(server: Server) -> None:
    await server.stop()
    server.kube.put(NODES, node("c"))
    await asyncio.sleep(0.2)
    await server.start()


async def stall(server: Server) -> None:
    server.silent = True
    server.kube.put(NODES, node("d"))
    await asyncio.sleep(0.5)
    server.silent = False


async def lose_history(server: Server) -> None:
    server.kube.drop(NODES, None, "a")
    server.kube.compact()
    server.kube.break_streams()


async def test_pods_by_pages_over_the_wire():
    """More than one page, each namespace apart."""
    async with serving() as server, Client(connection_to(server), QUICK) as client:
        mirror = Mirror()
        for index in range(1201):
            server.kube.put(PODS, pod(f"p{index}", namespace=f"ns{index % 3}"))
        async with reflecting(client, mirror, PODS) as reflector:
            await reflector.synced.wait()
            assert mirror.facts == truth(server.kube, PODS)
