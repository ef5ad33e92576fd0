"""Who may write: one holder of one Lease, and never two at a time.

The holder believes in itself only until ``deadline`` seconds after it *sent* the last renewal that succeeded; others wait for
``duration``, which is longer, after they *saw* that renewal. Both are monotonic clocks, so wrong wall clocks, lost answers and stopped
processes cost availability, never safety. Every renewal is a write on condition of the resourceVersion that was read, so that of two
who try one succeeds.

Shutting down, stop the writers first and the elector last: it hands the Lease back as its final act.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import socket
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import NoReturn

from chipwise.control.lease import JITTER, LeaseTiming, claimed, holder, patience, released
from chipwise.kube.clock import utc
from chipwise.kube.errors import AlreadyExists, Conflict, Forbidden, KubeError, NotFound, Unavailable
from chipwise.kube.protocol import Document, Kube
from chipwise.kube.resources import LEASES

log = logging.getLogger(__name__)

_ABSENT = ""  # the version of a Lease that is not there
_AFTERWARDS = 0.01  # seconds, for a timer may be a little early
_PAUSE = 0.2  # seconds between attempts to give the Lease back


def new_identity() -> str:
    """Return a name that no other process has, nor this one after a restart: the host (the Pod) and a random part."""
    return f"{socket.gethostname()}_{uuid.uuid4().hex[:8]}"


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


class Elector:
    """A candidate for the Lease ``namespace/name``. Writers ask :meth:`time_left` before each write.

    ``leading`` is set while it leads and ``lost`` while it does not, for those who wait rather than ask.
    """

    def __init__(
        self,
        kube: Kube,
        namespace: str,
        name: str,
        *,
        identity: str | None = None,
        timing: LeaseTiming | None = None,
        now: Callable[[], datetime] = utc,
        source: random.Random | None = None,
    ) -> None:
        self.identity = identity or new_identity()
        self.leading = asyncio.Event()
        self.lost = asyncio.Event()
        self.lost.set()
        self._timing = timing or LeaseTiming()
        self._kube = kube.within(self._timing.request)
        self._ready = _set()
        self._namespace = namespace
        self._name = name
        self._now = now
        self._random = source or random.Random()  # noqa: S311 - jitter
        self._held: Document | None = None  # the Lease as of our last write, to renew it without reading
        self._named = False  # the Lease may name us: we sent a write, and saw no other holder since
        self._existed = False  # we know of a Lease
        self._seen: tuple[str, float] | None = None  # the resourceVersion last seen, and when we first saw it
        self._free_at = float("inf")  # when the holder that was seen will have been silent for too long
        self._until = float("-inf")
        self._terms = 0
        self._timer: asyncio.TimerHandle | None = None

    def is_leader(self) -> bool:
        """Tell whether a write may begin now. Exact even if the event loop was stuck in between."""
        return asyncio.get_running_loop().time() < self._until

    def time_left(self) -> float:
        """Return the seconds within which a write that begins now must have ended; 0 if none may begin."""
        if not self.is_leader():
            return 0.0
        over = self._until - self._timing.deadline + self._timing.over
        return over - asyncio.get_running_loop().time()

    def term(self) -> int:
        """Return the number of this leadership, counted from 1; 0 while there is none. What was decided in another term is void."""
        return self._terms if self.is_leader() else 0

    async def run(self, ready: asyncio.Event | None = None) -> NoReturn:
        """Campaign, lead, and campaign again until cancelled; then release the Lease.

        Until ``ready`` is set it only watches the Lease: who cannot act yet must not keep others from it.
        """
        self._ready = ready or self._ready
        loop = asyncio.get_running_loop()
        try:
            while True:
                started = loop.time()
                await self._attempt()
                await self._pause(self._next(started))
        finally:
            await self._release()

    def _next(self, started: float) -> float:
        """When to try again: after a retry period, and for a standby no later than the Lease runs out."""
        if self.is_leader():
            return started + self._timing.retry
        usual = started + self._timing.retry * (1.0 + JITTER * self._random.random())
        return min(usual, self._free_at + _AFTERWARDS) if started < self._free_at else usual

    async def _pause(self, until: float) -> None:
        """Sleep, though not beyond the moment at which we get ready."""
        if self._ready.is_set():
            await asyncio.sleep(max(0.0, until - asyncio.get_running_loop().time()))
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await self._ready.wait()

    async def _attempt(self) -> None:
        """Try once to acquire or renew. Whatever the server does, it is no reason to give up."""
        try:
            await self._claim()
        except TimeoutError:
            log.warning("lease %s: no answer in time", self._name)
        except Forbidden as error:
            log.error("lease %s: a role is missing: %s", self._name, error)  # noqa: TRY400 - no traceback wanted
        except Conflict:
            log.debug("lease %s: somebody else wrote first", self._name)
        except KubeError as error:
            log.warning("lease %s: %s", self._name, error)
        else:
            return
        self._held = None  # whether it was written is unknown: read before the next write

    async def _claim(self) -> None:
        """Write the Lease if it is ours or free. Raises KubeError and TimeoutError."""
        if self._held is not None:
            try:
                await self._take(self._held)
            except (Conflict, NotFound):
                self._held = None
            else:
                return
        try:
            lease = await self._ask(self._kube.get(LEASES, self._namespace, self._name))
        except NotFound:
            if self._may_create() and self._ready.is_set():
                await self._create()
        else:
            if self._is_free(lease) and self._ready.is_set():
                await self._take(lease)

    async def _ask(self, request: Awaitable[Document]) -> Document:
        async with asyncio.timeout(self._timing.request):
            return await request

    async def _take(self, lease: Document) -> None:
        mine = claimed(lease, self.identity, self._timing, self._now())
        await self._won(self._kube.replace(LEASES, self._namespace, self._name, mine))

    async def _create(self) -> None:
        bare: Document = {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {"name": self._name, "namespace": self._namespace},
        }
        mine = claimed(bare, self.identity, self._timing, self._now())
        try:
            await self._won(self._kube.create(LEASES, self._namespace, mine))
        except AlreadyExists:
            self._existed, self._seen = True, None
            raise

    async def _won(self, request: Awaitable[Document]) -> None:
        """Send a write of the Lease. It counts from now, not from its answer: others may see it from now on."""
        sent = asyncio.get_running_loop().time()
        self._named = True
        self._held = await self._ask(request)
        self._existed, self._seen = True, None
        self._lead_until(sent + self._timing.deadline)

    def _is_free(self, lease: Document) -> bool:
        """Whether the Lease may be written: it names nobody, or us, or somebody who was silent for as long as that one asked for."""
        now = asyncio.get_running_loop().time()
        self._existed = True
        # Any write counts as a sign of life. renewTime would tell the same of a holder whose wall clock runs, and less of another.
        self._saw(lease["metadata"]["resourceVersion"], now, patience(lease, self._timing))
        if holder(lease) in ("", self.identity):
            return True
        self._named = False
        if self.is_leader():
            log.warning("lease %s: taken away by %s", self._name, holder(lease))
            self._step_down()
        return now >= self._free_at

    def _may_create(self) -> bool:
        """Whether a Lease that is not there may be made. If we know that there was one, its holder may not have noticed yet."""
        now = asyncio.get_running_loop().time()
        self._saw(_ABSENT, now, self._timing.duration)
        return not self._existed or self.is_leader() or now >= self._free_at

    def _saw(self, version: str, now: float, wait: float) -> None:
        if self._seen is None or self._seen[0] != version:
            self._seen = (version, now)
        self._free_at = self._seen[1] + wait

    def _lead_until(self, moment: float) -> None:
        loop = asyncio.get_running_loop()
        self._until = moment
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(moment, self._step_down)
        if loop.time() < moment and not self.leading.is_set():
            log.info("lease %s: leading as %s", self._name, self.identity)
            self._terms += 1
            self.lost.clear()
            self.leading.set()

    def _step_down(self) -> None:
        self._until = float("-inf")
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.leading.is_set():
            log.info("lease %s: no longer leading", self._name)
            self.leading.clear()
            self.lost.set()

    async def _release(self) -> None:
        """Give the Lease back so that the next holder need not wait; a failure only costs it that wait.

        Also where leadership was lost before, or a write was under way when we were stopped: the Lease may name us all the same.
        """
        self._step_down()
        if not self._named:
            return
        try:
            async with asyncio.timeout(2 * self._timing.request):
                await self._give_back()
        except (TimeoutError, KubeError) as error:
            log.warning("lease %s: not released: %s", self._name, str(error) or "no answer in time")

    async def _give_back(self) -> None:
        """Empty the Lease if it names us, however often that takes."""
        while True:
            try:
                lease = await self._kube.get(LEASES, self._namespace, self._name)
                if holder(lease) == self.identity:
                    free = released(lease, self._now())
                    await self._kube.replace(LEASES, self._namespace, self._name, free)
                    log.info("lease %s: released", self._name)
            except (Conflict, Unavailable) as error:
                # A write of ours that was under way, or a moment of bad luck.
                log.debug("lease %s: not released yet: %s", self._name, error)
                await asyncio.sleep(_PAUSE)
            else:
                return
