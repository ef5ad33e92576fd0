"""How large the pods of a template are: what it states, and what admission was seen to add.

A LimitRange, a webhook that injects a sidecar and the overhead of a runtime class all make pods larger than their template. None of
them is read: what the running pods of a Deployment have beyond their template, pods of another chip will have too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chipwise.cluster.facts import DeploymentFact, PodFact
from chipwise.cluster.facts.needs import Needs, is_best_effort
from chipwise.cluster.snapshot import Snapshot
from chipwise.placement.problem import Footprint
from chipwise.rendering.footprint import Amounts, pod_limits, pod_requests


@dataclass(frozen=True, slots=True)
class PodSize:
    """Requests and limits of one pod. ``added`` names those that its template does not state; ``needs`` has what quotas' scopes read."""

    requests: Amounts
    limits: Amounts
    needs: Needs = field(default_factory=Needs)
    added: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Added:
    """What admission adds to each pod of a Deployment."""

    requests: Amounts = field(default_factory=dict)
    limits: Amounts = field(default_factory=dict)
    names: frozenset[str] = frozenset()


def size_of_pod(pod: PodFact) -> PodSize:
    """Of a pod that is there."""
    requests = {"cpu": pod.cpu_milli, "memory": pod.memory_bytes, **dict(pod.chips), **dict(pod.needs.others)}
    return PodSize(requests, dict(pod.needs.limits), pod.needs)


def size_of_template(template: Mapping[str, Any], added: Added, snapshot: Snapshot) -> PodSize:
    """Of the pods that a template will have."""
    spec = template["spec"]
    requests, limits = _sum(pod_requests(spec), added.requests), _sum(pod_limits(spec), added.limits)
    needs = Needs(
        priority_class=spec.get("priorityClassName") or _default_class(snapshot),
        best_effort=is_best_effort(spec)
        and not (added.requests.keys() | added.limits.keys()) & {"cpu", "memory"},
    )
    return PodSize(requests, limits, needs, added.names)


def added_to(deployment: DeploymentFact, template: Mapping[str, Any], snapshot: Snapshot) -> Added:
    """The most that one of its pods has beyond its template. Nothing while two templates may run: whose pod it is cannot be told."""
    pods = [pod for pod in snapshot.pods_by_deployment.get(deployment.key, ()) if not pod.deleting]
    if not pods or not deployment.rolled_out:
        return Added()
    spec = template["spec"]
    sizes = [size_of_pod(pod) for pod in pods]
    requests = _beyond([size.requests for size in sizes], pod_requests(spec))
    limits = _beyond([size.limits for size in sizes], pod_limits(spec))
    names = {f"requests.{name}" for name in requests} | {f"limits.{name}" for name in limits}
    return Added(requests, limits, frozenset(names))


def footprint_of(size: PodSize, resource: str) -> Footprint:
    """What one pod takes of a node of a pool whose chips are ``resource``."""
    asked = size.requests
    return Footprint(asked.get(resource, 0), asked.get("cpu", 0), asked.get("memory", 0))


def _beyond(pods: list[Amounts], template: Amounts) -> Amounts:
    most: Amounts = {}
    for each in pods:
        for name, count in each.items():
            most[name] = max(most.get(name, 0), count - template.get(name, 0))
    return {name: count for name, count in most.items() if count > 0}


def _sum(stated: Amounts, added: Amounts) -> Amounts:
    return {name: stated.get(name, 0) + added.get(name, 0) for name in stated.keys() | added.keys()}


def _default_class(snapshot: Snapshot) -> str:
    return next((name for name, fact in sorted(snapshot.priorities.items()) if fact.is_default), "")
