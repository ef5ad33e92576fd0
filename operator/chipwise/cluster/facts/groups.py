"""What Cluster Autoscaler keeps in its namespace: the state of its node groups, and the order that it was given."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from chipwise.autoscaling import priorities, status
from chipwise.autoscaling.status import GroupStates, group_states
from chipwise.cluster.facts.reading import Document

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PriorityMap:
    """The ConfigMap of the priority expander; ``text`` is None where it lacks the key."""

    uid: str
    text: str | None


def priority_map(raw: Document) -> PriorityMap:
    """Read it; whether it makes sense is asked elsewhere."""
    return PriorityMap(raw["metadata"].get("uid", ""), (raw.get("data") or {}).get(priorities.KEY))


def group_states_fact(raw: Document) -> GroupStates | None:
    """None for a status that cannot be read, which is logged: nothing is known of the groups then."""
    try:
        return group_states((raw.get("data") or {}).get(status.KEY) or "")
    except ValueError as error:
        log.warning("%s", error)
        return None
