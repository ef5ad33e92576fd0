"""How many moves are on their way at once is read from pods alone."""

from __future__ import annotations

from typing import Any

from e2e.flights import Flight, Flights, at_once


def pod(workload: str, name: str, template: str, *, leaving: bool = False) -> Any:
    metadata: dict[str, Any] = {"name": name, "labels": {"app": workload, "pod-template-hash": template}}
    if leaving:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return {"metadata": metadata}


def moved(flights: Flights, workload: str, start: float, end: float) -> None:
    """From one pod of template a to one of template b."""
    flights.note("ADDED", pod(workload, "a-1", "a"), start - 5)
    flights.note("ADDED", pod(workload, "b-1", "b"), start)
    flights.note("MODIFIED", pod(workload, "a-1", "a", leaving=True), end)
    flights.note("DELETED", pod(workload, "a-1", "a", leaving=True), end + 5)


def test_a_flight_is_from_the_first_new_pod_to_the_last_old_one():
    """Ready or not; one that is being deleted is gone."""
    flights = Flights()
    moved(flights, "chat", 10.0, 14.0)
    assert flights.since(0.0) == [Flight("chat", 10.0, 14.0)]
    assert flights.since(11.0) == []


def test_one_after_the_other_is_one_at_once():
    """The second may begin at the instant at which the first ends."""
    flights = Flights()
    moved(flights, "chat", 10.0, 14.0)
    moved(flights, "other", 14.0, 16.0)
    assert at_once(flights.since(0.0)) == 1


def test_two_that_overlap_are_two_also_while_they_go_on():
    flights = Flights()
    moved(flights, "chat", 10.0, 14.0)
    flights.note("ADDED", pod("other", "a-1", "a"), 1.0)
    flights.note("ADDED", pod("other", "b-1", "b"), 13.0)
    assert flights.since(0.0)[-1] == Flight("other", 13.0, None)
    assert at_once(flights.since(0.0)) == 2


def test_nothing_in_flight_is_none_at_once():
    assert at_once(Flights().since(0.0)) == 0
