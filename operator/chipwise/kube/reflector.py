"""Keeps a sink equal to what the API server holds of one resource: list, watch, and list again only when history is lost.

Each object becomes a fact as soon as it is decoded and the raw document is let go, for a cluster has more Pods than memory likes.
The sink is replaced as a whole after each complete list, so deletions nobody saw are repaired by construction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from chipwise.kube.resources import Resource

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
