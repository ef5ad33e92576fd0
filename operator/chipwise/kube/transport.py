"""One HTTP exchange with the API server: session, credentials, time limits, and every failure as a ``KubeError``.

Sends each request once, and a second time only after 401 when the credentials read again are different. Anything wiser about
retrying belongs to the caller, who knows what the request was for.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from importlib import metadata
from typing import Any

import aiohttp

from chipwise.kube.clock import ServerClock
from chipwise.kube.connection import Connection, Endpoint
from chipwise.kube.errors import KubeError, Unavailable, from_status

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds. A watch is closed by the server after ``watch`` and given up by us after ``silence`` without a byte."""

    connect: float = 5.0
    request: float = 30.0
    watch: int = 300
    silence: float = 90.0  # the server sends a bookmark about once a minute


@dataclass(frozen=True, slots=True)
class Request:
    """What to send. ``body`` is anything JSON can say, or None. ``seconds`` is a limit for both sides, if below the usual one."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: object = None
    content_type: str = JSON
    accept: str = JSON
    seconds: float | None = None


class Transport:
    """A pool of connections to one API server. Belongs to one event loop."""

    def __init__(self, connection: Connection, timeouts: Timeouts, clock: ServerClock | None = None) -> None:
        self._connection = connection
        self._timeouts = timeouts
        self._clock = clock
        self._agent = f"chipwise/{metadata.version('chipwise')}"
        self._pool: tuple[Endpoint, aiohttp.ClientSession] | None = None

    async def close(self) -> None:
        """Close every connection; what is under way fails with Unavailable."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool[1].close()

    async def document(self, request: Request) -> dict[str, Any]:
        """Send ``request`` and return the decoded answer. Raises KubeError."""
        total = self._timeouts.request
        if request.seconds is not None:
            total = min(total, request.seconds)
            # The server ends a request that it has taken too; closing the connection might not reach it in time.
            request = replace(request, query={**request.query, "timeout": f"{total:.3f}s"})
        limit = aiohttp.ClientTimeout(total=total, sock_connect=self._timeouts.connect)
        async with self.exchange(request, limit) as response:
            document: dict[str, Any] = json.loads(await response.read())
            return document

    @asynccontextmanager
    async def exchange(
        self, request: Request, limit: aiohttp.ClientTimeout
    ) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        """Send ``request`` and lend the answer, whose status is good. Raises KubeError, also while it is being read."""
        try:
            async with await self._send(request, limit) as response:
                yield response
        except TimeoutError as error:
            raise Unavailable(f"{request.method} {request.path}: no answer in time") from error
        except (aiohttp.ClientError, OSError) as error:
            what = str(error) or type(error).__name__
            raise Unavailable(f"{request.method} {request.path}: {what}") from error
        except json.JSONDecodeError as error:
            raise Unavailable(f"{request.method} {request.path}: the answer is not JSON") from error

    async def _send(self, request: Request, limit: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:
        endpoint = await self._connection.endpoint()
        response = await self._send_once(endpoint, request, limit)
        if response.status < 300:
            return response
        error = await _error(response)
        if response.status != 401:
            raise error
        renewed = await self._connection.renew(endpoint)
        if renewed == endpoint:
            raise error
        response = await self._send_once(renewed, request, limit)
        if response.status >= 300:
            raise await _error(response)
        return response

    async def _send_once(
        self, endpoint: Endpoint, request: Request, limit: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        session = await self._session_for(endpoint)
        headers = {"Accept": request.accept, "User-Agent": self._agent}
        data = None
        if request.body is not None:
            data = json.dumps(request.body, separators=(",", ":")).encode()
            headers["Content-Type"] = request.content_type
        if endpoint.authorization is not None:
            headers["Authorization"] = endpoint.authorization
        response = await session.request(
            request.method,
            endpoint.server + request.path,
            params=request.query,
            data=data,
            headers=headers,
            timeout=limit,
            allow_redirects=False,  # a redirect would carry the credentials elsewhere
            server_hostname=endpoint.tls_server_name,
            proxy=endpoint.proxy,
        )
        if self._clock is not None:
            self._clock.heard(response.headers.get("Date"))
        return response

    async def _session_for(self, endpoint: Endpoint) -> aiohttp.ClientSession:
        outdated = self._pool
        if outdated is not None and endpoint.same_transport(outdated[0]):
            return outdated[1]
        session = _session(endpoint)
        self._pool = (endpoint, session)
        if outdated is not None:
            await outdated[1].close()
        return session


def _session(endpoint: Endpoint) -> aiohttp.ClientSession:
    context = endpoint.ssl_context()
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=True if context is None else context),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=True,  # HTTPS_PROXY and NO_PROXY count, as for every other client
    )


async def _error(response: aiohttp.ClientResponse) -> KubeError:
    async with response:
        try:
            status = json.loads(await response.read())
        except (ValueError, aiohttp.ClientPayloadError):
            status = {}
    if not isinstance(status, dict) or status.get("kind") != "Status":
        status = {"message": f"HTTP {response.status} {response.reason or ''}".rstrip()}
    return from_status(response.status, status, retry_after=_seconds(response.headers.get("Retry-After")))


def _seconds(header: str | None) -> float | None:
    return float(header) if header is not None and header.isdecimal() else None
