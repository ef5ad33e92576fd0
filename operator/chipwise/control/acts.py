"""The next write of one Deployment, derived only from what is observed: the Deployment, its pods, and the plan.

Nothing is remembered between two calls, so an operator that was killed at any step goes on from the same place. Each act is one atomic
write; what it needs from the wall clock is passed in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from chipwise.api import Variant
from chipwise.cluster.authorship import Authorship
from chipwise.cluster.decide import Decision
from chipwise.cluster.facts import DeploymentFact, PodFact
from chipwise.cluster.pools import PoolView
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.subject import Subject
from chipwise.cluster.targets import target
from chipwise.placement.moves import Move
from chipwise.placement.moves import Decision as Verdict
from chipwise.placement.problem import Option
from chipwise.placement.steps import Observed, Step, next_step
from chipwise.reasons import Reason
from chipwise.rendering import record as records
from chipwise.rendering import write
from chipwise.rendering.location import container_digest, container_of
from chipwise.rendering.manifest import Manifest, RenderingRefused, digest_of, manifest_of
from chipwise.rendering.record import Record
from chipwise.rendering.render import render

#: So many re-assertions within the window are a tug-of-war. The window is also how long chipwise then waits.
TUG_OF_WAR = 3
TUG_WINDOW = timedelta(minutes=10)


class Kind(StrEnum):
    """What a write is for; also the reason of its Event."""

    MOVE = "Moving"
    HEAL = "Healed"
    ADOPT = "AuthorChanged"
    SCALE = "Scaled"
    RESTORE = "Restoring"
    RELEASE = "Released"


@dataclass(frozen=True, slots=True)
class Act:
    """One write. ``text`` is the Deployment as it was decided on: if it reads otherwise by now, the act is void."""

    kind: Kind
    key: str
    uid: str
    text: str
    message: str
    manifest: Manifest | None = None
    record: Record | None = None
    replicas: int | None = None

    def patch(self, deployment: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The JSON Patch on the Deployment as it stands, guarded by its resourceVersion."""
        match self.kind:
            case Kind.SCALE:
                return write.scale(deployment, self.replicas or 0)
            case Kind.RELEASE if self.manifest is None:
                return write.release(deployment)
            case Kind.RELEASE:
                assert self.manifest is not None  # noqa: S101 - the case above
                return write.restore(deployment, self.manifest)
            case Kind.ADOPT if self.manifest is None:
                assert self.record is not None  # noqa: S101 - adopting always records
                return write.rebase(deployment, self.record)
            case _:
                assert self.manifest is not None and self.record is not None  # noqa: S101, PT018 - a rendering has both
                return write.move(deployment, self.manifest, self.record)


def act_for(subject: Subject, move: Move, decision: Decision, now: datetime) -> Act | None:
    """The next write for one workload that may be acted on; None when there is nothing to do."""
    reading = subject.reading
    match reading.authorship:
        case Authorship.UNDONE:
            return _resume(subject, move, decision, now)
        case Authorship.REASSERTED:
            return _heal(subject, decision, now)
        case Authorship.CHANGED:
            return _adopt(subject, decision, now)
        case Authorship.AUTHOR:
            return _move(subject, move, decision, now) if move.decision is Verdict.MOVE else None
        case Authorship.OURS:
            if move.decision is Verdict.MOVE:
                return _move(subject, move, decision, now)
            return _advance(subject, move, decision)


def is_contested(record: Record | None, now: datetime) -> bool:
    """Somebody re-asserted the base again and again within the window."""
    return record is not None and len(_recent(record, now)) >= TUG_OF_WAR


def _recent(record: Record, now: datetime) -> tuple[str, ...]:
    return tuple(moment for moment in record.reverts if now - datetime.fromisoformat(moment) < TUG_WINDOW)


def _act(subject: Subject, kind: Kind, message: str, **what: Any) -> Act:
    deployment = subject.deployment
    return Act(kind, deployment.key, deployment.uid, deployment.text, message, **what)


def _move(subject: Subject, move: Move, decision: Decision, now: datetime) -> Act | None:
    option = move.target
    if option is None:
        return None
    base = subject.reading.base
    variant = _variant(subject, option.variant)
    rendered = _render(subject, base, variant, (decision.views[option.pool],), option.replicas)
    before = subject.record
    record = Record(
        base=base,
        base_replicas=before.base_replicas if before else subject.deployment.replicas,
        workload=subject.workload.metadata.name,
        workload_uid=subject.workload.metadata.uid,
        pools=(option.pool,),
        variant=option.variant,
        replicas=option.replicas,
        deletion_policy=str(subject.workload.spec.deletion_policy),
        moved_at=now.isoformat(timespec="seconds"),
        rendered=digest_of(rendered),
        reverts=_recent(before, now) if before else (),
    )
    return _act(subject, Kind.MOVE, move.message, manifest=rendered, record=record)


def _resume(subject: Subject, move: Move, decision: Decision, now: datetime) -> Act | None:
    """An undo is respected until the workload is edited; then the plan decides afresh (``decide`` says PAUSED until then)."""
    return _move(subject, move, decision, now) if move.decision is Verdict.MOVE else None


def _heal(subject: Subject, decision: Decision, now: datetime) -> Act | None:
    record = subject.record
    if record is None or is_contested(record, now):
        return None
    rendered = _rerender(subject, record, record.base, decision)
    if rendered is None:
        return None
    reverts = (*_recent(record, now), now.isoformat(timespec="seconds"))[-TUG_OF_WAR:]
    healed = replace(record, rendered=digest_of(rendered), reverts=reverts)
    return _act(
        subject,
        Kind.HEAL,
        "the author's file was applied again over the placement",
        manifest=rendered,
        record=healed,
    )


def _adopt(subject: Subject, decision: Decision, now: datetime) -> Act | None:
    """Lay the variant over the author's new base. Where it was not made for the new image the policy decides."""
    record, base = subject.record, subject.reading.base
    if record is None:
        return None
    if Reason.VARIANT_OUTDATED in decision.outdated.get(subject.key, ()) and (
        str(subject.policy.on_outdated_variant) == "ReturnToAuthor"
    ):
        returning = _returning(base, record)
        return _act(
            subject,
            Kind.RESTORE,
            "the variant was not made for the author's new image",
            manifest=returning[0],
            record=returning[1],
        )
    rendered = _rerender(subject, record, base, decision)
    if rendered is None:
        return None
    adopted = replace(record, base=base, rendered=digest_of(rendered), reverts=_recent(record, now))
    if rendered == manifest_of(subject.deployment.document):
        return _act(subject, Kind.ADOPT, "the author's change stands as it is", record=adopted)
    return _act(subject, Kind.ADOPT, "the author changed the Deployment", manifest=rendered, record=adopted)


def _advance(subject: Subject, move: Move, decision: Decision) -> Act | None:
    """What is left of a move, or a change of replicas, for a template that is ours."""
    record, option = subject.record, move.target or move.source
    if record is None or record.restoring:
        return None
    policy = str(subject.workload.spec.deletion_policy)
    if record.deletion_policy != policy:
        return _act(
            subject, Kind.ADOPT, "spec.deletionPolicy changed", record=replace(record, deletion_policy=policy)
        )
    wanted = option.replicas if option is not None and _same(option, record) else record.replicas
    if (verdict := next_step(observed(subject, decision, wanted))).step in (Step.SCALE_DOWN, Step.SCALE_UP):
        return _act(subject, Kind.SCALE, verdict.message, replicas=wanted)
    return None


def _same(option: Option, record: Record) -> bool:
    return option.variant == record.variant and option.pool == record.pools[0]


def observed(subject: Subject, decision: Decision, wanted: int) -> Observed:
    """How far the move of a managed Deployment has come, counted from its pods."""
    record, deployment = subject.record, subject.deployment
    pods = decision.snapshot.pods_by_deployment.get(deployment.key, ())
    new = [pod for pod in pods if record is not None and _is_new(pod, subject, record, decision)]
    return Observed(
        recorded=record is not None,
        template_is_ours=subject.reading.authorship is Authorship.OURS,
        spec_replicas=deployment.replicas,
        target_replicas=wanted,
        new_ready=sum(pod.ready and not pod.deleting for pod in new),
        old_running=sum(not pod.deleting for pod in pods) - sum(not pod.deleting for pod in new),
        replicas_external=subject.replicas_external,
        rollout_complete=deployment.rolled_out,
    )


def _is_new(pod: PodFact, subject: Subject, record: Record, decision: Decision) -> bool:
    """A pod of our rendering, on a node of the record's pools."""
    container = container_of(subject.deployment.document["spec"]["template"], subject.container)
    nodes = {
        node.name for name in record.pools if name in decision.views for node in decision.views[name].nodes
    }
    return (
        container is not None
        and dict(pod.digests).get(subject.container) == container_digest(container)
        and (pod.node is None or pod.node in nodes)
    )


def _variant(subject: Subject, name: str) -> Variant:
    return next(variant for variant in subject.profile.spec.variants if variant.name == name)


def _render(
    subject: Subject, base: Manifest, variant: Variant, pools: Sequence[PoolView], replicas: int
) -> Manifest:
    return render(base, target(variant, pools, subject.container, subject.words, surge=replicas))


def _rerender(subject: Subject, record: Record, base: Manifest, decision: Decision) -> Manifest | None:
    pools = [decision.views[name] for name in record.pools if name in decision.views]
    variant = next((v for v in subject.profile.spec.variants if v.name == record.variant), None)
    if variant is None or not pools:
        return None
    try:
        return _render(subject, base, variant, pools, record.replicas)
    except RenderingRefused:
        return None


def _returning(base: Manifest, record: Record) -> tuple[Manifest, Record]:
    """The author's template under a strategy that loses nothing; the author's own strategy comes back at the end."""
    strategy = {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 0, "maxSurge": max(1, record.base_replicas or 1)},
    }
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
            deployment.key,
            deployment.uid,
            deployment.text,
            "the workload is gone and its move was undone",
        )
    record = records.read(document)
    if record is None:
        return None
    if record.deletion_policy != "Restore":
        return Act(
            Kind.RELEASE,
            deployment.key,
            deployment.uid,
            deployment.text,
            "the workload is gone; what runs is retained",
        )
    return restoring_act(deployment, record, snapshot)


def restoring_act(deployment: DeploymentFact, record: Record, snapshot: Snapshot) -> Act | None:
    """The next write on the way back to the author's Deployment."""

    def act(kind: Kind, message: str, **what: Any) -> Act:
        return Act(kind, deployment.key, deployment.uid, deployment.text, message, **what)

    external = deployment.key in snapshot.autoscaler_of
    if record.restoring and manifest_of(deployment.document).template == record.base.template:
        if not deployment.rolled_out:
            return None
        if record.base_replicas is not None and deployment.replicas != record.base_replicas and not external:
            return act(Kind.SCALE, "the author's replicas", replicas=record.base_replicas)
        return act(Kind.RELEASE, "the author's Deployment is restored", manifest=record.base)
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
