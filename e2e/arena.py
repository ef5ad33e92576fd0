"""Fleets by chance (``e2e.fleets``) on the real control plane: made, befallen, read, decided about, and the decision carried out.

No operator runs: ``decide`` is a pure function, and its acts are the very patches that the operator would send. Many fleets are played
side by side, each in a namespace and on nodes of its own; what is read, is read of all of them at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeVar

from chipwise.cluster.decide import Decision, decide
from chipwise.control.act import Create, Patch

from e2e.admin import Admin, Document, Refused
from e2e.fleet_maker import FLEET
from e2e.fleets import Fleet
from e2e.promises import Promise, promises
from e2e.seen import seen
from e2e.views import View, path
from e2e.waiting import until
from e2e.warming import PRIORITY_CLASS, is_placeholder
from tests.cluster.scheduler import takes

Item = TypeVar("Item")

THREADS = 8
_READ = ("Node", "Pod", "Deployment", "ResourceQuota", "HorizontalPodAutoscaler")
_NOT_READY = "node-not-ready.stage.kwok.x-k8s.io"
_AT_ONCE = "gracePeriodSeconds=0&propagationPolicy=Background"


class Played:
    """One fleet from the moment of the decision on."""

    def __init__(self, admin: Admin, fleet: Fleet) -> None:
        self._admin, self.fleet = admin, fleet
        self.old: frozenset[str] = frozenset()
        self.decision: Decision
        self.promises: list[Promise] = []
        self.coming: list[Document] = []

    # before

    def make_room(self) -> None:
        """Namespace, quota, machines."""
        name = self.fleet.name
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {FLEET: name}}}
        self._admin.create("/api/v1/namespaces", space)
        for node in self.fleet.nodes:
            self._admin.create(path("Node"), node)
        for document in self.fleet.there:
            if document["kind"] == "ResourceQuota":
                self._admin.create(path("ResourceQuota", name), document)

    def furnish(self) -> None:
        """Pods and what makes them, when the quota is in force; bound pods first, for their places were counted."""
        name = self.fleet.name
        until(self._may_make_pods, f"{name} is ready for pods", 60, pause=0.5)
        rest = [document for document in self.fleet.there if document["kind"] != "ResourceQuota"]
        self.coming = list(self.fleet.coming)
        for document in sorted(rest, key=lambda d: "nodeName" not in d["spec"]):
            try:
                self._admin.create(path(document["kind"], name), document)
            except Refused:
                assert document["kind"] == "Pod", document  # over the quota: then it is not there

    def is_quiet(self, view: View) -> bool:
        """Every controller has made its pods or was refused, and the scheduler has looked at every pod."""
        for document in view.of(self.fleet, "Deployment"):
            status = document.get("status", {})
            failed = any(c["type"] == "ReplicaFailure" for c in status.get("conditions", ()))
            if status.get("replicas", 0) < document["spec"]["replicas"] and not failed:
                return False
        for document in view.of(self.fleet, "DaemonSet"):
            if document.get("status", {}).get("observedGeneration") != document["metadata"]["generation"]:
                return False
        return all(is_bound(pod) or unschedulable(pod) for pod in view.of(self.fleet, "Pod"))

    def befall(self) -> None:
        """What happens to the machines and pods before chipwise looks."""
        for node in self.fleet.cordoned:
            self._admin.merge(path("Node", name=node), {"spec": {"unschedulable": True}})
        for node in self.fleet.broken:
            self._admin.merge(path("Node", name=node), {"metadata": {"labels": {_NOT_READY: "true"}}})
        for node in self.fleet.deaf:
            allocatable = self._admin.get(path("Node", name=node))["status"]["allocatable"]
            none = {resource: "0" for resource in allocatable if "/" in resource}
            self._admin.merge(path("Node", name=f"{node}/status"), {"status": {"allocatable": none}})
        for pod in self.fleet.dying:
            self._admin.delete(path("Pod", self.fleet.name, pod))

    def has_befallen(self, view: View) -> bool:
        """Broken machines are known to be."""
        nodes = {node["metadata"]["name"]: node for node in view.of(self.fleet, "Node")}
        return not any(_is_ready(nodes[name]) for name in self.fleet.broken)

    # the decision

    def decide(self, view: View) -> None:
        """From what the API server says now."""
        pods = view.of(self.fleet, "Pod")
        self.old = frozenset(pod["metadata"]["name"] for pod in pods if not is_placeholder(pod))
        documents = view.of(self.fleet, *_READ)
        self.decision = decide(seen([*documents, *self.fleet.kinds]), now=datetime.now(UTC))
        self.promises = promises(self.decision)

    def carry_out(self) -> None:
        """Every write of the decision that makes pods, as the operator would send it."""
        for promise in self.promises:
            about = promise.act.deployment
            where = path("Deployment", self.fleet.name, about.name)
            match promise.act.write({about.key: self._admin.get(where)}):
                case Patch(_, _, operations):
                    self._admin.patch(where, operations)
                case Create(namespace, document):
                    self._admin.create(path("Deployment", namespace), document)

    def broken(self, view: View) -> list[str]:
        """What was promised and has not come true, in words."""
        pods, found = view.of(self.fleet, "Pod"), []
        if gone := sorted(self.old - {pod["metadata"]["name"] for pod in pods}):
            found.append(f"old pods are gone: {', '.join(gone)}")
        for each in self.promises:
            known = frozenset() if each.standing else self.old
            new = [p for p in pods if of(p, each.maker) and p["metadata"]["name"] not in known]
            bound = sum(map(is_bound, new))
            if bound < each.count:
                why = "; ".join(sorted({unschedulable(pod) for pod in new} - {""})) or "no pod was made"
                found.append(f"{each.maker}: {bound} of {each.count} are bound ({each.act.message}): {why}")
        return [f"seed {self.fleet.seed}: {each}" for each in found]

    def grow(self, view: View) -> None:
        """As an autoscaler does: a node for a pod that waits, if one that is to come would take it."""
        for pod in view.of(self.fleet, "Pod"):
            fitting = [node for node in self.coming if unschedulable(pod) and takes(node, pod)]
            if fitting:
                self._admin.create(path("Node"), fitting[0])
                self.coming.remove(fitting[0])
                return

    # those who are left out

    def bound(self, deployment: str) -> int:
        """Pods of the Deployment that had a node when it was decided."""
        pods = self.decision.snapshot.pods_by_deployment.get(f"{self.fleet.name}/{deployment}", ())
        return sum(pod.node is not None for pod in pods)

    def withdraw(self, deployment: str) -> None:
        """Scale to zero, and wait until no pod is left."""
        where = path("Deployment", self.fleet.name, deployment)
        self._admin.merge(where, {"spec": {"replicas": 0}})
        until(lambda: not [p for p in self._pods() if of(p, deployment)], "pods are gone", 60, pause=0.5)

    def fits(self, deployment: str, template: Document, replicas: int) -> bool:
        """Whether so many pods of a template are all bound when they come alone; they are taken away again."""
        where = path("Pod", self.fleet.name)
        made: list[str] = []
        for number in range(replicas):
            metadata = {**template["metadata"], "name": f"{deployment}-alone-{number}"}
            try:
                self._admin.create(
                    where, {"apiVersion": "v1", "kind": "Pod", **template, "metadata": metadata}
                )
                made.append(metadata["name"])
            except Refused:  # the quota
                break
        settled = (
            until(lambda: self._settled(made), "pods are bound or refused", 60, pause=0.5) if made else []
        )
        for name in made:
            self._admin.delete(f"{where}/{name}?{_AT_ONCE}")
        return len(made) == replicas and all(map(is_bound, settled))

    def clear(self) -> None:
        """Controllers first, then pods at once, then machines; what is left goes with the namespace, in its own time."""
        for kind in ("Deployment", "DaemonSet", "Pod"):
            self._admin.delete(f"{path(kind, self.fleet.name)}?{_AT_ONCE}")
        self._admin.delete(f"/api/v1/namespaces/{self.fleet.name}")
        self._admin.delete(f"{path('Node')}?labelSelector={FLEET}={self.fleet.name}")

    def _may_make_pods(self) -> bool:
        name = self.fleet.name
        quotas = self._admin.get(path("ResourceQuota", name))["items"]
        account = self._admin.find(f"/api/v1/namespaces/{name}/serviceaccounts/default")
        return account is not None and all("hard" in quota.get("status", {}) for quota in quotas)

    def _pods(self) -> list[Document]:
        items: list[Document] = self._admin.get(path("Pod", self.fleet.name))["items"]
        return items

    def _settled(self, names: Sequence[str]) -> list[Document]:
        found = [pod for pod in self._pods() if pod["metadata"]["name"] in names]
        settled = len(found) == len(names) and all(is_bound(pod) or unschedulable(pod) for pod in found)
        return found if settled else []


class Arena:
    """Plays batches of fleets, and clears each away."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin
        admin.create("/apis/scheduling.k8s.io/v1/priorityclasses", PRIORITY_CLASS)

    def enter(self, fleets: Iterable[Fleet]) -> list[Played]:
        """Nothing is made yet."""
        return [Played(self._admin, fleet) for fleet in fleets]

    def play(self, played: Sequence[Played]) -> None:
        """Up to the moment at which all template writes have been made."""
        side_by_side(Played.make_room, played)
        side_by_side(Played.furnish, played)
        self._all(played, Played.is_quiet, "every pod is bound or refused", "Pod", "Deployment", "DaemonSet")
        side_by_side(Played.befall, played)
        self._all(played, Played.has_befallen, "machines are broken", "Node")
        view = View(self._admin, *_READ)
        for each in played:
            each.decide(view)
        side_by_side(Played.carry_out, played)

    def broken(self, played: Sequence[Played], seconds: float) -> list[str]:
        """Promises that have not come true after so long."""
        end = time.monotonic() + seconds
        while True:
            view = View(self._admin, "Pod")
            found = [each for one in played for each in one.broken(view)]
            if not found or time.monotonic() > end:
                return found
            for one in played:
                one.grow(view)
            time.sleep(1)

    def _all(
        self, played: Sequence[Played], check: Callable[[Played, View], bool], what: str, *kinds: str
    ) -> None:
        """Wait until it holds of every fleet at one moment."""

        def holds() -> bool:
            view = View(self._admin, *kinds)
            return all(check(each, view) for each in played)

        until(holds, what, 300, pause=0.5)


def side_by_side(work: Callable[[Item], None], items: Sequence[Item]) -> None:
    """Do it to all, a few at a time."""
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, items))


def of(pod: Mapping[str, Document], deployment: str) -> bool:
    """Whether a ReplicaSet of the Deployment made the pod."""
    owners = pod["metadata"].get("ownerReferences") or [{"kind": "", "name": ""}]
    hash_ = pod["metadata"].get("labels", {}).get("pod-template-hash", "")
    return bool(owners[0]["kind"] == "ReplicaSet" and owners[0]["name"] == f"{deployment}-{hash_}")


def is_bound(pod: Mapping[str, Document]) -> bool:
    """Whether it has a node."""
    return bool(pod["spec"].get("nodeName"))


def unschedulable(pod: Document) -> str:
    """What the scheduler says against a pod, empty while it has said nothing or pushes somebody out for it."""
    if pod.get("status", {}).get("nominatedNodeName"):
        return ""
    for condition in pod.get("status", {}).get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return str(condition.get("message") or condition.get("reason"))
    return ""


def _is_ready(node: Document) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"]["conditions"])
