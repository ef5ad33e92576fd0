"""The demo fails loudly, with what was expected and what was seen."""

from __future__ import annotations

import pytest

from e2e.demo.teller import Teller, Unmet


def test_a_claim_that_does_not_hold_ends_the_demo():
    """Expected and seen are kept for the reader."""
    with pytest.raises(Unmet) as unmet:
        Teller().same("replicas", 3, 4)
    assert (unmet.value.expected, unmet.value.seen) == ("4", "3")


def test_waiting_has_a_deadline(capsys: pytest.CaptureFixture[str]):
    """What was waited for and the last that was seen are told."""
    with pytest.raises(Unmet) as unmet:
        Teller().wait("pods start", lambda: (None, "0 of 3"), 0.0)
    assert (unmet.value.claim, unmet.value.seen) == ("pods start", "0 of 3")


def test_waiting_ends_when_something_broke():
    """Nobody waits for an operator that is dead."""
    teller = Teller()
    teller.guard = lambda: "the operator has died"
    with pytest.raises(Unmet) as unmet:
        teller.wait("pods start", lambda: (None, "0 of 3"), 600.0)
    assert unmet.value.seen == "the operator has died; 0 of 3"


def test_waiting_gives_what_was_found():
    """The probe's answer."""
    assert Teller().wait("pods start", lambda: (7, ""), 1.0) == 7
