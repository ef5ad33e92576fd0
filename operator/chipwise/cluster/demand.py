"""The feasible options of one workload, and a typed refusal for every (variant, pool) that is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import TypeVar

from chipwise.api import Variant
from chipwise.cluster.cooling import Cooling
from chipwise.cluster.facts import PodFact
from chipwise.cluster.feasibility import Case, first_refusal
from chipwise.cluster.knowledge import expected, knowledge_of, objectives_of, shape_of, sustained
from chipwise.cluster.pools import PoolView
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.subject import Subject
from chipwise.performance import Knowledge, Sustained
from chipwise.placement.bridge import loads, span
from chipwise.placement.problem import Candidate, Figures, Footprint, Limit, Option, Workload
from chipwise.reasons import Reason, Refusal
from chipwise.rendering.quantity import milli, whole

SECONDS_PER_HOUR = 3600.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Quota:
    """What a namespace may still take of one resource, counting back what the plan may take away."""

    key: str
    namespace: str
    resource_name: str
    amount: int


def quotas(snapshot: Snapshot, released: Collection[str]) -> tuple[Quota, ...]:
    """The chip quotas of all namespaces in order of key.

    What a quota says is used follows the pods by moments, and of a new quota it is nothing at first: pods that are seen count all the same.
    """
    found = []
    for name, quota in sorted(snapshot.quotas.items()):
        pods = [pod for pod in snapshot.pods.values() if pod.namespace == quota.namespace]
        seen = _chips(pod for pod in pods if not pod.deleting)
        ours = _chips(pod for pod in pods if pod.uid in released)
        said = dict(quota.used)
        for resource, hard in quota.hard:
            left = hard - max(said.get(resource, 0), seen[resource]) + ours[resource]
            found.append(Quota(f"{name}/{resource}", quota.namespace, resource, max(0, left)))
    return tuple(found)


def _chips(pods: Iterable[PodFact]) -> Counter[str]:
    held: Counter[str] = Counter()
    for pod in pods:
        held.update(dict(pod.chips))
    return held


def limits(found: Collection[Quota]) -> tuple[Limit, ...]:
    """Quotas as the solver knows them."""
    return tuple(Limit(quota.key, quota.amount) for quota in found)


def demand(
    subject: Subject,
    snapshot: Snapshot,
    views: Mapping[str, PoolView],
    found: Collection[Quota],
    cooling: Cooling,
) -> Workload:
    """Every (variant, pool of its class) as an option or a refused candidate."""
    options: list[Option] = []
    refused: list[Candidate] = []
    for variant in subject.profile.spec.variants:
        pools = [view for view in views.values() if view.class_name == variant.class_name]
        if not pools:
            message = f"no AcceleratorPool is of class {variant.class_name}"
            refused.append(Candidate(variant.name, None, Refusal(Reason.NO_VARIANT, message)))
        for view in pools:
            outcome = _consider(
                Case(subject, variant, view, footprint(subject, variant), snapshot, cooling), views, found
            )
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


def footprint(subject: Subject, variant: Variant) -> Footprint:
    """What one replica of the variant takes: its chips, and the author's CPU and memory unless the variant states its own."""
    resources = variant.container.resources if variant.container else None
    return Footprint(
        chips=variant.chips,
        cpu_milli=milli(resources.cpu) if resources and resources.cpu else subject.cpu_milli,
        memory_bytes=whole(resources.memory) if resources and resources.memory else subject.memory_bytes,
    )


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


def _consider(case: Case, views: Mapping[str, PoolView], found: Collection[Quota]) -> Option | Refusal:
    refusal = first_refusal(case)
    if refusal is not None:
        return refusal
    try:
        return _option(case, views, found)
    except _RefusedError as refused:
        return refused.refusal


def _option(case: Case, views: Mapping[str, PoolView], found: Collection[Quota]) -> Option:
    workload, variant, view = case.subject.workload, case.variant, case.pool
    knowledge = _knowledge(case)
    rate = _must(sustained(knowledge, shape_of(workload), objectives_of(workload), variant.max_concurrency))
    replicas = _must(_replicas(case, rate))
    return Option(
        pool=view.name,
        variant=variant.name,
        replicas=replicas,
        footprint=case.footprint,
        switching_cost_per_hour=0.0 if case.at_home else _switching_cost(case, replicas, views),
        usage=_must(_usage(case, replicas, found)),
        figures=_must(_figures(case, rate, replicas, knowledge)),
    )


def _replicas(case: Case, rate: Sustained) -> int | Refusal:
    """Enough for the peak rate, at least the minimum; above the maximum is infeasible, never clamped.

    Where chipwise does not set replicas they are what it takes: of a Deployment that it has not moved, while it stays, and everywhere
    of one whose replicas belong to somebody else. An autoscaler is believed to go where it must within its bounds.
    """
    subject, spec = case.subject, case.subject.workload.spec
    peak = float(spec.traffic.peak_requests_per_second or spec.traffic.mean_requests_per_second)
    least, most, owner = spec.replicas.min, spec.replicas.max, "spec.replicas"
    if subject.autoscaler is not None:
        least, most, owner = (
            subject.autoscaler.minimum,
            subject.autoscaler.maximum,
            f"HPA {subject.autoscaler.name}",
        )
    needed = ceil(peak / rate.requests_per_second - 1e-9)
    if most is not None and needed > most:
        return Refusal(
            Reason.REPLICAS_EXCEEDED,
            f"needs {needed} replicas of {rate.requests_per_second:.3g} requests/s each for {peak:g} requests/s; {owner} allows {most}",
        )
    authors = subject.replicas_external or (case.at_home and subject.record is None)
    if authors and subject.autoscaler is None:
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
    subject, resource = case.subject, case.pool.resource_name
    namespace = subject.workload.metadata.namespace or "default"
    chips = replicas * case.variant.chips
    home = subject.home
    old = home.replicas * home.chips if home and home.resource_name == resource and not case.at_home else 0
    twice = case.variant.chips if not case.at_home and span(subject.deployment.replicas, replicas) else 0
    both = chips + max(old, twice)
    meanwhile = " while both copies run" if both > chips else ""
    usage = []
    for quota in found:
        if (quota.namespace, quota.resource_name) != (namespace, resource):
            continue
        if both > quota.amount:
            return Refusal(
                Reason.QUOTA_EXCEEDED,
                f"needs {both} {resource} in namespace {namespace}{meanwhile}; quota {quota.key} leaves {quota.amount}",
            )
        usage.append((quota.key, chips))
    return tuple(usage)


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
    latency = expected(knowledge, shape_of(workload), peak / replicas, case.variant.max_concurrency)
    if isinstance(latency, Refusal):
        return latency
    return Figures(
        requests_per_second=rate.requests_per_second,
        ttft_ms=latency.ttft_ms,
        tpot_ms=latency.tpot_ms,
        provenance=latency.provenance.value,
        band=latency.band,
        binding=rate.binding,
    )
