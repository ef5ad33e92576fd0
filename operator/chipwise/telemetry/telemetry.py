"""Everything that one operator process shows of itself, put together: counters, state, pulses, and the probes' answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector

from chipwise.kube.clock import utc
from chipwise.kube.gap import Gap
from chipwise.kube.resources import LEASES
from chipwise.kube.sight import Sight
from chipwise.telemetry.collector import Board, StateCollector
from chipwise.telemetry.counters import counters
from chipwise.telemetry.pulse import Pulses
from chipwise.telemetry.server import application


class Gate(Protocol):
    """Something that must be known once, before anything is decided."""

    @property
    def synced(self) -> asyncio.Event:
        """Set once it is, for good."""
        ...

    def gap(self, now: float) -> Gap | None:
        """What is not known of it; ``now`` is of the event loop's clock."""
        ...


class Telemetry:
    """``gates`` and ``sight`` are filled in by whoever starts the watches. ``clock`` is that of the event loop."""

    def __init__(
        self,
        pulses: Pulses | None = None,
        now: Callable[[], datetime] = utc,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.pulses = pulses or Pulses()
        self.board = Board(self.pulses, gaps=self.gaps)
        self.gates: Sequence[Gate] = ()
        self.sight = Sight()
        self._now = now
        self._clock = clock
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

    def gaps(self) -> tuple[Gap, ...]:
        """What nothing is decided for want of: at the start what was never listed, later what is out of sight."""
        return unlisted(self.gates, self._clock()) or self.sight.gaps(self._clock())

    def not_ready(self) -> tuple[str, ...]:
        """What was never listed."""
        if not self.gates:
            return ("the watches have not begun",)
        return tuple(gap.dated(self._now) for gap in unlisted(self.gates, self._clock()))

    def held(self) -> tuple[str, ...]:
        """What is out of sight, so that nothing is decided for the moment."""
        return tuple(f"nothing is decided: {gap.dated(self._now)}" for gap in self.sight.gaps(self._clock()))

    def application(self) -> web.Application:
        """Probes and metrics."""
        checks = {"/livez": self.not_live, "/readyz": self.not_ready}
        return application(checks, self.registry, remarks={"/readyz": self.held})


def unlisted(gates: Sequence[Gate], now: float) -> tuple[Gap, ...]:
    """What was never listed."""
    found = (each.gap(now) for each in gates if not each.synced.is_set())
    return tuple(gap for gap in found if gap is not None)
