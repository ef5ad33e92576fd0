"""The next write of one Deployment, derived only from what is observed: the Deployment, its pods, and the plan.

Nothing is remembered between two calls, so an operator that was killed at any step goes on from the same place. Each act is one atomic
write; what it needs from the wall clock is passed in.
"""

from __future__ import annotations

from dataclasses import replace

from chipwise.cluster import bridging
from chipwise.cluster.authorship import Authorship
from chipwise.cluster.decide import Decision
from chipwise.cluster.facts import PodFact
from chipwise.cluster.renewal import home_option, pools_today, rendered_today
from chipwise.cluster.situation import (
    TUG_OF_WAR,
    in_flight,
    is_contested,
    is_restore_requested,
    recent_reverts,
)
from chipwise.cluster.subject import Subject
from chipwise.cluster.targets import target
from chipwise.control import bridges, restoring
from chipwise.control.act import Act, AnyAct, Kind
from chipwise.placement.moves import Decision as Verdict
from chipwise.placement.moves import Move
from chipwise.placement.steps import Observed, Step, next_step
from chipwise.reasons import Reason, Refusal
from chipwise.rendering.location import container_digest, container_of
from chipwise.rendering.manifest import manifest_of
from chipwise.rendering.record import Record
from chipwise.rendering.render import render

#: Nobody wants it given back.
_STAYS = Refusal(Reason.STAYS, "")


def acts_of(decision: Decision) -> tuple[AnyAct, ...]:
    """The next write of every Deployment that needs one: moves in the order of the plan, then what keeps or gives back."""
    if not decision.standing.writes:
        return ()
    awake = [(decision.subjects[m.workload], m) for m in decision.acting.moves]
    found = [act_for(subject, move, decision) for subject, move in awake if subject.idle is None]
    found += [_returning_act(subject, decision) for subject in decision.subjects.values()]
    found += [restoring.of_an_orphan(deployment, decision) for deployment in decision.orphans]
    found += bridges.without_a_workload(decision)
    return tuple(act for act in found if act is not None)


def _returning_act(subject: Subject, decision: Decision) -> AnyAct | None:
    """The next write of one that is on its way back, or asked to be."""
    if subject.key in decision.active:
        return None
    asked = is_restore_requested(subject.workload)
    why = (
        "as was asked for, the author's template comes back" if asked else "the author's template comes back"
    )
    if subject.key in decision.restores:
        waits = decision.restores[subject.key] is not None
        return None if waits else restoring.given_back(subject.deployment, decision, why)
    if asked:
        return bridges.not_wanted(subject, decision)
    if subject.record is None or not subject.record.restoring:
        return None
    if str(subject.workload.spec.mode) == "Off" or _is_frozen(subject, decision):
        return None
    return restoring.given_back(subject.deployment, decision, why)


def act_for(subject: Subject, move: Move, decision: Decision) -> AnyAct | None:
    """The next write for one workload that may be acted on; None when there is nothing to do."""
    if subject.record is not None and decision.restores.get(subject.key, _STAYS) is None:
        message = f"variant {subject.record.variant} was not made for the author's new image {subject.image}"
        return restoring.given_back(subject.deployment, decision, message)
    return _next(subject, move, decision) or bridges.left_over(subject, move, decision)


def _next(subject: Subject, move: Move, decision: Decision) -> AnyAct | None:
    starts = _starts(subject, move)
    match subject.reading.authorship:
        case Authorship.REASSERTED:
            return _heal(subject, decision)
        case Authorship.CHANGED if adopted := _adopt(subject, decision):
            return adopted
        case Authorship.OURS if not starts and subject.key in decision.setbacks.fallen:
            return _roll_back(subject, decision)
        case Authorship.OURS if not starts:
            return _renew(subject, decision) or _advance(subject, move, decision)
        case _:
            return _move(subject, move, decision) if starts else None


def _starts(subject: Subject, move: Move) -> bool:
    """The template is to be written now; of a move in flight it has been, unless a bridge had to come first."""
    begun = move.reason is Reason.MOVE_IN_PROGRESS and not bridging.leads_to(subject, move.target)
    return move.decision is Verdict.MOVE and not begun


def _is_frozen(subject: Subject, decision: Decision) -> bool:
    return decision.frozen or subject.frozen_by is not None


def _move(subject: Subject, move: Move, decision: Decision) -> AnyAct | None:
    option = move.target
    if option is None:
        return None
    base, before = subject.reading.base, subject.record
    variant = subject.profile.spec.variant(option.variant)
    assert variant is not None  # noqa: S101 - the option was made of it
    names = (option.pool, *move.further)
    pools = tuple(decision.views[name] for name in names)
    rendered = render(base, target(variant, pools, subject.container, subject.words, surge=option.replicas))
    record = Record(
        base=base,
        base_replicas=before.base_replicas if before else _stated_replicas(subject),
        workload=subject.workload.metadata.name,
        workload_uid=subject.workload.metadata.uid,
        pools=names,
        variant=option.variant,
        replicas=option.replicas,
        deletion_policy=str(subject.workload.spec.deletion_policy),
        moved_at=_moment(decision),
        rendered=rendered,
        reverts=recent_reverts(before, decision.now) if before else (),
    )
    act = Act(Kind.MOVE, subject.deployment, move.message, manifest=rendered, record=record)
    return bridges.before_template(subject, move, act, decision.snapshot)


def _roll_back(subject: Subject, decision: Decision) -> Act | None:
    """A move failed while what ran before still serves: the template of that comes back, in the ReplicaSet that it had.

    That of the author's own pods is the author's; that of an earlier placement is rendered as it was.
    """
    record, home = subject.record, subject.home
    if record is None or _is_frozen(subject, decision):
        return None
    trouble = decision.setbacks.troubles[subject.key]
    message = (
        f"the move to {record.variant} on {record.pools[0]} failed ({trouble.reason}: {trouble.message})"
    )
    old = decision.pods[subject.key].old
    container = container_of(record.base.template, subject.container)
    if container is not None and _are_of(old, subject.container, container_digest(container)):
        return restoring.restored(subject.deployment, record, decision.snapshot, message)
    variant = subject.profile.spec.variant(home.variant) if home else None
    if home is None or variant is None:
        return None
    replicas = subject.deployment.replicas
    wish = target(
        variant, (decision.views[home.pool],), subject.container, subject.words, surge=max(1, replicas)
    )
    rendered = render(subject.reading.base, wish)
    noted = replace(
        record,
        pools=(home.pool,),
        variant=variant.name,
        replicas=replicas,
        moved_at=_moment(decision),
        rendered=rendered,
    )
    return Act(Kind.ROLL_BACK, subject.deployment, message, manifest=rendered, record=noted)


def _are_of(pods: tuple[PodFact, ...], container: str, digest: str) -> bool:
    return bool(pods) and all(dict(pod.digests).get(container) == digest for pod in pods)


def _stated_replicas(subject: Subject) -> int | None:
    """The author's replicas, to be given back one day; None where somebody else owns them."""
    return None if subject.replicas_external else subject.deployment.replicas


def _moment(decision: Decision) -> str:
    return decision.now.isoformat(timespec="seconds")


def _heal(subject: Subject, decision: Decision) -> Act | None:
    """The author's values came back over ours. Healed at once; the template hashes to what still serves, so nothing restarts."""
    record = subject.record
    if record is None or is_contested(record, decision.now):
        return None
    reverts = (*recent_reverts(record, decision.now), _moment(decision))[-TUG_OF_WAR:]
    return Act(
        Kind.HEAL,
        subject.deployment,
        "the author's file was applied again over the placement",
        manifest=record.rendered,
        record=replace(record, reverts=reverts),
    )


def _adopt(subject: Subject, decision: Decision) -> Act | None:
    """Lay the variant over the author's new base. One that was not made for the new image keeps its own: see ``restoring.is_outdated``."""
    record, rendered = subject.record, rendered_today(subject, decision.views)
    if record is None or rendered is None:
        return None
    adopted = replace(
        record,
        base=subject.reading.base,
        pools=pools_today(subject, decision.views) or record.pools,
        rendered=rendered,
        reverts=recent_reverts(record, decision.now),
    )
    current = manifest_of(subject.deployment.document)
    manifest = None if rendered == current else rendered
    return Act(
        Kind.ADOPT, subject.deployment, "the author changed the Deployment", manifest=manifest, record=adopted
    )


def _renew(subject: Subject, decision: Decision) -> Act | None:
    """Write the template anew that profile, class or pool would have otherwise today, when its turn has come."""
    record, turn = subject.record, decision.renewals.get(subject.key, Reason.STAYS)
    if record is None or turn is not None:
        return None
    rendered = rendered_today(subject, decision.views)
    renewed = replace(
        record,
        pools=pools_today(subject, decision.views) or record.pools,
        rendered=rendered or record.rendered,
        moved_at=_moment(decision),
    )
    message = f"variant {record.variant} or its pool changed: the template is rendered anew"
    if subject.home is not None and subject.home.spilled:
        message = f"{subject.home.spilled} of its pods are in other pools: the template names {subject.home.pool} alone"
    return Act(Kind.RENEW, subject.deployment, message, manifest=renewed.rendered, record=renewed)


def _advance(subject: Subject, move: Move, decision: Decision) -> AnyAct | None:
    """What is left of a move, or a change of replicas, for a template that is ours."""
    record, deployment = subject.record, subject.deployment
    if record is None or record.restoring:
        return None
    policy = str(subject.workload.spec.deletion_policy)
    if record.deletion_policy != policy:
        noted = replace(record, deletion_policy=policy)
        return Act(Kind.ADOPT, deployment, "spec.deletionPolicy changed", record=noted)
    if _is_frozen(subject, decision):
        return None
    if deployment.paused and in_flight(subject, decision.pods[subject.key]):
        return None  # a change of replicas would be shared out over both templates
    wanted = _replicas(subject, record, decision)
    if bridging.is_behind(subject):
        return bridges.taken_in(subject, wanted or record.replicas, move.spare, decision.snapshot)
    return None if wanted is None else _scale(subject, wanted, decision)


def _scale(subject: Subject, wanted: int, decision: Decision) -> Act | None:
    """Fewer replicas when so many new ones are Ready, more when nothing rolls and the nodes have room for them."""
    deployment, pods = subject.deployment, decision.pods[subject.key]
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
        most = decision.growth.get(subject.key, wanted)
        if most > deployment.replicas:
            message = f"{wanted} replicas are needed, {deployment.replicas} run"
            message += f", and the nodes take {most}" if most < wanted else ""
            return Act(Kind.SCALE, deployment, message, replicas=min(most, wanted))
    return None


def _replicas(subject: Subject, record: Record, decision: Decision) -> int | None:
    """The replicas needed where it runs. None where that is not known: what serves is then left alone.

    Mode Initial never goes below what it placed.
    """
    option = home_option(decision.acting.problem.workload(subject.key), subject)
    if option is None:
        return None
    if str(subject.workload.spec.mode) == "Rollout":
        return option.replicas
    return max(option.replicas, record.replicas)
