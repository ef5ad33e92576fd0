"""Nothing is decided while the API server is away, nor on what its watches knew before; and waiting counts from its return."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Mapping
from typing import Any

import pytest
from chipwise.kube.backoff import Backoff
from chipwise.kube.counted import Counted
from chipwise.kube.errors import Forbidden, Unavailable
from chipwise.kube.gap import Gap
from chipwise.kube.reflector import Key, Reflector
from chipwise.kube.resources import NODES, PODS, Resource
from chipwise.kube.sight import Sight
from chipwise.reasons import Reason

from tests.kube.builders import node
from tests.kube.fake import Call, FakeKube

pytestmark = pytest.mark.looptime


class Known:
    """A sink: names by resource."""

    def __init__(self) -> None:
        self.facts: dict[Resource, set[Key]] = {NODES: set(), PODS: set()}

    def replace(self, resource: Resource, facts: Mapping[Key, Any]) -> None:
        self.facts[resource] = set(facts)

    def put(self, resource: Resource, key: Key, _: Any) -> None:
        self.facts[resource].add(key)

    def drop(self, resource: Resource, key: Key) -> None:
        self.facts[resource].discard(key)


class Scene:
    """Two watches and something that asks every two seconds, as the holder of a Lease does."""

    def __init__(self) -> None:
        self.fake, self.known, self.caught_up = FakeKube(), Known(), 0
        self.sight = Sight(catch_up=self.catch_up)
        self.kube = Counted(self.fake, self.sight.asked)
        backoff = Backoff(source=random.Random(1))
        self.sight.watches = self.reflectors = [
            Reflector(self.kube, each, self.known, lambda _, document: document, backoff=backoff)
            for each in (NODES, PODS)
        ]
        self.silent: asyncio.Event | None = None
        self.fake.pause = self.pause

    async def catch_up(self) -> None:
        self.caught_up += 1

    async def pause(self, _: Call) -> None:
        """A network that drops everything: a request is sent and no answer comes."""
        if self.silent is not None:
            try:
                async with asyncio.timeout(5):
                    await self.silent.wait()
            except TimeoutError:
                raise Unavailable("no answer in time") from None

    def gaps(self) -> tuple[Gap, ...]:
        return self.sight.gaps(asyncio.get_running_loop().time())

    async def ask(self) -> None:
        while True:
            with contextlib.suppress(Unavailable):
                await self.kube.list_metadata(NODES)
            await asyncio.sleep(2)

    @contextlib.asynccontextmanager
    async def running(self):
        tasks: list[asyncio.Future[Any]] = [asyncio.ensure_future(each.run()) for each in self.reflectors]
        tasks.append(asyncio.ensure_future(self.ask()))
        await asyncio.sleep(30)
        try:
            yield
            assert not any(task.done() for task in tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def away(self, seconds: float):
        """Every stream breaks and every request fails; the body runs at the end, before it is over."""
        for verb in ("watch", "list_pages", "list_metadata"):
            self.fake.fail(verb, Unavailable("refused"), times=100_000)
        self.fake.break_streams(Unavailable("reset"))
        await asyncio.sleep(seconds)
        yield
        self.fake._faults.clear()


async def waited(sight: Sight) -> float:
    loop = asyncio.get_running_loop()
    begin = loop.time()
    await sight.clear()
    return loop.time() - begin


async def test_in_good_times_nothing_waits():
    scene = Scene()
    async with scene.running():
        assert await waited(scene.sight) == 0
        assert scene.sight.seconds() == pytest.approx(30, abs=0.1)
        scene.fake.break_streams(Unavailable("reset"))
        assert await waited(scene.sight) == 0
        await asyncio.sleep(30)
        assert scene.sight.seconds() == pytest.approx(60, abs=0.1)
        assert scene.caught_up == 0


async def test_an_outage_holds_decisions_until_every_watch_is_current():
    scene = Scene()
    async with scene.running():
        async with scene.away(80):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(5):
                    await scene.sight.clear()
            scene.fake.put(NODES, node("late"))
        await scene.sight.clear()
        assert ("", "late") in scene.known.facts[NODES]
        assert scene.sight.seconds() < 1
        assert scene.caught_up == 1
        await asyncio.sleep(20)
        assert await waited(scene.sight) == 0
        assert scene.sight.seconds() == pytest.approx(20, abs=1)
        assert scene.caught_up == 1


async def test_its_return_is_noticed_by_all_at_once():
    """Nobody waits out a wait that the outage had grown to: five seconds are what a successor is given."""
    scene = Scene()
    async with scene.running():
        async with scene.away(80):
            pass
        assert await waited(scene.sight) < 4


async def test_a_server_that_has_just_started_may_refuse_for_a_moment():
    """It has not read the roles yet. Who was told that it is back asks again soon, whatever went before."""
    scene = Scene()
    async with scene.running():
        async with scene.away(80):
            pass
        scene.fake.fail("watch", Forbidden("roles are not read yet"), times=4)
        assert await waited(scene.sight) < 4


async def test_streams_that_are_dead_without_knowing_are_begun_anew():
    """The network swallowed everything for a minute, requests and news alike, and no stream ever broke."""
    scene = Scene()
    async with scene.running():
        watches = [each.watches for each in scene.reflectors]
        scene.silent = asyncio.Event()
        await asyncio.sleep(60)
        (gap,) = scene.gaps()
        assert (gap.what, gap.reason) == ("the API server", Reason.OUT_OF_SIGHT)
        assert gap.seconds == pytest.approx(60, abs=2)
        scene.silent.set()
        scene.silent = None
        await asyncio.sleep(2.5)
        await scene.sight.clear()
        assert [each.watches for each in scene.reflectors] == [count + 1 for count in watches]
        assert scene.sight.seconds() < 2.5


async def test_one_watch_that_is_refused_for_long_holds_decisions_too(caplog):
    """And it is named, for a role may be missing."""
    scene = Scene()
    async with scene.running():
        scene.fake.fail("watch", Unavailable("overload"), times=100_000)
        scene.fake.break_streams(Unavailable("reset"))
        await asyncio.sleep(20)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await scene.sight.clear()
        assert "nothing is decided: nodes: its watch is away (OutOfSight, for " in caplog.text
        assert [(gap.what, round(gap.seconds)) for gap in scene.gaps()] == [("nodes", 25), ("pods", 25)]
        scene.fake._faults.clear()
        await scene.sight.clear()
        assert scene.gaps() == ()
        assert scene.sight.seconds() < 1


async def test_what_comes_by_another_way_is_waited_for():
    """It is asked again while it cannot be known."""
    scene, answers = Scene(), [Unavailable("no"), Unavailable("no"), None]

    async def catch_up() -> None:
        if (error := answers.pop(0)) is not None:
            raise error

    scene.sight.catch_up = catch_up
    async with scene.running():
        async with scene.away(80):
            pass
        await scene.sight.clear()
    assert answers == []


async def test_it_is_said_while_what_comes_by_another_way_is_waited_for():
    """The watches are current again, and decisions are held all the same."""
    scene, told = Scene(), asyncio.Event()

    async def catch_up() -> None:
        await told.wait()

    scene.sight.catch_up = catch_up
    async with scene.running():
        async with scene.away(80):
            pass
        clearing = asyncio.ensure_future(scene.sight.clear())
        await asyncio.sleep(30)
        (gap,) = scene.gaps()
        assert gap.what == "chipwise.dev"
        assert gap.seconds == pytest.approx(30, abs=12)
        told.set()
        await clearing
        assert scene.gaps() == ()
