"""Two or three candidates under schedules that an adversary draws up: never two may write at once, and in the end one leads."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chipwise.control.lease import JITTER, LeaseTiming
from chipwise.kube.resources import LEASES
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.control.candidates import NAME, NAMESPACE, Process, Sky
from tests.kube.clock import in_fake_time
from tests.kube.fake import FakeKube

_A_MOMENT = 0.5  # for a few requests in fair weather


class Arena:
    """The processes, and a referee who looks at every change of leadership and many times a second.

    ``busy`` is until when a write that a process has begun may still arrive: what the fence lets it take.
    """

    def __init__(self, timings: Sequence[LeaseTiming], seed: int) -> None:
        self.kube, self.seed = FakeKube(), seed
        self.violations: list[str] = []
        self.busy: dict[str, float] = {}
        self.born = 0
        self.processes: list[Process] = []
        self.tasks: list[asyncio.Task[Any]] = []
        self.fallen: list[Process] = []
        for timing in timings:
            self.processes.append(self.bear(timing))

    def bear(self, timing: LeaseTiming, sky: Sky = Sky.FAIR) -> Process:
        """A new process with a name of its own."""
        found = Process(self.kube, f"p{self.born}", timing, seed=self.seed, sky=sky)
        self.born += 1
        found.start()
        self.tasks.append(asyncio.ensure_future(self._attend(found)))
        return found

    def replace(self, which: int) -> None:
        """Take a process out, and start one like it."""
        gone = self.processes[which]
        self.fallen.append(gone)
        self.processes[which] = self.bear(gone.timing, gone.line.sky)

    def look(self) -> None:
        """Note who may write, and whether anybody else may or still does."""
        now = asyncio.get_running_loop().time()
        for process in self.processes:
            if not process.elector.is_leader():
                continue
            mine = process.elector.identity
            late = {name: until - now for name, until in self.busy.items() if name != mine and until > now}
            if late:
                self.violations.append(
                    f"at {now:.3f} s {mine} may write, and writes may arrive for s of {late}"
                )
            self.busy[mine] = max(self.busy.get(mine, 0.0), now + process.elector.time_left())

    def target(self, which: int) -> int:
        """The index of a process: 0 is whoever leads, for that is where it hurts."""
        order = sorted(range(len(self.processes)), key=lambda i: not self.processes[i].elector.is_leader())
        return order[which % len(order)]

    async def pass_time(self, seconds: float) -> None:
        """Look on, and see that nobody has died of what the server says."""
        end = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end:
            await asyncio.sleep(min(0.2, seconds))
            self.look()
        assert not self.violations, self.violations
        for process in self.processes:
            assert process.task is not None
            assert not process.task.done(), process.elector.identity

    def leaders(self) -> list[Process]:
        return [process for process in self.processes if process.elector.is_leader()]

    async def until_led(self, seconds: float) -> Process:
        """Whoever leads within so many seconds."""
        end = asyncio.get_running_loop().time() + seconds
        while not self.leaders():
            assert asyncio.get_running_loop().time() < end, f"nobody leads after {seconds} s"
            await self.pass_time(0.1)
        (leader,) = self.leaders()
        return leader

    def heal(self) -> None:
        """Everything that is under way arrives now, everybody runs, and the network is as it should be."""
        for process in [*self.processes, *self.fallen]:
            process.line.sky = Sky.FAIR
            process.line.calm.set()
        for process in self.processes:
            process.thaw()

    async def close(self) -> None:
        """End everything, also where the story broke off."""
        everybody = [*self.processes, *self.fallen]
        for process in everybody:
            process.thaw()
        tasks = [*self.tasks, *(process.task for process in everybody if process.task)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _attend(self, process: Process) -> None:
        while True:
            await process.elector.leading.wait()
            self.look()
            await process.elector.lost.wait()


# what the adversary may do to the process with this number

Blow = Callable[[Arena, int], None]


def weather(sky: Sky) -> Blow:
    def blow(arena: Arena, which: int) -> None:
        arena.processes[which].line.sky = sky

    return blow


def outage(sky: Sky) -> Blow:
    def blow(arena: Arena, which: int) -> None:
        for process in arena.processes:
            process.line.sky = sky

    return blow


def jump(hours: float) -> Blow:
    def blow(arena: Arena, which: int) -> None:
        arena.processes[which].clock_error += timedelta(hours=hours)

    return blow


def freeze(arena: Arena, which: int) -> None:
    arena.processes[which].freeze()


def thaw(arena: Arena, which: int) -> None:
    arena.processes[which].thaw()


def crash(arena: Arena, which: int) -> None:
    """Killed, and started anew under another name; what it had sent is still under way."""
    arena.look()
    arena.processes[which].crash()
    arena.replace(which)


def end(arena: Arena, which: int) -> None:
    """Its writers end first, so nothing of it is under way when it gives the Lease back; and it is started anew."""
    gone = arena.processes[which]
    arena.busy.pop(gone.elector.identity, None)
    arena.tasks.append(asyncio.ensure_future(gone.stop()))
    arena.replace(which)


def annotate(arena: Arena, which: int) -> None:
    """Somebody else writes to the Lease and means no harm."""
    if arena.kube.keys(LEASES):
        lease = arena.kube.peek(LEASES, NAMESPACE, NAME)
        lease["metadata"]["annotations"] = {"looked": f"{asyncio.get_running_loop().time()}"}
        arena.kube.put(LEASES, lease)


def delete(arena: Arena, which: int) -> None:
    """A person believes that it helps."""
    if arena.kube.keys(LEASES):
        arena.kube.drop(LEASES, NAMESPACE, NAME)


@dataclass(frozen=True)
class Step:
    """One blow, and how long it is looked upon."""

    blow: Blow
    name: str
    which: int
    seconds: float

    def __repr__(self) -> str:
        return f"{self.name}({self.which}), {self.seconds:.1f} s"


BLOWS: dict[str, Blow] = {
    **{f"weather {sky.name}": weather(sky) for sky in Sky},
    "outage": outage(Sky.REFUSES),
    "hanging outage": outage(Sky.HANGS),
    "all fair": outage(Sky.FAIR),
    "clock 3 h forward": jump(3),
    "clock 3 h back": jump(-3),
    "freeze": freeze,
    "thaw": thaw,
    "crash": crash,
    "end": end,
    "annotate": annotate,
}


def steps(blows: dict[str, Blow]) -> st.SearchStrategy[list[Step]]:
    names, seconds = st.sampled_from(sorted(blows)), st.one_of(st.floats(0.1, 4.0), st.floats(0.1, 40.0))
    one = st.tuples(names, st.integers(0, 2), seconds).map(lambda found: Step(blows[found[0]], *found))
    return st.lists(one, min_size=1, max_size=14)


TIMINGS = st.sampled_from([LeaseTiming(), LeaseTiming(6.0, 4.0, 1.0), LeaseTiming(15.3, 15.0, 2.0)])
SKIES = st.sampled_from([Sky.FAIR, Sky.SLOW, Sky.SLOW_ANSWERS])
Party = list[tuple[LeaseTiming, Sky]]
PARTIES = st.lists(st.tuples(TIMINGS, SKIES), min_size=2, max_size=3)


async def story(schedule: list[Step], party: Party, seed: int) -> None:
    """One leads, under the first sky of the party; the times of the lease may differ, as while they are changed. The blows fall, the faults end, and one leads; it ends, and another leads."""
    arena = Arena([timing for timing, _ in party], seed)
    try:
        await arena.pass_time(3.0)
        for which, (_, sky) in enumerate(party):
            arena.processes[arena.target(which)].line.sky = sky
        for step in schedule:
            step.blow(arena, arena.target(step.which))
            await arena.pass_time(step.seconds)
        arena.heal()
        retry = max(timing.retry for timing, _ in party) * (1 + JITTER)
        await arena.pass_time(max(math.ceil(timing.duration) for timing, _ in party) + retry + _A_MOMENT)
        (leader,) = arena.leaders()
        await arena.pass_time(20.0)
        assert arena.leaders() == [leader]
        end(arena, arena.processes.index(leader))
        assert await arena.until_led(retry + _A_MOMENT) is not leader
        await arena.pass_time(5.0)
    finally:
        await arena.close()


@settings(max_examples=300, deadline=None)
@given(steps(BLOWS), PARTIES, st.integers(0, 1000))
def test_never_two_writers_and_one_in_the_end(schedule, party, seed):
    """Delays of several leases, lost answers, outages, jumping clocks, stopped and killed processes, and people.

    Once the faults end, one leads within lease duration and retry period, and keeps it; ended, another leads within a retry period.
    """
    in_fake_time(story(schedule, party, seed))


LASTING = {name: blow for name, blow in BLOWS.items() if name not in ("crash", "end")}


@settings(max_examples=100, deadline=None)
@given(steps(LASTING), steps(LASTING), st.integers(2, 3), st.integers(0, 1000))
def test_a_deleted_lease_makes_no_second_writer(before, after, count, seed):
    """Those who knew it wait it out. A process that starts just then knows nothing, and takes it."""
    in_fake_time(
        story([*before, Step(delete, "delete", 0, 0.1), *after], [(LeaseTiming(), Sky.FAIR)] * count, seed)
    )
