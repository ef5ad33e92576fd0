"""Waiting for something to become true, and the words of whoever knows why it did not.

``CHIPWISE_E2E_WAITS=FILE`` notes each wait: the seconds it took, those it had, and what for. Where the first come near the second, a busier
machine fails.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Found = TypeVar("Found")


def until(
    check: Callable[[], Found],
    what: str,
    seconds: float,
    words: Callable[[], str] = str,
    *,
    pause: float = 0.1,
) -> Found:
    """The first true answer of ``check``, asked every ``pause`` seconds; AssertionError with ``words`` if there is none in time."""
    begun = time.monotonic()
    while not (found := check()):
        if time.monotonic() - begun > seconds:
            raise AssertionError(f"not within {seconds:g} s: {what}\n{words()}")
        time.sleep(pause)
    _note(time.monotonic() - begun, seconds, what)
    return found


def _note(took: float, seconds: float, what: str) -> None:
    if place := os.environ.get("CHIPWISE_E2E_WAITS"):
        test = os.environ.get("PYTEST_CURRENT_TEST", "")
        with Path(place).open("a") as file:
            file.write(f"{took / seconds:.2f}\t{took:.1f}\t{seconds:g}\t{what}\t{test}\n")
