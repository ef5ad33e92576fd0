"""A workload joined with everything it names, or the typed reason why it cannot be decided about.

This is where an InferenceWorkload meets its Deployment: which container serves, what the author wrote, where it runs now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from chipwise.api import InferenceWorkload, ModelProfile, PlacementPolicySpec
from chipwise.cluster.authorship import Authorship, Reading, read_deployment
from chipwise.cluster.autoscaling import idle
from chipwise.cluster.facts import AutoscalerFact, DeploymentFact, PodFact
from chipwise.cluster.pools import PoolView
from chipwise.cluster.sizes import Added, added_to
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.targets import vocabulary
from chipwise.reasons import Reason, Refusal
from chipwise.rendering import record as records
from chipwise.rendering.constraints import AuthorConstraints, author_constraints
from chipwise.rendering.footprint import template_volumes
from chipwise.rendering.location import container_of, requested_chips, serving_container
from chipwise.rendering.record import Record
from chipwise.rendering.vocabulary import NO_CHIPS, ChipVocabulary

DEFAULT_POLICY = "default"


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


@dataclass(frozen=True, slots=True)
class Subject:
    """One workload that can be decided about. ``image``, ``constraints`` and volumes are of the author's base.

    ``standing`` is the pod template that runs, ``added`` what admission was seen to add to its pods. ``idle``: it stands at zero replicas.
    ``frozen_by`` is the frozen policy that stops every move of it, in words; None if there is none. ``bridge`` is the second Deployment of
    a move to more replicas, whatever move that was.
    """

    key: str
    workload: InferenceWorkload
    profile: ModelProfile
    policy: PlacementPolicySpec
    frozen_by: str | None
    priority: int
    deployment: DeploymentFact
    reading: Reading
    container: str
    image: str
    words: ChipVocabulary
    constraints: AuthorConstraints
    host_paths: tuple[str, ...]
    claims: tuple[str, ...]
    standing: Mapping[str, Any]
    added: Added
    autoscaler: AutoscalerFact | None
    idle: Refusal | None
    home: Home | None
    bridge: DeploymentFact | None = None

    @property
    def replicas_external(self) -> bool:
        """Somebody else owns ``spec.replicas``: an HPA, KEDA, or whoever the workload says."""
        return self.autoscaler is not None or str(self.workload.spec.replicas.managed_by) == "External"

    @property
    def record(self) -> Record | None:
        """What chipwise noted on the Deployment, if it manages it."""
        return self.reading.record


def accept(
    workload: InferenceWorkload, snapshot: Snapshot, views: Mapping[str, PoolView]
) -> Subject | Refusal:
    """Resolve what ``workload`` names. The first thing missing is the refusal."""
    spec, namespace = workload.spec, workload.metadata.namespace or "default"
    key = f"{namespace}/{workload.metadata.name}"
    deployment = snapshot.deployments.get(f"{namespace}/{spec.target_ref.name}")
    refusal = _target_refusal(workload, deployment, snapshot)
    if refusal is not None or deployment is None:
        return refusal or Refusal(Reason.TARGET_MISSING, spec.target_ref.name)
    names = _names(workload, snapshot)
    if isinstance(names, Refusal):
        return names
    profile, policy, priority = names
    words, document = vocabulary(snapshot), deployment.document
    name = serving_container(document["spec"]["template"], spec.container, words)
    if isinstance(name, Refusal):
        return name
    reading = read_deployment(document)
    template = reading.base.template
    base_name = serving_container(template, spec.container, words)
    if isinstance(base_name, Refusal):
        return base_name
    volumes = template_volumes(template)
    standing, autoscaler = _standing(reading, document), snapshot.autoscaler_of.get(deployment.key)
    return Subject(
        key=key,
        workload=workload,
        profile=profile,
        policy=policy,
        frozen_by=_frozen_by(workload, snapshot),
        priority=priority,
        deployment=deployment,
        reading=reading,
        container=base_name,
        image=_container(template, base_name)["image"],
        words=words,
        constraints=author_constraints(template, words),
        host_paths=volumes.host_paths,
        claims=volumes.claims,
        standing=standing,
        added=added_to(deployment, document["spec"]["template"], snapshot),
        autoscaler=autoscaler,
        idle=None if deployment.key in snapshot.assumed else idle(deployment, autoscaler),
        home=_home(deployment, document, name, profile, snapshot, views, words),
        bridge=snapshot.bridges.get(deployment.key),
    )


def _standing(reading: Reading, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the Deployment says, or what is about to be written over it again."""
    healed = reading.record is not None and reading.authorship is Authorship.REASSERTED
    found: Mapping[str, Any] = (
        reading.record.rendered.template if healed and reading.record else document["spec"]["template"]
    )
    return found


def policy_of(workload: InferenceWorkload, snapshot: Snapshot) -> PlacementPolicySpec | None:
    """The policy named, else the one called ``default``, else the built-in default. None if the named one does not exist."""
    name = workload.spec.policy_name
    if name is None:
        found = snapshot.policies.get(DEFAULT_POLICY)
        return found.spec if found else PlacementPolicySpec()
    found = snapshot.policies.get(name)
    return found.spec if found else None


def _frozen_by(workload: InferenceWorkload, snapshot: Snapshot) -> str | None:
    """The policy named ``default`` stops everybody; any other those who name it."""
    names = (DEFAULT_POLICY, workload.spec.policy_name or DEFAULT_POLICY)
    found = (snapshot.policies.get(name) for name in names)
    return next((f"policy {one.metadata.name}" for one in found if one is not None and one.spec.freeze), None)


def _names(
    workload: InferenceWorkload, snapshot: Snapshot
) -> tuple[ModelProfile, PlacementPolicySpec, int] | Refusal:
    """Profile, policy and priority, or the first that does not exist."""
    spec = workload.spec
    profile, policy, priority = (
        snapshot.profiles.get(spec.model_profile_name),
        policy_of(workload, snapshot),
        _priority(workload, snapshot),
    )
    if profile is None:
        return Refusal(Reason.PROFILE_MISSING, f"no ModelProfile is named {spec.model_profile_name}")
    if policy is None:
        return Refusal(Reason.POLICY_MISSING, f"no PlacementPolicy is named {spec.policy_name}")
    if priority is None:
        return Refusal(Reason.PRIORITY_CLASS_MISSING, f"no PriorityClass is named {spec.priority_class_name}")
    return profile, policy, priority


def _target_refusal(
    workload: InferenceWorkload, deployment: DeploymentFact | None, snapshot: Snapshot
) -> Refusal | None:
    namespace, name = workload.metadata.namespace or "default", workload.spec.target_ref.name
    if deployment is None or deployment.deleting:
        return Refusal(Reason.TARGET_MISSING, f"namespace {namespace} has no Deployment {name}")
    if deployment.owner is not None:
        return Refusal(
            Reason.TARGET_OWNED,
            f"Deployment {name} is controlled by {deployment.owner}, which would undo every move",
        )
    if deployment.bridge is not None:
        return Refusal(
            Reason.TARGET_OWNED,
            f"Deployment {name} is chipwise's bridge beside {deployment.bridge.deployment} and goes when its move is done",
        )
    rivals = snapshot.workloads_by_target.get(f"{namespace}/{name}", ())
    if len(rivals) > 1:
        return Refusal(
            Reason.TARGET_CLAIMED,
            f"Deployment {name} is named by the workloads {', '.join(rivals)}; keep one",
        )
    return None


def _record(document: Mapping[str, Any]) -> Record | None:
    """The record, unless it is missing or somebody damaged it: then the Deployment is read as it stands."""
    return records.read(document) if records.standing(document) is records.Standing.MANAGED else None


def _container(template: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = container_of(template, name)
    if found is None:
        raise KeyError(name)
    return found


def _priority(workload: InferenceWorkload, snapshot: Snapshot) -> int | None:
    name = workload.spec.priority_class_name
    if name is None:
        return 0
    found = snapshot.priorities.get(name)
    return found.value if found else None


def _home(
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
    asked = requested_chips(_container(template, container), words)
    named = [name for name in record.pools if name in views] if record is not None else []
    if record is not None and named:
        first = _most(named, deployment, snapshot, views)
        resource_name = views[first].resource_name
        known = next((v.chips for v in profile.spec.variants if v.name == record.variant), 0)
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
