"""Tells people of the latest decision beside the planner, so that many status writes never hold up the next decision and its acts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

from chipwise.cluster.decide import Decision
from chipwise.kube.backoff import Backoff

_RETRY = Backoff(first=1.0, cap=30.0)


class Herald:
    """One task. Of decisions that are offered while it tells of another, only the last is told of.

    ``tell`` answers False where something is left to be told; then ``again`` is called after a while, to decide and tell anew.
    """

    def __init__(self, tell: Callable[[Decision], Awaitable[bool]], again: Callable[[], None]) -> None:
        self._tell = tell
        self._again = again
        self._latest: Decision | None = None
        self._news = asyncio.Event()

    def offer(self, decision: Decision) -> None:
        """Let this decision be told of next."""
        self._latest = decision
        self._news.set()

    async def run(self) -> NoReturn:
        """Tell until cancelled."""
        failures = 0
        while True:
            try:
                async with asyncio.timeout(_RETRY.delay(failures) if failures else None):
                    await self._news.wait()
            except TimeoutError:
                self._again()
                await self._news.wait()
            self._news.clear()
            if self._latest is not None:
                failures = 0 if await self._tell(self._latest) else failures + 1
