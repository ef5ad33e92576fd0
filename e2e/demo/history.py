"""What really served, from a watch of the namespace's pods: a step function for each workload, kept from the first pod on.

A pod serves while it is Ready and not being deleted. Its variant is known by the chips it holds, never by what chipwise says.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from e2e.admin import Admin
from e2e.demo.authored import Serving
from e2e.flights import Flights

Document = dict[str, Any]

UNKNOWN = ("other chips", 0.0)


@dataclass(frozen=True, slots=True)
class ServingPod:
    """One pod that serves. `template` is its pod-template-hash."""

    workload: str
    template: str
    variant: str
    node: str
    rate: float


@dataclass(frozen=True, slots=True)
class Step:
    """From `moment` (monotonic seconds) on: Ready pods by variant, and the requests per second that they sustain together."""

    moment: float
    ready: Mapping[str, int]
    capacity: float


class History:
    """A thread that watches until the process ends. `broken` says why it ended before that."""

    def __init__(self, admin: Admin, namespace: str, serving: Mapping[str, Serving]) -> None:
        self.broken: str | None = None
        self.flights = Flights()
        self._serving = serving
        self._pods: dict[str, ServingPod] = {}
        self._known: set[str] = set()
        self._steps: dict[str, list[Step]] = {}
        path = f"/api/v1/namespaces/{namespace}/pods"
        threading.Thread(target=self._watch, args=(admin, path), daemon=True).start()

    def pods(self, workload: str) -> list[ServingPod]:
        """What serves now."""
        return [pod for pod in list(self._pods.values()) if pod.workload == workload]

    def existing(self, workload: str) -> int:
        """How many pods there are, serving or not."""
        return sum(key.split("/")[0] == workload for key in list(self._known))

    def steps(self, workload: str, since: float) -> list[Step]:
        """All that changed from `since` on, after the state at `since`, which takes its moment."""
        found = list(self._steps.get(workload, ()))
        before = [step for step in found if step.moment <= since][-1:]
        return [
            *(Step(since, step.ready, step.capacity) for step in before),
            *(step for step in found if step.moment > since),
        ]

    def lowest(self, workload: str, since: float) -> float:
        """The least capacity at any instant from `since` to now, in requests per second."""
        return min((step.capacity for step in self.steps(workload, since)), default=0.0)

    def _watch(self, admin: Admin, path: str) -> None:
        try:
            for kind, pod in admin.watch(path):
                self._note(kind, pod, time.monotonic())
            self.broken = "the API server ended the watch of pods"
        except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
            self.broken = f"the watch of pods broke: {error}"

    def _note(self, kind: str, pod: Document, moment: float) -> None:
        self.flights.note(kind, pod, moment)
        found = serving_pod(pod, self._serving)
        key = f"{found.workload}/{pod['metadata']['name']}"
        if kind == "DELETED":
            self._known.discard(key)
        else:
            self._known.add(key)
        if kind != "DELETED" and is_serving(pod):
            if self._pods.get(key) == found:
                return
            self._pods[key] = found
        elif self._pods.pop(key, None) is None:
            return
        now = self.pods(found.workload)
        step = Step(moment, Counter(pod.variant for pod in now), sum(pod.rate for pod in now))
        self._steps.setdefault(found.workload, []).append(step)


def is_serving(pod: Document) -> bool:
    """Ready, and not on its way out: such pods get requests."""
    conditions = pod.get("status", {}).get("conditions") or ()
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def serving_pod(pod: Document, serving: Mapping[str, Serving]) -> ServingPod:
    """The pod as the history knows it. One whose chips no variant of its workload asks for counts nothing."""
    labels = pod["metadata"].get("labels", {})
    workload = labels.get("app", "")
    known = serving.get(workload)
    variant, rate = next(
        (known.rates[held] for held in _chips(pod) if known and held in known.rates), UNKNOWN
    )
    template = labels.get("pod-template-hash", "")
    return ServingPod(workload, template, variant, pod["spec"].get("nodeName", ""), rate)


def _chips(pod: Document) -> list[tuple[str, int]]:
    """Extended resources that its containers hold, as (resource name, count)."""
    return [
        (resource, int(amount))
        for container in pod["spec"]["containers"]
        for resource, amount in container.get("resources", {}).get("limits", {}).items()
        if "/" in resource
    ]
