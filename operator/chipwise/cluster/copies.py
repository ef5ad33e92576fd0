"""What the author's own Deployment takes, and whether there is room for it beside what runs in its stead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from chipwise.cluster.facts import DeploymentFact, pod_fact
from chipwise.cluster.grounds import truth_of
from chipwise.cluster.homes import nodes_for, pools_for
from chipwise.cluster.pools import PoolView
from chipwise.cluster.quotas import quotas, taken, title
from chipwise.cluster.sizes import Added, PodSize, footprint_of, size_of_template
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.supply import supply
from chipwise.cluster.terms import TermsOf
from chipwise.placement.inplace import holds
from chipwise.placement.outlook import Outlook
from chipwise.placement.problem import Footprint, Option
from chipwise.reasons import Reason, Refusal
from chipwise.rendering.location import container_digest, container_of, requested_chips
from chipwise.rendering.record import Record
from chipwise.rendering.vocabulary import ChipVocabulary

HOME = "what its author wrote"


@dataclass(frozen=True, slots=True)
class Copy:
    """The pods that a restore of ``deployment`` adds: ``replicas`` of ``template``, each with chips of ``resource``."""

    deployment: DeploymentFact
    template: Mapping[str, Any]
    replicas: int
    resource: str
    size: Footprint
    pod: PodSize

    def room(self, snapshot: Snapshot, views: Mapping[str, PoolView]) -> Refusal | None:
        """Why it does not fit now: nothing of what serves is taken away before it does. A chip of no known pool is not judged."""
        namespace = self.deployment.namespace
        for quota in quotas(snapshot, ()):
            needed = self.replicas * taken(quota.resource, self.pod)
            if quota.namespace == namespace and quota.fact.counts(self.pod.needs) and quota.left < needed:
                message = f"its {needed} {title(quota.resource)} do not fit quota {quota.key} beside what runs, which leaves {quota.left}"
                return Refusal(Reason.QUOTA_EXCEEDED, message)
        pools = pools_for(self.template, self.resource, views)
        room = {view.name: _places(nodes_for(self.template, view), self.size, snapshot) for view in pools}
        if not room:
            return None
        if any(places >= self.replicas for places in room.values()):
            refusals = [self._refusal(view, snapshot) for view in pools if room[view.name] >= self.replicas]
            return None if None in refusals else refusals[0]
        where = ", ".join(f"{name} has room for {places}" for name, places in room.items())
        return Refusal(
            Reason.NO_SURGE_CAPACITY,
            f"its {self.replicas} x {self.size.chips} {self.resource} must fit beside what runs, and {where}",
        )

    def _refusal(self, view: PoolView, snapshot: Snapshot) -> Refusal | None:
        """What the scheduler might say on the nodes as they are."""
        terms = TermsOf(snapshot)(self.template, self.deployment.namespace, self.pod, view)
        if isinstance(terms, Refusal):
            return None
        option = Option(view.name, HOME, self.replicas, self.size, terms=terms)
        return Outlook(truth_of(snapshot, (view,), (), ())).enter(self.deployment.key, option)

    def reserving(self, snapshot: Snapshot) -> Snapshot:
        """The world with the pods that will come, as if they were there and not bound."""
        labels = (self.template.get("metadata") or {}).get("labels") or {}
        deployment, pods = self.deployment, dict(snapshot.pods)
        for number in range(self.replicas):
            name = f"{deployment.name}-returning-{number}"
            identity = {"namespace": deployment.namespace, "name": name, "labels": labels}
            raw = {
                "metadata": {**identity, "uid": f"{deployment.uid}-{name}"},
                "spec": self.template["spec"],
            }
            coming = pod_fact(raw, container_digest)
            if coming is not None:
                pods[f"{deployment.namespace}/{name}"] = replace(coming, deployment=deployment.name)
        return replace(snapshot, pods=pods)


def copy_of(
    deployment: DeploymentFact,
    record: Record,
    template: Mapping[str, Any],
    container: str,
    words: ChipVocabulary,
    added: Added,
    snapshot: Snapshot,
) -> Copy | None:
    """None for a template that asks for no chip. ``template`` is the author's, ``added`` what admission adds to its pods."""
    serving = container_of(template, container)
    asked = requested_chips(serving, words) if serving is not None else None
    if asked is None:
        return None
    resource, chips = asked
    size = size_of_template(template, added, snapshot)
    footprint = replace(footprint_of(size, resource), chips=chips)
    return Copy(
        deployment, template, authors_replicas(deployment, record, snapshot), resource, footprint, size
    )


def authors_replicas(deployment: DeploymentFact, record: Record, snapshot: Snapshot) -> int:
    """What the author stated, or what runs where somebody else owns replicas or scaled it to zero."""
    if record.base_replicas is None or deployment.key in snapshot.autoscaler_of or not deployment.replicas:
        return deployment.replicas
    return record.base_replicas


def _places(view: PoolView, size: Footprint, snapshot: Snapshot) -> int:
    """How many replicas would fit now, nodes to come included."""
    buckets = supply(view, snapshot, ()).buckets
    return sum(bucket.count * holds(bucket.room, size) for bucket in buckets)
