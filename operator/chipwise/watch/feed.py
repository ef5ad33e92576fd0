"""Our own kinds, fed by kopf into the roster. The only module that imports kopf, and it asks of it the least: ``on.event``.

kopf runs in a thread of its own with a loop of its own. On one loop it would take over SIGTERM, and when it stops it cancels every
task that was born after it, ours included. It writes nothing: no finalizer, no annotation, no Event, and handlers return None, for
what they return would be patched into the object.

kopf ends after an error inside a stream, a kind that vanished, or credentials refused twice. That is normal: it is started
again, lists again, and the audit repairs what fell between.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn, Protocol

import kopf

from chipwise.kube.backoff import Backoff
from chipwise.kube.connection import Connection, Endpoint
from chipwise.kube.errors import KubeError
from chipwise.kube.protocol import Kube
from chipwise.kube.reflector import F
from chipwise.kube.resources import OUR_KINDS, Resource
from chipwise.watch.roster import Roster

log = logging.getLogger(__name__)

Event = tuple[Resource, str | None, Mapping[str, Any]]
Tell = Callable[[Event], None]

_STEADY = 60.0  # seconds; a kopf that lived longer starts again without a wait
_TICK = 5.0  # seconds
_SOON, _LATER = Backoff(cap=3.0), Backoff()
_FEW = 20  # retries, a minute: an API server that starts again is back by then


class Vital(Protocol):
    """Who is told that kopf's own event loop goes round, and when there is none for a while."""

    def beat(self) -> None:
        """It goes round."""
        ...

    def rest(self) -> None:
        """There is none."""
        ...


async def feed(
    roster: Roster[F],
    connection: Connection,
    kube: Kube,
    resources: Sequence[Resource] = OUR_KINDS,
    *,
    backoff: Backoff | None = None,
    vital: Vital | None = None,
) -> NoReturn:
    """Feed ``roster`` until cancelled. Waits first, as long as it takes, until the server serves all ``resources``.

    An exception of the roster's sink ends it; whatever kopf does is logged and survived.
    """
    waits = backoff or Backoff()
    failures = 0
    loop = asyncio.get_running_loop()
    while True:
        await established(kube, resources, waits)
        started = loop.time()
        async with contextlib.aclosing(_events(connection, resources, vital)) as events:
            async for event in events:
                roster.observe(*event)
        failures = 1 if loop.time() - started >= _STEADY else failures + 1
        await asyncio.sleep(waits.delay(failures))


async def established(kube: Kube, resources: Sequence[Resource], backoff: Backoff | None = None) -> None:
    """Wait until discovery lists every resource; kopf would ignore for ever what is missing when it starts."""
    waits, failures = backoff or Backoff(), 0
    while True:
        try:
            missing = [str(each) for each in resources if not await _is_served(kube, each)]
        except KubeError as error:
            log.warning("discovery: %s", error)
            missing = ["(unknown)"]
        if not missing:
            return
        failures += 1
        log.error("waiting for the CRDs to be installed: %s", ", ".join(missing))
        await asyncio.sleep(waits.delay(failures))


async def _is_served(kube: Kube, resource: Resource) -> bool:
    return resource.plural in await kube.served(resource.group, resource.version)


async def _events(
    connection: Connection, resources: Sequence[Resource], vital: Vital | None
) -> AsyncGenerator[Event, None]:
    """Yield what one life of kopf tells; ends when it does, and takes it along when closed."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[Event | None] = asyncio.Queue()

    def tell(event: Event | None) -> None:
        with contextlib.suppress(RuntimeError):  # our loop may be closed before kopf is done
            loop.call_soon_threadsafe(queue.put_nowait, event)

    async def work() -> None:
        ticking = asyncio.ensure_future(_tick(vital)) if vital is not None else None
        try:
            await _operate(connection.read, resources, tell)
        finally:
            if ticking is not None:
                ticking.cancel()

    life = _Life(work, lambda: tell(None))
    life.start()
    try:
        while (event := await queue.get()) is not None:
            yield event
    finally:
        await life.end()
        if vital is not None:
            vital.rest()


async def _tick(vital: Vital) -> NoReturn:
    while True:
        vital.beat()
        await asyncio.sleep(_TICK)


class _Life:
    """A thread that runs one coroutine on a loop of its own."""

    def __init__(self, work: Callable[[], Awaitable[None]], done: Callable[[], None]) -> None:
        self._work = work
        self._done = done
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._main, name="kopf", daemon=True)

    def start(self) -> None:
        self._thread.start()

    async def end(self) -> None:
        """Cancel the work and wait for the thread, also while being cancelled ourselves."""
        if not self._over.is_set():
            with contextlib.suppress(RuntimeError):  # it may be over by now
                self._loop.call_soon_threadsafe(self._cancel)
        await asyncio.shield(asyncio.to_thread(self._thread.join, 15.0))

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _main(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._guarded())
        finally:
            self._over.set()
            self._done()

    async def _guarded(self) -> None:
        self._task = asyncio.ensure_future(self._work())
        try:
            await self._task
        except asyncio.CancelledError:
            log.debug("kopf was stopped")
        except Exception:  # a supervisor: kopf's errors are private to it
            log.exception("kopf ended")
        else:
            log.warning("kopf ended by itself")


async def _operate(
    read: Callable[[], Awaitable[Endpoint]], resources: Sequence[Resource], tell: Tell
) -> None:
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)  # type: ignore[untyped-decorator]
    async def login(**_: Any) -> Any:
        return credentials(await read())

    for resource in resources:
        _listen(registry, resource, tell)
    await kopf.operator(registry=registry, settings=settings(), standalone=True, clusterwide=True)


def _listen(registry: Any, resource: Resource, tell: Tell) -> None:
    @kopf.on.event(resource.group, resource.version, resource.plural, registry=registry)  # type: ignore[untyped-decorator]
    async def told(event: Mapping[str, Any], **_: Any) -> None:
        tell((resource, event["type"], event["object"]))


def credentials(endpoint: Endpoint) -> Any:
    """Return the endpoint as kopf wants it. A TLS server name cannot be said to kopf and is left out."""
    scheme, _, token = (endpoint.authorization or "").partition(" ")
    return kopf.ConnectionInfo(
        server=endpoint.server,
        ca_path=endpoint.ca_path,
        certificate_path=endpoint.certificate_path,
        private_key_path=endpoint.private_key_path,
        insecure=endpoint.insecure,
        scheme=scheme or None,
        token=token or None,
        proxy_url=endpoint.proxy,
        trust_env=True,
    )


def settings() -> Any:
    """Return settings under which kopf only reads."""
    found = kopf.OperatorSettings()
    found.scanning.disabled = True
    found.posting.enabled = False
    found.peering.standalone = True
    found.process.ultimate_exiting_timeout = None  # it would kill the process, and the thread is ours to end
    found.watching.chunk_size = 500
    found.watching.server_timeout = 300
    found.watching.inactivity_timeout = 90
    found.networking.request_timeout = 30
    found.networking.connect_timeout = 5
    found.networking.error_backoffs = Endless()
    found.persistence.diffbase_storage = NoDiffBase()
    return found


class Endless:
    """Waits in seconds, without end, and again from the start for each request: kopf gives up when they run out.

    Short for a while, for nobody can tell kopf that the API server is back.
    """

    def __iter__(self) -> Iterator[float]:
        for failures in itertools.count(1):
            yield (_SOON if failures <= _FEW else _LATER).delay(failures)


class NoDiffBase(kopf.DiffBaseStorage):  # type: ignore[misc]
    """Remembers nothing: kopf copies and compares every object even when no handler asks for it, at 40 % of its CPU."""

    def build(self, **_: Any) -> dict[str, Any]:
        """Return nothing to compare with."""
        return {}

    def fetch(self, **_: Any) -> None:
        """Return nothing remembered."""

    def store(self, **_: Any) -> None:
        """Remember nothing."""
