"""Whether the cluster is in sight, and since when without a gap: what deadlines are counted from, and when decisions are held.

While the API server is away no kubelet, scheduler or controller can report either, so what did not come meanwhile is no failure. That
it is away is seen at the requests, of which the Lease makes one every few seconds. A watch need not notice: the network may drop what
it would have read and say nothing for a minute. So after an outage every watch is begun anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from chipwise.kube.continuity import HICCUP, Continuity
from chipwise.kube.counted import CANCELLED
from chipwise.kube.errors import KubeError, Unavailable
from chipwise.kube.gap import Gap
from chipwise.kube.resources import GROUP
from chipwise.reasons import Reason

log = logging.getLogger(__name__)

_NO_ANSWER = frozenset({CANCELLED, Unavailable.__name__})
_PAUSE = 0.25  # seconds between two looks while something is out of sight


class Watched(Protocol):
    """One watch: how whole its news are, and a way to begin it anew."""

    @property
    def continuity(self) -> Continuity:
        """The book of its gaps."""
        ...

    def gap(self, now: float) -> Gap | None:
        """Why what is known is not what the server holds; None while it is."""
        ...

    def renew(self) -> None:
        """Give up the present stream and resume it at once."""
        ...


async def _nothing() -> None:
    """There is nothing to catch up with."""


class Sight:
    """``watches`` are what must be current; ``catch_up`` returns once what comes by another way is too, and may raise KubeError.

    ``hiccup`` is for how many seconds requests may go unanswered before that is an outage. Belongs to one event loop.
    """

    def __init__(
        self,
        watches: Sequence[Watched] = (),
        catch_up: Callable[[], Awaitable[None]] = _nothing,
        hiccup: float = HICCUP,
    ) -> None:
        self.watches = watches
        self.catch_up = catch_up
        self._hiccup = hiccup
        self._answered_at: float | None = None
        self._back_at = 0.0
        self._behind = False
        self._catching_up: float | None = None

    def asked(self, verb: str, _resource: str, outcome: str) -> None:
        """Note the end of a request (a listener of ``kube.counted``). Any answer will do but those of a server that cannot serve."""
        if verb == "watch" or outcome in _NO_ANSWER:
            return
        now = asyncio.get_running_loop().time()
        before, self._answered_at = self._answered_at, now
        if before is not None and now - before > self._hiccup:
            log.warning("the API server answers again, after %.0f s", now - before)
            self._back_at, self._behind = now, True
            for each in self.watches:
                each.continuity.doubt(now)
                each.renew()

    def seconds(self) -> float:
        """For how long everything has been in sight; 0 while it is not."""
        now = asyncio.get_running_loop().time()
        since = max((each.continuity.current_from for each in self.watches), default=0.0)
        return max(0.0, now - max(self._back_at, since))

    def gaps(self, now: float) -> tuple[Gap, ...]:
        """What decisions wait for, or would wait for if there were any to make; nothing in good times. ``now`` is of the event loop's clock."""
        if self._answered_at is not None and now - self._answered_at > self._hiccup:
            away = now - self._answered_at
            return (Gap("the API server", Reason.OUT_OF_SIGHT, away, "no request is answered"),)
        found = tuple(gap for each in self.watches if (gap := each.gap(now)) is not None)
        if not found and self._catching_up is not None:
            words = "what came during the outage is not all told yet"
            return (Gap(GROUP, Reason.OUT_OF_SIGHT, now - self._catching_up, words),)
        return found

    async def clear(self) -> None:
        """Return when every watch is current: at once in good times."""
        told = False
        while found := self.gaps(asyncio.get_running_loop().time()):
            if not told:
                log.warning("nothing is decided: %s", "; ".join(gap.sentence for gap in found))
            told = self._behind = True
            await asyncio.sleep(_PAUSE)
        if self._behind:
            self._catching_up = asyncio.get_running_loop().time()
            try:
                await self._catch_up()
            finally:
                self._catching_up = None
        if told:
            log.info("everything is in sight again")

    async def _catch_up(self) -> None:
        while self._behind:
            self._behind = False
            try:
                await self.catch_up()
            except KubeError as error:
                log.warning("not known yet whether anything was missed: %s", error)
                self._behind = True
                await asyncio.sleep(_PAUSE)
