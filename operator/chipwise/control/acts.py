"""The next write of one Deployment, derived only from what is observed: the Deployment, its pods, and the plan.

Nothing is remembered between two calls, so an operator that was killed at any step goes on from the same place. Each act is one atomic
write; what it needs from the wall clock is passed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from chipwise.api import Variant
from chipwise.cluster.authorship import Authorship
from chipwise.cluster.decide import Decision
from chipwise.cluster.facts import DeploymentFact
from chipwise.cluster.feasibility.image import fits_image
from chipwise.cluster.situation import TUG_OF_WAR, in_flight, is_contested, recent_reverts
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.subject import Subject
from chipwise.cluster.targets import target
from chipwise.placement.moves import Decision as Verdict
from chipwise.placement.moves import Move
from chipwise.placement.steps import Observed, Step, next_step
from chipwise.reasons import Reason
from chipwise.rendering import record as records
from chipwise.rendering import write
from chipwise.rendering.manifest import Manifest, RenderingRefused, digest_of, manifest_of
from chipwise.rendering.record import Record
from chipwise.rendering.render import render


class Kind(StrEnum):
    """What a write is for; also the reason of its Event."""

    MOVE = "Moving"
    HEAL = "Healed"
    ADOPT = "AuthorChanged"
    SCALE = "Scaled"
    RESTORE = "Restoring"
    RESTORED = "Restored"
    RELEASE = "Released"


@dataclass(frozen=True, slots=True)
class Act:
    """One write. ``text`` is the Deployment as it was decided on: if it reads otherwise by now, the act is void."""

    kind: Kind
    deployment: DeploymentFact
    message: str
    manifest: Manifest | None = None
    record: Record | None = None
    replicas: int | None = None

    def patch(self, document: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The JSON Patch on the Deployment as it stands, guarded by its resourceVersion; empty if it would change nothing."""
        if self.replicas is not None:
            return write.scale(document, self.replicas)
        if self.record is None:
            return (
                write.release(document) if self.manifest is None else write.restore(document, self.manifest)
            )
        if self.manifest is None:
            return write.rebase(document, self.record)
        return write.move(document, self.manifest, self.record)


def acts_of(decision: Decision) -> tuple[Act, ...]:
    """The next write of every Deployment that needs one: moves in the order of the plan, then what keeps or gives back."""
    if not decision.standing.writes:
        return ()
    found = [act_for(decision.subjects[move.workload], move, decision) for move in decision.acting.moves]
    found += [
        restoring_act(subject.deployment, subject.record, decision.snapshot)
        for subject in decision.subjects.values()
        if subject.record is not None
        and subject.record.restoring
        and str(subject.workload.spec.mode) != "Off"
    ]
    found += [orphan_act(deployment, decision.snapshot) for deployment in decision.orphans]
    return tuple(act for act in found if act is not None)


def act_for(subject: Subject, move: Move, decision: Decision) -> Act | None:
    """The next write for one workload that may be acted on; None when there is nothing to do."""
    match subject.reading.authorship:
        case Authorship.REASSERTED:
            return _heal(subject, decision)
        case Authorship.CHANGED:
            return _adopt(subject, decision)
        case Authorship.OURS if not _starts(move):
            return _advance(subject, move, decision)
        case _:
            return _move(subject, move, decision) if _starts(move) else None


def _starts(move: Move) -> bool:
    """The move is to be written now; one in flight has been."""
    return move.decision is Verdict.MOVE and move.reason is not Reason.MOVE_IN_PROGRESS


def _move(subject: Subject, move: Move, decision: Decision) -> Act | None:
    option = move.target
    if option is None:
        return None
    base, before = subject.reading.base, subject.record
    variant = next(v for v in subject.profile.spec.variants if v.name == option.variant)
    pools = (decision.views[option.pool],)
    rendered = render(base, target(variant, pools, subject.container, subject.words, surge=option.replicas))
    record = Record(
        base=base,
        base_replicas=before.base_replicas if before else subject.deployment.replicas,
        workload=subject.workload.metadata.name,
        workload_uid=subject.workload.metadata.uid,
        pools=(option.pool,),
        variant=option.variant,
        replicas=option.replicas,
        deletion_policy=str(subject.workload.spec.deletion_policy),
        moved_at=decision.now.isoformat(timespec="seconds"),
        rendered=digest_of(rendered),
        reverts=recent_reverts(before, decision.now) if before else (),
    )
    return Act(Kind.MOVE, subject.deployment, move.message, manifest=rendered, record=record)


def _heal(subject: Subject, decision: Decision) -> Act | None:
    """The author's values came back over ours. Healed at once; the template hashes to what still serves, so nothing restarts."""
    record = subject.record
    if record is None or is_contested(record, decision.now):
        return None
    rendered = _rerender(subject, record, record.base, decision)
    if rendered is None:
        return None
    reverts = (*recent_reverts(record, decision.now), decision.now.isoformat(timespec="seconds"))[
        -TUG_OF_WAR:
    ]
    healed = replace(record, rendered=digest_of(rendered), reverts=reverts)
    return Act(
        Kind.HEAL,
        subject.deployment,
        "the author's file was applied again over the placement",
        manifest=rendered,
        record=healed,
    )


def _adopt(subject: Subject, decision: Decision) -> Act | None:
    """Lay the variant over the author's new base. Where it was not made for the new image the policy decides."""
    record, base = subject.record, subject.reading.base
    if record is None:
        return None
    if record.restoring:
        returning, noted = _returning(base, record)
        return Act(
            Kind.RESTORE,
            subject.deployment,
            "the author changed the Deployment",
            manifest=returning,
            record=noted,
        )
    if is_outdated(subject) and str(subject.policy.on_outdated_variant) == "ReturnToAuthor":
        returning, noted = _returning(base, record)
        message = f"variant {record.variant} was not made for the author's new image {subject.image}"
        return Act(Kind.RESTORE, subject.deployment, message, manifest=returning, record=noted)
    rendered = _rerender(subject, record, base, decision)
    if rendered is None:
        return None
    adopted = replace(
        record, base=base, rendered=digest_of(rendered), reverts=recent_reverts(record, decision.now)
    )
    current = manifest_of(subject.deployment.document)
    manifest = None if rendered == current else rendered
    return Act(
        Kind.ADOPT, subject.deployment, "the author changed the Deployment", manifest=manifest, record=adopted
    )


def is_outdated(subject: Subject) -> bool:
    """The variant that runs was not made for the author's present image."""
    record = subject.record
    variant = next(
        (v for v in subject.profile.spec.variants if record is not None and v.name == record.variant), None
    )
    return variant is not None and not fits_image(variant, subject.image)


def _advance(subject: Subject, move: Move, decision: Decision) -> Act | None:
    """What is left of a move, or a change of replicas, for a template that is ours."""
    record, deployment, option = subject.record, subject.deployment, move.target
    if record is None or record.restoring:
        return None
    policy = str(subject.workload.spec.deletion_policy)
    if record.deletion_policy != policy:
        return Act(
            Kind.ADOPT,
            deployment,
            "spec.deletionPolicy changed",
            record=replace(record, deletion_policy=policy),
        )
    follows = str(subject.workload.spec.mode) == "Rollout" and option is not None
    here = option is not None and (option.variant, option.pool) == (record.variant, record.pools[0])
    wanted = option.replicas if option is not None and follows and here else record.replicas
    pods = decision.pods[subject.key]
    action = next_step(
        Observed(
            recorded=True,
            template_is_ours=True,
            spec_replicas=deployment.replicas,
            new_ready=pods.new_ready,
            old_running=len(pods.old),
            target_replicas=wanted,
            replicas_external=subject.replicas_external,
            rollout_complete=deployment.rolled_out,
        )
    )
    if action.step is Step.SCALE_DOWN:
        return Act(Kind.SCALE, deployment, action.sentence, replicas=action.replicas)
    if wanted > deployment.replicas and not subject.replicas_external and not in_flight(subject, pods):
        message = f"the plan needs {wanted} replicas, {deployment.replicas} run"
        return Act(Kind.SCALE, deployment, message, replicas=wanted)
    return None


def _rerender(subject: Subject, record: Record, base: Manifest, decision: Decision) -> Manifest | None:
    pools = [decision.views[name] for name in record.pools if name in decision.views]
    variant: Variant | None = next(
        (v for v in subject.profile.spec.variants if v.name == record.variant), None
    )
    if variant is None or not pools:
        return None
    try:
        return render(base, target(variant, pools, subject.container, subject.words, surge=record.replicas))
    except RenderingRefused:
        return None


def _returning(base: Manifest, record: Record) -> tuple[Manifest, Record]:
    """The author's template under a strategy that loses nothing; the author's own strategy comes back at the end."""
    surge = max(1, record.base_replicas or 1)
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": surge}}
    manifest = Manifest(template=base.template, strategy=strategy)
    return manifest, replace(record, base=base, rendered=digest_of(manifest), restoring=True)


def orphan_act(deployment: DeploymentFact, snapshot: Snapshot) -> Act | None:
    """The next write for a managed Deployment whose workload was deleted.

    Retain: take our traces off. Restore: replicas up first, so that the author's chip never serves with fewer than the author asked
    for, then the template under a strategy that loses nothing, and last the author's own strategy, with our traces off.
    """
    document = deployment.document
    if records.standing(document) is records.Standing.UNDONE:
        return Act(
            Kind.RELEASE,
            deployment,
            "the workload is gone and its move was undone",
        )
    record = records.read(document)
    if record is None:
        return None
    if record.deletion_policy != "Restore":
        return Act(
            Kind.RELEASE,
            deployment,
            "the workload is gone; what runs is retained",
        )
    return restoring_act(deployment, record, snapshot)


def restoring_act(deployment: DeploymentFact, record: Record, snapshot: Snapshot) -> Act | None:
    """The next write on the way back to the author's Deployment."""

    def act(kind: Kind, message: str, **what: Any) -> Act:
        return Act(kind, deployment, message, **what)

    external = deployment.key in snapshot.autoscaler_of
    if record.restoring and manifest_of(deployment.document).template == record.base.template:
        if not deployment.rolled_out:
            return None
        if record.base_replicas is not None and deployment.replicas != record.base_replicas and not external:
            return act(Kind.SCALE, "the author's replicas", replicas=record.base_replicas)
        return act(Kind.RESTORED, "the author's Deployment is restored", manifest=record.base)
    if record.base_replicas is not None and record.base_replicas > deployment.replicas and not external:
        return act(
            Kind.SCALE, "the author's replicas, before the author's template", replicas=record.base_replicas
        )
    manifest, returning = _returning(record.base, record)
    return act(
        Kind.RESTORE,
        "the workload is gone; the author's template comes back",
        manifest=manifest,
        record=returning,
    )
