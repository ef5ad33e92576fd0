"""Keeps a sink equal to what the API server holds of one resource: list, watch, and list again only when history is lost.

Each object becomes a fact as soon as it is decoded and the raw document is let go, for a cluster has more Pods than memory likes.
The sink is replaced as a whole after each complete list, so deletions nobody saw are repaired by construction.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, Protocol, TypeVar

from chipwise.kube.backoff import Backoff
from chipwise.kube.continuity import Continuity
from chipwise.kube.errors import Forbidden, Gone, Invalid, KubeError, NotFound, Unauthorized
from chipwise.kube.gap import Gap
from chipwise.kube.protocol import Document, Kube
from chipwise.kube.resources import Resource
from chipwise.reasons import Reason

log = logging.getLogger(__name__)

_STEADY = (
    5.0  # seconds; a stream that ends sooner counts as a failure, or a sick server would be asked without end
)
_UNREADABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

Key = tuple[str, str]
"""Namespace (empty for a cluster-scoped object) and name."""

F = TypeVar("F")
F_contra = TypeVar("F_contra", contravariant=True)

Extract = Callable[[Resource, Mapping[str, Any]], F | None]
"""Raw document to fact, without side effects; None for an object of no interest. The fact carries the object's uid."""


class Sink(Protocol[F_contra]):
    """Where facts go. Called from the event loop, never awaited, never concurrently."""

    def replace(self, resource: Resource, facts: Mapping[Key, F_contra]) -> None:
        """Forget everything known of ``resource`` and know ``facts`` instead: a complete list, as of one moment."""
        ...

    def put(self, resource: Resource, key: Key, fact: F_contra) -> None:
        """Know ``fact``, whether or not something was known at ``key``. Equal facts come often and must be cheap."""
        ...

    def drop(self, resource: Resource, key: Key) -> None:
        """Know nothing at ``key``. Dropping what is not known is normal and does nothing."""
        ...


def key_of(document: Mapping[str, Any]) -> Key:
    """Return the key of a document."""
    metadata = document["metadata"]
    return metadata.get("namespace") or "", metadata["name"]


def extracted(extract: Extract[F], resource: Resource, document: Mapping[str, Any]) -> F | None:
    """Return the fact, or None after a loud log if ``extract`` cannot make sense of the document.

    A foreign object of a shape nobody thought of must not take the operator down: it would do so again after each restart.
    """
    try:
        return extract(resource, document)
    except _UNREADABLE:
        log.exception("%s %s: cannot be read, ignored", resource, "/".join(key_of(document)).lstrip("/"))
        return None


@dataclass(frozen=True, slots=True)
class Need:
    """What for a resource is read: the flag without which it would not be. An ``optional`` kind that is not served has no objects."""

    flag: str = ""
    optional: bool = False


class Reflector(Generic[F]):
    """One resource, one task. ``synced`` is set after the first complete list and stays set through outages; ``continuity`` tells of them.

    Only a bug in the sink ends :meth:`run`; nothing the server does can. A kind that is not served is waited for, at the start and
    later: ``missing`` says so.
    """

    def __init__(  # noqa: PLR0913 - four to work with, the rest narrow down what is read
        self,
        kube: Kube,
        resource: Resource,
        sink: Sink[F],
        extract: Extract[F],
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
        backoff: Backoff | None = None,
        need: Need | None = None,
    ) -> None:
        self.resource = resource
        self.missing = False
        self.synced = asyncio.Event()
        self.continuity = Continuity()
        self.lists = 0
        """Complete lists so far, for metrics."""
        self.watches = 0
        """Watches begun so far, for metrics."""
        self._kube = kube
        self._sink = sink
        self._extract = extract
        self._namespace = namespace or resource.home or None
        self._labels = label_selector
        self._fields = resource.select or None
        self._backoff = backoff or Backoff()
        self._need = need or Need()
        self._begun: float | None = None
        self._version: str | None = None  # where to resume; None: list first
        self._failures = 0  # in a row
        self._losses = 0  # of history, in a row
        self._renewed = asyncio.Event()
        self._stream: asyncio.Timeout | None = None

    def renew(self) -> None:
        """Give up the present stream, or the wait for the next, and ask again at once. A list under way is left to end.

        Earlier failures are forgotten: an API server that has just started refuses for a moment what a role allows.
        """
        self._renewed.set()
        if self._stream is not None and not self._stream.expired():
            self._stream.reschedule(asyncio.get_running_loop().time())

    def gap(self, now: float) -> Gap | None:
        """Why what is known is not what the server holds; None while it is. ``now`` is of the event loop's clock."""
        if self.synced.is_set() and self.continuity.is_current(now):
            return None
        since = next((each for each in (self.continuity.gap_since, self._begun) if each is not None), now)
        if self.missing:
            reason, words = Reason.KIND_MISSING, missing_kind(self.resource, self._need)
        elif self.synced.is_set():
            reason, words = Reason.OUT_OF_SIGHT, "its watch is away"
        else:
            reason, words = Reason.NOT_LISTED, "not listed yet"
        return Gap(str(self.resource), reason, now - since, words)

    async def run(self) -> NoReturn:
        """Reflect until cancelled."""
        self._begun = asyncio.get_running_loop().time()
        while True:
            self._renewed.clear()
            try:
                await self._reflect()
                wait = self._backoff.delay(self._failures)
            except KubeError as error:
                self._failed(error)
                wait = self._after(error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._renewed.wait()
                    self._failures = 0

    def _failed(self, error: KubeError) -> None:
        now = asyncio.get_running_loop().time()
        if not isinstance(error, NotFound):
            _report(self.resource, error)
        elif not self.missing:
            level = logging.INFO if self._need.optional else logging.ERROR
            words = missing_kind(self.resource, self._need)
            log.log(level, "%s: %s (%s)", self.resource, words, Reason.KIND_MISSING.value)
        self.missing = self.missing or isinstance(error, NotFound)
        if self.missing and self._need.optional:
            self._know({})
        else:
            self.continuity.broke(now)

    def _know(self, facts: Mapping[Key, F]) -> None:
        """These are all that there are."""
        self._sink.replace(self.resource, facts)
        self.continuity.listed(asyncio.get_running_loop().time())
        self.synced.set()

    def _after(self, error: KubeError) -> float:
        """Return the wait after ``error``; lost history is the answer of a healthy server, and the first list follows at once."""
        if isinstance(error, Gone | Invalid | NotFound):
            self._version = None
        if isinstance(error, Gone):
            self._failures, self._losses = 0, self._losses + 1
            return self._backoff.delay(self._losses - 1, error)
        self._failures += 1
        return self._backoff.delay(self._failures - 1, error)

    async def _reflect(self) -> None:
        if self._version is None:
            self._version = await self._list()
        await self._watch(self._version)

    async def _list(self) -> str:
        version, facts = "", dict[Key, F]()
        pages = self._kube.list_pages(
            self.resource,
            namespace=self._namespace,
            label_selector=self._labels,
            field_selector=self._fields,
        )
        async with aclosing(pages):
            async for items, of_list in pages:
                if of_list != version:  # the list began again
                    version, facts = of_list, {}
                for document in items:
                    fact = extracted(self._extract, self.resource, document)
                    if fact is not None:
                        facts[key_of(document)] = fact
        self._know(facts)
        self.lists += 1
        if self.missing:
            log.info("%s: served now", self.resource)
            self.missing = False
        return version

    async def _watch(self, version: str) -> None:
        loop = asyncio.get_running_loop()
        steady_at = loop.time() + _STEADY
        self.watches += 1
        events = self._kube.watch(
            self.resource,
            version,
            namespace=self._namespace,
            label_selector=self._labels,
            field_selector=self._fields,
            opened=lambda: self.continuity.resumed(loop.time()),
        )
        try:
            async with asyncio.timeout(None) as self._stream, aclosing(events):
                async for kind, document in events:
                    self._take(kind, document)
                    self._version = document["metadata"]["resourceVersion"]
                    if (self._failures or self._losses) and loop.time() >= steady_at:
                        self._failures = self._losses = 0
        except TimeoutError:
            self._failures = 0
            return
        finally:
            self._stream = None
        if loop.time() >= steady_at:
            self._failures = self._losses = 0
        else:
            self._failures += 1

    def _take(self, kind: str, document: Document) -> None:
        if kind == "BOOKMARK":
            return
        key = key_of(document)
        fact = None if kind == "DELETED" else extracted(self._extract, self.resource, document)
        if fact is None:
            self._sink.drop(self.resource, key)
        else:
            self._sink.put(self.resource, key, fact)


def missing_kind(resource: Resource, need: Need | None = None) -> str:
    """That a kind is not served, and what a person can do."""
    without = f", or start without {need.flag}" if need and need.flag else ""
    return f"{resource.api_version} is not served: install its CRD{without}"


def _report(resource: Resource, error: KubeError) -> None:
    match error:
        case Gone():
            log.info("%s: history is gone, listing again", resource)
        case Forbidden() | Unauthorized():
            log.error("%s: may not list and watch; a role is missing: %s", resource, error)
        case _:
            log.warning("%s: %s", resource, error)
