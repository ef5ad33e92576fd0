"""The feasible options of one workload, and a typed refusal for every (variant, pool) that is none."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import ceil
from typing import TypeVar

from chipwise.cluster.autoscaling import reserved
from chipwise.cluster.cooling import Cooling
from chipwise.cluster.feasibility import Case, first_refusal
from chipwise.cluster.knowledge import expected, knowledge_of, objectives_of, shape_of, sustained
from chipwise.cluster.pools import PoolView
from chipwise.cluster.quotas import Bid, Quota, unstated, usage
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.subject import Subject
from chipwise.cluster.terms import TermsOf
from chipwise.performance import Knowledge, Sustained
from chipwise.placement.bridge import loads, span
from chipwise.placement.problem import Candidate, Figures, Option, Workload
from chipwise.placement.terms import Terms
from chipwise.reasons import Reason, Refusal

SECONDS_PER_HOUR = 3600.0
T = TypeVar("T")


def demand(
    subject: Subject,
    snapshot: Snapshot,
    views: Mapping[str, PoolView],
    found: Collection[Quota],
    cooling: Cooling,
    terms_of: TermsOf | None = None,
) -> Workload:
    """Every (variant, pool of its class) as an option or a refused candidate. ``terms_of`` remembers between workloads."""
    options: list[Option] = []
    refused: list[Candidate] = []
    asked = _Asked(views, found, terms_of or TermsOf(snapshot))
    for variant in subject.profile.spec.variants:
        pools = [view for view in views.values() if view.class_name == variant.class_name]
        if not pools:
            message = f"no AcceleratorPool is of class {variant.class_name}"
            refused.append(Candidate(variant.name, None, Refusal(Reason.NO_VARIANT, message)))
        for view in pools:
            outcome = _consider(Case(subject, variant, view, snapshot, cooling), asked)
            if isinstance(outcome, Refusal):
                refused.append(Candidate(variant.name, view.name, outcome))
            else:
                options.append(outcome)
    traffic = subject.workload.spec.traffic
    return Workload(
        key=subject.key,
        priority=subject.priority,
        options=tuple(options),
        refused=tuple(refused),
        mean_output_tokens_per_second=float(traffic.mean_requests_per_second) * traffic.output_tokens,
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is the same for every case."""

    views: Mapping[str, PoolView]
    quotas: Collection[Quota]
    terms_of: TermsOf


class _RefusedError(Exception):
    """Ends the consideration of one case."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def _must(found: T | Refusal) -> T:
    if isinstance(found, Refusal):
        raise _RefusedError(found)
    return found


def _knowledge(case: Case) -> Knowledge:
    chip_class = case.snapshot.classes[case.pool.class_name]
    found = knowledge_of(case.subject.workload, case.subject.profile, case.variant, chip_class)
    if isinstance(found, Refusal):
        raise _RefusedError(found)
    return found


def _consider(case: Case, asked: _Asked) -> Option | Refusal:
    refusal = _idle(case) or first_refusal(case)
    if refusal is not None:
        return refusal
    try:
        return _option(case, asked)
    except _RefusedError as refused:
        return refused.refusal


def _idle(case: Case) -> Refusal | None:
    """At zero replicas it has no place but that which KEDA may wake it up in."""
    autoscaler = case.subject.autoscaler
    wakes = autoscaler is not None and autoscaler.scales_to_zero and case.subject.policy.headroom
    return None if wakes and case.at_home else case.subject.idle


def _option(case: Case, asked: _Asked) -> Option:
    workload, variant, view = case.subject.workload, case.variant, case.pool
    knowledge = _knowledge(case)
    rate = _must(sustained(knowledge, shape_of(workload), objectives_of(workload), variant.max_concurrency))
    replicas = _must(_replicas(case, rate))
    return Option(
        pool=view.name,
        variant=variant.name,
        replicas=replicas,
        footprint=case.footprint,
        switching_cost_per_hour=0.0 if case.at_home else _switching_cost(case, replicas, asked.views),
        usage=_must(_usage(case, replicas, asked.quotas)),
        figures=_must(_figures(case, rate, replicas, knowledge)),
        terms=_must(_terms(case, asked.terms_of)),
    )


def _terms(case: Case, terms_of: TermsOf) -> Terms | Refusal | None:
    """What the scheduler will ask of nodes. What cannot be counted stops a move; staying asks nothing new."""
    template, size = case.template, case.size
    if isinstance(template, Refusal) or size is None:  # pragma: no cover
        raise AssertionError("it was refused before")
    namespace = case.subject.deployment.namespace
    found = terms_of(template, namespace, size, case.pool)
    return None if case.at_home and isinstance(found, Refusal) else found


def _replicas(case: Case, rate: Sustained) -> int | Refusal:
    """Enough for the peak rate, at least the minimum; above the maximum is infeasible, never clamped.

    Where chipwise does not set replicas they are what it takes: of a Deployment that it has not moved, while it stays, and everywhere
    of one whose replicas belong to somebody else. What an autoscaler may take: ``autoscaling``.
    """
    subject, spec = case.subject, case.subject.workload.spec
    peak = float(spec.traffic.peak_requests_per_second or spec.traffic.mean_requests_per_second)
    least, most, owner = spec.replicas.min, spec.replicas.max, "spec.replicas"
    if subject.autoscaler is not None:
        least, most, owner = (
            subject.autoscaler.minimum,
            subject.autoscaler.maximum,
            subject.autoscaler.title,
        )
    needed = ceil(peak / rate.requests_per_second - 1e-9)
    if most is not None and needed > most:
        return Refusal(
            Reason.REPLICAS_EXCEEDED,
            f"needs {needed} replicas of {rate.requests_per_second:.3g} requests/s each for {peak:g} requests/s; {owner} allows {most}",
        )
    if subject.autoscaler is not None:
        return reserved(subject.autoscaler, needed, subject.deployment.replicas, subject.policy.headroom)
    authors = subject.replicas_external or (case.at_home and subject.record is None)
    if authors:
        runs = subject.deployment.replicas
        if runs >= needed:
            return runs
        return Refusal(
            Reason.REPLICAS_EXCEEDED,
            f"the author runs {runs} replicas of {rate.requests_per_second:.3g} requests/s each, {needed} are needed: scale it up",
        )
    return max(least, needed)


def _usage(case: Case, replicas: int, found: Collection[Quota]) -> tuple[tuple[str, int], ...] | Refusal:
    """Quota taken. During a move both copies count, so a move between pools of one resource needs room for both.

    Over a bridge one replica runs twice at the end, when the old ones are gone.
    """
    template, size, deployment = case.template, case.size, case.subject.deployment
    if isinstance(template, Refusal) or size is None:  # pragma: no cover
        raise AssertionError("it was refused before")
    present = [p for p in case.snapshot.pods_by_deployment.get(deployment.key, ()) if not p.deleting]
    twice = int(not case.at_home and span(deployment.replicas, replicas) > 0)
    bid = Bid(deployment.key, size, replicas, len(present), moves=not case.at_home, twice=twice)
    silent = None if case.stands else unstated(deployment.namespace, template["spec"], size, found)
    return silent or usage(bid, found)


def _switching_cost(case: Case, replicas: int, views: Mapping[str, PoolView]) -> float:
    """Both copies at list price while the new one starts, in dollars per hour of the policy's payback horizon.

    Over a bridge a model is loaded three times, one after the other.
    Nothing for a workload that runs nothing yet: there is no move.
    """
    home = case.subject.home
    if home is None and not case.subject.deployment.replicas:
        return 0.0
    new = case.variant.chips * case.pool.chip_price_per_hour
    old = home.chips * views[home.pool].chip_price_per_hour if home else 0.0
    copies = loads(case.subject.deployment.replicas, replicas)
    hours = case.variant.startup_seconds / SECONDS_PER_HOUR
    return (
        sum(a * new + b * old for a, b in copies)
        * hours
        / (case.subject.policy.payback_horizon_seconds / SECONDS_PER_HOUR)
    )


def _figures(case: Case, rate: Sustained, replicas: int, knowledge: Knowledge) -> Figures | Refusal:
    workload = case.subject.workload
    traffic = workload.spec.traffic
    peak = float(traffic.peak_requests_per_second or traffic.mean_requests_per_second)
    serving = max(
        replicas, ceil(peak / rate.requests_per_second - 1e-9)
    )  # of an idle one fewer are planned with
    latency = expected(knowledge, shape_of(workload), peak / serving, case.variant.max_concurrency)
    if isinstance(latency, Refusal):
        return latency
    return Figures(
        requests_per_second=rate.requests_per_second,
        concurrency=rate.at_rate.concurrency,
        ttft_ms=latency.ttft_ms,
        tpot_ms=latency.tpot_ms,
        provenance=latency.provenance.value,
        band=latency.band,
        binding=rate.binding,
    )
