"""Whatever the machine's clock says, the time is the API server's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from chipwise.kube.clock import ServerClock
from hypothesis import given
from hypothesis import strategies as st

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Machine:
    """True time is ``passed`` seconds after noon; the machine's clock is ``wrong`` by so many."""

    def __init__(self) -> None:
        self.passed, self.wrong = 0.0, 0.0
        self.clock = ServerClock(
            lambda: self.truth + timedelta(seconds=self.wrong), lambda: 77.0 + self.passed
        )

    @property
    def truth(self) -> datetime:
        return NOON + timedelta(seconds=self.passed)

    def answer(self) -> None:
        self.clock.heard(format_datetime(self.truth, usegmt=True))

    @property
    def error(self) -> float:
        return abs((self.clock.now() - self.truth).total_seconds())


@given(
    st.lists(st.tuples(st.floats(0.0, 3600.0), st.floats(-1e6, 1e6), st.booleans()), max_size=20),
    st.floats(0.0, 1e5),
)
def test_it_is_never_off_by_more_than_rounding(steps: list[tuple[float, float, bool]], rest: float):
    """However the machine's clock jumps, between answers and for as long as none comes."""
    machine = Machine()
    machine.answer()
    for wait, wrong, answers in steps:
        machine.passed += wait
        machine.wrong = wrong
        if answers:
            machine.answer()
        assert machine.error <= 4.6
    machine.passed += rest
    assert machine.error <= 4.6


def test_a_clock_that_agrees_is_used_as_it_is():
    """The server says whole seconds only."""
    machine = Machine()
    machine.passed = 0.9
    machine.answer()
    assert machine.error == 0.0


@pytest.mark.parametrize("header", [None, "", "yesterday", "Thu, 99 Jan 2026 12:00:00 GMT"])
def test_what_is_no_date_says_nothing(header: str | None):
    machine = Machine()
    machine.wrong = 600.0
    machine.clock.heard(header)
    assert machine.error == 600.0
    machine.answer()
    assert machine.error < 1.0
