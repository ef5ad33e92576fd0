"""Which objects the feed has told us of, between the feed and the sink.

kopf handles different uids of one name in parallel, so the end of the old object may arrive after the beginning of the new one; the
roster puts that right. It also knows uids for objects that became no fact, which is what the audit compares with.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic

from chipwise.kube.reflector import Extract, F, Key, Sink, extracted, key_of
from chipwise.kube.resources import Resource

_REMEMBERED = 3600.0  # seconds that a departure counts


@dataclass(frozen=True, slots=True)
class Entry:
    """One object as last told. ``version`` is its resourceVersion."""

    uid: str
    version: str


class Roster(Generic[F]):
    """The seam of the feed: :meth:`observe` for events, :meth:`forget` for the audit; both end in the sink."""

    def __init__(self, sink: Sink[F], extract: Extract[F]) -> None:
        self._sink = sink
        self._extract = extract
        self._known: dict[Resource, dict[Key, Entry]] = {}
        self._departures: list[tuple[float, Resource]] = []
        self._changed = asyncio.Event()

    def observe(self, resource: Resource, kind: str | None, document: Mapping[str, Any]) -> None:
        """Take one event: ``kind`` is a watch type, or None for an object that was listed."""
        key = key_of(document)
        metadata = document["metadata"]
        entry = Entry(metadata["uid"], metadata.get("resourceVersion") or "")
        before = self._known.get(resource, {}).get(key)
        if before is not None and _newer(before.version, entry.version):
            if before.uid != entry.uid:
                return
            entry = before  # by an answer to a write of ours, which was faster
        if kind == "DELETED":
            if before is None or before.uid == entry.uid:
                self._depart(resource, key)
            return
        self._known.setdefault(resource, {})[key] = entry
        fact = extracted(self._extract, resource, document)
        if fact is None:
            self._sink.drop(resource, key)
        else:
            self._sink.put(resource, key, fact)
        self._ring()

    def wrote(self, resource: Resource, document: Mapping[str, Any]) -> None:
        """Note the version that a write of ours made: the event of it is still on its way."""
        key, metadata = key_of(document), document["metadata"]
        before = self._known.get(resource, {}).get(key)
        version = metadata["resourceVersion"]
        if before is not None and before.uid == metadata["uid"] and _newer(version, before.version):
            self._known[resource][key] = Entry(before.uid, version)

    def version(self, resource: Resource, key: Key) -> str:
        """Return the newest resourceVersion known of an object; empty for one that is not known."""
        entry = self._known.get(resource, {}).get(key)
        return entry.version if entry is not None else ""

    def forget(self, resource: Resource, key: Key, uid: str) -> None:
        """Drop an object that is known to be gone, unless its name has passed to another uid."""
        if self.uids(resource).get(key) == uid:
            self._depart(resource, key)

    def uids(self, resource: Resource) -> dict[Key, str]:
        """Return the uid of every object told and not gone, as a copy."""
        return {key: entry.uid for key, entry in self._known.get(resource, {}).items()}

    def departed(self, resource: Resource, within: float) -> int:
        """Count the objects that went during the last ``within`` seconds (an hour at most), however it was noticed.

        For a caller that holds still when many go at once: a CRD deleted by mistake takes every workload with it.
        """
        since = asyncio.get_running_loop().time() - within
        return sum(1 for moment, which in self._departures if which == resource and moment >= since)

    async def changed(self) -> None:
        """Wait until something becomes known."""
        await self._changed.wait()

    def _depart(self, resource: Resource, key: Key) -> None:
        if self._known.get(resource, {}).pop(key, None) is not None:
            now = asyncio.get_running_loop().time()
            self._departures = [each for each in self._departures if each[0] > now - _REMEMBERED]
            self._departures.append((now, resource))
        self._sink.drop(resource, key)
        self._ring()

    def _ring(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _newer(version: str, than: str) -> bool:
    """Resource versions of one resource are ordered if they are numbers, as those of the API server are."""
    return version.isdecimal() and than.isdecimal() and int(version) > int(than)
