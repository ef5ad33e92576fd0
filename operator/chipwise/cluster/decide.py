"""The one decision: a snapshot in, a plan with its moves and every refusal out. The operator and ``chipwise plan`` share every line.

Workloads whose mode lets chipwise write are decided together. Those in mode Off hold what they hold: their proposals come from a second
round in which everybody may move, so that nobody's plan counts on room that an Off workload will not give.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from chipwise.cluster import bridging, situation
from chipwise.cluster.demand import demand
from chipwise.cluster.facts import DeploymentFact
from chipwise.cluster.grounds import Flight, truth_of
from chipwise.cluster.growth import after_the_moves, growth
from chipwise.cluster.pools import PoolView, view_pools
from chipwise.cluster.quotas import Quota, limits, quotas
from chipwise.cluster.renewal import Nodes, home_option, renewals
from chipwise.cluster.restoring import Restores, restores, told
from chipwise.cluster.setback import Setbacks, setbacks
from chipwise.cluster.situation import Course, Pods
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.subject import DEFAULT_POLICY, Subject, accept
from chipwise.cluster.supply import supply
from chipwise.cluster.terms import TermsOf
from chipwise.placement.billing import Bill, DoesNotFitError, bill
from chipwise.placement.explain import Explainer
from chipwise.placement.fragments import ROUNDS, Barred, fragmented, joined, without
from chipwise.placement.ground import Truth
from chipwise.placement.moves import Move, plan_moves
from chipwise.placement.plan import Choice, Plan
from chipwise.placement.problem import Footprint, Option, Problem, SolveLimits, Workload
from chipwise.placement.rules import MoveRule, Running
from chipwise.placement.solve import solve
from chipwise.reasons import Reason, Refusal
from chipwise.rendering import record as records

#: So many managed Deployments without a workload, and more than half of all, are a mistake until a person says otherwise.
MASS_DELETION = 5
CONFIRM_RESTORE = "chipwise.dev/confirm-restore"


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds for the whole operator: ``frozen`` stops every move, ``writes`` is False where the role grants none."""

    frozen: bool = False
    writes: bool = True


@dataclass(frozen=True)
class Round:
    """One joint choice with its moves."""

    problem: Problem
    plan: Plan
    moves: tuple[Move, ...]
    running: Mapping[str, Running]
    truth: Truth

    @cached_property
    def explainer(self) -> Explainer:
        """Sentences and ranked candidates for this plan."""
        return Explainer(self.problem, self.plan)

    @cached_property
    def by_workload(self) -> Mapping[str, Move]:
        """The move of each workload."""
        return {move.workload: move for move in self.moves}


@dataclass(frozen=True)
class Decision:
    """Everything that was decided from one snapshot.

    ``refused`` are workloads that cannot be decided about. ``acting`` decides about those that may be written, ``shown`` about all.
    ``current`` is the bill of what runs, None where what runs does not fit what is known of the pools. ``renewals`` are the templates
    of ours that are out of date: None where one is to be written anew now, else why it waits. ``restores`` are the workloads that are to
    be given back on request, in the same way. ``growth`` are the replicas that the nodes take of those workloads that need more where
    they are.
    """

    snapshot: Snapshot
    now: datetime
    standing: Standing
    views: Mapping[str, PoolView]
    subjects: Mapping[str, Subject]
    refused: Mapping[str, Refusal]
    pods: Mapping[str, Pods]
    setbacks: Setbacks
    acting: Round
    shown: Round
    current: Bill | None
    orphans: tuple[DeploymentFact, ...] = ()
    orphans_held: tuple[DeploymentFact, ...] = ()
    due_seconds: float | None = None
    active: frozenset[str] = field(default_factory=frozenset)
    renewals: Mapping[str, Refusal | None] = field(default_factory=dict)
    restores: Mapping[str, Refusal | None] = field(default_factory=dict)
    growth: Mapping[str, int] = field(default_factory=dict)

    @property
    def frozen(self) -> bool:
        """Whether every move stands still, those of workloads that are gone included."""
        default = self.snapshot.policies.get(DEFAULT_POLICY)
        return self.standing.frozen or (default is not None and default.spec.freeze)

    @property
    def plan(self) -> Plan:
        """The plan that is acted on."""
        return self.acting.plan

    def round_of(self, key: str) -> Round:
        """The round that decides about one workload."""
        return self.acting if key in self.active else self.shown

    def move(self, key: str) -> Move:
        """What becomes of one workload; KeyError for one that was refused."""
        return self.round_of(key).by_workload[key]

    def choice(self, key: str) -> Choice:
        """What the plan gives one workload; KeyError for one that was refused."""
        return self.round_of(key).plan.choice(key)


def decide(
    snapshot: Snapshot,
    *,
    now: datetime,
    standing: Standing | None = None,
    solve_limits: SolveLimits | None = None,
) -> Decision:
    """Decide about every workload of ``snapshot``. Pure: the same snapshot at the same moment gives the same decision."""
    standing = standing or Standing()
    views = view_pools(snapshot)
    subjects: dict[str, Subject] = {}
    refused: dict[str, Refusal] = {}
    for key, workload in sorted(snapshot.workloads.items()):
        found = accept(workload, snapshot, views)
        if isinstance(found, Refusal):
            refused[key] = found
        else:
            subjects[key] = found
    pods = {key: situation.pods_of(subject, snapshot, views) for key, subject in subjects.items()}
    suffered = setbacks(subjects, pods, views, snapshot, now)
    subjects = dict(suffered.subjects)
    returning = restores(subjects, pods, snapshot, views, frozen=standing.frozen)
    maker = _Maker(
        returning.snapshot,
        views,
        subjects,
        pods,
        suffered,
        returning,
        now,
        standing,
        solve_limits or SolveLimits(),
        TermsOf(returning.snapshot),
    )
    active = frozenset(key for key, subject in subjects.items() if _is_active(subject))
    shown = maker.round(frozenset(subjects))
    acting = shown if active == frozenset(subjects) else maker.round(active)
    orphans, held = _orphans(snapshot)
    outlook = after_the_moves(acting.truth, acting.moves)
    nodes = Nodes(views, maker.terms_of, outlook)
    renewed = renewals(subjects, pods, nodes, acting.problem, acting.moves, now=now, frozen=standing.frozen)
    return Decision(
        snapshot=snapshot,
        now=now,
        standing=standing,
        views=views,
        subjects=subjects,
        refused=refused,
        pods=pods,
        setbacks=suffered,
        acting=acting,
        shown=shown,
        current=_current(shown),
        orphans=orphans,
        orphans_held=held,
        due_seconds=_due(acting, maker),
        active=active,
        renewals=renewed,
        restores=returning.waiting,
        growth=growth(subjects, pods, acting.problem, acting.moves, outlook),
    )


def _is_active(subject: Subject) -> bool:
    return (
        str(subject.workload.spec.mode) != "Off"
        and not situation.is_restore_requested(subject.workload)
        and not (subject.record is not None and subject.record.restoring)
    )


@dataclass(frozen=True)
class _Maker:
    snapshot: Snapshot
    views: Mapping[str, PoolView]
    subjects: Mapping[str, Subject]
    pods: Mapping[str, Pods]
    setbacks: Setbacks
    returning: Restores
    now: datetime
    standing: Standing
    limits: SolveLimits
    terms_of: TermsOf

    def round(self, keys: frozenset[str]) -> Round:
        """Decide about ``keys`` together; everything else stays as it is.

        A place that the nodes do not have as they are is taken out of the question, and that is asked again.
        """
        found = quotas(self.snapshot, self._released(keys))
        workloads = {key: self._narrowed(self._demand(key, found)) for key in sorted(keys)}
        barred: Barred = {}
        for _ in range(ROUNDS):
            decided = self._ask({key: without(workload, barred) for key, workload in workloads.items()})
            more = fragmented(decided.moves)
            if not more:
                break
            barred = joined(barred, more)
        moves = (told(m, self.subjects[m.workload], self.returning.waiting) for m in decided.moves)
        return replace(decided, moves=tuple(moves))

    def _ask(self, workloads: Mapping[str, Workload]) -> Round:
        movable = frozenset(key for key, workload in workloads.items() if workload.options)
        released = self._released(movable) - self._left_over(workloads)
        now = {key: self._running(key, workloads[key]) for key in sorted(movable)}
        standing = {uid: size for key, one in now.items() for uid, size in self._standing(key, one)}
        pools = tuple(
            supply(view, self.snapshot, released, standing)
            for view in self.views.values()
            if view.refusal is None
        )
        left = quotas(self.snapshot, released)
        problem = Problem(tuple(workloads.values()), pools, limits(left))
        running = now | {
            key: Running(key, replicas=self.subjects[key].deployment.replicas)
            for key in workloads.keys() - movable
        }
        rules = {key: self._rule(self.subjects[key]) for key in workloads}
        truth = truth_of(self.snapshot, self.views.values(), self._flights(workloads), left)
        plan = solve(problem, self.limits)
        return Round(problem, plan, plan_moves(problem, plan, running, rules, truth), running, truth)

    def _rule(self, subject: Subject) -> MoveRule:
        rule = situation.rule(subject, self.now, frozen=self.standing.frozen)
        return replace(rule, restoring=self.returning.under_way.get(rule.policy, 0))

    def _demand(self, key: str, found: tuple[Quota, ...]) -> Workload:
        cooling = self.setbacks.cooling
        return demand(self.subjects[key], self.snapshot, self.views, found, cooling, self.terms_of)

    def _standing(self, key: str, one: Running) -> Iterator[tuple[str, Footprint]]:
        """What the pods that are bound where their workload may stay take, by UID."""
        coming = one.moving_to.footprint if one.moving_to else one.footprint
        pods = self.pods[key]
        for there, footprint in (
            (pods.new, one.footprint if self._is_ahead(key, one) else coming),
            (pods.old, one.footprint),
            (pods.bridge, coming),
        ):
            if footprint is not None:
                yield from ((pod.uid, footprint) for pod in there if pod.node)

    def _is_ahead(self, key: str, one: Running) -> bool:
        """A bridge stands where it is moving to, and its own Deployment is still where it was."""
        return bridging.leads_to(self.subjects[key], one.moving_to)

    def _flights(self, workloads: Mapping[str, Workload]) -> tuple[Flight, ...]:
        """Every workload with its pods, and with what it is on its way to or may stay with."""
        return tuple(
            Flight(
                self.subjects[key],
                self.pods[key],
                self._flying_to(workload) or home_option(workload, self.subjects[key]),
                moving=self._flying_to(workload) is not None,
                ahead=bridging.leads_to(self.subjects[key], self._flying_to(workload)),
            )
            for key, workload in sorted(workloads.items())
        )

    def _released(self, keys: frozenset[str]) -> frozenset[str]:
        return frozenset(pod.uid for key in keys for pod in self.pods[key].all)

    def _left_over(self, workloads: Mapping[str, Workload]) -> frozenset[str]:
        """Pods of bridges of which no move makes use any more: until they are gone nobody may count on their room."""
        return frozenset(
            pod.uid
            for key, workload in workloads.items()
            for pod in self.pods[key].bridge
            if not self._course(key, workload).bridge
        )

    def _narrowed(self, workload: Workload) -> Workload:
        """A move in flight is finished before another is thought of."""
        target = self._flying_to(workload)
        if target is None:
            return workload
        return Workload(
            workload.key,
            workload.priority,
            (target,),
            workload.refused,
            workload.mean_output_tokens_per_second,
        )

    def _flying_to(self, workload: Workload) -> Option | None:
        subject = self.subjects[workload.key]
        if workload.key in self.setbacks.fallen:
            return None
        across = bridging.destination(subject, workload.options)
        if across is not None or not situation.in_flight(subject, self.pods[workload.key]):
            return across
        return home_option(workload, subject)

    def _running(self, key: str, workload: Workload) -> Running:
        """What runs; of what an autoscaler owns as much as it may take where it is, so that like is compared with like."""
        subject, course = self.subjects[key], self._course(key, workload)
        found = situation.running(subject, self.pods[key], self.snapshot, self.views, self.now, course)
        home = home_option(workload, subject)
        if subject.autoscaler is None or course.target is not None or home is None:
            return found
        reserved = max(found.replicas, home.replicas)
        return replace(found, replicas=reserved, bound=None)

    def _course(self, key: str, workload: Workload) -> Course:
        subject, target, bridge = self.subjects[key], self._flying_to(workload), 0
        if key not in self.setbacks.fallen:
            bridge = bridging.replicas_for(subject, target)
        return Course(target, bridge, self._failing(key))

    def _failing(self, key: str) -> Refusal | None:
        """Why it does not come to serve where it is. A move that is taken back is where it served before."""
        trouble = self.setbacks.cooling.failing.get(key)
        if trouble is None or key in self.setbacks.fallen:
            return None
        return Refusal(trouble.reason, trouble.message)


def _current(shown: Round) -> Bill | None:
    """What runs now, billed by the same rules as the plan."""
    options = {
        key: Option(one.pool, one.variant or "", one.replicas, one.footprint)
        for key, one in shown.running.items()
        if one.pool is not None and one.footprint is not None and one.replicas
    }
    pools = {pool.name for pool in shown.problem.pools}
    options = {key: option for key, option in options.items() if option.pool in pools}
    workloads = tuple(Workload(key, 0, (option,)) for key, option in sorted(options.items()))
    try:
        return bill(Problem(workloads, shown.problem.pools), options)
    except DoesNotFitError:
        return None


def _orphans(snapshot: Snapshot) -> tuple[tuple[DeploymentFact, ...], tuple[DeploymentFact, ...]]:
    """Managed Deployments whose workload is gone: those to give back, and those held as too many are gone at once."""
    managed = [d for _, d in sorted(snapshot.deployments.items()) if d.managed and not d.deleting]
    unreadable = {f"{one.namespace}/{one.name}" for one in snapshot.unreadable}
    orphans = [
        d for d in managed if d.key not in snapshot.workloads_by_target and _workload_of(d) not in unreadable
    ]
    if len(orphans) >= MASS_DELETION and 2 * len(orphans) > len(managed):
        confirmed = [
            o for o in orphans if CONFIRM_RESTORE in (o.document["metadata"].get("annotations") or {})
        ]
        return tuple(confirmed), tuple(o for o in orphans if o not in confirmed)
    return tuple(orphans), ()


def _workload_of(deployment: DeploymentFact) -> str | None:
    """The workload (namespace/name) for which a Deployment was moved, as its record says."""
    try:
        record = records.read(deployment.document)
    except records.RecordDamaged:
        return None
    return f"{deployment.namespace}/{record.workload}" if record else None


def _due(acting: Round, maker: _Maker) -> float | None:
    """When the passing of time alone may change the decision.

    At the end of a minimum stay, of a tug-of-war's window, of a cool-down, or of the time that a placement has to come to serve.
    """
    waits = []
    for move in acting.moves:
        subject = maker.subjects[move.workload]
        stayed = acting.running[move.workload].stayed_seconds
        if move.reason is Reason.MINIMUM_STAY and stayed is not None:
            waits.append(subject.policy.minimum_stay_seconds - stayed)
        if subject.record is not None and situation.is_contested(subject.record, maker.now):
            waits.append(situation.contest_seconds(subject.record, maker.now))
    if maker.setbacks.due_seconds is not None:
        waits.append(maker.setbacks.due_seconds)
    return max(0.1, min(waits)) + 0.1 if waits else None
