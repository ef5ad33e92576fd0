"""How a workload stands right now: what runs, whether a move is in flight, and what its mode and history say about moving."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chipwise.api import InferenceWorkload
from chipwise.cluster import bridging
from chipwise.cluster.authorship import Authorship
from chipwise.cluster.damage import damaged
from chipwise.cluster.facts import PodFact
from chipwise.cluster.homes import Home
from chipwise.cluster.pools import PoolView
from chipwise.cluster.sizes import footprint_of, size_of_template
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.subject import Subject
from chipwise.cluster.suspension import suspended
from chipwise.placement.problem import Footprint, Option
from chipwise.placement.rules import Mode, MoveRule, Running
from chipwise.reasons import Refusal
from chipwise.rendering.location import container_digest, container_of
from chipwise.rendering.record import Record

#: So many re-assertions within the window are a tug-of-war. The window is also how long chipwise then waits.
TUG_OF_WAR = 3
TUG_WINDOW = timedelta(minutes=10)
#: On an InferenceWorkload: its Deployment is to be given back. The value is the generation for which that was asked.
RESTORE = "chipwise.dev/restore"
#: Who stops every move of everybody, in words.
INSTALLATION = "the installation (chart value freeze, flag --freeze)"
#: Reason of the condition Paused while it is False because the workload was edited after the undo.
EDITED = "Edited"


@dataclass(frozen=True, slots=True)
class Pods:
    """Pods of a workload that are not terminating.

    Those of the present placement, those whose node is gone, the others, and those of its bridge. ``spilled`` are those of the present
    placement that are in another pool than the workload's own.
    """

    new: tuple[PodFact, ...]
    old: tuple[PodFact, ...]
    lost: tuple[PodFact, ...] = ()
    bridge: tuple[PodFact, ...] = ()
    spilled: tuple[PodFact, ...] = ()

    @property
    def all(self) -> tuple[PodFact, ...]:
        """Every pod that is not terminating."""
        return (*self.new, *self.old, *self.lost, *self.bridge)

    @property
    def new_ready(self) -> int:
        """Ready pods of the present placement."""
        return sum(pod.ready for pod in self.new)

    @property
    def serving(self) -> int:
        """These, and what the bridge still carries of it."""
        return self.new_ready + sum(pod.ready for pod in self.bridge)


def pods_of(subject: Subject, snapshot: Snapshot, views: Mapping[str, PoolView]) -> Pods:
    """A pod is new when it shows the template's container and is on (or not yet bound to) a node of a pool that the template names.

    One that is bound to a node which does not exist is lost: it serves nobody, whatever its status still says.
    """
    found = [pod for pod in snapshot.pods_by_deployment.get(subject.deployment.key, ()) if not pod.deleting]
    gone = () if snapshot.assume_nodes else found
    lost = tuple(pod for pod in gone if pod.node is not None and pod.node not in snapshot.nodes)
    live = [pod for pod in found if pod not in lost]
    bridge = bridging.pods(subject, snapshot)
    home, container = (
        subject.home,
        container_of(subject.deployment.document["spec"]["template"], subject.container),
    )
    if home is None or container is None:
        return Pods((), tuple(live), lost, bridge)
    digest = container_digest(container)
    nodes = frozenset[str]().union(*(views[name].node_names for name in home.pools))
    new = [
        p
        for p in live
        if dict(p.digests).get(subject.container) == digest and (p.node is None or p.node in nodes)
    ]
    own = views[home.pool].node_names
    spilled = tuple(p for p in new if p.node is not None and p.node not in own)
    return Pods(tuple(new), tuple(p for p in live if p not in new), lost, bridge, spilled)


def with_spilled(subject: Subject, pods: Pods) -> Subject:
    """The subject with the count of its pods that are in other pools than its own."""
    if subject.home is None or not pods.spilled:
        return subject
    return replace(subject, home=replace(subject.home, spilled=len(pods.spilled)))


def in_flight(subject: Subject, pods: Pods) -> bool:
    """A template of ours is still rolling out: old pods run, or the Deployment controller is not done replacing them."""
    if subject.record is None:
        return False
    deployment = subject.deployment
    return (
        bool(pods.old)
        or deployment.observed_generation < deployment.generation
        or deployment.updated_replicas != deployment.total_replicas
        or deployment.updated_replicas < deployment.replicas
    )


@dataclass(frozen=True, slots=True)
class Course:
    """Where a workload is going.

    ``target`` is the option that a move in flight is on its way to, by a bridge or a rollout, and ``bridge`` how many replicas of a
    bridge it makes use of. ``failing`` is why the workload does not come to serve where it is.
    """

    target: Option | None = None
    bridge: int = 0
    failing: Refusal | None = None


def running(
    subject: Subject,
    pods: Pods,
    snapshot: Snapshot,
    views: Mapping[str, PoolView],
    now: datetime,
    course: Course,
) -> Running:
    """What runs where, beside what it becomes."""
    home, target, bridge = subject.home, course.target, course.bridge
    replicas = subject.deployment.replicas
    if home is None:
        return Running(subject.key, replicas=replicas, moving_to=target, bridge=bridge)
    size = size_of_template(subject.standing, subject.added, snapshot)
    footprint = footprint_of(size, home.resource_name)
    if not footprint.chips:
        footprint = replace(footprint, chips=home.chips)
    if target is None or bridging.leads_to(subject, target):
        here = (*pods.new, *pods.old, *(pods.bridge if target is None else ()))
        return Running(
            subject.key,
            home.pool,
            home.variant,
            replicas,
            footprint,
            _stayed(subject, now),
            subject.record.moved_at if subject.record else "",
            target,
            course.failing,
            bridge,
            None if snapshot.assume_nodes else _bound((*here, *pods.lost)),
        )
    before = old_home(subject, pods, snapshot, views)
    if before is None:
        return Running(subject.key, moving_to=target, bridge=bridge)
    old = Footprint(
        before.chips, max(pod.cpu_milli for pod in pods.old), max(pod.memory_bytes for pod in pods.old)
    )
    return Running(
        subject.key,
        before.pool,
        before.variant,
        len(pods.old),
        old,
        moving_to=target,
        bridge=bridge,
        bound=_bound(pods.old),
    )


def _bound(pods: tuple[PodFact, ...]) -> int:
    return sum(pod.node is not None for pod in pods)


def old_home(subject: Subject, pods: Pods, snapshot: Snapshot, views: Mapping[str, PoolView]) -> Home | None:
    """Where the old pods of a move run, None where that is in no known pool.

    Of several variants of that size the workload's own, if that is where it is: then a new template replaces one like it.
    """
    where = _pool_of(pods.old, snapshot, views)
    if where is None:
        return None
    chips = max(sum(count for _, count in pod.chips) for pod in pods.old)
    view = views[where]
    fitting = [
        v.name for v in subject.profile.spec.variants if (v.class_name, v.chips) == (view.class_name, chips)
    ]
    home = subject.home
    known = home is not None and home.pool == where and home.variant in fitting
    variant = home.variant if home is not None and known else next(iter(fitting), None)
    return Home(where, variant, view.resource_name, chips, subject.deployment.replicas)


def rule(subject: Subject, now: datetime, *, frozen: bool) -> MoveRule:
    """Mode, policy and history as the move rules read them."""
    policy = subject.policy
    return MoveRule(
        mode=Mode(str(subject.workload.spec.mode)),
        policy=subject.policy_name,
        minimum_stay_seconds=policy.minimum_stay_seconds,
        payback_horizon_seconds=policy.payback_horizon_seconds,
        max_concurrent_moves=policy.max_concurrent_moves,
        frozen_by=frozen_by(subject, frozen=frozen),
        already_placed=subject.record is not None,
        paused=is_paused(subject),
        contested=is_contested(subject.record, now),
        author_rolling_out=_author_rolls_out(subject),
        restored=is_restore_requested(subject.workload),
        replicas_external=subject.replicas_external,
        idle=subject.idle,
        suspended=suspended(subject.deployment),
        damaged=damaged(subject.deployment),
        max_pools=policy.max_pools,
    )


def is_restore_requested(workload: InferenceWorkload) -> bool:
    """A person asked for it, and the spec has not been edited since."""
    metadata = workload.metadata
    return metadata.annotations.get(RESTORE) == str(metadata.generation)


def frozen_by(subject: Subject, *, frozen: bool) -> str | None:
    """Who stops every move of the workload, in words; ``frozen`` says whether the installation does."""
    return INSTALLATION if frozen else subject.frozen_by


def _author_rolls_out(subject: Subject) -> bool:
    """Pods of two templates run and neither is ours. Pods that merely pend are no rollout: moving may be what helps them."""
    deployment = subject.deployment
    behind = deployment.observed_generation < deployment.generation and deployment.observed_generation > 0
    return subject.record is None and (behind or deployment.updated_replicas != deployment.total_replicas)


def is_paused(subject: Subject) -> bool:
    """An undo is respected until the workload is edited after it was noticed; then it may wait for its turn to move."""
    if subject.reading.authorship is not Authorship.UNDONE:
        return False
    status, generation = subject.workload.status, subject.workload.metadata.generation
    noticed = status.condition("Paused") if status else None
    if noticed is None:
        return True
    if str(noticed.status) == "True":
        return noticed.observed_generation >= generation
    return noticed.reason != EDITED


def is_contested(record: Record | None, now: datetime) -> bool:
    """Somebody re-asserted the base again and again within the window."""
    return record is not None and len(recent_reverts(record, now)) >= TUG_OF_WAR


def contest_seconds(record: Record, now: datetime) -> float:
    """Seconds until the oldest re-assertion of a tug-of-war has left the window."""
    moments = (datetime.fromisoformat(moment) for moment in recent_reverts(record, now))
    return (min(moments, default=now) + TUG_WINDOW - now).total_seconds()


def recent_reverts(record: Record, now: datetime) -> tuple[str, ...]:
    """The moments of re-assertion within the window."""
    return tuple(moment for moment in record.reverts if now - datetime.fromisoformat(moment) < TUG_WINDOW)


def _stayed(subject: Subject, now: datetime) -> float | None:
    if subject.record is None:
        return None
    return max(0.0, (now - datetime.fromisoformat(subject.record.moved_at)).total_seconds())


def _pool_of(pods: tuple[PodFact, ...], snapshot: Snapshot, views: Mapping[str, PoolView]) -> str | None:
    bound = {pod.node for pod in pods if pod.node and pod.node in snapshot.nodes}
    return next((name for name, view in views.items() if bound & view.node_names), None)
