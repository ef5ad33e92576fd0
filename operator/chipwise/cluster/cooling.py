"""What failed and is not tried again for a while: twice as long after each failure, up to the policy's longest.

It is kept in the status of the workload that failed, and read only from there: a failure counts when the status that was read tells of
it, so whoever leads next knows as much. A pool without room cools down for every workload with replicas of that size or more, or, where
an author chose it, for that workload; a variant that does not come to serve cools down for its own workload.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from chipwise.api import PlacementPolicySpec
from chipwise.cluster.health import Blame, Trouble
from chipwise.cluster.pools import PoolView
from chipwise.placement.problem import Footprint
from chipwise.reasons import Reason, Refusal

#: So many are kept in one status.
KEPT = 16


@dataclass(frozen=True, slots=True)
class Culprit:
    """What cools down: a pool, on its terms, or (``pool`` empty) a variant.

    A pool does for every workload whose replicas are as large as ``size`` or larger in every respect; where that is None, for one
    workload. ``size`` has nothing in the respects in which there was room. A variant does for one workload.
    """

    workload: str
    variant: str
    pool: str = ""
    capacity_type: str = ""
    size: Footprint | None = None

    def covers(self, workload: str, variant: str, view: PoolView, footprint: Footprint) -> bool:
        """Whether a workload's variant on a pool is what cools down."""
        if self.pool and (self.pool, self.capacity_type) != (view.name, view.capacity_type):
            return False
        if self.size is not None:
            return _within(self.size, footprint)
        return self.workload == workload and (bool(self.pool) or self.variant == variant)

    def is_like(self, other: Culprit) -> bool:
        """Whether a failure of one counts with the failures of the other."""
        place = (self.pool, self.capacity_type, self.size)
        if place != (other.pool, other.capacity_type, other.size):
            return False
        if self.size is not None:
            return True
        return self.workload == other.workload and (bool(self.pool) or self.variant == other.variant)


@dataclass(frozen=True, slots=True)
class CoolDown:
    """One culprit. ``failures`` in a row, the last noticed ``at``; not tried again before ``until``.

    A failure after ``forgotten`` is the first again.
    """

    culprit: Culprit
    reason: str
    message: str
    failures: int
    at: datetime
    until: datetime
    forgotten: datetime

    @property
    def sentence(self) -> str:
        """For people; the message of the failure says what to mend."""
        times = "" if self.failures == 1 else f" for the {self.failures}. time in a row"
        return (
            f"failed{times} ({self.reason}: {self.message}) and is not tried again before {stamp(self.until)}"
        )


@dataclass(frozen=True)
class Cooling:
    """Everything that is remembered, and what fails right now. ``failing`` are workloads whose own status tells of their trouble."""

    now: datetime
    known: tuple[CoolDown, ...] = ()
    failing: Mapping[str, Trouble] = field(default_factory=dict)

    def refusal(
        self, workload: str, variant: str, view: PoolView, footprint: Footprint, *, at_home: bool
    ) -> Refusal | None:
        """Why this is not to be tried now. Where a workload already runs only its own present trouble counts."""
        if at_home and workload not in self.failing:
            return None
        found = [one for one in self.live if one.culprit.covers(workload, variant, view, footprint)]
        if not found:
            return None
        latest = max(found, key=lambda one: (one.until, one.message))
        return Refusal(Reason.COOLING_DOWN, latest.sentence)

    @property
    def live(self) -> tuple[CoolDown, ...]:
        """Those that are not over."""
        return tuple(one for one in self.known if one.until > self.now)

    @property
    def due_seconds(self) -> float | None:
        """Seconds until the next is over."""
        return min(((one.until - self.now).total_seconds() for one in self.live), default=None)

    def own(self, workload: str) -> tuple[CoolDown, ...]:
        """What one workload's status tells of, newest first."""
        found = [one for one in self.known if one.culprit.workload == workload]
        return tuple(sorted(found, key=lambda one: one.at, reverse=True))

    def lately(self, workloads: Collection[str], window: timedelta) -> tuple[CoolDown, ...]:
        """What failed within the window, oldest first: one for each culprit, however many workloads met it."""
        found: list[CoolDown] = []
        for one in sorted(self.known, key=lambda one: one.at, reverse=True):
            recent = one.culprit.workload in workloads and one.at + window > self.now
            if recent and not any(one.culprit.is_like(other.culprit) for other in found):
                found.append(one)
        return tuple(reversed(found))

    def of_pool(self, pool: str) -> tuple[CoolDown, ...]:
        """What cools down in a pool for everybody now, one for each size, the longest."""
        latest: dict[tuple[str, Footprint], CoolDown] = {}
        for one in sorted(self.live, key=lambda one: (one.until, one.message)):
            if one.culprit.pool == pool and one.culprit.size is not None:
                latest[one.culprit.capacity_type, one.culprit.size] = one
        return tuple(latest[key] for key in sorted(latest))

    def noticed(self, culprit: Culprit, trouble: Trouble, policy: PlacementPolicySpec) -> CoolDown | None:
        """The cool-down that a trouble starts; None where its workload tells of one already."""
        before = [one for one in self.known if one.culprit.is_like(culprit)]
        if any(one.culprit.workload == culprit.workload and one.until > self.now for one in before):
            return None
        longest = timedelta(seconds=policy.cool_down.longest_seconds)
        lately = [one.failures for one in before if one.forgotten > self.now]
        # Two workloads that fail in the same room at once have seen one failure.
        at_once = [one.failures for one in before if one.until > self.now]
        failures = max(at_once, default=max(lately, default=0) + 1)
        span = min(timedelta(seconds=policy.cool_down.first_seconds) * 2 ** min(failures - 1, 32), longest)
        reason, until = trouble.reason.value, self.now + span
        return CoolDown(culprit, reason, trouble.message, failures, self.now, until, until + longest)


def culprit_of(workload: str, variant: str, view: PoolView, chips: int, trouble: Trouble) -> Culprit:
    """What is to blame for the trouble of one placement."""
    if trouble.blame is Blame.VARIANT:
        return Culprit(workload, variant)
    size = _in_whole_ki(trouble.wanting or Footprint(chips)) if trouble.blame is Blame.ROOM else None
    return Culprit(workload, variant, view.name, view.capacity_type, size)


def _in_whole_ki(size: Footprint) -> Footprint:
    """As it is kept: what is read again must be what was noticed."""
    return replace(size, memory_bytes=size.memory_bytes // 1024 * 1024)


def _within(smaller: Footprint, larger: Footprint) -> bool:
    """In every respect."""
    return (
        smaller.chips <= larger.chips
        and smaller.cpu_milli <= larger.cpu_milli
        and smaller.memory_bytes <= larger.memory_bytes
    )


def kept(cool_downs: Iterable[CoolDown], now: datetime) -> tuple[CoolDown, ...]:
    """What a status goes on telling of: whatever still matters to how long the next one takes."""
    return tuple(one for one in cool_downs if one.forgotten > now)[:KEPT]


def stamp(moment: datetime) -> str:
    """RFC 3339 to the second, as status holds it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
