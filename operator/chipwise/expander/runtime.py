"""The expander, put together: watches fill the shelf, the server answers from it. No Lease: any number may answer, and none writes."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from chipwise.expander.answers import Answers
from chipwise.expander.book import Book
from chipwise.expander.certificates import UnusableError, credentials, has_alternative_name
from chipwise.expander.metrics import Metrics
from chipwise.expander.server import answering
from chipwise.expander.shelf import Shelf, reflectors_of
from chipwise.kube.client import Client
from chipwise.kube.clock import utc
from chipwise.kube.connection import Connection, connect
from chipwise.kube.counted import Counted
from chipwise.kube.errors import Misconfigured
from chipwise.telemetry.server import Address, application, serving
from chipwise.telemetry.telemetry import unlisted

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ExpanderOptions:
    """What the command line says. Without ``cert`` and ``key`` it answers in the clear."""

    kubeconfig: str | None = None
    context: str | None = None
    listen: Address = field(default_factory=lambda: Address(port=50051))
    metrics: Address = field(default_factory=lambda: Address(port=8081))
    cert: Path | None = None
    key: Path | None = None


def run(options: ExpanderOptions) -> int:
    """Run until SIGTERM or SIGINT, or until a watch fails. The exit code: 0, 1 for a failure, 2 for what a person has to mend."""
    connection = connect(kubeconfig=options.kubeconfig, context=options.context)
    try:
        asyncio.run(connection.read())
        tls = _tls(options)
    except Misconfigured as error:
        log.error("no API server to talk to: %s; give --kubeconfig, or run in a pod", error)  # noqa: TRY400 - a sentence, not a trace
        return 2
    except UnusableError as error:
        log.error("no certificate to show: %s", error)  # noqa: TRY400 - the same
        return 2
    return asyncio.run(_expand(connection, options, tls))


def _tls(options: ExpanderOptions) -> grpc.ServerCredentials | None:
    if options.cert is None or options.key is None:
        log.warning(
            "answering in the clear: Cluster Autoscaler speaks TLS only, so something must be in between"
        )
        return None
    found = credentials(options.cert, options.key)
    if not has_alternative_name(options.cert.read_bytes()):
        log.warning("%s has no subject alternative name: Cluster Autoscaler will not trust it", options.cert)
    return found


async def _expand(
    connection: Connection, options: ExpanderOptions, tls: grpc.ServerCredentials | None
) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    metrics, shelf = Metrics(), Shelf()
    async with Client(connection) as client, AsyncExitStack() as stack:
        reflectors = reflectors_of(Counted(client, metrics.asked), shelf)

        def missing() -> tuple[str, ...]:
            return tuple(gap.dated(utc) for gap in unlisted(reflectors, time.monotonic()))

        def book() -> Book | None:
            return None if missing() else shelf.book()

        answers = Answers(book, metrics.answered)
        app = application({"/livez": tuple, "/readyz": missing}, metrics.registry)
        try:
            await stack.enter_async_context(serving(app, options.metrics))
            await stack.enter_async_context(answering(answers, options.listen, tls))
        except OSError as error:
            log.error("cannot listen: %s; choose other addresses with --listen and --metrics-listen", error)  # noqa: TRY400 - the same
            return 2
        watches = [asyncio.create_task(each.run(), name=f"reflector {each.resource}") for each in reflectors]
        stopping = asyncio.create_task(stop.wait(), name="stop")
        done, left = await asyncio.wait({*watches, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for task in done - {stopping}:
            log.error("%s ended: %r", task.get_name(), task.exception(), exc_info=task.exception())
            return 1
    return 0
