"""A bare client: aiohttp, one JSON or merge patch, and one watch. What chipwise's own client is measured against."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from chipwise.kube.connection import connect

from benchmarks.fleet import NAMESPACE

Document = dict[str, Any]

DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
POOLS = "/apis/chipwise.dev/v1alpha1/acceleratorpools"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"


class Server:
    """The API server as the administrator, and the Deployments of the bench as a watch shows them."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._news = asyncio.Condition()
        self.seen: dict[str, Document] = {}

    async def patch(self, path: str, body: Any, content: str) -> Document:
        """One patch; aiohttp's error if it is refused."""
        text = json.dumps(body)
        async with self._session.patch(path, data=text, headers={"Content-Type": content}) as answer:
            answer.raise_for_status()
            found: Document = await answer.json()
            return found

    async def follow(self) -> None:
        """Watch until cancelled."""
        query = {"watch": "true", "timeoutSeconds": "3000"}
        async with self._session.get(
            DEPLOYMENTS, params=query, timeout=aiohttp.ClientTimeout(None)
        ) as answer:
            answer.raise_for_status()
            async for line in answer.content:
                event = json.loads(line)
                async with self._news:
                    self.seen[event["object"]["metadata"]["name"]] = event["object"]
                    self._news.notify_all()

    async def until(
        self, name: str, holds: Callable[[Document], bool], seconds: float = 60.0
    ) -> tuple[float, Document]:
        """When (``perf_counter``) the watch showed a Deployment of which this holds, and the Deployment. TimeoutError if never."""
        async with asyncio.timeout(seconds), self._news:
            while name not in self.seen or not holds(self.seen[name]):
                await self._news.wait()
            return time.perf_counter(), self.seen[name]


@asynccontextmanager
async def opened(kubeconfig: Path) -> AsyncIterator[Server]:
    """A server whose watch has begun."""
    endpoint = await connect(kubeconfig=str(kubeconfig)).read()
    tls = endpoint.ssl_context()
    connector = aiohttp.TCPConnector(ssl=tls) if tls is not None else aiohttp.TCPConnector()
    headers = {"Authorization": endpoint.authorization} if endpoint.authorization else {}
    limits = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(
        endpoint.server, connector=connector, headers=headers, timeout=limits, read_bufsize=2**22
    ) as session:
        server = Server(session)
        watching = asyncio.create_task(server.follow())
        try:
            yield server
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


def generation(document: Document) -> int:
    """How often the spec was changed."""
    return int(document["metadata"]["generation"])


def rolled_out(document: Document) -> bool:
    """The Deployment controller has nothing left to do."""
    status, replicas = document.get("status", {}), document["spec"]["replicas"]
    counts = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "readyReplicas")]
    return status.get("observedGeneration") == generation(document) and counts == [replicas] * 3
