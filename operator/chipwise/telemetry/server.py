"""``/livez``, ``/readyz`` and ``/metrics``: one small HTTP application for the kubelet and for Prometheus.

Live: no loop hangs. Ready: every list was complete once, so that decisions rest on the whole cluster; a standby is as ready as the
leader, for it must take over at once. Neither fails with the API server or with a watch. The first would restart what only has to wait;
the second would take all replicas out at once, and with them the budget that lets nodes be drained, while nobody sends requests to any.
What is out of sight is said by a ready one, in its answer and in metrics.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.aiohttp import make_aiohttp_handler

log = logging.getLogger(__name__)

#: What is missing, a sentence each; none if all is well.
Check = Callable[[], Sequence[str]]
Handler = Callable[[web.Request], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen. Port 0 lets the system choose."""

    host: str = "127.0.0.1"
    port: int = 8080

    @classmethod
    def parse(cls, text: str) -> Address:
        """``HOST:PORT``, an IPv6 address in brackets. Raises ValueError."""
        host, colon, port = text.rpartition(":")
        bare = host.removeprefix("[").removesuffix("]")
        if not colon or not bare or (":" in bare) != host.startswith("["):
            raise ValueError(f"{text!r} is not HOST:PORT, such as 127.0.0.1:8080 or [::]:8080")
        if not port.isdecimal() or int(port) > 65535:
            raise ValueError(f"{port!r} is not a port: a number from 0 to 65535")
        return cls(bare, int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def application(
    checks: Mapping[str, Check], registry: CollectorRegistry, remarks: Mapping[str, Check] | None = None
) -> web.Application:
    """``checks`` by path, such as /livez. ``remarks`` are what is said beside ok, by path too."""
    app = web.Application()
    for path, check in checks.items():
        app.router.add_get(path, _probe(check, (remarks or {}).get(path, tuple)))
    app.router.add_get("/metrics", make_aiohttp_handler(registry))
    return app


def _probe(check: Check, remarks: Check) -> Handler:
    async def probe(_: web.Request) -> web.Response:
        wrong = check()
        said = wrong or ("ok", *remarks())
        return web.Response(text="".join(f"{line}\n" for line in said), status=503 if wrong else 200)

    return probe


@asynccontextmanager
async def serving(app: web.Application, address: Address) -> AsyncGenerator[Address, None]:
    """Serve until the block ends; gives the address with the port that was chosen. Raises OSError if it cannot be had."""
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, address.host, address.port).start()
        bound = Address(address.host, int(runner.addresses[0][1]))
        log.info("listening on http://%s", bound)
        yield bound
    finally:
        await runner.cleanup()
