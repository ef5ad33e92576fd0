"""Everything that one operator process shows of itself, put together: counters, state, pulses, and the probes' answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector

from chipwise.kube.resources import LEASES
from chipwise.telemetry.collector import Board, StateCollector
from chipwise.telemetry.counters import counters
from chipwise.telemetry.pulse import Pulses
from chipwise.telemetry.server import application


class Telemetry:
    """``synced`` is filled in by whoever starts the watches: what is set once a list is complete, by the name of what is listed."""

    def __init__(self, pulses: Pulses | None = None) -> None:
        self.pulses = pulses or Pulses()
        self.board = Board(self.pulses)
        self.synced: Mapping[str, asyncio.Event] = {}
        self.registry = CollectorRegistry()
        self.counters = counters(self.registry)
        self.registry.register(StateCollector(self.board))
        ProcessCollector(registry=self.registry)

    def asked(self, verb: str, resource: str, error: str) -> None:
        """A request to the API server has ended. Those for the Lease are the elector's pulse, whatever the answer."""
        self.counters.requests.asked(verb, resource, error)
        if resource == LEASES.plural:
            self.pulses["elector"].beat()

    @contextmanager
    def deciding(self) -> Iterator[None]:
        """Around each decision."""
        pulse = self.pulses["planner"]
        pulse.beat()
        try:
            with self.counters.decide_seconds.time():
                yield
        finally:
            pulse.rest()

    def wrote(self, kind: str, result: str) -> None:
        """A write on a Deployment has ended."""
        self.counters.writes.labels(kind, result).inc()

    def not_live(self) -> tuple[str, ...]:
        """Which loops hang."""
        return self.pulses.hanging()

    def not_ready(self) -> tuple[str, ...]:
        """Which lists are not complete."""
        if not self.synced:
            return ("the watches have not begun",)
        return not_listed(self.synced)

    def application(self) -> web.Application:
        """Probes and metrics."""
        return application({"/livez": self.not_live, "/readyz": self.not_ready}, self.registry)


def not_listed(synced: Mapping[str, asyncio.Event]) -> tuple[str, ...]:
    """Which lists are not complete, a sentence each."""
    return tuple(f"{name}: not listed yet" for name, event in synced.items() if not event.is_set())
