"""From news to one decision, never before everything is known, and again when time alone or a failure asks for it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from chipwise.cluster.decide import Decision, Standing
from chipwise.control.planner import Planner
from chipwise.kube.resources import ACCELERATOR_POOLS, INFERENCE_WORKLOADS
from chipwise.kube.sight import Sight

from tests.cluster.world import World
from tests.control.carrying import until_quiet


class Desk:
    """A planner whose decisions are kept. ``answers`` are what publishing says, the last for ever."""

    def __init__(
        self,
        world: World,
        *,
        synced: bool = True,
        answers: tuple[bool, ...] = (True,),
        standing: Standing | None = None,
    ) -> None:
        self.world = world
        self.decisions: list[Decision] = []
        self.published = asyncio.Event()
        self.synced = asyncio.Event()
        if synced:
            self.synced.set()
        self.state = world.state()
        self.answers = list(answers)
        self.term = 1
        self.planner = Planner(
            self.state,
            [self.synced],
            self.publish,
            standing=standing or Standing(frozen=True),
            term=lambda: self.term,
            now=lambda: world.now,
        )

    async def publish(self, decision: Decision) -> bool:
        self.decisions.append(decision)
        self.published.set()
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.planner.run())
        try:
            yield
            assert not task.done()
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def until(self, count: int) -> None:
        """In real time: the solver runs in a thread."""
        async with asyncio.timeout(20):
            while len(self.decisions) < count:
                await self.published.wait()
                self.published.clear()


def news(desk: Desk) -> None:
    key = ("prod", "chat")
    known = desk.state.facts(INFERENCE_WORKLOADS)[key]
    mode = "Off" if str(known.spec.mode) != "Off" else "Rollout"
    spec = known.spec.model_copy(update={"mode": mode})
    desk.state.put(INFERENCE_WORKLOADS, key, known.model_copy(update={"spec": spec}))


async def test_nothing_is_decided_before_every_list_is_complete():
    desk = Desk(World.standard(), synced=False)
    async with desk.running():
        await asyncio.sleep(0.4)
        assert desk.decisions == []
        desk.synced.set()
        await desk.until(1)
    assert desk.decisions[0].standing.frozen


class Fog(Sight):
    """In sight from the moment that a test says."""

    def __init__(self) -> None:
        super().__init__()
        self.lifts = asyncio.Event()

    async def clear(self) -> None:
        await self.lifts.wait()

    def seconds(self) -> float:
        return 7.0


async def test_nothing_is_decided_while_the_cluster_is_out_of_sight():
    """And a decision knows since when it is in sight."""
    desk, fog = Desk(World.standard()), Fog()
    desk.planner._sight = fog
    async with desk.running():
        await asyncio.sleep(0.6)
        assert desk.planner.decided == 0
        news(desk)
        fog.lifts.set()
        await desk.until(1)
    (only,) = desk.decisions[:1]
    assert only.snapshot.revision == desk.state.revision
    assert only.snapshot.watched_since == only.now - timedelta(seconds=7)


async def test_a_quiet_cluster_is_decided_about_once():
    desk = Desk(World.standard())
    async with desk.running():
        await desk.until(1)
        await asyncio.sleep(0.6)
    assert len(desk.decisions) == 1


async def test_many_news_are_one_decision_from_the_latest_snapshot():
    desk = Desk(World.standard())
    async with desk.running():
        await desk.until(1)
        for _ in range(5):
            news(desk)
            await asyncio.sleep(0.02)
        await desk.until(2)
        await asyncio.sleep(0.4)
    assert len(desk.decisions) == 2
    assert desk.decisions[1].snapshot.revision == desk.state.revision


async def test_news_during_a_solve_lead_to_another():
    desk = Desk(World.standard())
    async with desk.running():
        await asyncio.sleep(0.26)
        news(desk)
        await desk.until(2)
    assert desk.decisions[-1].snapshot.revision == desk.state.revision


async def test_a_decision_of_another_term_is_dropped():
    """Its snapshot may lack the last writes of whoever led before."""
    desk = Desk(World.standard())

    def led_anew(*_: object) -> datetime:
        desk.term = 2
        return desk.world.now

    desk.planner._now = led_anew
    async with desk.running():
        await asyncio.sleep(0.6)
        assert desk.planner.decided == 1
        assert desk.decisions == []
        desk.state.dirty.set()
        await desk.until(1)


async def test_what_could_not_be_carried_out_is_decided_again_without_news():
    desk = Desk(World.standard(), answers=(False, True))
    async with desk.running():
        await desk.until(2)
        await asyncio.sleep(0.4)
    assert len(desk.decisions) == 2


async def test_time_alone_can_ask_for_a_decision():
    """The end of a minimum stay makes no event."""
    world = World.standard()
    until_quiet(world)
    world.edit(ACCELERATOR_POOLS, "mi300x", lambda d: d["spec"]["price"].update(amount="0.10"))
    world.pass_time(minutes=9, seconds=59.8)
    desk = Desk(world, standing=Standing())
    async with desk.running():
        await desk.until(1)
        due = desk.decisions[0].due_seconds
        assert due is not None
        assert due < 1
        await desk.until(2)
