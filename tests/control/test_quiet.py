"""A burst of news costs one decision."""

from __future__ import annotations

import asyncio

import pytest
from chipwise.control.quiet import QuietWindow, burst
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kube.clock import in_fake_time

WINDOW = QuietWindow(idle=0.25, longest=2.0)


def seconds() -> float:
    return asyncio.get_running_loop().time()


async def marks(dirty: asyncio.Event, gaps: list[float]) -> None:
    for gap in gaps:
        await asyncio.sleep(gap)
        dirty.set()


@pytest.mark.looptime
async def test_one_mark_is_answered_after_a_moment_of_silence():
    dirty = asyncio.Event()
    dirty.set()
    await burst(dirty, WINDOW)
    assert seconds() == pytest.approx(0.25)
    assert not dirty.is_set()


@pytest.mark.looptime
async def test_news_in_the_silence_begin_it_again():
    dirty = asyncio.Event()
    task = asyncio.create_task(marks(dirty, [1.0, 0.2, 0.2]))
    await burst(dirty, WINDOW)
    await task
    assert seconds() == pytest.approx(1.65)


@pytest.mark.looptime
async def test_news_without_end_delay_a_decision_by_two_seconds_at_most():
    dirty = asyncio.Event()
    dirty.set()
    task = asyncio.create_task(marks(dirty, [0.1] * 100))
    await burst(dirty, WINDOW)
    task.cancel()
    assert seconds() == pytest.approx(2.0)


@pytest.mark.looptime
async def test_when_its_time_has_come_it_waits_for_no_news():
    await burst(asyncio.Event(), WINDOW, at_most=7.0)
    assert seconds() == pytest.approx(7.0)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.01, 3.0), min_size=1, max_size=20))
def test_no_news_are_lost_and_none_wait_longer_than_the_window(gaps: list[float]):
    """Each mark is followed by the end of a burst within the longest delay."""

    async def story() -> None:
        dirty, marked, ended = asyncio.Event(), [], []

        async def listen() -> None:
            while True:
                await burst(dirty, WINDOW)
                ended.append(seconds())

        async def speak() -> None:
            for gap in gaps:
                await asyncio.sleep(gap)
                marked.append(seconds())
                dirty.set()

        listener = asyncio.create_task(listen())
        await speak()
        await asyncio.sleep(5)
        listener.cancel()
        assert all(any(0 <= end - mark <= 2.01 for end in ended) for mark in marked)

    in_fake_time(story())
