"""Whether the loops go on. A loop says when it makes progress and when it only waits; one that works too long on one thing hangs.

Waiting for news is no hang, for a quiet cluster has none for hours. A blocked event loop cannot answer the probe at all, which is the
answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

#: Seconds that one step may take: a request has 30 s, and a step has two of them and an Event.
STEP = 180.0
#: The elector asks for its Lease every two seconds and kopf's loop ticks every five, whatever happens.
LIMITS: Mapping[str, float] = {
    "planner": STEP,
    "actuator": STEP,
    "reporter": STEP,
    "elector": 60.0,
    "kopf": 60.0,
}


class Pulse:
    """One loop. ``rests`` counts how often it came to rest. May be told from any thread."""

    def __init__(self, limit: float = STEP, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self.rests = 0
        self._clock = clock
        self._since: float | None = None

    def beat(self) -> None:
        """It is at work, and has just got on."""
        self._since = self._clock()

    def rest(self) -> None:
        """It waits for something that need not come."""
        self._since = None
        self.rests += 1

    @property
    def busy_seconds(self) -> float:
        """How long it has been at its present step; 0 while it waits."""
        since = self._since
        return 0.0 if since is None else max(0.0, self._clock() - since)

    @property
    def hangs(self) -> bool:
        """It has been at one step for too long."""
        return self.busy_seconds > self.limit


class Pulses(Mapping[str, Pulse]):
    """The loops by name."""

    def __init__(
        self, limits: Mapping[str, float] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pulses = {
            name: Pulse(limit, clock) for name, limit in (LIMITS if limits is None else limits).items()
        }

    def __getitem__(self, name: str) -> Pulse:
        return self._pulses[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._pulses)

    def __len__(self) -> int:
        return len(self._pulses)

    def hanging(self) -> tuple[str, ...]:
        """A sentence for each loop that hangs."""
        return tuple(
            f"{name} has been at one step for {pulse.busy_seconds:.0f} s"
            for name, pulse in self._pulses.items()
            if pulse.hangs
        )
