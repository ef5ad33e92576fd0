"""A loop that works too long on one thing hangs; one that waits for news does not."""

from __future__ import annotations

import pytest
from chipwise.telemetry.pulse import LIMITS, Pulses


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_loop_that_waits_is_never_late(clock: Clock):
    pulses = Pulses(clock=clock)
    pulses["planner"].beat()
    pulses["planner"].rest()
    clock.now += 1e6
    assert pulses.hanging() == ()


@pytest.mark.parametrize("name", sorted(LIMITS))
def test_a_loop_that_does_not_get_on_is_named(clock: Clock, name: str):
    pulses = Pulses(clock=clock)
    for pulse in pulses.values():
        pulse.beat()
    for other in set(pulses) - {name}:
        pulses[other].rest()
    clock.now += LIMITS[name]
    assert pulses.hanging() == ()
    clock.now += 1
    assert pulses.hanging() == (f"{name} has been at one step for {LIMITS[name] + 1:.0f} s",)


def test_getting_on_counts_and_not_the_whole(clock: Clock):
    pulses = Pulses(clock=clock)
    for _ in range(10):
        pulses["actuator"].beat()
        clock.now += LIMITS["actuator"] - 1
    assert pulses.hanging() == ()
    assert pulses["actuator"].busy_seconds == LIMITS["actuator"] - 1
