"""Restores that a person asks for: back to the Deployment as its author wrote it, and then left alone until the workload is edited.

The wish is an annotation on the InferenceWorkload that holds the generation for which it was made (``situation.RESTORE``), so that it
outlives leaders, and an edit of the spec, which makes another generation, ends it. Off does not stand in its way, as it does not in
that of a deletion: a person asked.

A restore is a move. Both copies must fit, and it counts among the moves that its policy allows at once; it is asked before those that
save money. One that starts reserves its room as pods do that are not bound yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from chipwise.cluster.facts import DeploymentFact, pod_fact
from chipwise.cluster.pools import PoolView
from chipwise.cluster.quotas import quotas, taken, title
from chipwise.cluster.situation import Pods, frozen_by, in_flight, is_restore_requested
from chipwise.cluster.sizes import PodSize, footprint_of, size_of_template
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.subject import DEFAULT_POLICY, Subject, nodes_for, pools_for
from chipwise.cluster.supply import supply
from chipwise.placement.moves import Decision, Move
from chipwise.placement.problem import Footprint, Room
from chipwise.reasons import Reason, Refusal
from chipwise.rendering import record as records
from chipwise.rendering.location import container_digest, container_of, requested_chips
from chipwise.rendering.record import Record

HOME = "what its author wrote"


@dataclass(frozen=True, slots=True)
class Restores:
    """``waiting`` has each workload that is to be given back: None if it is written now or under way, else why not yet.

    ``snapshot`` is the world with the room reserved that those who start now will take. ``under_way`` counts by policy.
    """

    waiting: Mapping[str, Refusal | None]
    snapshot: Snapshot
    under_way: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Copy:
    """What the author's Deployment takes."""

    replicas: int
    resource: str
    size: Footprint
    pod: PodSize


def restores(
    subjects: Mapping[str, Subject],
    pods: Mapping[str, Pods],
    snapshot: Snapshot,
    views: Mapping[str, PoolView],
    *,
    frozen: bool,
) -> Restores:
    """Who goes back now, by priority, and why the others wait."""
    flights = Counter(_policy(s) for s in subjects.values() if _travels(s, pods[s.key]))
    returning = Counter(_policy(s) for s in subjects.values() if _is_returning(s))
    wishes = [s for s in subjects.values() if is_restore_requested(s.workload) and s.deployment.managed]
    waiting: dict[str, Refusal | None] = {}
    for subject in sorted(wishes, key=lambda s: (-s.priority, s.key)):
        key, policy = subject.key, _policy(subject)
        record, copy = record_of(subject.deployment), _copy(subject, snapshot)
        if record is None:
            waiting[key] = None  # nothing runs otherwise than its author wrote it: only our traces go
            continue
        freezer = frozen_by(subject, frozen=frozen)
        if freezer is not None:
            waiting[key] = Refusal(Reason.FROZEN, f"{freezer} is frozen")
            continue
        if record.restoring:
            waiting[key] = None
            continue
        others = flights[policy] - _travels(subject, pods[key])
        waiting[key] = _budget(subject, others) or _room(subject, copy, snapshot, views)
        if waiting[key] is None:
            flights[policy] = others + 1
            returning[policy] += 1
            snapshot = _reserving(subject, copy, snapshot)
    return Restores(waiting, snapshot, returning)


def told(move: Move, subject: Subject, waiting: Mapping[str, Refusal | None]) -> Move:
    """The move of a workload that was asked to be given back, whatever the plan wants."""
    if not is_restore_requested(subject.workload):
        return move
    if subject.key not in waiting:
        message = f"runs as its author wrote it, as was asked for, until its spec is edited{_proposal(move)}"
        return replace(move, decision=Decision.HOLD, reason=Reason.RESTORED, message=message, step=None)
    refusal, gone = waiting[subject.key], replace(move, target=None, savings_per_hour=0.0, step=None)
    if refusal is None:
        message = f"Goes back from {move.source.place} to {HOME}, as was asked for"
        return replace(gone, decision=Decision.MOVE, reason=Reason.RESTORING, message=message)
    message = f"Is to go back to {HOME}: {refusal.message}"
    return replace(gone, decision=Decision.HOLD, reason=refusal.reason, message=message)


def _proposal(move: Move) -> str:
    """Where the plan would have it, if that is elsewhere."""
    target, source = move.target, move.source
    if target is None or (target.pool, target.variant) == (source.pool, source.variant):
        return ""
    return f"; {target.variant} on {target.pool} is proposed"


def record_of(deployment: DeploymentFact) -> Record | None:
    """The record to give back from, also one that an undo brought back; None where none can be read."""
    try:
        return records.read(deployment.document)
    except records.RecordDamaged:
        return None


def authors_replicas(deployment: DeploymentFact, record: Record, snapshot: Snapshot) -> int:
    """What the author stated, or what runs where somebody else owns replicas or scaled it to zero."""
    if record.base_replicas is None or deployment.key in snapshot.autoscaler_of or not deployment.replicas:
        return deployment.replicas
    return record.base_replicas


def _policy(subject: Subject) -> str:
    return subject.workload.spec.policy_name or DEFAULT_POLICY


def _is_returning(subject: Subject) -> bool:
    return subject.record is not None and subject.record.restoring


def _travels(subject: Subject, pods: Pods) -> bool:
    return _is_returning(subject) or subject.bridge is not None or in_flight(subject, pods)


def _copy(subject: Subject, snapshot: Snapshot) -> _Copy | None:
    """None for a template that asks for no chip."""
    container = container_of(subject.reading.base.template, subject.container)
    asked = requested_chips(container, subject.words) if container is not None else None
    record = record_of(subject.deployment)
    if asked is None or record is None:
        return None
    resource, chips = asked
    replicas = authors_replicas(subject.deployment, record, snapshot)
    size = size_of_template(subject.reading.base.template, subject.added, snapshot)
    return _Copy(replicas, resource, replace(footprint_of(size, resource), chips=chips), size)


def _budget(subject: Subject, others: int) -> Refusal | None:
    allowed = subject.policy.max_concurrent_moves
    if others < allowed:
        return None
    message = f"policy {_policy(subject)} allows {allowed} moves at once and {others} are under way"
    return Refusal(Reason.CONCURRENCY_BUDGET, message)


def _room(
    subject: Subject, copy: _Copy | None, snapshot: Snapshot, views: Mapping[str, PoolView]
) -> Refusal | None:
    """Both copies must fit: nothing of what serves is taken away before the author's pods do. A chip of no known pool is not judged."""
    if copy is None:
        return None
    namespace = subject.deployment.namespace
    for quota in quotas(snapshot, ()):
        needed = copy.replicas * taken(quota.resource, copy.pod)
        if quota.namespace == namespace and quota.fact.counts(copy.pod.needs) and quota.left < needed:
            message = f"its {needed} {title(quota.resource)} do not fit quota {quota.key} beside what runs, which leaves {quota.left}"
            return Refusal(Reason.QUOTA_EXCEEDED, message)
    template = subject.reading.base.template
    pools = pools_for(template, copy.resource, views)
    room = {view.name: _places(nodes_for(template, view), copy.size, snapshot) for view in pools}
    if not room or any(places >= copy.replicas for places in room.values()):
        return None
    where = ", ".join(f"{name} has room for {places}" for name, places in room.items())
    return Refusal(
        Reason.NO_SURGE_CAPACITY,
        f"its {copy.replicas} x {copy.size.chips} {copy.resource} must fit beside what runs, and {where}",
    )


def _places(view: PoolView, size: Footprint, snapshot: Snapshot) -> int:
    """How many replicas would fit now, nodes to come included."""
    buckets = supply(view, snapshot, ()).buckets
    return sum(bucket.count * _each(bucket.room, size) for bucket in buckets)


def _each(room: Room, size: Footprint) -> int:
    pairs_ = (
        (room.chips, size.chips),
        (room.cpu_milli, size.cpu_milli),
        (room.memory_bytes, size.memory_bytes),
        (room.pods, 1),
    )
    return min(has // takes for has, takes in pairs_ if takes)


def _reserving(subject: Subject, copy: _Copy | None, snapshot: Snapshot) -> Snapshot:
    """With the pods that will come, as if they were there and not bound."""
    if copy is None:
        return snapshot
    template, deployment = subject.reading.base.template, subject.deployment
    labels = (template.get("metadata") or {}).get("labels") or {}
    pods = dict(snapshot.pods)
    for number in range(copy.replicas):
        name = f"{deployment.name}-returning-{number}"
        identity = {"namespace": deployment.namespace, "name": name, "labels": labels}
        raw = {"metadata": {**identity, "uid": f"{deployment.uid}-{name}"}, "spec": template["spec"]}
        coming = pod_fact(raw, container_digest)
        if coming is not None:
            pods[f"{deployment.namespace}/{name}"] = coming
    return replace(snapshot, pods=pods)
