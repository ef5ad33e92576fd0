"""The only way by which chipwise writes anything but its Lease: leadership is asked before each write, and bounds it.

A write that begins while we lead must have ended before somebody else may begin to. So it is cut off, here and by a limit that the
API server is given, when nobody can be sure any more. What a stopped process or a network hands in later still meets the
resourceVersion that every write on a Deployment depends on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from chipwise.kube.errors import KubeError, Unavailable
from chipwise.kube.protocol import Document, Kube, Operation
from chipwise.kube.resources import Resource


class NotLeading(KubeError):  # noqa: N818 - named as its siblings in kube.errors are
    """Nothing was sent: somebody else may write, or may soon."""


class Desk(Protocol):
    """The verbs of :class:`chipwise.kube.protocol.Kube` that those who write need."""

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Document:
        """See Kube."""
        ...

    async def create(self, resource: Resource, namespace: str | None, document: Document) -> Document:
        """See Kube."""
        ...

    async def json_patch(
        self, resource: Resource, namespace: str | None, name: str, operations: Sequence[Operation]
    ) -> Document:
        """See Kube."""
        ...

    async def apply(
        self, resource: Resource, namespace: str | None, name: str, document: Document
    ) -> Document:
        """See Kube."""
        ...

    async def apply_status(
        self, resource: Resource, namespace: str | None, name: str, document: Document
    ) -> Document:
        """See Kube."""
        ...

    async def delete(
        self, resource: Resource, namespace: str | None, name: str, *, only: Mapping[str, str] | None = None
    ) -> None:
        """See Kube."""
        ...


class Fence:
    """A :class:`Desk` before ``kube``. ``time_left`` is the seconds that a write may take which begins now, 0 for none.

    Writes raise NotLeading beside what Kube says, and Unavailable also when they were cut off.
    """

    def __init__(self, kube: Kube, time_left: Callable[[], float]) -> None:
        self._kube = kube
        self._time_left = time_left

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Document:
        """Anybody may read."""
        return await self._kube.get(resource, namespace, name)

    async def create(self, resource: Resource, namespace: str | None, document: Document) -> Document:
        """See the class."""
        async with self._opened() as kube:
            return await kube.create(resource, namespace, document)

    async def json_patch(
        self, resource: Resource, namespace: str | None, name: str, operations: Sequence[Operation]
    ) -> Document:
        """See the class."""
        async with self._opened() as kube:
            return await kube.json_patch(resource, namespace, name, operations)

    async def apply(
        self, resource: Resource, namespace: str | None, name: str, document: Document
    ) -> Document:
        """See the class."""
        async with self._opened() as kube:
            return await kube.apply(resource, namespace, name, document)

    async def apply_status(
        self, resource: Resource, namespace: str | None, name: str, document: Document
    ) -> Document:
        """See the class."""
        async with self._opened() as kube:
            return await kube.apply_status(resource, namespace, name, document)

    async def delete(
        self, resource: Resource, namespace: str | None, name: str, *, only: Mapping[str, str] | None = None
    ) -> None:
        """See the class."""
        async with self._opened() as kube:
            await kube.delete(resource, namespace, name, only=only)

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Kube]:
        seconds = self._time_left()
        if seconds <= 0:
            raise NotLeading("not leading: nothing was written")
        try:
            async with asyncio.timeout(seconds):
                yield self._kube.within(seconds)
        except TimeoutError as error:
            raise Unavailable(f"cut off after {seconds:.1f} s, before the lease ran out") from error
