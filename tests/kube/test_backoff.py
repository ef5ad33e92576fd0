"""How long to wait."""

from __future__ import annotations

import random

from chipwise.kube.backoff import Backoff
from chipwise.kube.errors import Unavailable
from hypothesis import given
from hypothesis import strategies as st


@given(st.integers(1, 10_000), st.integers())
def test_waits_are_jittered_and_capped(failures, seed):
    """Between half of the full wait and the full wait, and never above the cap, after any number of failures."""
    full = min(10.0, 0.5 * 2 ** min(failures - 1, 100))
    backoff = Backoff(source=random.Random(seed))
    assert full / 2 <= backoff.delay(failures) <= full


def test_no_failure_no_wait():
    """The first try after success is at once."""
    assert Backoff().delay(0) == 0.0


def test_the_server_sets_the_least_wait():
    """Retry-After is a floor, also above the cap."""
    assert Backoff().delay(1, Unavailable("busy", retry_after=120.0)) == 120.0
