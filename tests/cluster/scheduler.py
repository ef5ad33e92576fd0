"""A model of the scheduler, and of the controllers that feed it, over documents: it binds what its filters let through, anywhere.

Written from the filters of kube-scheduler and not from chipwise's own counting. Among the nodes that are left it takes the emptiest, as
the default scores do, or any at random, and it takes pods in any order: a promise must hold whatever it does. For a pod that fits nowhere
else it pushes placeholders out, which wait from then on.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from chipwise.cluster.snapshot import Snapshot
from chipwise.rendering.defaults import normalise
from chipwise.rendering.manifest import Manifest

from e2e.fleet_maker import HOSTNAME
from e2e.fleets import Fleet
from e2e.seen import seen
from e2e.warming import PRIORITY_CLASS, is_placeholder

Document = dict[str, Any]

_UNITS = {"m": 0.001, "Gi": 2.0**30, "Mi": 2.0**20, "": 1.0}
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


class Model:
    """One fleet. ``spread`` says whether the emptiest node is taken, else any."""

    def __init__(self, fleet: Fleet, dice: random.Random, *, spread: bool) -> None:
        self.fleet, self._dice, self._spread = fleet, dice, spread
        self.nodes = {node["metadata"]["name"]: _ready(deepcopy(node)) for node in fleet.nodes}
        self.pods: dict[str, Document] = {}
        self.deployments: dict[str, Document] = {}
        self._serial = 0
        self._agents: list[Document] = []
        self._coming: list[Document] = []
        for document in fleet.there:
            self._make(deepcopy(document))
        self.schedule()
        self._befall()

    # what is there

    def snapshot(self) -> Snapshot:
        for name, document in self.deployments.items():
            count = sum(1 for pod in self.pods.values() if _owner(pod).startswith(f"{name}-"))
            document["status"] = {"observedGeneration": 1, "replicas": count, "updatedReplicas": count}
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.fleet.name}}
        quotas = [self._quota(d) for d in self.fleet.there if d["kind"] == "ResourceQuota"]
        return seen(
            [
                space,
                *self.nodes.values(),
                *self.pods.values(),
                *self.deployments.values(),
                *quotas,
                *(d for d in self.fleet.there if d["kind"] == "HorizontalPodAutoscaler"),
                *self.fleet.kinds,
            ]
        )

    def bound(self, deployment: str) -> int:
        return sum(map(self.is_bound, self.pods_of(deployment)))

    def is_bound(self, name: str) -> bool:
        return bool(_node(self.pods[name]))

    def pods_of(self, deployment: str) -> list[str]:
        return [name for name, pod in self.pods.items() if _owner(pod).startswith(f"{deployment}-")]

    # what happens

    def create(self, deployment: str, template: Mapping[str, Any], count: int, marker: str) -> list[str]:
        """Pods of a new ReplicaSet as far as the quota lets them; their names."""
        owner = {"kind": "ReplicaSet", "name": f"{deployment}-{marker}", "controller": True}
        made = []
        for _ in range(count):
            pod = self._pod(f"{deployment}-{marker}", template, owner, {"pod-template-hash": marker})
            if self._admitted(pod):
                self.pods[pod["metadata"]["name"]] = pod
                made.append(pod["metadata"]["name"])
        return made

    def let_nodes_come(self) -> None:
        """From now on an autoscaler adds those that are to come, one for any pod that waits."""
        self._coming = [_ready(deepcopy(node)) for node in self.fleet.coming]

    def remove(self, names: Iterable[str]) -> None:
        for name in names:
            del self.pods[name]

    def schedule(self) -> None:
        """Until nothing can be bound any more."""
        waiting = [pod for pod in self.pods.values() if not _node(pod) and not _dying(pod)]
        while True:
            self._dice.shuffle(waiting)
            left = [pod for pod in waiting if not self._bind(pod)]
            if len(left) == len(waiting) and not any(map(self._arrives_for, left)):
                return
            waiting = left

    def _arrives_for(self, pod: Document) -> bool:
        """A node that would take it."""
        for node in self._dice.sample(self._coming, len(self._coming)):
            before = set(self.pods)
            self.nodes[node["metadata"]["name"]] = node
            for agent in self._agents:
                self._put_agent(agent, node)
            if self._lets(node, pod):
                self._coming.remove(node)
                return True
            del self.nodes[node["metadata"]["name"]]
            self.remove(set(self.pods) - before)
        return False

    def _put_agent(self, agent: Document, node: Document) -> None:
        template, name = agent["spec"]["template"], agent["metadata"]["name"]
        if template["spec"]["nodeSelector"].items() <= node["metadata"]["labels"].items():
            owner = {"kind": "DaemonSet", "name": name, "controller": True}
            pod = self._pod(name, template, owner, {})
            pod["spec"]["nodeName"] = node["metadata"]["name"]
            self.pods[pod["metadata"]["name"]] = pod

    def _make(self, document: Document) -> None:
        kind, metadata = document["kind"], document["metadata"]
        if kind == "Pod":
            metadata["uid"] = f"{self.fleet.name}/{metadata['name']}"
            document["status"] = {"phase": "Running" if _node(document) else "Pending"}
            if self._admitted(document):
                self.pods[metadata["name"]] = document
        elif kind == "DaemonSet":
            self._agents.append(document)
            for node in self.nodes.values():
                self._put_agent(document, node)
        elif kind == "Deployment":
            stored = normalise(Manifest(document["spec"]["template"], document["spec"].get("strategy", {})))
            document["spec"] |= {"template": stored.template, "strategy": stored.strategy}
            metadata |= {"uid": metadata["name"], "generation": 1}
            self.deployments[metadata["name"]] = document
            self.create(metadata["name"], stored.template, document["spec"]["replicas"], "old")

    def _pod(
        self, prefix: str, template: Mapping[str, Any], owner: Document, labels: Mapping[str, str]
    ) -> Document:
        self._serial += 1
        name = f"{prefix}-{self._serial:04d}"
        return {
            "kind": "Pod",
            "metadata": {
                "name": name,
                "namespace": self.fleet.name,
                "uid": f"{self.fleet.name}/{name}",
                "labels": {**template["metadata"]["labels"], **labels},
                "ownerReferences": [owner],
            },
            "spec": {**deepcopy(dict(template["spec"])), **_admitted_as(template["spec"])},
            "status": {"phase": "Pending"},
        }

    def _befall(self) -> None:
        for name in self.fleet.cordoned:
            self.nodes[name]["spec"]["unschedulable"] = True
        for name in self.fleet.broken:
            self.nodes[name]["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
        for name in self.fleet.deaf:
            allocatable = self.nodes[name]["status"]["allocatable"]
            allocatable |= {key: "0" for key in allocatable if "/" in key}
        for name in self.fleet.dying:
            if name in self.pods:
                self.pods[name]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    # filters

    def _bind(self, pod: Document) -> bool:
        fitting = [name for name, node in self.nodes.items() if self._lets(node, pod)]
        if not fitting and not is_placeholder(pod):
            return self._push_out(pod)
        if not fitting:
            return False
        emptiest = min(fitting, key=lambda name: (self._load(name), name))
        pod["spec"]["nodeName"] = emptiest if self._spread else self._dice.choice(fitting)
        pod["status"]["phase"] = "Running"
        return True

    def _push_out(self, pod: Document) -> bool:
        """Bound where it would fit but for placeholders, all of which lose their place there."""
        places = [each for each in self.pods.values() if is_placeholder(each) and _node(each)]
        held = {each["metadata"]["name"]: _node(each) for each in places}
        for each in places:
            del each["spec"]["nodeName"]
        fitting = [name for name, node in self.nodes.items() if self._lets(node, pod)]
        chosen = self._dice.choice(fitting) if fitting else ""
        for each in places:
            if held[each["metadata"]["name"]] != chosen:
                each["spec"]["nodeName"] = held[each["metadata"]["name"]]
        if chosen:
            pod["spec"]["nodeName"], pod["status"]["phase"] = chosen, "Running"
        return bool(chosen)

    def _lets(self, node: Document, pod: Document) -> bool:
        return (
            not node["spec"].get("unschedulable")
            and node["status"]["conditions"][0]["status"] == "True"
            and all(_tolerated(taint, pod) for taint in node["spec"]["taints"])
            and _selected(node, pod)
            and self._roomy(node, pod)
            and self._undisturbed(node, pod)
            and self._evenly(node, pod)
        )

    def _on(self, name: str) -> Iterator[Document]:
        return (pod for pod in self.pods.values() if _node(pod) == name)

    def _used(self, name: str) -> dict[str, float]:
        used: dict[str, float] = {"pods": 0.0}
        for pod in self._on(name):
            used["pods"] += 1
            for resource, count in requests(pod["spec"]).items():
                used[resource] = used.get(resource, 0.0) + count
        return used

    def _load(self, name: str) -> float:
        has, used = self.nodes[name]["status"]["allocatable"], self._used(name)
        return max(used.get(r, 0.0) / max(_number(q), 1e-9) for r, q in has.items())

    def _roomy(self, node: Document, pod: Document) -> bool:
        has, used = node["status"]["allocatable"], self._used(node["metadata"]["name"])
        wanted = requests(pod["spec"]) | {"pods": 1.0}
        return all(
            used.get(r, 0.0) + count <= _number(has.get(r, "0")) + 1e-6
            for r, count in wanted.items()
            if count
        )

    def _undisturbed(self, node: Document, pod: Document) -> bool:
        ports = _ports(pod)
        if any(ports & _ports(other) for other in self._on(node["metadata"]["name"])):
            return False
        for other in self.pods.values():
            there = self.nodes.get(_node(other))
            if there is None:
                continue
            for term, target in [*((t, other) for t in _anti(pod)), *((t, pod) for t in _anti(other))]:
                key = term["topologyKey"]
                here, beyond = node["metadata"]["labels"].get(key), there["metadata"]["labels"].get(key)
                if here is not None and here == beyond and _matches(term["labelSelector"], target):
                    return False
        return True

    def _evenly(self, node: Document, pod: Document) -> bool:
        for constraint in pod["spec"].get("topologySpreadConstraints", ()):
            if constraint["whenUnsatisfiable"] != "DoNotSchedule":
                continue
            key = constraint["topologyKey"]
            counts: dict[str, int] = {}
            for each in self.nodes.values():
                if _selected(each, pod):
                    domain = each["metadata"]["labels"][key]
                    here = [p for p in self._on(each["metadata"]["name"]) if not _dying(p)]
                    matching = sum(_matches(constraint["labelSelector"], other) for other in here)
                    counts[domain] = counts.get(domain, 0) + matching
            here_now = counts.get(node["metadata"]["labels"][key], 0)
            if here_now + 1 - min(counts.values()) > constraint["maxSkew"]:
                return False
        return True

    # quota

    def _quota(self, document: Document) -> Document:
        spec = document["spec"]
        used = dict.fromkeys(spec["hard"], 0.0)
        for pod in self.pods.values():
            for name, count in _charged(pod, spec).items():
                used[name] += count
        said = {name: f"{round(count * 1000)}m" for name, count in used.items()}
        return {**document, "status": {"hard": spec["hard"], "used": said}}

    def _admitted(self, pod: Document) -> bool:
        for document in self.fleet.there:
            if document["kind"] == "ResourceQuota":
                stored = self._quota(document)
                used, hard = stored["status"]["used"], stored["status"]["hard"]
                for name, count in _charged(pod, document["spec"]).items():
                    if count and _number(used[name]) + count > _number(hard[name]) + 1e-6:
                        return False
                if any(_unstated(pod, name) for name in _charged(pod, document["spec"])):
                    return False
        return True


def _admitted_as(spec: Mapping[str, Any]) -> Document:
    """What admission fills in from the PriorityClass."""
    is_low = spec.get("priorityClassName") == PRIORITY_CLASS["metadata"]["name"]
    return {"priority": PRIORITY_CLASS["value"]} if is_low else {}


def requests(spec: Mapping[str, Any]) -> dict[str, float]:
    """All containers, or the largest init container where that is more."""
    found: dict[str, float] = {}
    for container in spec["containers"]:
        for name, count in _asked(container).items():
            found[name] = found.get(name, 0.0) + count
    for container in spec.get("initContainers") or ():
        for name, count in _asked(container).items():
            found[name] = max(found.get(name, 0.0), count)
    return found


def _asked(container: Mapping[str, Any]) -> dict[str, float]:
    resources = container.get("resources") or {}
    stated = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    return {name: _number(quantity) for name, quantity in stated.items()}


def _number(quantity: str) -> float:
    unit = next(unit for unit in _UNITS if quantity.endswith(unit))
    return float(quantity.removesuffix(unit)) * _UNITS[unit]


def _charged(pod: Document, spec: Mapping[str, Any]) -> dict[str, float]:
    asked = requests(pod["spec"])
    best_effort = not asked.get("cpu") and not asked.get("memory")
    for scope in spec.get("scopes", ()):
        if scope == "Terminating" or (scope == "NotBestEffort" and best_effort):
            return {}
    return {
        name: 1.0 if name == "pods" else asked.get(name.removeprefix("requests."), 0.0)
        for name in spec["hard"]
    }


def _unstated(pod: Document, name: str) -> bool:
    containers = [*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or ())]
    return name == "requests.cpu" and any("cpu" not in _asked(container) for container in containers)


def takes(node: Document, pod: Document) -> bool:
    """Whether the empty node would: labels, taints and resources."""
    has, wanted = node["status"]["allocatable"], requests(pod["spec"]) | {"pods": 1.0}
    return (
        all(_tolerated(taint, pod) for taint in node["spec"]["taints"])
        and _selected(node, pod)
        and all(count <= _number(has.get(name, "0")) + 1e-6 for name, count in wanted.items() if count)
    )


def _ready(node: Document) -> Document:
    node["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
    return node


def _node(pod: Mapping[str, Any]) -> str:
    return str(pod["spec"].get("nodeName") or "")


def _dying(pod: Mapping[str, Any]) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def _owner(pod: Mapping[str, Any]) -> str:
    return str((pod["metadata"].get("ownerReferences") or [{"name": ""}])[0]["name"])


def _tolerated(taint: Mapping[str, Any], pod: Document) -> bool:
    for toleration in pod["spec"].get("tolerations") or ():
        if toleration.get("effect") in (None, taint["effect"]) and (
            "key" not in toleration or toleration["key"] == taint["key"]
        ):
            return True
    return False


def _selected(node: Document, pod: Document) -> bool:
    labels = node["metadata"]["labels"]
    if not (pod["spec"].get("nodeSelector") or {}).items() <= labels.items():
        return False
    required = ((pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}).get(_REQUIRED)
    name = {
        "metadata.name": node["metadata"]["name"]
    }  # the one field there is: how a DaemonSet pins its pods
    return not required or any(
        all(labels.get(e["key"]) in e["values"] for e in term.get("matchExpressions") or ())
        and all(name[f["key"]] in f["values"] for f in term.get("matchFields") or ())
        for term in required["nodeSelectorTerms"]
    )


def _ports(pod: Document) -> set[int]:
    return {
        p["hostPort"] for c in pod["spec"]["containers"] for p in c.get("ports") or () if p.get("hostPort")
    }


def _anti(pod: Document) -> list[Document]:
    terms = ((pod["spec"].get("affinity") or {}).get("podAntiAffinity") or {}).get(_REQUIRED)
    assert all(term["topologyKey"] == HOSTNAME for term in terms or ())
    return list(terms or ())


def _matches(selector: Mapping[str, Any], pod: Document) -> bool:
    return bool(selector["matchLabels"].items() <= pod["metadata"].get("labels", {}).items())
