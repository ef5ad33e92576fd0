"""Waits until changes pause, so that a burst of events costs one decision.

The shape of Karpenter's batcher (kubernetes-sigs/karpenter, pkg/controllers/provisioning/batcher.go): wait for the first mark, then
until nothing came for ``idle`` seconds, but never longer than ``longest`` in all.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QuietWindow:
    """Seconds of silence that end a burst, and the most that a burst may delay a decision."""

    idle: float = 0.25
    longest: float = 2.0


async def burst(dirty: asyncio.Event, window: QuietWindow, at_most: float | None = None) -> None:
    """Return when a burst has ended, with ``dirty`` cleared; or after ``at_most`` seconds without any mark."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(at_most):
            await dirty.wait()
    except TimeoutError:
        return
    deadline = loop.time() + window.longest
    while True:
        dirty.clear()
        try:
            async with asyncio.timeout(min(window.idle, max(0.0, deadline - loop.time()))):
                await dirty.wait()
        except TimeoutError:
            return
