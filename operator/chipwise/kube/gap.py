"""What the operator does not know as the API server has it, why, and for how long: said in the log, by ``/readyz`` and in metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from chipwise.reasons import Reason


@dataclass(frozen=True, slots=True)
class Gap:
    """``what`` is a resource, or the API server itself; ``words`` say what is the matter, and what a person can do if anything."""

    what: str
    reason: Reason
    seconds: float
    words: str

    @property
    def sentence(self) -> str:
        """For people, without the moment."""
        return f"{self.what}: {self.words} ({self.reason.value}, for {self.seconds:.0f} s)"

    def dated(self, now: Callable[[], datetime]) -> str:
        """The sentence with the moment since when, in RFC 3339."""
        since = now() - timedelta(seconds=self.seconds)
        return f"{self.sentence[:-1]}, since {since:%Y-%m-%dT%H:%M:%SZ})"
