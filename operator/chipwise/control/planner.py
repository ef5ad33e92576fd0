"""Turns a changed world into a decision: snapshot, solve off the event loop, publish. It writes nothing.

Nothing is decided before every list is complete, nor on what may be out of date after an outage. A solve is never cancelled because news arrived: it is followed by another.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NoReturn

from chipwise.cluster.decide import Decision, Standing, decide
from chipwise.cluster.state import ClusterState
from chipwise.control.quiet import QuietWindow, burst
from chipwise.kube.backoff import Backoff
from chipwise.kube.clock import utc
from chipwise.kube.sight import Sight
from chipwise.placement.problem import SolveLimits

log = logging.getLogger(__name__)

#: Carries a decision out. False if something is left to do and no news may come that would say so.
Publish = Callable[[Decision], Awaitable[bool]]

#: The loop decides again with each change, so a tenth of a per cent is near enough; ``chipwise plan`` goes on to the proof.
_EFFORT = SolveLimits(relative_gap=0.001, mip_nodes=2000, seconds=20.0)
_RETRY = Backoff(first=1.0, cap=30.0)


class Planner:
    """One task. ``publish`` is awaited with each decision before the next is made, and asked again after a while if it failed.

    ``deciding`` is entered for as long as one is made. A decision is dropped if leadership (``term``) is another than when its snapshot
    was taken: it may lack the last writes of whoever led before. Whoever gains leadership sets ``dirty``.
    """

    def __init__(  # noqa: PLR0913 - three to work with, the rest are seams with their usual values
        self,
        state: ClusterState,
        synced: Sequence[asyncio.Event],
        publish: Publish,
        *,
        standing: Standing | None = None,
        window: QuietWindow | None = None,
        term: Callable[[], int] = lambda: 1,
        now: Callable[[], datetime] = utc,
        deciding: Callable[[], AbstractContextManager[object]] = nullcontext,
        sight: Sight | None = None,
    ) -> None:
        self.decided = 0
        self._state = state
        self._synced = synced
        self._publish = publish
        self._standing = standing or Standing()
        self._window = window or QuietWindow()
        self._term = term
        self._now = now
        self._deciding = deciding
        self._sight = sight or Sight()

    async def run(self) -> NoReturn:
        """Plan until cancelled."""
        for event in self._synced:
            await event.wait()
        log.info("every list is complete", extra={"revision": self._state.revision})
        self._state.dirty.set()
        due: float | None = None
        failures = 0
        while True:
            await burst(self._state.dirty, self._window, due)
            await self._sight.clear()
            term = self._term()
            decision = await self._decide()
            if term != self._term():
                continue
            failures = 0 if await self._publish(decision) else failures + 1
            waits = (decision.due_seconds, _RETRY.delay(failures) if failures else None)
            due = min((wait for wait in waits if wait is not None), default=None)

    async def _decide(self) -> Decision:
        begin, now = time.perf_counter(), self._now()
        since = now - timedelta(seconds=self._sight.seconds())
        snapshot = replace(self._state.snapshot(), watched_since=since)
        with self._deciding():
            decision = await asyncio.to_thread(
                decide, snapshot, now=now, standing=self._standing, solve_limits=_EFFORT
            )
        self.decided += 1
        log.debug(
            "decided",
            extra={
                "revision": snapshot.revision,
                "seconds": round(time.perf_counter() - begin, 4),
                "costPerHour": round(decision.plan.cost_per_hour, 4),
                "gap": decision.plan.gap,
            },
        )
        return decision
