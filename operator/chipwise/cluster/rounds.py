"""Joint choices over one snapshot: who is asked together, what the pools have for them, and which moves follow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from chipwise.api import AcceleratorClass, InferenceWorkload, ModelProfile, Variant
from chipwise.cluster import bridging, situation
from chipwise.cluster.demand import demand
from chipwise.cluster.grounds import Flight, truth_of
from chipwise.cluster.knowledge import foresee
from chipwise.cluster.pools import PoolView
from chipwise.cluster.quotas import Quota, limits, quotas
from chipwise.cluster.renewal import home_option
from chipwise.cluster.restoring import Restores, told
from chipwise.cluster.setback import Setbacks
from chipwise.cluster.sharing import Ledger
from chipwise.cluster.situation import Course, Pods
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.subject import Subject
from chipwise.cluster.supply import Guest, supply
from chipwise.cluster.terms import TermsOf
from chipwise.placement.ceilings import granted, nodes_to_come
from chipwise.placement.explain import Explainer
from chipwise.placement.fragments import ROUNDS, Barred, fragmented, joined, without
from chipwise.placement.ground import Truth
from chipwise.placement.moves import Move, plan_moves
from chipwise.placement.plan import Plan
from chipwise.placement.problem import Footprint, Option, Pool, Problem, SolveLimits, Workload
from chipwise.placement.rules import MoveRule, Running
from chipwise.placement.solve import solve
from chipwise.reasons import Refusal


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
class Rounds:
    """What all choices over one snapshot share. ``frozen``: every move stands still.

    ``asked`` remembers what a workload may have, and under which quotas: the same in most rounds.
    """

    snapshot: Snapshot
    views: Mapping[str, PoolView]
    subjects: Mapping[str, Subject]
    pods: Mapping[str, Pods]
    setbacks: Setbacks
    returning: Restores
    now: datetime
    frozen: bool
    limits: SolveLimits
    terms_of: TermsOf
    asked: dict[str, tuple[list[Quota], Workload]] = field(default_factory=dict)

    def ask(self, keys: frozenset[str]) -> Round:
        """Decide about ``keys`` together; everything else stays as it is.

        A place that the nodes do not have as they are is taken out of the question, and that is asked again.
        """
        foresee(self._variants(sorted(keys)))
        found = quotas(self.snapshot, self._released(keys))
        workloads = {key: self._narrowed(self._demand(key, found)) for key in sorted(keys)}
        barred: Barred = {}
        for _ in range(ROUNDS):
            decided = self._once({key: without(workload, barred) for key, workload in workloads.items()})
            more = fragmented(decided.moves)
            if not more:
                break
            barred = joined(barred, more)
        moves = (told(m, self.subjects[m.workload], self.returning.waiting) for m in decided.moves)
        return replace(decided, moves=tuple(moves))

    def _once(self, workloads: Mapping[str, Workload]) -> Round:
        movable = frozenset(key for key, workload in workloads.items() if workload.options)
        released = self._released(movable) - self._left_over(workloads)
        now = {key: self._running(key, workloads[key]) for key in sorted(movable)}
        standing = {uid: size for key, one in now.items() for uid, size in self._standing(key, one)}
        guests = self._guests(now)
        usable = {name: view for name, view in self.views.items() if view.refusal is None}
        ledger = Ledger(usable.values())
        pools = tuple(
            supply(view, self.snapshot, released, standing, guests.get(name, ()), ledger)
            for name, view in usable.items()
        )
        left = quotas(self.snapshot, released)
        problem = Problem(tuple(workloads.values()), pools, limits(left), ledger.ceilings())
        running = now | {
            key: Running(key, replicas=self.subjects[key].deployment.replicas)
            for key in workloads.keys() - movable
        }
        rules = {key: self._rule(self.subjects[key]) for key in workloads}
        plan = solve(problem, self.limits)
        shared = granted(problem, dict(plan.grants))
        known = [
            _granted(usable[pool.name], pool, cut) for pool, cut in zip(pools, shared.pools, strict=True)
        ]
        truth = truth_of(self.snapshot, known, self._flights(workloads), left)
        return Round(problem, plan, plan_moves(shared, plan, running, rules, truth), running, truth)

    def _rule(self, subject: Subject) -> MoveRule:
        rule = situation.rule(subject, self.now, frozen=self.frozen)
        under_way = self.returning.under_way.get(rule.policy, 0)
        return replace(rule, restoring=under_way, halted=self.setbacks.halts.of(subject))

    def _variants(
        self, keys: Iterable[str]
    ) -> Iterator[tuple[InferenceWorkload, ModelProfile, Variant, AcceleratorClass]]:
        """Every way to serve them for which there is a pool."""
        classes = {view.class_name for view in self.views.values()} & self.snapshot.classes.keys()
        for key in keys:
            subject = self.subjects[key]
            for variant in subject.profile.spec.variants:
                if variant.class_name in classes:
                    chip_class = self.snapshot.classes[variant.class_name]
                    yield subject.workload, subject.profile, variant, chip_class

    def _demand(self, key: str, found: tuple[Quota, ...]) -> Workload:
        subject, cooling = self.subjects[key], self.setbacks.cooling
        concerned = [quota for quota in found if quota.namespace == subject.deployment.namespace]
        if key not in self.asked or self.asked[key][0] != concerned:
            asked = demand(subject, self.snapshot, self.views, concerned, cooling, self.terms_of)
            self.asked[key] = (concerned, asked)
        return self.asked[key][1]

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
                yield from ((pod.uid, footprint) for pod in there if pod.node and pod not in pods.spilled)

    def _guests(self, now: Mapping[str, Running]) -> dict[str, list[Guest]]:
        """By pool, the replicas of its workloads that are in others."""
        found: dict[str, list[Guest]] = {}
        for key, one in now.items():
            home, footprint = self.subjects[key].home, one.footprint
            if home is None or footprint is None or home.pool != one.pool:
                continue
            for pod in self.pods[key].spilled:
                where = next(view for view in self.views.values() if pod.node in view.node_names)
                price = where.chip_price_per_hour * footprint.chips
                found.setdefault(home.pool, []).append(Guest(footprint, price))
        return found

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
                further=self._further(key),
            )
            for key, workload in sorted(workloads.items())
        )

    def _further(self, key: str) -> tuple[Option, ...]:
        """What it may have in the other pools that its template names, whether or not it is to be moved there."""
        home = self.subjects[key].home
        if home is None or not home.further:
            return ()
        asked = self._demand(key, ()).options
        return tuple(o for o in asked if o.variant == home.variant and o.pool in home.further)

    def _released(self, keys: frozenset[str]) -> frozenset[str]:
        """What may be taken away. Not what has spilled: the pool that it is in is another workload's to plan with only when it is gone."""
        return frozenset(
            pod.uid for key in keys for pod in self.pods[key].all if pod not in self.pods[key].spilled
        )

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
        traffic = subject.workload.spec.traffic
        peak = float(traffic.peak_requests_per_second or traffic.mean_requests_per_second)
        carries = min(peak, found.replicas * home.figures.requests_per_second) if home.figures else None
        reserved = max(found.replicas, home.replicas)
        return replace(found, replicas=reserved, bound=None, runs=found.replicas, carries=carries)

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


def _granted(view: PoolView, pool: Pool, shared: Pool) -> PoolView:
    """The pool with the nodes to come that the plan leaves it of what it shares."""
    return replace(view, to_come=view.to_come - nodes_to_come(pool) + nodes_to_come(shared))
