"""Fake time for a whole coroutine, for property tests that run many."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import looptime


def in_fake_time(story: Coroutine[Any, Any, None]) -> None:
    """Run ``story`` to its end on a loop of its own, whose time passes only while everybody sleeps."""
    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        runner.run(story)
