"""The one decision: a snapshot in, a plan with its moves and every refusal out. The operator and ``chipwise plan`` share every line.

Workloads whose mode lets chipwise write are decided together. Those in mode Off hold what they hold: their proposals come from a second
round in which everybody may move, so that nobody's plan counts on room that an Off workload will not give.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from chipwise.autoscaling.placeholders import Settings
from chipwise.cluster import situation
from chipwise.cluster.expansion import Expansion, expansion
from chipwise.cluster.facts import DeploymentFact
from chipwise.cluster.growth import after_the_moves, growth
from chipwise.cluster.orphans import orphans
from chipwise.cluster.pools import PoolView, view_pools
from chipwise.cluster.probing import Probing, probed
from chipwise.cluster.renewal import Nodes, renewals
from chipwise.cluster.restoring import restores
from chipwise.cluster.rounds import Round, Rounds
from chipwise.cluster.setback import Setbacks, setbacks
from chipwise.cluster.situation import Pods
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.spare import Spares, spares, with_spare
from chipwise.cluster.subject import DEFAULT_POLICY, Subject, accept
from chipwise.cluster.terms import TermsOf
from chipwise.cluster.yielding import yielding
from chipwise.placement.billing import Bill, DoesNotFitError, bill
from chipwise.placement.explain import Explainer
from chipwise.placement.moves import Move
from chipwise.placement.plan import Choice, Plan, SpareUse
from chipwise.placement.problem import Option, Problem, SolveLimits, Workload
from chipwise.placement.spare import spare_uses
from chipwise.reasons import Reason, Refusal


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds for the whole operator: ``frozen`` stops every move, ``writes`` is False where the role grants none.

    ``priority_expander``: Cluster Autoscaler is told an order of its node groups. ``probing``: it is asked before a move. ``spare`` is how
    placeholders are made, None where no room is kept warm.
    """

    frozen: bool = False
    writes: bool = True
    priority_expander: bool = False
    probing: bool = False
    spare: Settings | None = None


@dataclass(frozen=True)
class Decision:
    """Everything that was decided from one snapshot.

    ``refused`` are workloads that cannot be decided about. ``acting`` decides about those that may be written, ``shown`` about all.
    ``current`` is the bill of what runs, None where what runs does not fit what is known of the pools, and ``spare_now`` what the warm room
    beside it costs. ``renewals`` are the templates
    of ours that are out of date: None where one is to be written anew now, else why it waits. ``restores`` are the workloads that are to
    be given back, in the same way. Managed Deployments that lost their workload are given back or released now (``orphans``), wait for
    room, budget or a thaw (``orphans_waiting``), or are held because they are too many (``orphans_held``). ``growth`` are the replicas
    that the nodes take of those workloads that need more where they are. ``expansion`` is the order of node groups, where one is to be
    told, ``probing`` what is asked before moves, where that is to be asked. ``spares`` are the placeholders, where there are to be any.
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
    spare_now: tuple[SpareUse, ...] = ()
    spares: Spares | None = None
    orphans: tuple[DeploymentFact, ...] = ()
    orphans_held: tuple[DeploymentFact, ...] = ()
    orphans_waiting: tuple[tuple[DeploymentFact, Refusal], ...] = ()
    due_seconds: float | None = None
    active: frozenset[str] = field(default_factory=frozenset)
    renewals: Mapping[str, Refusal | None] = field(default_factory=dict)
    restores: Mapping[str, Refusal | None] = field(default_factory=dict)
    growth: Mapping[str, int] = field(default_factory=dict)
    expansion: Expansion | None = None
    probing: Probing | None = None

    @property
    def frozen(self) -> bool:
        """Whether every move stands still, those of workloads that are gone included."""
        default = self.snapshot.policies.get(DEFAULT_POLICY)
        return self.standing.frozen or (default is not None and default.spec.freeze)

    @property
    def serving(self) -> frozenset[str]:
        """namespace/name of the Deployments that workloads name, and of the bridges that stand in for them."""
        named = {subject.deployment.key for subject in self.subjects.values()}
        return frozenset(named | {bridge.key for bridge in self.snapshot.bridges.values()})

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
    snapshot = yielding(_heard(snapshot, now))
    views = _views(snapshot, standing)
    accepted, refused = _accepted(snapshot, views)
    lost, held = orphans(snapshot)
    rounds = _rounds(accepted, lost, snapshot, views, now, standing, solve_limits or SolveLimits())
    subjects, pods, returning = rounds.subjects, rounds.pods, rounds.returning
    active = frozenset(key for key, subject in subjects.items() if _is_active(subject))
    shown = rounds.ask(frozenset(subjects))
    acting = shown if active == frozenset(subjects) else rounds.ask(active)
    probing = None
    if standing.probing:
        moves, probing = probed(acting.moves, subjects, views, snapshot, now)
        acting = replace(acting, moves=moves)
    explainers = {key: (acting if key in active else shown).explainer for key in subjects}
    outlook = after_the_moves(acting.truth, acting.moves)
    nodes = Nodes(views, rounds.terms_of, outlook)
    renewed = renewals(subjects, pods, nodes, acting.problem, acting.moves, now=now, frozen=standing.frozen)
    current, spare_now = _current(shown)
    return Decision(
        snapshot=snapshot,
        now=now,
        standing=standing,
        views=views,
        subjects=subjects,
        refused=refused,
        pods=pods,
        setbacks=rounds.setbacks,
        acting=acting,
        shown=shown,
        current=current,
        spare_now=spare_now,
        spares=spares(views, snapshot, standing.spare) if standing.spare is not None else None,
        orphans=tuple(one for one in lost if returning.orphans.get(one.key) is None),
        orphans_held=held,
        orphans_waiting=tuple(
            (one, refusal) for one in lost if (refusal := returning.orphans.get(one.key)) is not None
        ),
        due_seconds=_due(acting, rounds, probing, renewed),
        active=active,
        renewals=renewed,
        restores=returning.waiting,
        growth=growth(subjects, pods, acting.problem, acting.moves, outlook),
        expansion=_expansion(snapshot, views, explainers) if standing.priority_expander else None,
        probing=probing,
    )


def _views(snapshot: Snapshot, standing: Standing) -> Mapping[str, PoolView]:
    """Every pool, with what it keeps warm where that is done."""
    views = view_pools(snapshot)
    return views if standing.spare is None else with_spare(views, snapshot)


def _accepted(
    snapshot: Snapshot, views: Mapping[str, PoolView]
) -> tuple[dict[str, Subject], dict[str, Refusal]]:
    """Who can be decided about, and why the others cannot."""
    subjects: dict[str, Subject] = {}
    refused: dict[str, Refusal] = {}
    for key, workload in sorted(snapshot.workloads.items()):
        found = accept(workload, snapshot, views)
        if isinstance(found, Refusal):
            refused[key] = found
        else:
            subjects[key] = found
    return subjects, refused


def _rounds(
    accepted: Mapping[str, Subject],
    lost: tuple[DeploymentFact, ...],
    snapshot: Snapshot,
    views: Mapping[str, PoolView],
    now: datetime,
    standing: Standing,
    solve_limits: SolveLimits,
) -> Rounds:
    """What all rounds share: where everybody is, what failed lately, and who goes back to its author."""
    pods = {key: situation.pods_of(subject, snapshot, views) for key, subject in accepted.items()}
    subjects = {key: situation.with_spilled(subject, pods[key]) for key, subject in accepted.items()}
    suffered = setbacks(subjects, pods, views, snapshot, now)
    returning = restores(suffered.subjects, pods, lost, snapshot, views, frozen=standing.frozen)
    return Rounds(
        snapshot=returning.snapshot,
        views=views,
        subjects=suffered.subjects,
        pods=pods,
        setbacks=suffered,
        returning=returning,
        now=now,
        frozen=standing.frozen,
        limits=solve_limits,
        terms_of=TermsOf(returning.snapshot),
    )


def _expansion(
    snapshot: Snapshot, views: Mapping[str, PoolView], explainers: Mapping[str, Explainer]
) -> Expansion:
    return expansion(explainers, views, next(iter(snapshot.priority_maps.values()), None))


def _heard(snapshot: Snapshot, now: datetime) -> Snapshot:
    """What an autoscaler that does not run any more said of its groups is not known."""
    current = {key: each for key, each in snapshot.group_states.items() if each.is_current(now)}
    return snapshot if len(current) == len(snapshot.group_states) else replace(snapshot, group_states=current)


def _is_active(subject: Subject) -> bool:
    return (
        str(subject.workload.spec.mode) != "Off"
        and not situation.is_restore_requested(subject.workload)
        and not (subject.record is not None and subject.record.restoring)
    )


def _current(shown: Round) -> tuple[Bill | None, tuple[SpareUse, ...]]:
    """What runs now, billed by the same rules as the plan, and what is kept warm beside it."""
    options = {
        key: Option(one.pool, one.variant or "", one.replicas, one.footprint)
        for key, one in shown.running.items()
        if one.pool is not None and one.footprint is not None and one.replicas
    }
    pools = {pool.name for pool in shown.problem.pools}
    options = {key: option for key, option in options.items() if option.pool in pools}
    workloads = tuple(Workload(key, 0, (option,)) for key, option in sorted(options.items()))
    problem = Problem(workloads, shown.problem.pools)
    try:
        found = bill(problem, options)
    except DoesNotFitError:
        return None, ()
    return found, spare_uses(problem, options, found)


def _due(
    acting: Round, rounds: Rounds, probing: Probing | None, renewed: Mapping[str, Refusal | None]
) -> float | None:
    """When the passing of time alone may change the decision.

    At the end of a minimum stay (of a move, or of what is to come back from a further pool), of a tug-of-war's window, of a cool-down or
    a halt, of an answer to a probe, or of the time that a placement has to come to serve.
    """
    waits = []
    for move in acting.moves:
        subject = rounds.subjects[move.workload]
        stayed = acting.running[move.workload].stayed_seconds
        held = renewed.get(move.workload)
        if Reason.MINIMUM_STAY in (move.reason, held.reason if held else None) and stayed is not None:
            waits.append(subject.policy.minimum_stay_seconds - stayed)
        if subject.record is not None and situation.is_contested(subject.record, rounds.now):
            waits.append(situation.contest_seconds(subject.record, rounds.now))
    if probing is not None and probing.due_seconds is not None:
        waits.append(probing.due_seconds)
    if rounds.setbacks.due_seconds is not None:
        waits.append(rounds.setbacks.due_seconds)
    return max(0.1, min(waits)) + 0.1 if waits else None
