"""Moves in flight, from a watch of pods: a Deployment is on its way while pods of two templates run, Ready or not.

A pod that is being deleted runs no more. What chipwise says about its moves is not asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Flight:
    """One move (or rollout) of the Deployment ``name``, in monotonic seconds. ``end`` is None while it goes on."""

    name: str
    start: float
    end: float | None


class Flights:
    """Fed with every change of every pod of one namespace, in order."""

    def __init__(self) -> None:
        self._templates: dict[str, dict[str, str]] = {}
        self._begun: dict[str, float] = {}
        self._done: list[Flight] = []

    def note(self, kind: str, pod: Document, moment: float) -> None:
        """One event of the watch. Deployments are told apart by the label ``app`` of their pods."""
        labels, name = pod["metadata"].get("labels", {}), pod["metadata"]["name"]
        workload = labels.get("app", "")
        running = self._templates.setdefault(workload, {})
        if kind == "DELETED" or "deletionTimestamp" in pod["metadata"]:
            running.pop(name, None)
        else:
            running[name] = labels.get("pod-template-hash", "")
        if len(set(running.values())) > 1:
            self._begun.setdefault(workload, moment)
        elif workload in self._begun:
            self._done.append(Flight(workload, self._begun.pop(workload), moment))

    def since(self, moment: float) -> list[Flight]:
        """Those that began then or later, in the order in which they began."""
        open_ = [Flight(name, start, None) for name, start in dict(self._begun).items()]
        return sorted((f for f in [*self._done, *open_] if f.start >= moment), key=lambda f: f.start)


def at_once(flights: list[Flight]) -> int:
    """The most of them that were on their way at one moment."""
    return max(
        (
            sum(f.start <= one.start and (f.end is None or f.end > one.start) for f in flights)
            for one in flights
        ),
        default=0,
    )
