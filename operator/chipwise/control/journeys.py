"""Rollouts of templates that chipwise wrote, from the write to their end, so that both can be told and counted.

Nothing is decided from this. It is read off the records on the Deployments, so that a leader who takes over in mid-move knows the
journey; one that ended while nobody led is not told of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chipwise.cluster.decide import Decision
from chipwise.cluster.facts import DeploymentFact
from chipwise.placement.rules import duration
from chipwise.rendering import record as records
from chipwise.rendering.record import Record


class Kind(StrEnum):
    """Where to: a variant's pool, or back to the author's own Deployment."""

    MOVE = "Move"
    RESTORE = "Restore"


@dataclass(frozen=True, slots=True)
class Journey:
    """``at`` is the moment of the record: a template written anew for the same place is another journey."""

    kind: Kind
    place: str
    at: str


@dataclass(frozen=True, slots=True)
class Turn:
    """A journey has begun or ended. ``arrived`` is None at its beginning; ``workload`` is namespace/name, None if that is gone."""

    journey: Journey
    deployment: DeploymentFact | None
    workload: str | None
    arrived: bool | None = None

    def sentence(self, now: datetime) -> str:
        """What became of it, in words."""
        if not self.arrived or self.deployment is None:
            return (
                f"the way to {self.journey.place} ended before its end: see the reason of the last decision"
            )
        took = duration((now - datetime.fromisoformat(self.journey.at)).total_seconds())
        return (
            f"serves as {self.journey.place}: {self.deployment.ready_replicas} replicas are Ready and no old one runs, "
            f"{took} after the move began"
        )


@dataclass(frozen=True, slots=True)
class _Standing:
    journey: Journey
    done: bool


class Journeys:
    """What is known of each Deployment with a record. ``advance`` with each decision, by the leader only."""

    def __init__(self) -> None:
        self._known: dict[str, _Standing] | None = None
        self._workloads: dict[str, str] = {}

    def forget(self) -> None:
        """Somebody else leads."""
        self._known = None

    def advance(self, decision: Decision) -> list[Turn]:
        """What began and what ended since the last decision, in order of name. What is there at first began before."""
        self._workloads |= {subject.deployment.key: key for key, subject in decision.subjects.items()}
        now = _standings(decision)
        if self._known is None:
            self._known = now
            return []
        turns: list[Turn] = []
        for key in sorted({*self._known, *now}):
            before, after = self._known.get(key), now.get(key)
            if before is not None and after is not None and before.journey == after.journey:
                if after.done and not before.done:
                    turns.append(self._turn(key, before.journey, decision, arrived=True))
                elif before.done:
                    now[key] = before  # a pod that fails later is no part of the journey
                continue
            if before is not None and not before.done:
                home = before.journey.kind is Kind.RESTORE and after is None and _is_there(key, decision)
                turns.append(self._turn(key, before.journey, decision, arrived=home))
            if after is not None:
                turns.append(self._turn(key, after.journey, decision))
                if after.done:
                    turns.append(self._turn(key, after.journey, decision, arrived=True))
        self._known = now
        return turns

    def _turn(self, key: str, journey: Journey, decision: Decision, *, arrived: bool | None = None) -> Turn:
        workload = self._workloads.get(key)
        known = workload if workload in decision.snapshot.workloads else None
        return Turn(journey, decision.snapshot.deployments.get(key), known, arrived)


def _standings(decision: Decision) -> dict[str, _Standing]:
    read = {subject.deployment.key: subject.record for subject in decision.subjects.values()}
    found = {}
    for key, deployment in decision.snapshot.deployments.items():
        record = _record(deployment, read) if deployment.managed else None
        if record is None:
            continue
        if record.restoring:
            found[key] = _Standing(Journey(Kind.RESTORE, "its author wrote it", record.moved_at), done=False)
        else:
            place = f"{record.variant} on {record.pools[0]}"
            done = deployment.rolled_out and key not in decision.snapshot.bridges
            found[key] = _Standing(Journey(Kind.MOVE, place, record.moved_at), done=done)
    return found


def _record(deployment: DeploymentFact, read: Mapping[str, Record | None]) -> Record | None:
    """The record, as it was read for the decision where there is a workload; None after an undo."""
    if deployment.key in read:
        return read[deployment.key]
    document = deployment.document
    return records.read(document) if records.standing(document) is records.Standing.MANAGED else None


def _is_there(key: str, decision: Decision) -> bool:
    found = decision.snapshot.deployments.get(key)
    return found is not None and not found.managed and not found.deleting
