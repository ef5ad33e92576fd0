"""The verbs of :mod:`chipwise.kube.protocol` over another ``Kube``, each request told to a listener when it ends."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from typing import Self

from chipwise.kube.errors import KubeError
from chipwise.kube.protocol import FIELD_MANAGER, Document, Kube, Operation, Page
from chipwise.kube.resources import Resource

#: Verb, plural of the resource, and the name of the error, empty where there was none. "Cancelled": nobody waits for it any more.
Listener = Callable[[str, str, str], None]
CANCELLED = "Cancelled"


class Counted:
    """Keeps the protocol and changes nothing. A list counts once, however many pages it has; a watch when its stream ends."""

    def __init__(self, kube: Kube, listener: Listener) -> None:
        self._kube = kube
        self._listener = listener

    def within(self, seconds: float) -> Self:
        """See the protocol."""
        return type(self)(self._kube.within(seconds), self._listener)

    @contextmanager
    def _told(self, verb: str, resource: str) -> Iterator[None]:
        outcome = CANCELLED
        try:
            yield
            outcome = ""
        except KubeError as error:
            outcome = type(error).__name__
            raise
        finally:
            self._listener(verb, resource, outcome)

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Document:
        """See the protocol."""
        with self._told("get", resource.plural):
            return await self._kube.get(resource, namespace, name)

    async def list_pages(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
        limit: int = 500,
    ) -> AsyncGenerator[Page, None]:
        """See the protocol."""
        pages = self._kube.list_pages(
            resource,
            namespace=namespace,
            label_selector=label_selector,
            field_selector=field_selector,
            limit=limit,
        )
        with self._told("list", resource.plural):
            async with aclosing(pages):
                async for page in pages:
                    yield page

    async def list_all(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> Page:
        """See the protocol."""
        with self._told("list", resource.plural):
            return await self._kube.list_all(
                resource, namespace=namespace, label_selector=label_selector, field_selector=field_selector
            )

    async def list_metadata(self, resource: Resource, *, namespace: str | None = None) -> Page:
        """See the protocol."""
        with self._told("list", resource.plural):
            return await self._kube.list_metadata(resource, namespace=namespace)

    async def watch(
        self,
        resource: Resource,
        resource_version: str,
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
        opened: Callable[[], None] | None = None,
    ) -> AsyncGenerator[tuple[str, Document], None]:
        """See the protocol."""
        events = self._kube.watch(
            resource,
            resource_version,
            namespace=namespace,
            label_selector=label_selector,
            field_selector=field_selector,
            opened=opened,
        )
        with self._told("watch", resource.plural):
            async with aclosing(events):
                async for event in events:
                    yield event

    async def create(self, resource: Resource, namespace: str | None, document: Document) -> Document:
        """See the protocol."""
        with self._told("create", resource.plural):
            return await self._kube.create(resource, namespace, document)

    async def replace(
        self, resource: Resource, namespace: str | None, name: str, document: Document
    ) -> Document:
        """See the protocol."""
        with self._told("update", resource.plural):
            return await self._kube.replace(resource, namespace, name, document)

    async def json_patch(
        self, resource: Resource, namespace: str | None, name: str, operations: Sequence[Operation]
    ) -> Document:
        """See the protocol."""
        with self._told("patch", resource.plural):
            return await self._kube.json_patch(resource, namespace, name, operations)

    async def apply_status(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        document: Document,
        field_manager: str = FIELD_MANAGER,
    ) -> Document:
        """See the protocol."""
        with self._told("patch", f"{resource.plural}/status"):
            return await self._kube.apply_status(resource, namespace, name, document, field_manager)

    async def delete(
        self, resource: Resource, namespace: str | None, name: str, *, only: Mapping[str, str] | None = None
    ) -> None:
        """See the protocol."""
        with self._told("delete", resource.plural):
            await self._kube.delete(resource, namespace, name, only=only)

    async def served(self, group: str, version: str) -> frozenset[str]:
        """See the protocol."""
        with self._told("get", "apis"):
            return await self._kube.served(group, version)
