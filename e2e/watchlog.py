"""What really happened in one namespace: every change of every pod and Deployment, as a watch delivered it, with its moment.

Serving capacity is a step function: at each instant the Ready pods that are not terminating, each at the rate of the pool it is on.
Only pods count that a Service with the author's selector sends requests to, whatever Deployment they are of.
"""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from e2e.admin import Admin, Refused
from e2e.flights import Flights

Document = dict[str, Any]


def moment_of(text: str) -> float:
    """When a moment that an object states was, on the clock by which changes are seen. What follows it is never seen before it."""
    return datetime.fromisoformat(text).timestamp() - time.time() + time.monotonic()


@dataclass(frozen=True, slots=True)
class Instant:
    """From ``moment`` (monotonic seconds) on this many requests per second can be served; ``cause`` is the change that led to it."""

    moment: float
    capacity: float
    ready: int
    cause: str


@dataclass(frozen=True, slots=True)
class Dip:
    """Capacity below demand: from when, for how many seconds, and how low."""

    moment: float
    seconds: float
    lowest: float


@dataclass(frozen=True, slots=True)
class Revision:
    """A Deployment as it read from ``moment`` on."""

    moment: float
    document: Document

    @property
    def template(self) -> Document:
        """Its pod template."""
        found: Document = self.document["spec"]["template"]
        return found

    @property
    def replicas(self) -> int:
        """What is asked for, not what runs."""
        return int(self.document["spec"]["replicas"])


class WatchLog:
    """Two threads that watch until the process ends. ``rates`` is requests per second by pool of a node's name."""

    def __init__(
        self, admin: Admin, namespace: str, rates: Mapping[str, float], selector: Mapping[str, str]
    ) -> None:
        self.instants: list[Instant] = []
        self.flights = Flights()
        self._selector = selector
        self._rates = rates
        self._serving: dict[str, float] = {}
        self._revisions: dict[str, list[Revision]] = {}
        for path, note in (
            (f"/api/v1/namespaces/{namespace}/pods", self._note_pod),
            (f"/apis/apps/v1/namespaces/{namespace}/deployments", self._note_deployment),
        ):
            threading.Thread(target=self._watch, args=(admin, path, note), daemon=True).start()

    def revisions(self, name: str, since: float = 0.0) -> list[Revision]:
        """States of the Deployment's spec, annotations and labels: that at ``since`` and all after it. Status alone makes none."""
        known = list(self._revisions.get(name, ()))
        before = [revision for revision in known if revision.moment < since][-1:]
        return [*before, *(revision for revision in known if revision.moment >= since)]

    def dips(self, demand: float, since: float) -> list[Dip]:
        """When capacity was below ``demand`` from ``since`` to now, with the instant before ``since`` counted in."""
        steps = list(self.instants)
        before = [step for step in steps if step.moment <= since][-1:]
        steps = [*before, *(step for step in steps if step.moment > since)]
        ends = [*(step.moment for step in steps[1:]), time.monotonic()]
        found: list[Dip] = []
        for step, end in zip(steps, ends, strict=True):
            if step.capacity >= demand:
                continue
            start = max(step.moment, since)
            if found and found[-1].moment + found[-1].seconds == start:
                last = found.pop()
                found.append(Dip(last.moment, end - last.moment, min(last.lowest, step.capacity)))
            else:
                found.append(Dip(start, end - start, step.capacity))
        return found

    def capacity_never_below(self, demand: float, since: float) -> None:
        """AssertionError with the whole course if it was."""
        steps = [step for step in list(self.instants) if step.moment >= since]
        course = "\n".join(
            f"{s.moment - since:7.2f} s {s.capacity:7.2f}/s {s.ready} Ready: {s.cause}" for s in steps
        )
        assert not self.dips(demand, since), f"capacity fell below {demand}/s:\n{course}"

    def names(self) -> list[str]:
        """Every Deployment that was ever seen."""
        return sorted(self._revisions)

    def ready_now(self) -> int:
        """Pods that serve."""
        return len(self._serving)

    def _watch(self, admin: Admin, path: str, note: Any) -> None:
        """Watch through outages of the API server: what went while nobody could look is noted when one can look again."""
        known: dict[str, Document] = {}
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError, Refused):
                present = {each["metadata"]["name"] for each in admin.get(path)["items"]}
                for name in set(known) - present:
                    note("DELETED", known.pop(name), time.monotonic())
                for kind, found in admin.watch(path):
                    known[found["metadata"]["name"]] = found
                    note(kind, found, time.monotonic())
            time.sleep(0.2)

    def _note_pod(self, kind: str, pod: Document, moment: float) -> None:
        self.flights.note(kind, pod, moment)
        name, node = pod["metadata"]["name"], pod["spec"].get("nodeName", "")
        if not self._selector.items() <= pod["metadata"].get("labels", {}).items():
            return
        conditions = pod.get("status", {}).get("conditions") or ()
        ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
        before = dict(self._serving)
        if kind != "DELETED" and ready and "deletionTimestamp" not in pod["metadata"]:
            self._serving[name] = self._rates.get(node.rpartition("-")[0], 0.0)
        else:
            self._serving.pop(name, None)
        if before != self._serving or not self.instants:
            what = "serves" if name in self._serving else "serves no more"
            total = sum(self._serving.values())
            cause = f"{name} on {node or 'no node'} {what}"
            self.instants.append(Instant(moment, total, len(self._serving), cause))

    def _note_deployment(self, kind: str, found: Document, moment: float) -> None:
        if kind == "DELETED":
            return
        known = self._revisions.setdefault(found["metadata"]["name"], [])
        document = {"metadata": found["metadata"], "spec": found["spec"]}
        if known and _says(known[-1].document) == _says(document):
            return
        known.append(Revision(moment, document))


def _says(document: Document) -> list[Any]:
    metadata = document["metadata"]
    return [document["spec"], metadata.get("annotations"), metadata.get("labels")]
