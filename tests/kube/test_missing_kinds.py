"""A kind that is not served is waited for, said once with what to do, and read as soon as it is there; an optional one has no objects."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator

import pytest
from chipwise.kube.backoff import Backoff
from chipwise.kube.continuity import HICCUP
from chipwise.kube.errors import Unavailable
from chipwise.kube.gap import Gap
from chipwise.kube.reflector import Need, Reflector
from chipwise.kube.resources import NODE_OVERLAYS, NODE_POOLS
from chipwise.reasons import Reason

from tests.kube.fake import FakeKube
from tests.kube.test_reflector import Mirror, version_of

pytestmark = pytest.mark.looptime

WORDS = "karpenter.sh/v1 is not served: install its CRD, or start without --karpenter"


def gap(reflector: Reflector[str]) -> Gap | None:
    return reflector.gap(asyncio.get_running_loop().time())


def node_pool(name: str) -> dict[str, object]:
    return {"metadata": {"name": name, "uid": f"np-{name}"}}


@contextlib.asynccontextmanager
async def reflecting(kube: FakeKube, *, optional: bool = False) -> AsyncIterator[Reflector[str]]:
    kind = NODE_OVERLAYS if optional else NODE_POOLS
    need = Need("--karpenter", optional=optional)
    reflector = Reflector(
        kube, kind, Mirror(), version_of, backoff=Backoff(source=random.Random(1)), need=need
    )
    task = asyncio.ensure_future(reflector.run())
    try:
        yield reflector
        assert not task.done()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_it_is_waited_for_at_the_start(caplog: pytest.LogCaptureFixture):
    kube = FakeKube()
    kube.unserved.add(NODE_POOLS)
    kube.put(NODE_POOLS, node_pool("h100"))
    async with reflecting(kube) as reflector:
        await asyncio.sleep(60)
        assert not reflector.synced.is_set()
        assert gap(reflector) == Gap("nodepools.karpenter.sh", Reason.KIND_MISSING, 60.0, WORDS)
        assert caplog.text.count(f"nodepools.karpenter.sh: {WORDS} (KindMissing)") == 1
        kube.fail("list_pages", Unavailable("restarting"), times=1)
        await asyncio.sleep(11)
        assert reflector.missing, "what nobody could ask about is as it was"
        kube.unserved.clear()
        await asyncio.sleep(11)
        assert reflector.synced.is_set()
        assert gap(reflector) is None
        assert not reflector.missing


async def test_it_is_waited_for_where_it_goes_later():
    """What was known stays known, and is not decided on."""
    kube = FakeKube()
    kube.put(NODE_POOLS, node_pool("h100"))
    async with reflecting(kube) as reflector:
        await asyncio.sleep(10)
        kube.unserved.add(NODE_POOLS)
        kube.break_streams()
        await asyncio.sleep(HICCUP - 1)
        assert gap(reflector) is None
        await asyncio.sleep(21)
        found = gap(reflector)
        assert found is not None
        assert (found.reason, found.words) == (Reason.KIND_MISSING, WORDS)
        assert found.seconds == pytest.approx(30, abs=3)
        kube.unserved.clear()
        await asyncio.sleep(11)
        assert gap(reflector) is None


async def test_nobody_waits_for_an_optional_one():
    """It is none until it is there, and none again when it goes."""
    kube = FakeKube()
    kube.unserved.add(NODE_OVERLAYS)
    kube.put(NODE_OVERLAYS, node_pool("cheap"))
    async with reflecting(kube, optional=True) as reflector:
        sink = reflector._sink
        assert isinstance(sink, Mirror)
        await asyncio.sleep(1)
        assert reflector.synced.is_set()
        assert sink.facts == {}
        kube.unserved.clear()
        await asyncio.sleep(11)
        assert list(sink.facts) == [("", "cheap")]
        kube.unserved.add(NODE_OVERLAYS)
        kube.break_streams()
        await asyncio.sleep(30)
        assert sink.facts == {}
        assert gap(reflector) is None
