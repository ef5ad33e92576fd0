"""An API server in memory behind the ``Kube`` protocol, for tests of whatever talks to one.

It keeps the promises code relies on: one growing resourceVersion, a uid per creation, generation that moves with the spec,
preconditions, atomic JSON Patch, writes that change nothing and make no event, watches that replay from a version and raise Gone
when it was compacted away, paging. It does not default, validate, or track field ownership (an applied status replaces the
whole status), and finalizers do not hold a deletion.

::

    kube = FakeKube()
    kube.put(NODES, {"metadata": {"name": "n1"}, "status": {...}})     # as the world would: no request is recorded
    kube.fail("replace", Unavailable("later"), resource=LEASES)        # once, before it happens
    kube.fail("json_patch", Unavailable("lost"), after=True)           # once, after it happened: the answer is lost
    kube.pause = some_async_function                                   # awaited at the start of each request: latency, partitions
    kube.compact(); kube.break_streams(Unavailable("reset"))           # what a restart of the server looks like
    assert kube.writes == [Call("json_patch", DEPLOYMENTS, "prod", "chat")]
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self, TypeVar

from chipwise.kube.errors import AlreadyExists, Conflict, Gone, KubeError, NotFound
from chipwise.kube.protocol import FIELD_MANAGER, Document, Operation, Page
from chipwise.kube.resources import DEPLOYMENTS, NODES, OUR_KINDS, PODS, Resource

from tests.kube.patching import DoesNotFitError, patched
from tests.kube.selecting import matches

WRITES = frozenset({"create", "replace", "json_patch", "apply_status", "delete"})
WITH_STATUS = frozenset({NODES, PODS, DEPLOYMENTS, *OUR_KINDS})
"""Kinds whose status only its own subresource writes."""

Key = tuple[str, str]
T = TypeVar("T")


class Call(NamedTuple):
    """One request that reached the server."""

    verb: str
    resource: Resource
    namespace: str
    name: str


class Change(NamedTuple):
    """One event of the server's history. ``document`` must not be changed."""

    version: int
    resource: Resource
    kind: str
    document: Document


@dataclass(slots=True)
class Fault:
    """An error to answer with instead of, or after, the next ``times`` requests that fit."""

    verb: str
    error: KubeError
    resource: Resource | None
    times: int
    after: bool


def _version(change: Change) -> int:
    return change.version


class FakeKube:
    """See the module. ``version`` is the newest resourceVersion; ``calls`` and ``writes`` are the requests in order."""

    def __init__(self) -> None:
        self.version = 1
        self.calls: list[Call] = []
        self.pause: Callable[[Call], Awaitable[None]] | None = None
        self.history: list[Change] = []
        self.unserved: set[Resource] = set()
        self._objects: dict[Resource, dict[Key, Document]] = {}
        self._oldest = 0
        self._uids = 0
        self._faults: list[Fault] = []
        self._news = asyncio.Event()
        self._epoch = 0
        self._broken: KubeError | None = None

    # what a test does to the server

    def put(self, resource: Resource, document: Mapping[str, Any]) -> Document:
        """Create or replace an object with all it has, status included, whatever is there."""
        new = copy.deepcopy(dict(document))
        old = self._of(resource).get(_key(resource, new))
        return copy.deepcopy(self._store(resource, new, old))

    def drop(self, resource: Resource, namespace: str | None, name: str) -> None:
        """Delete an object."""
        gone = copy.deepcopy(self._of(resource).pop((namespace or "", name)))
        self.version += 1
        gone["metadata"]["resourceVersion"] = str(self.version)
        self._tell(resource, "DELETED", gone)

    def peek(self, resource: Resource, namespace: str | None, name: str) -> Document:
        """Return an object without a request. Raises KeyError."""
        return copy.deepcopy(self._of(resource)[(namespace or "", name)])

    def keys(self, resource: Resource) -> list[Key]:
        """Return what exists."""
        return sorted(self._of(resource))

    def fail(
        self,
        verb: str,
        error: KubeError,
        *,
        resource: Resource | None = None,
        times: int = 1,
        after: bool = False,
    ) -> None:
        """Answer the next ``times`` requests of ``verb`` with ``error``. Verb "continue" is any page but the first of a list."""
        self._faults.append(Fault(verb, error, resource, times, after))

    def compact(self) -> None:
        """Forget history: a watch from an older version raises Gone. Open streams go on."""
        self._oldest = self.version

    def break_streams(self, error: KubeError | None = None) -> None:
        """End every open watch, with ``error`` or, without one, as the server does when its time is up."""
        self._epoch += 1
        self._broken = error
        self._ring()

    @property
    def writes(self) -> list[Call]:
        """Requests that would change something."""
        return [call for call in self.calls if call.verb in WRITES]

    # the protocol

    def within(self, seconds: float) -> Self:  # noqa: ARG002 - time is the caller's affair here
        return self

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Document:
        call = await self._enter("get", resource, namespace, name)
        return self._leave(call, copy.deepcopy(self._find(resource, namespace, name)))

    async def list_pages(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
        limit: int = 500,
    ) -> AsyncGenerator[Page, None]:
        start = 0
        while True:
            if start == 0:
                call = await self._enter("list_pages", resource, namespace)
                found, version = self._list(resource, namespace, label_selector, field_selector), self.version
                self._leave(call, None)
            else:
                try:
                    await self._enter("continue", resource, namespace)
                except Gone:
                    start = 0
                    continue
            yield Page(copy.deepcopy(found[start : start + limit]), str(version))
            start += limit
            if start >= len(found):
                return

    async def list_all(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> Page:
        call = await self._enter("list_all", resource, namespace)
        found = self._list(resource, namespace, label_selector, field_selector)
        return self._leave(call, Page(copy.deepcopy(found), str(self.version)))

    async def list_metadata(self, resource: Resource, *, namespace: str | None = None) -> Page:
        call = await self._enter("list_metadata", resource, namespace)
        found = self._list(resource, namespace, None, None)
        bare = [{"metadata": copy.deepcopy(each["metadata"])} for each in found]
        return self._leave(call, Page(bare, str(self.version)))

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
        await self._enter("watch", resource, namespace)
        seen, epoch = int(resource_version), self._epoch
        if seen < self._oldest:
            raise Gone(f"too old resource version: {seen} ({self._oldest})", code=410, reason="Expired")
        if opened is not None:
            opened()
        selected = {
            _key(resource, each) for each in self._as_of(resource, seen, label_selector, field_selector)
        }
        while True:
            news = self._news
            if self._epoch != epoch:
                if self._broken is not None:
                    raise self._broken
                return
            for change in [
                each for each in self.history if each.version > seen and each.resource == resource
            ]:
                seen = change.version
                if change.resource != resource:
                    continue
                if namespace and _key(resource, change.document)[0] != namespace:
                    continue
                kind = _as_selected(
                    change, selected, matches(change.document, label_selector, field_selector)
                )
                if kind is not None:
                    yield kind, copy.deepcopy(change.document)
            await news.wait()

    async def create(self, resource: Resource, namespace: str | None, document: Document) -> Document:
        new = copy.deepcopy(document)
        if resource.namespaced:
            new["metadata"].setdefault("namespace", namespace)
        call = await self._enter("create", resource, namespace, new["metadata"]["name"])
        if _key(resource, new) in self._of(resource):
            raise AlreadyExists(f"{resource} {call.name!r} already exists", code=409, reason="AlreadyExists")
        if resource in WITH_STATUS:
            new.pop("status", None)
        return self._leave(call, copy.deepcopy(self._store(resource, new, None)))

    async def replace(
        self, resource: Resource, namespace: str | None, name: str, document: Document
    ) -> Document:
        call = await self._enter("replace", resource, namespace, name)
        old = self._find(resource, namespace, name)
        return self._leave(call, self._overwrite(resource, old, copy.deepcopy(document)))

    async def json_patch(
        self, resource: Resource, namespace: str | None, name: str, operations: Sequence[Operation]
    ) -> Document:
        call = await self._enter("json_patch", resource, namespace, name)
        old = self._find(resource, namespace, name)
        try:
            new = patched(old, operations)
        except DoesNotFitError as error:
            raise Conflict(f"{resource} {name}: {error}", code=422, reason="Invalid") from error
        return self._leave(call, self._overwrite(resource, old, new))

    async def apply_status(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        document: Document,
        field_manager: str = FIELD_MANAGER,  # noqa: ARG002 - ownership is not tracked
    ) -> Document:
        call = await self._enter("apply_status", resource, namespace, name)
        old = self._find(resource, namespace, name)
        expected = document.get("metadata", {}).get("resourceVersion")
        if expected and expected != old["metadata"]["resourceVersion"]:
            raise Conflict(
                "the object has been modified; please apply your changes", code=409, reason="Conflict"
            )
        new = copy.deepcopy(old) | {"status": copy.deepcopy(document["status"])}
        return self._leave(call, copy.deepcopy(old if new == old else self._store(resource, new, old)))

    async def delete(
        self, resource: Resource, namespace: str | None, name: str, *, only: Mapping[str, str] | None = None
    ) -> None:
        call = await self._enter("delete", resource, namespace, name)
        old = self._find(resource, namespace, name)
        for field, value in (only or {}).items():
            if value != old["metadata"][field]:
                raise Conflict(f"{resource} {name}: {field} mismatch", code=409, reason="Conflict")
        self.drop(resource, namespace, name)
        self._leave(call, None)

    async def served(self, group: str, version: str) -> frozenset[str]:
        every = set(OUR_KINDS) | set(self._objects)
        kinds = {each for each in every if (each.group, each.version) == (group, version)}
        return frozenset(each.plural for each in kinds - self.unserved)

    # inside

    def _of(self, resource: Resource) -> dict[Key, Document]:
        return self._objects.setdefault(resource, {})

    def _find(self, resource: Resource, namespace: str | None, name: str) -> Document:
        found = self._of(resource).get((namespace or "", name))
        if found is None:
            raise NotFound(f"{resource} {name!r} not found", code=404, reason="NotFound")
        return found

    async def _enter(self, verb: str, resource: Resource, namespace: str | None, name: str = "") -> Call:
        call = Call(verb, resource, namespace or "", name)
        if self.pause is not None:
            await self.pause(call)
        self.calls.append(call)
        if resource in self.unserved:
            raise NotFound("the server could not find the requested resource", code=404, reason="NotFound")
        self._fault(call, after=False)
        return call

    def _leave(self, call: Call, answer: T) -> T:
        self._fault(call, after=True)
        return answer

    def _fault(self, call: Call, *, after: bool) -> None:
        for fault in self._faults:
            fits = fault.verb == call.verb and fault.resource in (None, call.resource)
            if fits and fault.after == after and fault.times > 0:
                fault.times -= 1
                raise fault.error

    def _list(
        self, resource: Resource, namespace: str | None, labels: str | None, fields: str | None
    ) -> list[Document]:
        every = sorted(self._of(resource).items())
        inside = [each for key, each in every if not namespace or key[0] == namespace]
        return [each for each in inside if matches(each, labels, fields)]

    def _as_of(
        self, resource: Resource, version: int, labels: str | None, fields: str | None
    ) -> list[Document]:
        """What a selector matched at ``version``: a stream tells of objects that stop matching as deleted."""
        state: dict[Key, Document] = {}
        for change in self.history:
            if change.resource == resource and change.version <= version:
                state[_key(resource, change.document)] = change.document
                if change.kind == "DELETED":
                    del state[_key(resource, change.document)]
        return [each for each in state.values() if matches(each, labels, fields)]

    def _overwrite(self, resource: Resource, old: Document, new: Document) -> Document:
        expected = new["metadata"].get("resourceVersion")
        if expected and expected != old["metadata"]["resourceVersion"]:
            raise Conflict(
                "the object has been modified; please apply your changes", code=409, reason="Conflict"
            )
        if resource in WITH_STATUS:
            new.pop("status", None)
            if "status" in old:
                new["status"] = copy.deepcopy(old["status"])
        kept = ("uid", "creationTimestamp", "resourceVersion", "generation", "namespace", "name")
        new["metadata"] |= {name: old["metadata"][name] for name in kept if name in old["metadata"]}
        return copy.deepcopy(old if new == old else self._store(resource, new, old))

    def _store(self, resource: Resource, new: Document, old: Document | None) -> Document:
        self.version += 1
        new.setdefault("apiVersion", resource.api_version)
        new.setdefault("kind", resource.kind)
        metadata = new["metadata"]
        if old is None:
            self._uids += 1
            metadata.setdefault("uid", f"uid-{self._uids}")
            metadata["generation"] = 1
            metadata.setdefault("creationTimestamp", "2026-01-01T00:00:00Z")
        else:
            before = old["metadata"]
            metadata |= {"uid": before["uid"], "creationTimestamp": before["creationTimestamp"]}
            metadata["generation"] = before["generation"] + (new.get("spec") != old.get("spec"))
        metadata["resourceVersion"] = str(self.version)
        self._of(resource)[_key(resource, new)] = new
        self._tell(resource, "ADDED" if old is None else "MODIFIED", copy.deepcopy(new))
        return new

    def _tell(self, resource: Resource, kind: str, document: Document) -> None:
        self.history.append(Change(self.version, resource, kind, document))
        self._ring()

    def _ring(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


def _key(resource: Resource, document: Document) -> Key:
    metadata = document["metadata"]
    assert not resource.namespaced or metadata.get("namespace"), (
        f"{resource} {metadata['name']}: no namespace"
    )
    return (metadata["namespace"] if resource.namespaced else "", metadata["name"])


def _as_selected(change: Change, selected: set[Key], fits: bool) -> str | None:
    """What a stream with a selector says of a change; None for nothing."""
    key = _key(change.resource, change.document)
    was = key in selected
    if change.kind == "DELETED" or not fits:
        selected.discard(key)
        return "DELETED" if was or (change.kind == "DELETED" and fits) else None
    selected.add(key)
    return "MODIFIED" if was else "ADDED"
