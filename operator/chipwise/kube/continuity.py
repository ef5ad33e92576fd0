"""Since when one watch has told everything: the book that a reflector keeps of its gaps.

A stream that breaks is resumed where it stopped, so a short break loses nothing. After a longer one what is known is out of date until
the stream has caught up, and whoever waits for news that others report through the same API server waited in vain meanwhile.
"""

from __future__ import annotations

from math import inf

#: Seconds without a stream that are no gap yet: load balancers cut streams all the time.
HICCUP = 10.0
#: Seconds in which a stream that was resumed has told what was missed; the server sends it at once.
SETTLING = 1.0


class Continuity:
    """All moments are of one monotonic clock, in seconds. ``current_from`` is when the last gap was over, infinite before the first list.

    ``gap_since`` is when the last gap began, None if there was none since the first list.
    """

    def __init__(self) -> None:
        self.current_from = inf
        self.gap_since: float | None = None
        self._broken_at: float | None = None
        self._gap = True

    def listed(self, now: float) -> None:
        """A complete list arrived: everything is known."""
        self._mend(now, now)

    def resumed(self, now: float) -> None:
        """The server took a watch from where the last one stopped."""
        self._mend(now, now + SETTLING)

    def broke(self, now: float) -> None:
        """A list or a watch failed. One that fails while it catches up has not caught up."""
        if self._broken_at is None:
            self._note(now)
            self._broken_at = now
            self._gap = self._gap or now < self.current_from

    def doubt(self, now: float) -> None:
        """What runs may be dead without knowing; only the next list or watch is believed."""
        if self._broken_at is None:
            self._note(now)
        self._gap, self.current_from = True, inf

    def _note(self, now: float) -> None:
        """A gap may begin; one that is not over goes on."""
        if self.gap_since is None or self.current_from <= now:
            self.gap_since = now

    def is_current(self, now: float) -> bool:
        """What is known is what the server holds, short of a hiccup."""
        return self.current_from <= now and (self._broken_at is None or now - self._broken_at <= HICCUP)

    def _mend(self, now: float, current_from: float) -> None:
        broken_at, self._broken_at = self._broken_at, None
        if self._gap or (broken_at is not None and now - broken_at > HICCUP):
            self.current_from, self._gap = current_from, False
