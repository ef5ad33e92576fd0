"""What the demo says, in a terminal or a pipe, and how it fails: with what was expected and what was seen."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
#: While something is waited for: news are told this often, and that there are none this often, in seconds.
_PULSE = 2.0
_PATIENCE = 6.0
_POLL = 0.15


class Unmet(Exception):  # noqa: N818 - it reads as what it is
    """A claim of the demo that does not hold."""

    def __init__(self, claim: str, expected: str, seen: str) -> None:
        super().__init__(claim)
        self.claim = claim
        self.expected = expected
        self.seen = seen


class Teller:
    """Prints and checks. `guard` says what broke beside the story (the operator, say), None while nothing did."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.guard: Callable[[], str | None] = lambda: None
        self.checks = 0
        self._colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._live = sys.stdout.isatty()

    def chapter(self, title: str) -> None:
        """A heading."""
        at = f"{time.monotonic() - self.started:.0f} s"
        print(f"\n{self._paint('1', title)}  {self._paint('2', at)}", flush=True)

    def say(self, text: str = "", indent: str = "  ") -> None:
        """A paragraph, wrapped."""
        width = min(120, shutil.get_terminal_size((120, 24)).columns)
        print(textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent), flush=True)

    def show(self, block: str, indent: str = "  ") -> None:
        """Lines that are kept as they are."""
        print(textwrap.indent(block.rstrip("\n"), indent), flush=True)

    def check(self, claim: str, *, holds: bool, expected: str, seen: str) -> None:
        """Say that the claim holds. Raises Unmet if it does not."""
        if not holds:
            raise Unmet(claim, expected, seen)
        self.checks += 1
        print(f"  {self._paint('32', 'ok')} {claim}: {seen}", flush=True)

    def same(self, claim: str, seen: object, expected: object) -> None:
        """Check two things for equality, and show what was seen."""
        self.check(claim, holds=seen == expected, expected=str(expected), seen=str(seen))

    def wait(self, what: str, probe: Callable[[], tuple[T | None, str]], seconds: float) -> T:
        """Ask `probe` until it answers something, and return that. It also says how far things are.

        Raises Unmet after `seconds`, or as soon as the guard says that something broke.
        """
        started = told = time.monotonic()
        last = ""
        while True:
            found, seen = probe()
            now = time.monotonic()
            if found is not None:
                self._clear()
                return found
            broken = self.guard()
            if broken or now - started > seconds:
                self._clear()
                raise Unmet(what, f"within {seconds:.0f} s", f"{broken}; " * bool(broken) + seen)
            if self._live or now - told >= (_PULSE if seen != last else _PATIENCE):
                told, last = now, seen
                self._progress(f"{what}, {now - started:.0f} s: {seen}")
            time.sleep(_POLL)

    def fail(self, unmet: Unmet) -> None:
        """Say what did not hold."""
        print(f"\n{self._paint('1;31', 'FAILED')} {unmet.claim}", flush=True)
        self.say(f"expected: {unmet.expected}")
        self.say(f"seen: {unmet.seen}")

    def _progress(self, text: str) -> None:
        if self._live:
            columns = shutil.get_terminal_size().columns
            print(f"\r\033[K  {self._paint('2', f'.. {text}'[: columns - 3])}", end="", flush=True)
        else:
            print(f"  .. {text}", flush=True)

    def _clear(self) -> None:
        if self._live:
            print("\r\033[K", end="", flush=True)

    def _paint(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self._colour else text
