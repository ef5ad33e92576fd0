"""Candidates for one Lease as processes on a bad day: requests that take minutes, answers that are lost, clocks that jump, stops.

All share one loop in fake time, which is the true time. A process has a line to the server, a wall clock and an elector; a request that
it gave up goes on to the server all the same.
"""

from __future__ import annotations

import asyncio
import random
import types
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from chipwise.control.leader import Elector
from chipwise.control.lease import LeaseTiming
from chipwise.kube.errors import KubeError, Unavailable
from chipwise.kube.resources import LEASES

from tests.kube.fake import FakeKube

NOON = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
NAMESPACE, NAME = "chipwise", "writer"


@dataclass(frozen=True, slots=True)
class Weather:
    """What happens to a request: seconds on the way there and back, from and to, and how often (0 to 1) which half is lost."""

    there: tuple[float, float] = (0.0, 0.02)
    back: tuple[float, float] = (0.0, 0.02)
    request_lost: float = 0.0
    answer_lost: float = 0.0
    refused: bool = False


class Sky(Enum):
    """Kinds of weather. The lease is of 15 s and waits 2.5 s for an answer: a storm delays by several leases."""

    FAIR = Weather()
    SLOW = Weather((0.0, 1.0), (0.0, 1.0))
    SLOW_ANSWERS = Weather(back=(1.8, 2.4))
    STORM = Weather((0.0, 50.0), (0.0, 5.0))
    LOSSY = Weather((0.0, 0.5), (0.0, 0.5), 0.2, 0.4)
    NO_ANSWERS = Weather((0.0, 0.5), answer_lost=1.0)
    HANGS = Weather(request_lost=1.0)
    REFUSES = Weather(refused=True)


class Line:
    """One process's way to the server. ``calm`` delivers at once whatever is under way."""

    def __init__(self, kube: FakeKube, chance: random.Random, sky: Sky) -> None:
        self.sky = sky
        self.calm = asyncio.Event()
        self._kube = kube
        self._chance = chance

    def within(self, seconds: float) -> Line:  # noqa: ARG002 - a server that does not care
        return self

    async def get(self, *what: Any) -> Any:
        return await self._exchange(self._kube.get, what)

    async def create(self, *what: Any) -> Any:
        return await self._exchange(self._kube.create, what)

    async def replace(self, *what: Any) -> Any:
        return await self._exchange(self._kube.replace, what)

    async def _exchange(self, verb: Callable[..., Awaitable[Any]], what: Sequence[Any]) -> Any:
        weather = self.sky.value
        if weather.refused:
            raise Unavailable("refused")
        answer = await asyncio.shield(asyncio.ensure_future(self._carry(weather, verb, what)))
        if isinstance(answer, KubeError):
            raise answer
        return answer

    async def _carry(self, weather: Weather, verb: Callable[..., Awaitable[Any]], what: Sequence[Any]) -> Any:
        """The answer, or the error as a value: nobody may be left to take it."""
        lost = self._chance.random()
        await self._wait(weather.there)
        if lost < weather.request_lost:
            await self._wait((3600.0, 3600.0))
            return Unavailable("lost on the way there")
        try:
            answer = await verb(*what)
        except KubeError as error:
            answer = error
        await self._wait(weather.back)
        if lost < weather.request_lost + weather.answer_lost:
            return Unavailable("lost on the way back")
        return answer

    async def _wait(self, seconds: tuple[float, float]) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._chance.uniform(*seconds)):
                await self.calm.wait()


class Process:
    """One candidate. While it is stopped (SIGSTOP, a stalled node) nothing in it runs, and its timers are late."""

    def __init__(
        self,
        kube: FakeKube,
        name: str,
        timing: LeaseTiming | None = None,
        *,
        seed: int = 0,
        sky: Sky = Sky.FAIR,
    ) -> None:
        self.line = Line(kube, random.Random(f"{name} {seed}"), sky)
        self.clock_error = timedelta()
        self.timing = timing or LeaseTiming()
        source = random.Random(f"{name} {seed}")
        self.elector = Elector(
            self.line,  # type: ignore[arg-type]  # it is all that an elector asks for
            NAMESPACE,
            NAME,
            identity=name,
            now=self._wall_clock,
            timing=self.timing,
            source=source,
        )
        self.task: asyncio.Task[Any] | None = None
        self.ready: asyncio.Event | None = None
        self._runs = asyncio.Event()
        self._runs.set()

    def start(self) -> None:
        self.task = asyncio.ensure_future(_in_steps(self.elector.run(self.ready), self._runs))

    def freeze(self) -> None:
        self._runs.clear()

    def thaw(self) -> None:
        self._runs.set()

    def crash(self) -> None:
        """End it as SIGKILL does: it never runs again, and what it sent goes on."""
        self.freeze()

    async def stop(self) -> None:
        """End it as SIGTERM does."""
        assert self.task is not None
        self.thaw()
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task

    def _wall_clock(self) -> datetime:
        return NOON + timedelta(seconds=asyncio.get_running_loop().time()) + self.clock_error


@types.coroutine
def _in_steps(work: Coroutine[Any, Any, Any], runs: asyncio.Event) -> Generator[Any, Any, Any]:
    """Run ``work``, but begin no step of it while ``runs`` is not set."""
    error: BaseException | None = None
    while True:
        while not runs.is_set():
            try:
                yield from runs.wait().__await__()
            except (
                asyncio.CancelledError
            ) as cancelled:  # a time limit that passes meanwhile is felt afterwards
                error = cancelled
        try:
            awaited = work.send(None) if error is None else work.throw(error)
        except StopIteration as done:
            return done.value
        error = None
        try:
            yield awaited
        except BaseException as raised:  # noqa: BLE001 - handed on to where it belongs
            error = raised


@asynccontextmanager
async def running(process: Process) -> AsyncGenerator[Process, None]:
    """Started, and stopped in the end; it must not have ended by itself."""
    process.start()
    try:
        await asyncio.sleep(0.1)
        yield process
        assert process.task is not None
        assert not process.task.done()
    finally:
        await process.stop()


def lease_of(kube: FakeKube) -> dict[str, Any]:
    """What the Lease says."""
    spec: dict[str, Any] = kube.peek(LEASES, NAMESPACE, NAME)["spec"]
    return spec
