"""When the state may be believed, and what is forgotten."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from chipwise.kube.errors import Unavailable
from chipwise.kube.resources import INFERENCE_WORKLOADS as IW
from chipwise.watch.audit import Audit, FeedIsDeafError
from chipwise.watch.roster import Roster

from tests.kube.builders import workload
from tests.kube.fake import FakeKube
from tests.watch.sinks import DictSink, named

pytestmark = pytest.mark.looptime


class Scene:
    """A server, a roster that a test feeds by hand, and an audit running over both."""

    def __init__(self, **options: Any) -> None:
        self.kube = FakeKube()
        self.sink = DictSink()
        self.roster = Roster(self.sink, named)
        self.audit = Audit(self.kube, self.roster, [IW], **options)

    def put(self, *names: str, tell: bool = True) -> None:
        for name in names:
            document = self.kube.put(IW, workload(name))
            if tell:
                self.roster.observe(IW, "ADDED", document)

    @contextlib.asynccontextmanager
    async def running(self):
        task = asyncio.ensure_future(self.audit.run())
        await asyncio.sleep(0.1)
        yield task
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, FeedIsDeafError):
            await task


async def test_synced_once_every_listed_object_is_known():
    """Not before: the planner would take a part for the whole."""
    scene = Scene()
    scene.put("a", "b", tell=False)
    async with scene.running():
        assert not scene.audit.synced.is_set()
        scene.roster.observe(IW, None, scene.kube.peek(IW, "prod", "a"))
        await asyncio.sleep(1)
        assert not scene.audit.synced.is_set()
        scene.roster.observe(IW, None, scene.kube.peek(IW, "prod", "b"))
        await asyncio.sleep(1)
        assert scene.audit.synced.is_set()


async def test_an_object_deleted_before_it_was_told_does_not_block():
    """It will never be told; the next list shows why."""
    scene = Scene()
    scene.put("a", tell=False)
    async with scene.running():
        scene.kube.drop(IW, "prod", "a")
        await asyncio.sleep(10)
        assert scene.audit.synced.is_set()


async def test_a_kind_that_is_not_served_is_not_empty():
    """Without its CRD nothing is known, and no list says so."""
    scene = Scene()
    scene.kube.unserved.add(IW)
    async with scene.running():
        await asyncio.sleep(200)
        assert not scene.audit.synced.is_set()


async def test_a_lost_deletion_is_repaired():
    """After two lists, one interval later at most."""
    scene = Scene()
    scene.put("a", "b")
    async with scene.running():
        scene.kube.drop(IW, "prod", "a")
        await asyncio.sleep(310)
        assert [key[1] for key in scene.sink.of(IW)] == ["b"]
        assert [(each.keys, each.known) for each in scene.audit.absences] == [((("prod", "a"),), 2)]


async def test_one_list_is_not_enough():
    """An object that is back in the second list is kept."""
    scene = Scene()
    scene.put("a")
    async with scene.running():
        document = scene.kube.peek(IW, "prod", "a")
        scene.kube.drop(IW, "prod", "a")
        await asyncio.sleep(302)
        scene.kube.put(IW, document)
        await asyncio.sleep(10)
        assert list(scene.sink.of(IW)) == [("prod", "a")]


async def test_a_newborn_is_not_evicted():
    """It was not known when the list began, so its absence says nothing."""
    scene = Scene()
    async with scene.running():
        document = {"metadata": {"name": "n", "namespace": "prod", "uid": "u", "resourceVersion": "9"}}

        async def told(_):
            scene.roster.observe(IW, "ADDED", document)

        scene.kube.pause = told
        await asyncio.sleep(310)
        scene.kube.pause = None
        assert list(scene.sink.of(IW)) == [("prod", "n")]


async def test_a_failing_list_forgets_nothing():
    """No answer is no absence."""
    scene = Scene()
    scene.put("a")
    async with scene.running():
        scene.kube.drop(IW, "prod", "a")
        scene.kube.fail("list_metadata", Unavailable("later"), times=2)
        await asyncio.sleep(610)
        assert list(scene.sink.of(IW)) == [("prod", "a")]


async def test_many_gone_at_once_can_be_held():
    """The caller decides; what it refuses stays, and is asked about again."""
    scene = Scene(may_forget=lambda absence: len(absence.keys) < 2)
    scene.put("a", "b", "c")
    async with scene.running():
        scene.kube.drop(IW, "prod", "a")
        scene.kube.drop(IW, "prod", "b")
        await asyncio.sleep(310)
        assert len(scene.sink.of(IW)) == 3
        await asyncio.sleep(310)
        assert len(scene.audit.absences) == 2


async def test_a_deaf_feed_ends_the_process():
    """Objects that are listed for minutes and never told will not be told by waiting."""
    scene = Scene()
    scene.put("a", tell=False)
    with pytest.raises(FeedIsDeafError):
        await scene.audit.run()


async def test_a_feed_that_goes_deaf_later_ends_the_process_too():
    """Also while other objects keep being created."""
    scene = Scene()
    async with scene.running() as task:
        assert scene.audit.synced.is_set()
        for index in range(100):
            scene.put(f"w{index}", tell=False)
            await asyncio.sleep(10)
            if task.done():
                break
        assert isinstance(task.exception(), FeedIsDeafError)


async def test_after_an_outage_it_waits_until_the_feed_has_told_every_version():
    """An edit made meanwhile changes no uid."""
    scene = Scene()
    scene.put("a", "b")
    async with scene.running():
        await scene.audit.caught_up()
        edited = scene.kube.put(IW, {**scene.kube.peek(IW, "prod", "a"), "spec": {"edited": True}})
        catching_up = asyncio.ensure_future(scene.audit.caught_up())
        await asyncio.sleep(60)
        assert not catching_up.done()
        scene.roster.observe(IW, "MODIFIED", edited)
        await asyncio.sleep(0.1)
        assert catching_up.done()


async def test_after_an_outage_what_was_deleted_meanwhile_is_forgotten():
    scene = Scene()
    scene.put("a", "b")
    async with scene.running():
        scene.kube.drop(IW, "prod", "a")
        await scene.audit.caught_up()
        assert [name for _, name in scene.roster.uids(IW)] == ["b"]


async def test_whether_anything_was_missed_is_not_known_while_nothing_can_be_listed():
    scene = Scene()
    scene.put("a")
    async with scene.running():
        scene.kube.fail("list_metadata", Unavailable("503"))
        with pytest.raises(Unavailable):
            await scene.audit.caught_up()
