"""Telling beside deciding: only the latest, and again where something is left."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from chipwise.cluster.decide import Decision
from chipwise.control.herald import Herald

pytestmark = pytest.mark.looptime


def decision(name: str) -> Decision:
    return cast("Decision", name)


async def test_what_comes_while_telling_is_told_once_and_last() -> None:
    """Offering never waits; of three decisions the one in the middle is skipped."""
    told: list[Any] = []

    async def tell(found: Decision) -> bool:
        told.append(found)
        await asyncio.sleep(1)
        return True

    herald = Herald(tell, again=lambda: None)
    task = asyncio.create_task(herald.run())
    herald.offer(decision("first"))
    await asyncio.sleep(0.1)
    herald.offer(decision("second"))
    herald.offer(decision("third"))
    await asyncio.sleep(5)
    task.cancel()
    assert told == ["first", "third"]


async def test_what_is_left_is_decided_anew() -> None:
    """A decision grows old: what could not be told of it is told of a new one, after a while."""
    told: list[Any] = []

    async def tell(found: Decision) -> bool:
        told.append(found)
        return len(told) > 1

    herald = Herald(tell, again=lambda: herald.offer(decision("anew")))
    task = asyncio.create_task(herald.run())
    herald.offer(decision("old"))
    await asyncio.sleep(60)
    task.cancel()
    assert told == ["old", "anew"]
