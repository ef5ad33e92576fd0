"""The verbs chipwise has towards an API server, as a protocol: the real client, and the fake of the tests, both keep it.

Documents are plain dicts as the server sent them. Every verb may raise ``Unauthorized``, ``Forbidden`` and ``Unavailable`` of
:mod:`chipwise.kube.errors`; what else it may raise stands in its docstring. Namespace is None (or empty) for a cluster-scoped
resource, and in a list for all namespaces.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, Self

from chipwise.kube.resources import Resource

Document = dict[str, Any]
Operation = Mapping[str, Any]

FIELD_MANAGER = "chipwise"


class Page(NamedTuple):
    """Objects of one list, and the resource version of the whole list (not of the page).

    The server leaves ``apiVersion`` and ``kind`` out of the items of built-in resources.
    """

    items: list[Document]
    resource_version: str


class Kube(Protocol):
    """What may be asked of an API server."""

    def within(self, seconds: float) -> Self:
        """Return the same for requests that must be over in so many seconds: the server is told, and we wait no longer either."""
        ...

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Document:
        """Return one object. Raises NotFound."""
        ...

    def list_pages(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
        limit: int = 500,
    ) -> AsyncGenerator[Page, None]:
        """Yield the pages of one consistent list, at least one.

        When the continue token expires the list begins again: a page whose ``resource_version`` differs from the one before
        is the first of a new list, and what came earlier must be discarded. Raises NotFound if the kind is not served.
        """
        ...

    async def list_all(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> Page:
        """Return a whole consistent list as one page, ordered by namespace and name. Raises NotFound."""
        ...

    async def list_metadata(self, resource: Resource, *, namespace: str | None = None) -> Page:
        """Return a whole consistent list of ``PartialObjectMetadata``: each item has ``metadata`` only. Raises NotFound."""
        ...

    def watch(
        self,
        resource: Resource,
        resource_version: str,
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
        opened: Callable[[], None] | None = None,
    ) -> AsyncGenerator[tuple[str, Document], None]:
        """Yield (type, object) after ``resource_version``: ADDED, MODIFIED, DELETED, or BOOKMARK with a version and no content.

        ``opened`` is called when the server has taken the request; it may still answer that the version is too old. It ends without an error when the server closes the stream, as it does every few minutes. Raises Gone when the version
        is too old, NotFound, and Unavailable also for a stream that fell silent.
        """
        ...

    async def create(self, resource: Resource, namespace: str | None, document: Document) -> Document:
        """Create an object and return it as stored. Raises AlreadyExists, Invalid, NotFound (no such namespace)."""
        ...

    async def replace(
        self, resource: Resource, namespace: str | None, name: str, document: Document
    ) -> Document:
        """Write a whole object, on condition of its ``metadata.resourceVersion`` if present. Raises Conflict, NotFound, Invalid."""
        ...

    async def json_patch(
        self, resource: Resource, namespace: str | None, name: str, operations: Sequence[Operation]
    ) -> Document:
        """Apply a JSON Patch (RFC 6902) at once or not at all, and return the object.

        Raises Conflict if a ``test`` fails or a path is not there, NotFound, and Invalid if the outcome fails validation.
        """
        ...

    async def apply_status(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        document: Document,
        field_manager: str = FIELD_MANAGER,
    ) -> Document:
        """Server-side apply of the status subresource, taking the fields from whoever holds them.

        ``document`` has ``status``; ``apiVersion``, ``kind`` and the name are filled in. The server ignores a uid here; a
        ``metadata.resourceVersion`` is a precondition. An unchanged status is no write. Raises NotFound, Invalid, Conflict.
        """
        ...

    async def delete(
        self, resource: Resource, namespace: str | None, name: str, *, only: Mapping[str, str] | None = None
    ) -> None:
        """Delete an object in the background. Raises NotFound.

        ``only`` if its metadata says so (uid, resourceVersion), else raises Conflict.
        """
        ...

    async def served(self, group: str, version: str) -> frozenset[str]:
        """Return the plurals that the server lists for a group and version; empty if it knows no such group."""
        ...
