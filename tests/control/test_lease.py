"""What is written into the Lease, and which times leave room for one another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from chipwise.control.lease import LeaseTiming, claimed, holder, patience, released

TIMING = LeaseTiming()
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)


def test_a_renewal_changes_only_the_time():
    """Who acquired it when, and how often it changed hands, is told by the Lease for as long as one holds it."""
    first = claimed({"metadata": {"resourceVersion": "7"}}, "a", TIMING, NOON)
    again = claimed(first, "a", TIMING, LATER)
    assert again == {**first, "spec": {**first["spec"], "renewTime": "2026-01-01T12:01:00.000000Z"}}


def test_another_holder_is_a_transition():
    """The first is none."""
    first = claimed({}, "a", TIMING, NOON)
    second = claimed(released(first, NOON), "b", TIMING, LATER)
    assert [each["spec"]["leaseTransitions"] for each in (first, second)] == [0, 1]
    assert second["spec"]["acquireTime"] == second["spec"]["renewTime"]


def test_fields_that_others_know_are_kept():
    """Kubernetes adds some: strategy and preferredHolder came in 1.31."""
    lease = {"metadata": {"annotations": {"a": "b"}}, "spec": {"strategy": "OldestEmulationVersion"}}
    mine = claimed(lease, "a", TIMING, NOON)
    assert mine["metadata"] == lease["metadata"]
    assert released(mine, NOON)["spec"]["strategy"] == "OldestEmulationVersion"


def test_a_lease_is_held_by_whom_it_names():
    """Nobody, where it is empty or bare."""
    assert holder(claimed({}, "a", TIMING, NOON)) == "a"
    assert [holder(each) for each in ({}, {"spec": None}, {"spec": {"holderIdentity": None}})] == [""] * 3
    assert holder(released(claimed({}, "a", TIMING, NOON), NOON)) == ""


def test_whole_seconds_are_written_and_never_too_few():
    """Others would come too early."""
    lease = claimed({}, "a", LeaseTiming(15.2, 15.1, 2.0), NOON)
    assert patience(lease, TIMING) == 16.0
    assert patience({}, TIMING) == 15.0


def test_times_are_utc_whatever_the_zone():
    tokyo = datetime(2026, 1, 1, 21, 0, 0, 5, tzinfo=timezone(timedelta(hours=9)))
    assert claimed({}, "a", TIMING, tokyo)["spec"]["renewTime"] == "2026-01-01T12:00:00.000005Z"


@pytest.mark.parametrize("times", [(10, 10, 2), (15, 2.2, 2), (15, 10, 0), (15, 10, 9), (15, 10, -1)])
def test_times_must_leave_room(times):
    """A retry period and its jitter fit the deadline, the deadline the lease."""
    with pytest.raises(ValueError, match=r"1\.2 x retry period < renew deadline < lease duration"):
        LeaseTiming(*times)


@pytest.mark.parametrize("timing", [TIMING, LeaseTiming(6, 4, 1), LeaseTiming(15.3, 15, 2)])
def test_the_last_write_ends_between_deadline_and_duration(timing):
    assert timing.deadline < timing.over < timing.duration
