"""Compares what the feed told with what the server holds, for kopf neither says when it has listed nor notices lost deletions.

At start nothing may be decided until every listed object is known: ``synced``. From then on, at intervals, an object that is known
and absent from two consistent lists is forgotten. A list that cannot be had, as when the CRD is not established, proves nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from chipwise.kube.backoff import Backoff
from chipwise.kube.errors import KubeError, NotFound
from chipwise.kube.gap import Gap
from chipwise.kube.protocol import Kube
from chipwise.kube.reflector import Key, key_of, missing_kind
from chipwise.kube.resources import GROUP, OUR_KINDS, Resource
from chipwise.reasons import Reason

log = logging.getLogger(__name__)


class FeedIsDeafError(Exception):
    """Objects exist that the feed never told of. Only a new process, or a new feed, helps."""


class Register(Protocol):
    """The part of the roster that the audit needs."""

    def uids(self, resource: Resource) -> Mapping[Key, str]:
        """Return the uid of every object known now."""
        ...

    def forget(self, resource: Resource, key: Key, uid: str) -> None:
        """Drop an object known to be gone, if that name still belongs to ``uid``."""
        ...

    def version(self, resource: Resource, key: Key) -> str:
        """Return the newest resourceVersion known of an object; empty for one that is not known."""
        ...

    async def changed(self) -> None:
        """Wait until something becomes known."""
        ...


@dataclass(frozen=True, slots=True)
class Rhythm:
    """In seconds: between audits, before an absence is confirmed, before an unknown object means a deaf feed."""

    interval: float = 300.0
    confirm: float = 5.0
    deaf: float = 120.0


@dataclass(frozen=True, slots=True)
class Absence:
    """What vanished together without a deletion being seen, and of how many."""

    resource: Resource
    keys: tuple[Key, ...]
    known: int


def _always(_: Absence) -> bool:
    return True


class Audit:
    """See the module. ``may_forget`` decides on each Absence; a refused one stays known and is asked about again next time."""

    def __init__(
        self,
        kube: Kube,
        register: Register,
        resources: Sequence[Resource] = OUR_KINDS,
        *,
        rhythm: Rhythm | None = None,
        may_forget: Callable[[Absence], bool] = _always,
    ) -> None:
        self.synced = asyncio.Event()
        self.absences: list[Absence] = []
        """The last sixteen, newest last."""
        self._kube = kube
        self._register = register
        self._resources = tuple(resources)
        self._rhythm = rhythm or Rhythm()
        self._may_forget = may_forget
        self._backoff = Backoff()
        self._begun: float | None = None
        self._missing: Resource | None = None

    def gap(self, now: float) -> Gap | None:
        """Why not everything listed at the start is known; None once it was. ``now`` is of the event loop's clock."""
        if self.synced.is_set():
            return None
        seconds = now - (now if self._begun is None else self._begun)
        if self._missing is None:
            return Gap(GROUP, Reason.NOT_LISTED, seconds, "not listed yet")
        return Gap(str(self._missing), Reason.KIND_MISSING, seconds, missing_kind(self._missing))

    async def run(self) -> NoReturn:
        """Audit until cancelled. Raises FeedIsDeafError, which should end the process."""
        self._begun = asyncio.get_running_loop().time()
        for resource in self._resources:
            await self._until_known(resource)
        self.synced.set()
        while True:
            await asyncio.sleep(self._rhythm.interval)
            for resource in self._resources:
                try:
                    await self._examine(resource)
                except KubeError as error:
                    log.warning("audit of %s postponed: %s", resource, error)

    async def caught_up(self) -> None:
        """Wait until the feed has told everything that the server holds by now, after an outage. Raises KubeError if it cannot be listed.

        A feed that stays behind is waited for: it gives up a dead stream by itself. What was deleted meanwhile is forgotten as usual.
        """
        for resource in self._resources:
            while await self._is_behind(resource):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._rhythm.confirm):
                        await self._register.changed()
            await self._examine(resource)

    async def _is_behind(self, resource: Resource) -> bool:
        """Something listed is not known at that version."""
        found = await self._kube.list_metadata(resource)
        return any(
            not _reaches(self._register.version(resource, key_of(item)), item["metadata"]["resourceVersion"])
            for item in found.items
        )

    async def _until_known(self, resource: Resource) -> None:
        """Wait until everything listed is known or gone."""
        failures = 0
        missing: set[str] | None = None
        heard_at = asyncio.get_running_loop().time()
        while missing is None or missing:
            try:
                listed = await self._list(resource)
            except KubeError as error:
                failures += 1
                self._missing = resource if isinstance(error, NotFound) else self._missing
                log.warning("audit: %s cannot be listed: %s", resource, error)
                await asyncio.sleep(self._backoff.delay(failures, error))
                continue
            self._missing = None
            now = asyncio.get_running_loop().time()
            left = set(listed.values()) - set(self._register.uids(resource).values())
            if missing is None or missing - left:
                heard_at = now
            missing = left
            if missing and now - heard_at >= self._rhythm.deaf:
                raise FeedIsDeafError(f"{resource}: {len(missing)} objects are listed and were never told of")
            await self._news(resource, missing)

    async def _news(self, resource: Resource, missing: set[str]) -> None:
        """Wait until all the missing became known; not for ever, since some may have been deleted meanwhile."""
        try:
            async with asyncio.timeout(self._rhythm.confirm):
                while missing - set(self._register.uids(resource).values()):
                    await self._register.changed()
        except TimeoutError:
            return

    async def _examine(self, resource: Resource) -> None:
        before = self._register.uids(resource)
        listed = await self._list(resource)
        suspects = {key: uid for key, uid in before.items() if listed.get(key) != uid}
        strangers = set(listed.values()) - set(before.values())
        if not suspects and not strangers:
            return
        await asyncio.sleep(self._rhythm.confirm)
        again = await self._list(resource)
        now = self._register.uids(resource)
        gone = {key: uid for key, uid in suspects.items() if again.get(key) != uid and now.get(key) == uid}
        if gone:
            self._forget(Absence(resource, tuple(sorted(gone)), len(before)), gone)
        if strangers & set(again.values()) - set(now.values()):
            await self._until_known(resource)

    def _forget(self, absence: Absence, gone: Mapping[Key, str]) -> None:
        self.absences = [*self.absences[-15:], absence]
        facts = {"resource": str(absence.resource), "gone": len(absence.keys), "known": absence.known}
        if not self._may_forget(absence):
            log.error("objects vanished together and are held as known", extra=facts)
            return
        log.warning("objects vanished without a deletion being seen", extra=facts)
        for key, uid in gone.items():
            self._register.forget(absence.resource, key, uid)

    async def _list(self, resource: Resource) -> dict[Key, str]:
        """Return uids as of one moment. The read is consistent because it names no resourceVersion."""
        found = await self._kube.list_metadata(resource)
        return {key_of(item): _uid(item) for item in found.items}


def _reaches(known: str, version: str) -> bool:
    """Versions of one resource are ordered if they are numbers, as those of the API server are."""
    return known == version or (known.isdecimal() and version.isdecimal() and int(known) >= int(version))


def _uid(item: Mapping[str, Any]) -> str:
    return str(item["metadata"]["uid"])
