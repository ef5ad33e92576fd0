"""Where a workload runs: by our own record, by its pods, or by what its template asks for; and which pools and nodes a template allows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from chipwise.api import ModelProfile
from chipwise.cluster.facts import DeploymentFact, PodFact
from chipwise.cluster.pools import PoolView
from chipwise.cluster.snapshot import Snapshot
from chipwise.rendering import record as records
from chipwise.rendering.constraints import author_constraints
from chipwise.rendering.location import container_of, requested_chips
from chipwise.rendering.record import Record
from chipwise.rendering.vocabulary import NO_CHIPS, ChipVocabulary


@dataclass(frozen=True, slots=True)
class Home:
    """Where a workload runs. ``variant`` is None when its profile knows none of this class and size.

    ``further`` are the other pools that its template names, and ``spilled`` so many of its pods are there.
    """

    pool: str
    variant: str | None
    resource_name: str
    chips: int
    replicas: int
    further: tuple[str, ...] = ()
    spilled: int = 0

    @property
    def pools(self) -> tuple[str, ...]:
        """Every pool in which a pod of the template may be."""
        return (self.pool, *self.further)


def home_of(
    deployment: DeploymentFact,
    document: Mapping[str, Any],
    container: str,
    profile: ModelProfile,
    snapshot: Snapshot,
    views: Mapping[str, PoolView],
    words: ChipVocabulary,
) -> Home | None:
    """By our own record where there is one, else by the pods, else by what the template asks for."""
    template, record = document["spec"]["template"], _record(document)
    asked = requested_chips(container_in(template, container), words)
    named = [name for name in record.pools if name in views] if record is not None else []
    if record is not None and named:
        first = _most(named, deployment, snapshot, views)
        resource_name = views[first].resource_name
        variant = profile.spec.variant(record.variant)
        known = variant.chips if variant else 0
        chips = asked[1] if asked is not None and asked[0] == resource_name else known
        further = tuple(name for name in named if name != first)
        return Home(first, record.variant, resource_name, chips, deployment.replicas, further)
    if asked is None:
        return None
    resource_name, chips = asked
    pool = _pool_of_pods(snapshot.pods_by_deployment.get(deployment.key, ()), resource_name, views)
    if pool is None:
        pool = _pool_of_template(template, resource_name, views)
    if pool is None:
        return None
    fitting = [
        v.name for v in profile.spec.variants if v.class_name == views[pool].class_name and v.chips == chips
    ]
    return Home(pool, fitting[0] if fitting else None, resource_name, chips, deployment.replicas)


def container_in(template: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The container of this name, which is there. Raises KeyError."""
    found = container_of(template, name)
    if found is None:
        raise KeyError(name)
    return found


def _record(document: Mapping[str, Any]) -> Record | None:
    """The record; None where it is missing or damaged, or of a placement that is being given up: then the Deployment is read as it stands."""
    found = records.read(document) if records.standing(document) is records.Standing.MANAGED else None
    return None if found is None or found.restoring else found


def _most(
    named: list[str], deployment: DeploymentFact, snapshot: Snapshot, views: Mapping[str, PoolView]
) -> str:
    """Of the pools that a template names the first, or when it has rolled out that in which most of its pods are."""
    if len(named) == 1 or not deployment.rolled_out:
        return named[0]
    on = [pod.node for pod in snapshot.pods_by_deployment.get(deployment.key, ()) if not pod.deleting]
    counts = {name: sum(node in views[name].node_names for node in on if node) for name in named}
    return max(named, key=lambda name: counts[name])


def _pool_of_pods(pods: tuple[PodFact, ...], resource_name: str, views: Mapping[str, PoolView]) -> str | None:
    """The pool that holds most of the pods which ask for what the template asks for; the first by name among equals."""
    held = Counter(
        pod.node for pod in pods if pod.node and not pod.deleting and dict(pod.chips).get(resource_name)
    )
    if not held:
        return None
    counts = {
        name: sum(count for node, count in held.items() if node in view.node_names)
        for name, view in sorted(views.items())
    }
    best = max(counts.values(), default=0)
    return next((name for name, count in counts.items() if count == best), None) if best else None


def _pool_of_template(
    template: Mapping[str, Any], resource_name: str, views: Mapping[str, PoolView]
) -> str | None:
    """The only pool of this resource whose known labels satisfy the template's own selector and affinity, chips included."""
    candidates = [view for view in views.values() if view.resource_name == resource_name]
    if len(candidates) > 1:
        candidates = pools_for(template, resource_name, views)
    return candidates[0].name if len(candidates) == 1 else None


def pools_for(
    template: Mapping[str, Any], resource_name: str, views: Mapping[str, PoolView]
) -> list[PoolView]:
    """The pools of this resource whose known labels satisfy the template's own selector and affinity, chips included."""
    whole = author_constraints(template, NO_CHIPS)
    return [
        view
        for view in views.values()
        if view.resource_name == resource_name and any(whole.matches(labels) for labels in view.known_labels)
    ]


def nodes_for(template: Mapping[str, Any], view: PoolView) -> PoolView:
    """The pool less those nodes that the template's own selector and affinity exclude; nodes to come are not judged."""
    whole = author_constraints(template, NO_CHIPS)
    return replace(view, nodes=tuple(n for n in view.nodes if whole.matches(dict(n.labels), n.name)))
