"""Who may write: one holder of one Lease, and never two at a time.

The holder believes in itself only until ``deadline`` seconds after it *began* the last renewal that succeeded; others wait for
``duration``, which is longer, after they *saw* that renewal. Both are monotonic clocks, so wrong wall clocks and lost answers cost
availability, never safety. What is left is a write already on its way when the lease runs out: every write has its own
precondition for that.

Shutting down, stop the writers first and the elector last: it hands the Lease back as its final act.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn

from chipwise.kube.errors import AlreadyExists, Conflict, Forbidden, KubeError, NotFound
from chipwise.kube.protocol import Document, Kube
from chipwise.kube.resources import LEASES

log = logging.getLogger(__name__)

_JITTER = 0.2  # of a retry period, so that standbys do not knock together


@dataclass(frozen=True, slots=True)
class LeaseTiming:
    """In seconds: how long others wait for a silent holder, how long it trusts itself, how often it renews, and one request."""

    duration: float = 15.0
    deadline: float = 10.0
    retry: float = 2.0
    request: float = 1.5

    def __post_init__(self) -> None:
        if not 0 < self.request < self.retry < self.deadline < self.duration:
            raise ValueError("a lease needs request < retry < deadline < duration")


def new_identity() -> str:
    """Return a name that no other process has, nor this one after a restart: the host (the Pod) and a random part."""
    return f"{socket.gethostname()}_{uuid.uuid4().hex[:8]}"


def _utc() -> datetime:
    return datetime.now(UTC)


class Elector:
    """A candidate for the Lease ``namespace/name``. Ask :meth:`is_leader` before each write.

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
        now: Callable[[], datetime] = _utc,
        source: random.Random | None = None,
    ) -> None:
        self.identity = identity or new_identity()
        self.leading = asyncio.Event()
        self.lost = asyncio.Event()
        self.lost.set()
        self._kube = kube
        self._namespace = namespace
        self._name = name
        self._timing = timing or LeaseTiming()
        self._now = now
        self._random = source or random.Random()  # noqa: S311 - jitter
        self._held: Document | None = None  # the Lease as of our last write
        self._seen: tuple[str, float] | None = None  # the resourceVersion last seen, and when we first saw it
        self._until = float("-inf")
        self._timer: asyncio.TimerHandle | None = None

    def is_leader(self) -> bool:
        """Tell whether a write may begin now. Exact even if the event loop was stuck in between."""
        return asyncio.get_running_loop().time() < self._until

    async def run(self) -> NoReturn:
        """Campaign, lead, and campaign again until cancelled; then release the Lease."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                started = loop.time()
                await self._attempt()
                wait = self._timing.retry
                if not self.is_leader():
                    wait *= 1.0 + _JITTER * self._random.random()
                await asyncio.sleep(max(0.0, started + wait - loop.time()))
        finally:
            await self._release()

    async def _attempt(self) -> None:
        """Try once to acquire or renew, within the time of one request."""
        started = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._timing.request):
                won = await self._claim()
        except TimeoutError:
            log.warning("lease %s: no answer in time", self._name)
        except Forbidden as error:
            log.error("lease %s: a role is missing: %s", self._name, error)  # noqa: TRY400 - no traceback wanted
        except Conflict:
            log.debug("lease %s: somebody else wrote first", self._name)
        except KubeError as error:
            log.warning("lease %s: %s", self._name, error)
        else:
            if won:
                self._lead_until(started + self._timing.deadline)
            elif self._until > started:
                log.warning("lease %s: taken away by another holder", self._name)
                self._step_down()
            return
        self._held = None  # whether it was written is unknown: read before the next write

    async def _claim(self) -> bool:
        """Return whether the Lease is ours by a write just made. Raises KubeError."""
        if self._held is not None:
            try:
                await self._take(self._held)
            except Conflict:
                self._held = None
            else:
                return True
        try:
            lease = await self._kube.get(LEASES, self._namespace, self._name)
        except NotFound:
            return await self._create()
        if not self._is_free(lease):
            return False
        await self._take(lease)
        return True

    async def _create(self) -> bool:
        lease = {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": self._spec({}),
        }
        try:
            self._held = await self._kube.create(LEASES, self._namespace, lease)
        except AlreadyExists:
            return False
        return True

    async def _take(self, lease: Document) -> None:
        mine = {**lease, "spec": self._spec(lease.get("spec") or {})}
        self._held = await self._kube.replace(LEASES, self._namespace, self._name, mine)

    def _spec(self, before: Document) -> Document:
        now = _micro_time(self._now())
        spec: Document = {
            **before,
            "holderIdentity": self.identity,
            "leaseDurationSeconds": max(1, round(self._timing.duration)),
            "renewTime": now,
        }
        if before.get("holderIdentity") != self.identity:
            spec["acquireTime"] = now
            spec["leaseTransitions"] = int(before.get("leaseTransitions") or 0) + (1 if before else 0)
        return spec

    def _is_free(self, lease: Document) -> bool:
        spec: Document = lease.get("spec") or {}
        now = asyncio.get_running_loop().time()
        version = lease["metadata"]["resourceVersion"]
        if self._seen is None or self._seen[0] != version:
            self._seen = (version, now)
        if spec.get("holderIdentity") in (None, "", self.identity):
            return True
        patience = float(spec.get("leaseDurationSeconds") or self._timing.duration)
        return now >= self._seen[1] + patience

    def _lead_until(self, moment: float) -> None:
        loop = asyncio.get_running_loop()
        self._until = moment
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(moment, self._step_down)
        if loop.time() < moment and not self.leading.is_set():
            log.info("lease %s: leading as %s", self._name, self.identity)
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
        """Give the Lease back so that the next holder need not wait; a failure only costs it that wait."""
        if not self.leading.is_set():
            return
        self._step_down()
        try:
            async with asyncio.timeout(self._timing.request):
                lease = await self._kube.get(LEASES, self._namespace, self._name)
                spec = lease.get("spec") or {}
                if spec.get("holderIdentity") != self.identity:
                    return
                empty = {
                    **spec,
                    "holderIdentity": "",
                    "leaseDurationSeconds": 1,
                    "renewTime": _micro_time(self._now()),
                }
                await self._kube.replace(LEASES, self._namespace, self._name, {**lease, "spec": empty})
        except (TimeoutError, KubeError) as error:
            log.warning("lease %s: not released: %s", self._name, str(error) or "no answer in time")


def _micro_time(moment: datetime) -> str:
    """Return what Kubernetes calls MicroTime: RFC 3339 in UTC with six digits."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
