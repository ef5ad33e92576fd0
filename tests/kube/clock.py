"""Fake time for a whole coroutine, for property tests that run many."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Coroutine
from typing import Any

import looptime


def in_fake_time(story: Coroutine[Any, Any, None]) -> None:
    """Run ``story`` to its end on a loop of its own, whose time passes only while everybody sleeps."""
    # Waiting for threads and sockets between two moments is nine tenths of the time, and there are none.
    factory = functools.partial(looptime.new_event_loop, noop_cycles=0)
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(story)
