"""A cluster in memory: an API server, and what the Deployment controller, the scheduler and the kubelet do with what is stored there.

The controller is the rolling update of Kubernetes (pkg/controller/deployment/rolling.go): it scales the newest template up within
maxSurge, takes unready old pods first, and old ones only as far as maxUnavailable allows. Scaling while two templates run takes from
the old one, the worst case.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from math import ceil, floor
from typing import Any

from chipwise.cluster.decide import Decision, Standing, decide
from chipwise.cluster.extract import BY_KIND, extract
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.state import FIELDS, ClusterState
from chipwise.kube.reflector import key_of
from chipwise.kube.resources import DEPLOYMENTS, INFERENCE_WORKLOADS, NODES, PODS, Resource
from chipwise.rendering.constraints import author_constraints
from chipwise.rendering.vocabulary import ChipVocabulary

from tests.cluster import documents as docs
from tests.kube.fake import FakeKube

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
Document = dict[str, Any]


class _NoChips(ChipVocabulary):
    def is_chip_key(self, key: str) -> bool:
        del key
        return False


def resource_of(document: Document) -> Resource:
    """By kind; pods, nodes and Deployments are told by their shape."""
    if "kind" in document:
        return BY_KIND[document["kind"]]
    spec = document.get("spec", {})
    if "containers" in spec:
        return PODS
    return DEPLOYMENTS if "template" in spec else NODES


class World:
    """``standard()`` is a fleet of three pools, and a workload whose author's two replicas serve on H100."""

    def __init__(self, *objects: Document) -> None:
        self.kube = FakeKube()
        self.now = NOON
        self.watched_since: datetime | None = None
        self.standing = Standing()
        #: Images of which no pod comes to serve, and the container status that the kubelet shows for it.
        self.ailing: dict[str, Document] = {}
        for document in objects:
            self.put(document)

    @classmethod
    def standard(cls, *more: Document) -> World:
        world = cls(
            *(docs.chip_class(name) for name in docs.RESOURCES),
            *(docs.pool(name) for name in docs.RESOURCES),
            *(docs.node(name, number) for name in docs.RESOURCES for number in range(2)),
            docs.profile(),
            docs.workload(),
            docs.deployment(),
            *more,
        )
        world.settle()
        return world

    # what is there

    def put(self, document: Document) -> Document:
        return self.kube.put(resource_of(document), document)

    def edit(self, resource: Resource, name: str, change: Any, namespace: str = docs.NAMESPACE) -> Document:
        """``change`` gets the stored document and alters it."""
        where = namespace if resource.namespaced else None
        document = self.kube.peek(resource, where, name)
        change(document)
        return self.kube.put(resource, document)

    def all(self, resource: Resource) -> list[Document]:
        """What is stored, by name; not to be changed."""
        return [document for _, document in sorted(self.kube._of(resource).items())]

    def deployment(self, name: str = "chat") -> Document:
        return self.kube.peek(DEPLOYMENTS, docs.NAMESPACE, name)

    def pods(self, name: str = "chat") -> list[Document]:
        return [pod for pod in self.all(PODS) if pod["metadata"].get("labels", {}).get("deployment") == name]

    def remove_deployment(self, name: str) -> None:
        """As the garbage collector ends it: its pods, and what it owns."""
        self.kube.drop(DEPLOYMENTS, docs.NAMESPACE, name)
        for pod in self.pods(name):
            self._delete(pod)
        for other in self.all(DEPLOYMENTS):
            owners = other["metadata"].get("ownerReferences", ())
            if any(owner["name"] == name for owner in owners):
                self.remove_deployment(other["metadata"]["name"])

    def state(self) -> ClusterState:
        state = ClusterState()
        for resource in FIELDS:
            facts = {key_of(raw): extract(resource, _typed(resource, raw)) for raw in self.all(resource)}
            state.replace(resource, {key: fact for key, fact in facts.items() if fact is not None})
        return state

    def snapshot(self) -> Snapshot:
        return replace(self.state().snapshot(), watched_since=self.watched_since)

    def decide(self, **changes: Any) -> Decision:
        return decide(
            self.snapshot(), now=self.now, standing=changes.pop("standing", self.standing), **changes
        )

    def pass_time(self, **span: float) -> None:
        self.now += timedelta(**span)

    def condition(self, kind: str, status: str, **more: str) -> Document:
        """One that changes now."""
        return {"type": kind, "status": status, "lastTransitionTime": self.stamp, **more}

    @property
    def stamp(self) -> str:
        return self.now.strftime("%Y-%m-%dT%H:%M:%SZ")

    # the other controllers

    def settle(self) -> None:
        """Until nothing happens any more."""
        for _ in range(50):
            before = self.kube.version
            self.roll()
            self.schedule()
            self.become_ready()
            if self.kube.version == before:
                return
        raise AssertionError("the world never comes to rest")

    def roll(self) -> None:
        """One reconciliation of each Deployment."""
        for document in self.all(DEPLOYMENTS):
            self._reconcile(document)

    def schedule(self) -> None:
        """Bind what fits, in order of name."""
        for pod in self.all(PODS):
            if pod["spec"].get("nodeName"):
                continue
            chosen = self._node_for(pod)
            if chosen is None:
                self._refuse(pod)
            else:
                bound = self.condition("PodScheduled", "True")
                status = {**pod["status"], "conditions": [bound]}
                self.kube.put(PODS, {**pod, "spec": {**pod["spec"], "nodeName": chosen}, "status": status})

    def _refuse(self, pod: Document) -> None:
        """In the scheduler's words, once; it says nothing about other nodes than those whose labels fit."""
        if pod["status"].get("conditions"):
            return
        constraints = author_constraints({"spec": pod["spec"]}, _NoChips())
        fitting = sum(constraints.matches(node["metadata"]["labels"]) for node in self.all(NODES))
        others = len(self.all(NODES)) - fitting
        (resource,) = _chips(pod) or {"cpu": 0}
        parts = [f"{fitting} Insufficient {resource}"] if fitting else []
        parts += [f"{others} node(s) didn't match Pod's node affinity/selector"] if others else []
        listed = f"0/{fitting + others} nodes are available: {', '.join(parts)}."
        self.refuse_to_schedule(pod, listed if parts else "no nodes available to schedule pods")

    def refuse_to_schedule(self, pod: Document, message: str) -> None:
        """The scheduler says why a pod has no node."""
        spec = {key: value for key, value in pod["spec"].items() if key != "nodeName"}
        said = self.condition("PodScheduled", "False", reason="Unschedulable", message=message)
        self.kube.put(PODS, {**pod, "spec": spec, "status": {"phase": "Pending", "conditions": [said]}})

    def become_ready(self, most: int = 1000) -> None:
        """Up to ``most`` bound pods of Deployments start to serve."""
        for pod in self.all(PODS):
            if (
                most
                and pod["spec"].get("nodeName")
                and "deployment" in pod["metadata"].get("labels", {})
                and not _ready(pod)
                and not self._ails(pod)
            ):
                kept = [c for c in pod["status"].get("conditions", ()) if c["type"] != "Ready"]
                conditions = [*kept, self.condition("Ready", "True")]
                self.kube.put(PODS, {**pod, "status": {"phase": "Running", "conditions": conditions}})
                most -= 1
        for document in self.all(DEPLOYMENTS):
            self._count(document)

    def fall_ill(self) -> None:
        """The kubelet says what ails the bound pods of ailing images."""
        for pod in self.all(PODS):
            shown = self._ails(pod)
            if shown and pod["spec"].get("nodeName") and "containerStatuses" not in pod["status"]:
                status = {**pod["status"], "containerStatuses": [shown]}
                self.kube.put(PODS, {**pod, "status": status})

    def lose_nodes(self, class_name: str) -> None:
        """The nodes of a pool are gone; their pods are still there."""
        for node in self.all(NODES):
            if node["metadata"]["labels"].get(docs.NODE_LABEL) == class_name:
                self.kube.drop(NODES, None, node["metadata"]["name"])

    def collect(self) -> None:
        """Pods of nodes that are gone are deleted, as the pod garbage collector does after a while."""
        names = {node["metadata"]["name"] for node in self.all(NODES)}
        for pod in self.all(PODS):
            if pod["spec"].get("nodeName", next(iter(names), "")) not in names:
                self._delete(pod)

    def _ails(self, pod: Document) -> Document:
        return self.ailing.get(pod["spec"]["containers"][0].get("image", ""), {})

    def _reconcile(self, document: Document) -> None:
        spec, name = document["spec"], document["metadata"]["name"]
        wanted, marker = spec["replicas"], template_hash(spec["template"])
        rolling = spec["strategy"]["rollingUpdate"]
        surge, lost = (
            _share(rolling["maxSurge"], wanted, ceil),
            _share(rolling["maxUnavailable"], wanted, floor),
        )
        pods = self.pods(name)
        new = [pod for pod in pods if pod["metadata"]["labels"]["pod-template-hash"] == marker]
        old = [pod for pod in pods if pod not in new]
        old.sort(key=lambda pod: (_ready(pod), pod["metadata"]["name"]))
        excess = len(pods) - wanted - (surge if old else 0)
        for pod in old[: max(0, excess)]:
            self._delete(pod)
        gone = min(len(old), max(0, excess))
        old = old[gone:]
        for pod in sorted(new, key=lambda pod: (_ready(pod), pod["metadata"]["name"]))[
            : max(0, len(new) - wanted)
        ]:
            self._delete(pod)
            new.remove(pod)
        limit = wanted + (surge if old else 0)
        missing = min(wanted - len(new), limit - len(new) - len(old))
        new.extend([self._create(document, marker) for _ in range(missing)])
        least = wanted - lost
        unready = [pod for pod in old if not _ready(pod)]
        spare = len(old) + len(new) - least - sum(not _ready(pod) for pod in new)
        for pod in unready[: max(0, spare)]:
            self._delete(pod)
            old.remove(pod)
        spare = sum(_ready(pod) for pod in [*old, *new]) - least
        for pod in [pod for pod in old if _ready(pod)][: max(0, spare)]:
            self._delete(pod)
        self._count(document)

    def _count(self, document: Document) -> None:
        pods, marker = self.pods(document["metadata"]["name"]), template_hash(document["spec"]["template"])
        status = {
            "observedGeneration": document["metadata"]["generation"],
            "replicas": len(pods),
            "updatedReplicas": sum(p["metadata"]["labels"]["pod-template-hash"] == marker for p in pods),
            "readyReplicas": sum(_ready(pod) for pod in pods),
        }
        if document.get("status") != status:
            self.kube.put(DEPLOYMENTS, {**document, "status": status})

    def _create(self, document: Document, marker: str) -> Document:
        name, template = document["metadata"]["name"], document["spec"]["template"]
        labels = {**template.get("metadata", {}).get("labels", {}), "pod-template-hash": marker}
        serial = f"{self.kube.version:06d}"
        return self.kube.put(
            PODS,
            {
                "metadata": {
                    "name": f"{name}-{marker}-{serial}",
                    "namespace": document["metadata"]["namespace"],
                    "creationTimestamp": self.stamp,
                    "labels": {**labels, "deployment": name},
                    "ownerReferences": [
                        {"kind": "ReplicaSet", "name": f"{name}-{marker}", "controller": True}
                    ],
                },
                "spec": template["spec"],
                "status": {"phase": "Pending"},
            },
        )

    def _delete(self, pod: Document) -> None:
        self.kube.drop(PODS, pod["metadata"]["namespace"], pod["metadata"]["name"])

    def _node_for(self, pod: Document) -> str | None:
        constraints = author_constraints({"spec": pod["spec"]}, _NoChips())
        wanted = _chips(pod)
        for node in self.all(NODES):
            free = {name: int(node["status"]["allocatable"].get(name, "0")) for name in wanted}
            for other in self.all(PODS):
                if other["spec"].get("nodeName") == node["metadata"]["name"]:
                    for name, count in _chips(other).items():
                        free[name] = free.get(name, 0) - count
            fits = all(free[name] >= count for name, count in wanted.items())
            if fits and constraints.matches(node["metadata"]["labels"]):
                return str(node["metadata"]["name"])
        return None


def serving(world: World, name: str = "chat") -> dict[str, int]:
    """Ready pods of a Deployment by the chip resource they hold."""
    found: dict[str, int] = {}
    for pod in world.pods(name):
        if _ready(pod):
            (resource,) = _chips(pod)
            found[resource] = found.get(resource, 0) + 1
    return found


def template_hash(template: Document) -> str:
    return sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:10]


def delete_workload(world: World, name: str = "chat") -> None:
    world.kube.drop(INFERENCE_WORKLOADS, docs.NAMESPACE, name)


def _typed(resource: Resource, raw: Document) -> Document:
    return {"apiVersion": resource.api_version, "kind": resource.kind, **raw}


def _ready(pod: Document) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", ()))


def _chips(pod: Document) -> dict[str, int]:
    found: dict[str, int] = {}
    for container in pod["spec"]["containers"]:
        resources = container.get("resources", {})
        for name, count in {**resources.get("requests", {}), **resources.get("limits", {})}.items():
            if "/" in name:
                found[name] = found.get(name, 0) + int(count)
    return found


def _share(bound: int | str, of: int, rounded: Any) -> int:
    if isinstance(bound, int):
        return bound
    return int(rounded(int(bound.rstrip("%")) * of / 100))
