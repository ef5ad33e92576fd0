"""The fake API server behind real HTTP on a local port: paths, verbs, media types, watch streams and faults as on the wire.

``Server.faults`` answers instead of the next requests that fit; ``stop`` and ``start`` keep the port, so that connections are
refused in between.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from chipwise.kube.connection import Connection, Endpoint
from chipwise.kube.errors import KubeError
from chipwise.kube.resources import LEASES, NAMESPACES, NODES, OUR_KINDS, PODS, Resource

from tests.kube.fake import FakeKube

CRDS = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)
SERVED = (NODES, PODS, NAMESPACES, CRDS, LEASES, *OUR_KINDS)
VERBS = ["get", "list", "watch", "create", "update", "patch", "delete"]


@dataclass(slots=True)
class Fault:
    """``answer`` for the next ``times`` requests whose method and path contain the texts."""

    answer: Callable[[web.Request], web.StreamResponse]
    method: str = ""
    query: str = ""
    times: int = 1


@dataclass
class Server:
    """See the module. ``seen`` is every request: method, path with query, headers, body."""

    kube: FakeKube = field(default_factory=FakeKube)
    faults: list[Fault] = field(default_factory=list)
    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    token: str | None = None
    silent: bool = False
    port: int = 0
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        self.kube.break_streams()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def fail(self, code: int, *, method: str = "", query: str = "", times: int = 1, **more: Any) -> None:
        """Answer with a Status of ``code``; ``more`` are headers, or fields of the Status if they are no text."""
        headers = {name.replace("_", "-"): value for name, value in more.items() if isinstance(value, str)}
        status = {"kind": "Status", "code": code, "message": f"as told: {code}"}
        status |= {name: value for name, value in more.items() if not isinstance(value, str)}
        self.faults.append(
            Fault(lambda _: web.json_response(status, status=code, headers=headers), method, query, times)
        )

    def methods(self) -> set[str]:
        return {method for method, _, _, _ in self.seen}

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append((request.method, request.path_qs, dict(request.headers), await request.read()))
        for fault in self.faults:
            if fault.times > 0 and fault.method in request.method and fault.query in request.path_qs:
                fault.times -= 1
                return fault.answer(request)
        if self.token is not None and request.headers.get("Authorization") != self.token:
            return _status(401, "Unauthorized")
        discovered = _discovery(request.path, self.kube)
        if discovered is not None:
            return web.json_response(discovered)
        try:
            return await self._verb(request)
        except KubeError as error:
            if error.code == 422 and request.method == "PATCH":
                return _status(
                    422, "the server rejected our request due to an error in our request", "Invalid"
                )
            return _status(error.code, str(error), error.reason)

    async def _verb(self, request: web.Request) -> web.StreamResponse:
        resource, namespace, name, subresource = _parse(request.path)
        if request.method == "GET" and name is None:
            if request.query.get("watch"):
                return await self._watch(request, resource, namespace)
            return await self._list(request, resource, namespace)
        body = json.loads(await request.read() or b"null")
        answer: Any = {"kind": "Status", "status": "Success"}
        if request.method == "GET":
            answer = await self.kube.get(resource, namespace, str(name))
        elif request.method == "POST":
            answer = await self.kube.create(resource, namespace, body)
        elif request.method == "PUT":
            answer = await self.kube.replace(resource, namespace, str(name), body)
        elif request.method == "DELETE":
            only = (body or {}).get("preconditions")
            await self.kube.delete(resource, namespace, str(name), only=only)
        elif subresource == "status" and request.content_type == "application/apply-patch+yaml":
            answer = await self.kube.apply_status(resource, namespace, str(name), body)
        elif request.content_type == "application/json-patch+json":
            answer = await self.kube.json_patch(resource, namespace, str(name), body)
        else:
            return _status(415, f"unsupported media type {request.content_type}")
        return web.json_response(answer, status=201 if request.method == "POST" else 200)

    async def _list(
        self, request: web.Request, resource: Resource, namespace: str | None
    ) -> web.StreamResponse:
        """Pages of a consistent list; the continue token is "version:offset" of a snapshot kept nowhere but in history."""
        labels, fields = request.query.get("labelSelector"), request.query.get("fieldSelector")
        found = await self.kube.list_all(
            resource, namespace=namespace, label_selector=labels, field_selector=fields
        )
        limit = int(request.query.get("limit") or 0) or len(found.items) or 1
        version, _, offset = request.query.get("continue", f"{found.resource_version}:0").partition(":")
        start = int(offset)
        metadata: dict[str, str] = {"resourceVersion": version}
        if start + limit < len(found.items):
            metadata["continue"] = f"{version}:{start + limit}"
        items = found.items[start : start + limit]
        if "PartialObjectMetadataList" in request.headers.get("Accept", ""):
            items = [{"metadata": item["metadata"]} for item in items]
        return web.json_response({"kind": f"{resource.kind}List", "metadata": metadata, "items": items})

    async def _watch(
        self, request: web.Request, resource: Resource, namespace: str | None
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        events = self.kube.watch(resource, request.query["resourceVersion"], namespace=namespace)
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            try:
                async for kind, document in events:
                    if self.silent:
                        await asyncio.sleep(3600)
                    await response.write(_line(kind, document))
            except KubeError as error:
                status = {"kind": "Status", "code": error.code, "message": str(error)}
                await response.write(_line("ERROR", status))
        return response


@contextlib.asynccontextmanager
async def serving() -> AsyncGenerator[Server, None]:
    """A running server, stopped at the end."""
    server = Server()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def connection_to(server: Server, token: str | None = None) -> Connection:
    """A connection whose credentials are read once."""

    async def read() -> Endpoint:
        return Endpoint(server.url, authorization=token)

    return Connection(read)


def _line(kind: str, document: dict[str, Any]) -> bytes:
    return json.dumps({"type": kind, "object": document}).encode() + b"\n"


def _status(code: int, message: str, reason: str = "") -> web.Response:
    return web.json_response(
        {"kind": "Status", "code": code, "message": message, "reason": reason}, status=code
    )


def _parse(path: str) -> tuple[Resource, str | None, str | None, str | None]:
    parts = path.strip("/").split("/")
    (group, version), rest = (("", parts[1]), parts[2:]) if parts[0] == "api" else (parts[1:3], parts[3:])
    namespace = None
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    resource = next(
        each for each in SERVED if (each.group, each.version, each.plural) == (group, version, rest[0])
    )
    name, subresource = ([*rest[1:], None, None])[:2]
    return resource, namespace, name, subresource


def _discovery(path: str, kube: FakeKube) -> dict[str, Any] | None:
    groups = {each.group: each.version for each in SERVED if each.group}
    if path == "/apis":
        return {
            "groups": [
                {
                    "name": group,
                    "versions": [{"groupVersion": f"{group}/{version}", "version": version}],
                    "preferredVersion": {"groupVersion": f"{group}/{version}", "version": version},
                }
                for group, version in sorted(groups.items())
            ]
        }
    if path == "/api":
        return {"versions": ["v1"]}
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) == 2:
        return {"resources": _kinds("", kube)}
    if parts[0] == "apis" and len(parts) == 3:
        return {"resources": _kinds(parts[1], kube)}
    return None


def _kinds(group: str, kube: FakeKube) -> list[dict[str, Any]]:
    served = [each for each in SERVED if each.group == group and each not in kube.unserved]
    return [
        {
            "name": each.plural,
            "singularName": each.kind.lower(),
            "kind": each.kind,
            "namespaced": each.namespaced,
            "verbs": VERBS,
        }
        for each in served
    ]
