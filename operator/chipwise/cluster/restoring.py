"""Restores: back to the Deployment as its author wrote it, because somebody asks, the workload is gone, or its variant is outdated.

The wish of a person is an annotation on the InferenceWorkload that holds the generation for which it was made (``situation.RESTORE``),
so that it outlives leaders, and an edit of the spec, which makes another generation, ends it. Off does not stand in its way, as it does
not in that of a deletion: a person asked.

A restore is a move. Both copies must fit, and it counts among the moves that its policy allows at once; it is asked before those that
save money. One that starts reserves its room as pods do that are not bound yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from chipwise.api import PlacementPolicySpec
from chipwise.cluster.copies import HOME, Copy, copy_of
from chipwise.cluster.damage import damaged
from chipwise.cluster.facts import DeploymentFact
from chipwise.cluster.feasibility.image import fits_image
from chipwise.cluster.pools import PoolView
from chipwise.cluster.situation import INSTALLATION, Pods, frozen_by, in_flight, is_restore_requested
from chipwise.cluster.sizes import added_to
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.subject import DEFAULT_POLICY, Subject
from chipwise.cluster.suspension import suspended
from chipwise.cluster.targets import vocabulary
from chipwise.placement.moves import Decision, Move
from chipwise.reasons import Reason, Refusal
from chipwise.rendering import record as records
from chipwise.rendering.location import serving_container
from chipwise.rendering.record import Record


@dataclass(frozen=True, slots=True)
class Restores:
    """Who is to be given back: None if it is written now or under way, else why not yet.

    ``waiting`` by workload, ``orphans`` by Deployment. ``snapshot`` is the world with the room reserved that those who start now will
    take. ``under_way`` counts by policy.
    """

    waiting: Mapping[str, Refusal | None]
    orphans: Mapping[str, Refusal | None]
    snapshot: Snapshot
    under_way: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Wish:
    """One Deployment that is to go back. ``travels``: it counts among the moves of its policy already.

    ``suspended``: nothing that is written to its template is rolled out. ``damaged``: what to go back to is not known any more.
    """

    key: str
    orphan: bool
    record: Record | None
    copy: Copy | None
    policy: str
    allowed: int
    frozen_by: str | None
    suspended: Refusal | None
    damaged: Refusal | None
    travels: bool = False


def restores(
    subjects: Mapping[str, Subject],
    pods: Mapping[str, Pods],
    orphans: Iterable[DeploymentFact],
    snapshot: Snapshot,
    views: Mapping[str, PoolView],
    *,
    frozen: bool,
) -> Restores:
    """Who goes back now and why the others wait: workloads by priority, then Deployments that lost theirs."""
    orphans = tuple(orphans)
    flights = Counter(s.policy_name for s in subjects.values() if _travels(s, pods[s.key]))
    returning = Counter(
        s.policy_name for s in subjects.values() if _is_returning(s) and not s.deployment.paused
    )
    on_their_way = sum(1 for one in orphans if _is_on_its_way(one, record_of(one)))
    flights[DEFAULT_POLICY] += on_their_way
    returning[DEFAULT_POLICY] += on_their_way
    found: dict[bool, dict[str, Refusal | None]] = {False: {}, True: {}}
    wishes = [*_of_subjects(subjects, pods, snapshot, frozen=frozen), *_of_orphans(orphans, snapshot, frozen)]
    for wish in wishes:
        others = flights[wish.policy] - wish.travels
        refusal = _refusal(wish, others, snapshot, views)
        found[wish.orphan][wish.key] = refusal
        starts = wish.record is not None and not wish.record.restoring
        if refusal is None and starts:
            flights[wish.policy] = others + 1
            returning[wish.policy] += 1
            snapshot = wish.copy.reserving(snapshot) if wish.copy is not None else snapshot
    return Restores(found[False], found[True], snapshot, returning)


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


def is_outdated(subject: Subject) -> bool:
    """The variant that runs was not made for the author's present image."""
    record = subject.record
    variant = subject.profile.spec.variant(record.variant) if record is not None else None
    return variant is not None and not fits_image(variant, subject.image)


def record_of(deployment: DeploymentFact) -> Record | None:
    """The record to give back from, also one that an undo brought back; None where none can be read."""
    try:
        return records.read(deployment.document)
    except records.RecordDamaged:
        return None


def _of_subjects(
    subjects: Mapping[str, Subject], pods: Mapping[str, Pods], snapshot: Snapshot, *, frozen: bool
) -> Iterator[_Wish]:
    for subject in sorted(subjects.values(), key=lambda s: (-s.priority, s.key)):
        if not subject.deployment.managed or not (_is_asked_for(subject) or _is_to_return(subject)):
            continue
        record, template = record_of(subject.deployment), subject.reading.base.template
        copy = None
        if record is not None:
            copy = copy_of(
                subject.deployment,
                record,
                template,
                subject.container,
                subject.words,
                subject.added,
                snapshot,
            )
        yield _Wish(
            subject.key,
            orphan=False,
            record=record,
            copy=copy,
            policy=subject.policy_name,
            allowed=subject.policy.max_concurrent_moves,
            frozen_by=frozen_by(subject, frozen=frozen),
            suspended=suspended(subject.deployment),
            damaged=damaged(subject.deployment),
            travels=_travels(subject, pods[subject.key]),
        )


def _of_orphans(orphans: Iterable[DeploymentFact], snapshot: Snapshot, frozen: bool) -> Iterator[_Wish]:
    """Those whose deletion policy wants them back, under the policy named default: which one they were under went with the workload."""
    default = snapshot.policies.get(DEFAULT_POLICY)
    policy = default.spec if default is not None else PlacementPolicySpec()
    freezer = INSTALLATION if frozen else f"policy {DEFAULT_POLICY}" if policy.freeze else None
    for deployment in orphans:
        record, flaw = record_of(deployment), damaged(deployment)
        if flaw is None and (record is None or record.deletion_policy != "Restore"):
            continue
        yield _Wish(
            deployment.key,
            orphan=True,
            record=record,
            copy=_orphans_copy(deployment, record, snapshot) if record else None,
            policy=DEFAULT_POLICY,
            allowed=policy.max_concurrent_moves,
            frozen_by=freezer,
            suspended=suspended(deployment),
            damaged=flaw,
            travels=_is_on_its_way(deployment, record),
        )


def _orphans_copy(deployment: DeploymentFact, record: Record, snapshot: Snapshot) -> Copy | None:
    words, template = vocabulary(snapshot), record.base.template
    container = serving_container(template, None, words)
    if isinstance(container, Refusal):
        return None
    added = added_to(deployment, deployment.document["spec"]["template"], snapshot)
    return copy_of(deployment, record, template, container, words, added, snapshot)


def _refusal(wish: _Wish, others: int, snapshot: Snapshot, views: Mapping[str, PoolView]) -> Refusal | None:
    if wish.damaged is not None or wish.record is None:
        return (
            wish.damaged
        )  # without a record nothing runs otherwise than its author wrote it: only our traces go
    if wish.frozen_by is not None:
        return Refusal(Reason.FROZEN, f"{wish.frozen_by} is frozen")
    if wish.suspended is not None:
        return wish.suspended
    if wish.record.restoring:
        return None
    if others >= wish.allowed:
        message = f"policy {wish.policy} allows {wish.allowed} moves at once and {others} are under way"
        return Refusal(Reason.CONCURRENCY_BUDGET, message)
    return wish.copy.room(snapshot, views) if wish.copy is not None else None


def _proposal(move: Move) -> str:
    """Where the plan would have it, if that is elsewhere."""
    target, source = move.target, move.source
    if target is None or (target.pool, target.variant) == (source.pool, source.variant):
        return ""
    return f"; {target.variant} on {target.pool} is proposed"


def _is_asked_for(subject: Subject) -> bool:
    return is_restore_requested(subject.workload)


def _is_to_return(subject: Subject) -> bool:
    """The policy gives back what runs as a variant that was not made for the author's new image."""
    wanted = str(subject.policy.on_outdated_variant) == "ReturnToAuthor"
    return wanted and str(subject.workload.spec.mode) != "Off" and is_outdated(subject)


def _is_returning(subject: Subject) -> bool:
    return subject.record is not None and subject.record.restoring


def _is_on_its_way(orphan: DeploymentFact, record: Record | None) -> bool:
    return record is not None and record.restoring and not orphan.paused


def _travels(subject: Subject, pods: Pods) -> bool:
    """It counts among the moves of its policy. One that is paused holds nobody up."""
    if subject.deployment.paused:
        return False
    return _is_returning(subject) or subject.bridge is not None or in_flight(subject, pods)
