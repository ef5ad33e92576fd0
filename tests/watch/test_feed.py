"""kopf, for real, against a server on a local port."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest
from chipwise.kube.client import Client
from chipwise.kube.errors import Unavailable
from chipwise.kube.resources import ACCELERATOR_POOLS, OUR_KINDS
from chipwise.kube.resources import INFERENCE_WORKLOADS as IW
from chipwise.watch.audit import Audit, Rhythm
from chipwise.watch.feed import Endless, credentials, established, feed
from chipwise.watch.roster import Roster

from tests.kube.builders import workload
from tests.kube.conftest import QUICK
from tests.kube.fake import Call
from tests.kube.server import Server, connection_to, serving
from tests.watch.sinks import DictSink, named


class Scene:
    def __init__(self, server: Server, client: Client) -> None:
        self.server = server
        self.kube = server.kube
        self.sink = DictSink()
        self.roster = Roster(self.sink, named)
        self.audit = Audit(client, self.roster, rhythm=Rhythm(confirm=0.2))
        self.watching = asyncio.Event()
        server.kube.pause = self._watched
        self.feed = feed(self.roster, connection_to(server), client)

    async def _watched(self, call: Call) -> None:
        if (call.verb, call.resource) == ("watch", IW):
            self.watching.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what the next events bring."""
        async with asyncio.timeout(10):
            while not condition():
                await self.roster.changed()

    async def knows(self, *names: str) -> None:
        """Wait until exactly these workloads are known."""
        await self.until(lambda: sorted(name for _, name in self.sink.of(IW)) == sorted(names))


@pytest.fixture
async def scene():
    async with serving() as server, Client(connection_to(server), QUICK) as client:
        running = Scene(server, client)
        server.kube.put(IW, workload("first"))
        server.kube.put(ACCELERATOR_POOLS, {"metadata": {"name": "pool"}})
        task = asyncio.ensure_future(running.feed)
        yield running
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert not [thread for thread in threading.enumerate() if thread.name == "kopf"]


async def test_one_round_and_nothing_is_written(scene):
    """Listed, added, changed and deleted objects arrive; the server sees reads only."""
    await scene.knows("first")
    document = scene.kube.put(IW, workload("second"))
    await scene.knows("first", "second")
    changed = scene.kube.put(IW, document | {"spec": {"mode": "Rollout"}})
    await scene.until(lambda: scene.sink.of(IW)["prod", "second"] == named(IW, changed))
    scene.kube.drop(IW, "prod", "first")
    await scene.knows("second")
    assert list(scene.sink.of(ACCELERATOR_POOLS)) == [("", "pool")]
    assert scene.server.methods() == {"GET"}
    assert scene.kube.writes == []


async def test_the_audit_finds_the_feed_complete(scene):
    """The two together are the synced gate."""
    audit = asyncio.ensure_future(scene.audit.run())
    async with asyncio.timeout(10):
        await scene.audit.synced.wait()
    audit.cancel()
    assert scene.roster.uids(IW) == {("prod", "first"): "uid-1"}


async def test_an_error_in_a_stream_restarts_kopf(scene, caplog):
    """kopf ends on it; the feed does not, and misses nothing that still exists."""
    await scene.knows("first")
    await scene.watching.wait()
    scene.kube.break_streams(Unavailable("etcd leader changed", code=500))
    scene.kube.put(IW, workload("second"))
    await scene.knows("first", "second")
    async with asyncio.timeout(10):  # the second may have been told of before
        while "kopf ended" not in caplog.text:  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.01)


async def test_signals_stay_with_the_caller(scene):
    """kopf in the main thread would take SIGTERM over."""
    before = signal.getsignal(signal.SIGTERM)
    await scene.knows("first")
    assert signal.getsignal(signal.SIGTERM) is before


async def test_a_bug_in_the_sink_is_not_swallowed():
    """Crash-only: a state that lost an event must not go on."""

    class Broken(DictSink):
        def put(self, *_: Any) -> None:
            raise RuntimeError("a bug")

    async with serving() as server, Client(connection_to(server), QUICK) as client:
        server.kube.put(IW, workload("first"))
        with pytest.raises(RuntimeError, match="a bug"):
            async with asyncio.timeout(10):
                await feed(Roster(Broken(), named), connection_to(server), client)


async def test_the_feed_waits_for_its_kinds(caplog):
    """kopf would start without them and never look again."""
    async with serving() as server, Client(connection_to(server), QUICK) as client:
        server.kube.unserved.add(IW)
        waiting = asyncio.ensure_future(established(client, OUR_KINDS))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        assert "inferenceworkloads.chipwise.dev" in caplog.text
        server.kube.unserved.clear()
        async with asyncio.timeout(5):
            await waiting


async def test_credentials_are_handed_over_whole():
    """Token or certificate, as the connection found them."""
    async with serving() as server:
        info = credentials(await connection_to(server, "Bearer abc").endpoint())
    assert (info.server, info.scheme, info.token) == (server.url, "Bearer", "abc")


def test_waits_never_run_out_and_begin_again():
    """kopf takes an exhausted iterable for the order to give up. For half a minute and more they are short, and then seldom."""
    waits = Endless()
    first = [wait for wait, _ in zip(waits, range(100), strict=False)]
    assert len(first) == 100
    assert max(first[:20]) <= 3 < min(first[30:])
    assert 25 < sum(first[:20]) <= 60
    assert next(iter(waits)) <= 0.5
