"""Templates of ours that would be rendered otherwise today, because profile, class or pool changed since.

Writing one anew restarts every pod of it, so it is a move like any other: it waits for the freeze, for room for both copies, and for
every other move under its policy. One workload goes first, the next follows when all its pods serve.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from chipwise.cluster.authorship import Authorship
from chipwise.cluster.pools import PoolView
from chipwise.cluster.situation import Pods, frozen_by, in_flight, is_contested
from chipwise.cluster.subject import Subject
from chipwise.cluster.suspension import suspended
from chipwise.cluster.targets import target
from chipwise.cluster.terms import TermsOf
from chipwise.placement.floor import Floor, occupied
from chipwise.placement.moves import Decision, Move
from chipwise.placement.outlook import Outlook
from chipwise.placement.problem import Option, Problem, Workload
from chipwise.placement.rules import Running, duration
from chipwise.placement.worth import wanted
from chipwise.reasons import Reason, Refusal
from chipwise.rendering.manifest import Manifest, RenderingRefused
from chipwise.rendering.render import render


def pools_today(subject: Subject, views: Mapping[str, PoolView]) -> tuple[str, ...]:
    """The recorded pools that there still are. The first alone where pods have spilled from that: so they come back to it.

    Where most pods are in another, that is where the workload runs, and going to the first is a move with savings of its own.
    """
    record, home = subject.record, subject.home
    if record is None:
        return ()
    names = tuple(name for name in record.pools if name in views)
    has_spilled = home is not None and home.spilled > 0 and home.pool == record.pools[0]
    return names[:1] if has_spilled else names


def rendered_today(subject: Subject, views: Mapping[str, PoolView]) -> Manifest | None:
    """The author's base under the recorded variant and pools as they are now; None where that cannot be rendered any more."""
    record = subject.record
    if record is None:
        return None
    pools = [views[name] for name in pools_today(subject, views)]
    variant = subject.profile.spec.variant(record.variant)
    if variant is None or not pools or not pools[0].resource_name:
        return None
    wish = target(variant, pools, subject.container, subject.words, surge=record.replicas)
    try:
        return render(subject.reading.base, wish)
    except RenderingRefused:
        return None


def home_option(workload: Workload | None, subject: Subject) -> Option | None:
    """What the workload needs where it runs now, whatever the plan prefers; None if it cannot be served there."""
    home = subject.home
    if home is None or workload is None:
        return None
    return next((o for o in workload.options if (o.pool, o.variant) == (home.pool, home.variant)), None)


@dataclass(frozen=True, slots=True)
class Nodes:
    """The pools, what the scheduler asks of their nodes, and the nodes with all that starts now about to come."""

    views: Mapping[str, PoolView]
    terms_of: TermsOf
    outlook: Outlook


def renewals(
    subjects: Mapping[str, Subject],
    pods: Mapping[str, Pods],
    nodes: Nodes,
    problem: Problem,
    moves: tuple[Move, ...],
    *,
    now: datetime,
    frozen: bool,
) -> dict[str, Refusal | None]:
    """Each of the ``moves``' workloads whose template is out of date: None if it is to be written now, else why it waits."""
    starting = {move.workload for move in moves if move.decision is Decision.MOVE}
    stale = [key for key in (m.workload for m in moves) if _is_stale(subjects[key], pods[key], nodes.views)]
    found: dict[str, Refusal | None] = {}
    if not stale:
        return found
    floor = _full(problem, [move.source for move in moves], [m for m in moves if m.workload in starting])
    busy = {subjects[key].policy_name for key in starting}
    for key in sorted(set(stale) - starting, key=lambda key: (-subjects[key].priority, key)):
        subject, option = subjects[key], home_option(problem.workload(key), subjects[key])
        refusal = _refusal(subject, option, now, frozen=frozen)
        if refusal is None and subject.policy_name in busy:
            refusal = Refusal(Reason.CONCURRENCY_BUDGET, "one workload at a time, and another is moving")
        if refusal is None and option is not None:
            refusal = _enters(floor, nodes, subject, option)
        if refusal is None:
            busy.add(subject.policy_name)
        found[key] = refusal
    return found


def _is_stale(subject: Subject, pods: Pods, views: Mapping[str, PoolView]) -> bool:
    if (
        subject.reading.authorship is not Authorship.OURS
        or subject.record is None
        or subject.bridge is not None
        or in_flight(subject, pods)
    ):
        return False
    today = rendered_today(subject, views)
    return today is not None and today.template != subject.record.rendered.template


def _refusal(subject: Subject, option: Option | None, now: datetime, *, frozen: bool) -> Refusal | None:
    if str(subject.workload.spec.mode) != "Rollout":
        return Refusal(Reason.ALREADY_PLACED, "mode is Initial and it has been placed once")
    freezer = frozen_by(subject, frozen=frozen)
    stopped = Refusal(Reason.FROZEN, f"{freezer} is frozen") if freezer else suspended(subject.deployment)
    if stopped is not None:
        return stopped
    if is_contested(subject.record, now):
        return Refusal(Reason.CONTESTED, "another manager keeps reverting the Deployment")
    if option is None:
        return Refusal(Reason.NO_FEASIBLE_VARIANT, "it cannot be served where it runs any more")
    if not subject.replicas_external and subject.deployment.replicas < option.replicas:
        return Refusal(
            Reason.NEEDS_BRIDGE,
            f"{option.replicas} replicas are needed and {subject.deployment.replicas} run: scaled first",
        )
    return _stay(subject, now)


def _stay(subject: Subject, now: datetime) -> Refusal | None:
    """What has spilled is left where it is for the minimum stay, as a move that saves money is."""
    record, home, least = subject.record, subject.home, subject.policy.minimum_stay_seconds
    if record is None or home is None or not home.spilled:
        return None
    if (now - datetime.fromisoformat(record.moved_at)).total_seconds() >= least:
        return None
    return Refusal(Reason.MINIMUM_STAY, f"moved at {record.moved_at} and stays {duration(least)}")


def _full(problem: Problem, running: list[Running], starting: list[Move]) -> Floor:
    """Who holds what while everything that moves holds both copies."""
    floor = Floor(problem, running)
    for one in running:
        floor.add(occupied(one))
    for move in starting:
        if move.target is not None:
            floor.add(wanted(move.target, move.spare))
    return floor


def _enters(floor: Floor, nodes: Nodes, subject: Subject, option: Option) -> Refusal | None:
    """Both copies must fit, packed as the plan likes and on the nodes as they are."""
    today, view = rendered_today(subject, nodes.views), nodes.views[option.pool]
    floor.add(wanted(option))
    if not floor.fits(option.pool):
        floor.add(wanted(option), -1)
        return Refusal(Reason.NO_SURGE_CAPACITY, f"both copies do not fit in {option.pool}")
    if today is None:
        return None
    refusal = nodes.outlook.enter(
        subject.key, nodes.terms_of.as_written(option, today.template, subject, view)
    )
    if refusal is not None:
        floor.add(wanted(option), -1)
        return Refusal(
            Reason.NO_SURGE_CAPACITY, f"both copies do not fit in {option.pool}: {refusal.message}"
        )
    return None
