"""The time of the API server, for what is compared with moments that it, or whoever led before, wrote down.

A machine whose clock is minutes ahead would take a pod that was created a moment ago for one that is overdue. So the time is taken from
the ``Date`` of the server's answers (RFC 9110, 6.6.1), which says whole seconds, and goes on by the monotonic clock in between. While the
machine's own clock agrees with that, it is used: it is finer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

#: A second of rounding, and what an answer may take.
_TOLERANCE = timedelta(seconds=2)
_HALF = timedelta(seconds=0.5)


def utc() -> datetime:
    """The machine's own clock."""
    return datetime.now(UTC)


class ServerClock:
    """``local`` is the machine's own clock; ``monotonic`` is in seconds."""

    def __init__(
        self, local: Callable[[], datetime], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._local = local
        self._monotonic = monotonic
        self._origin: datetime | None = None  # when the monotonic clock was 0, by the server's

    def heard(self, date: str | None) -> None:
        """Note the header of an answer that came just now. What is no date says nothing."""
        try:
            said = parsedate_to_datetime(date or "").astimezone(UTC)
        except ValueError:
            return
        origin = said + _HALF - timedelta(seconds=self._monotonic())
        if self._origin is None or abs(origin - self._origin) > _TOLERANCE:
            self._origin = origin

    def now(self) -> datetime:
        """The server's time, or the machine's while no answer has come."""
        local = self._local()
        if self._origin is None:
            return local
        servers = self._origin + timedelta(seconds=self._monotonic())
        return local if abs(local - servers) <= _TOLERANCE else servers
