"""A workload joined with everything it names, or the typed reason why it cannot be decided about.

This is where an InferenceWorkload meets its Deployment: which container serves, what the author wrote, where it runs now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chipwise.api import InferenceWorkload, ModelProfile, PlacementPolicySpec
from chipwise.cluster.authorship import Authorship, Reading, read_deployment
from chipwise.cluster.autoscaling import idle
from chipwise.cluster.facts import AutoscalerFact, DeploymentFact
from chipwise.cluster.homes import Home, container_in, home_of
from chipwise.cluster.pools import PoolView
from chipwise.cluster.sizes import Added, added_to
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.targets import vocabulary
from chipwise.reasons import Reason, Refusal
from chipwise.rendering.constraints import AuthorConstraints, author_constraints
from chipwise.rendering.footprint import template_volumes
from chipwise.rendering.location import serving_container
from chipwise.rendering.record import Record
from chipwise.rendering.vocabulary import ChipVocabulary

DEFAULT_POLICY = "default"


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
    def policy_name(self) -> str:
        """The policy that it is under, also where nobody has created that."""
        return self.workload.spec.policy_name or DEFAULT_POLICY

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
        image=container_in(template, base_name)["image"],
        words=words,
        constraints=author_constraints(template, words),
        host_paths=volumes.host_paths,
        claims=volumes.claims,
        standing=standing,
        added=added_to(deployment, document["spec"]["template"], snapshot),
        autoscaler=autoscaler,
        idle=None if deployment.key in snapshot.assumed else idle(deployment, autoscaler),
        home=home_of(deployment, document, name, profile, snapshot, views, words),
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


def _priority(workload: InferenceWorkload, snapshot: Snapshot) -> int | None:
    name = workload.spec.priority_class_name
    if name is None:
        return 0
    found = snapshot.priorities.get(name)
    return found.value if found else None
