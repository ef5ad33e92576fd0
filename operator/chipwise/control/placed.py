"""Where a workload runs, as its status tells it: what serves now, where a move under way goes, its bridge; and where it should run."""

from __future__ import annotations

from math import floor

from chipwise.api import InferenceWorkload
from chipwise.cluster.bridging import leads_to
from chipwise.cluster.decide import Decision
from chipwise.cluster.pools import PoolView
from chipwise.cluster.situation import Pods
from chipwise.cluster.subject import Subject
from chipwise.control.conditions import Document
from chipwise.placement.explain import cost_per_million_tokens
from chipwise.placement.problem import Figures
from chipwise.reasons import Reason


def money(amount: float) -> str:
    """Dollars to the cent, as status holds them."""
    return f"{round(amount, 2) + 0.0:.2f}"  # + 0.0 takes the sign off a zero


def placements(subject: Subject, decision: Decision) -> list[Document]:
    """Where it runs, first what it serves from; empty where that is in no known pool and no bridge stands."""
    placed, left, bridge = (find(subject, decision) for find in (_present, _left, _bridge))
    heading = None
    is_under_way = left is not None or _leaves_the_map(subject, decision)
    if placed is not None and subject.home is not None and is_under_way:
        heading = _heading(placed, subject.home.chips, decision.pods[subject.key])
        placed = left
    found = (placed, heading, *_spilled(subject, decision), bridge)
    return [each for each in found if each]


def proposal(subject: Subject, decision: Decision) -> Document | None:
    """Where it should run; None where there is no place for it."""
    choice = decision.choice(subject.key)
    option = choice.option
    if option is None:
        return None
    return {
        **_place(decision.views[option.pool], option.variant, option.replicas, option.chips),
        **_cost(choice.cost_per_hour, subject.workload),
        **(_figures(option.figures) if option.figures else {}),
    }


def _present(subject: Subject, decision: Decision) -> Document | None:
    home = subject.home
    if home is None:
        return None
    view = decision.views[home.pool]
    replicas = max(0, subject.deployment.replicas - home.spilled)
    billed = _billed(subject, decision, subject.deployment.replicas * home.chips, view)
    placed = {
        **_place(view, home.variant, replicas, replicas * home.chips),
        **_cost(billed, subject.workload),
    }
    option = next(
        (
            w_option
            for w in decision.shown.problem.workloads
            if w.key == subject.key
            for w_option in w.options
            if (w_option.pool, w_option.variant) == (home.pool, home.variant)
        ),
        None,
    )
    if option is not None and option.figures is not None:
        placed |= _figures(option.figures)
    if subject.record is not None:
        placed["since"] = subject.record.moved_at
    return placed


def _left(subject: Subject, decision: Decision) -> Document | None:
    """In mid-move, where the pods run that the move has not replaced yet; None where there are none, or not in another place."""
    running, home, record = decision.shown.running[subject.key], subject.home, subject.record
    target, size = running.moving_to, running.footprint
    if target is None or leads_to(subject, target) or record is None or record.restoring:
        return None
    if running.pool is None or size is None or home is None:
        return None
    if (running.pool, running.variant) == (home.pool, home.variant):
        return None
    view, chips = decision.views[running.pool], running.replicas * size.chips
    billed = _billed(subject, decision, chips, view)
    return {**_place(view, running.variant, running.replicas, chips), **_cost(billed, subject.workload)}


def _leaves_the_map(subject: Subject, decision: Decision) -> bool:
    """In mid-move, with old pods in a pool that nobody declares any more: what serves is nowhere that has a name or a price."""
    running = decision.shown.running[subject.key]
    return running.moving_to is not None and running.pool is None and bool(decision.pods[subject.key].old)


def _heading(placed: Document, chips: int, pods: Pods) -> Document:
    """Where a move goes, as far as it has come. It is billed only when nothing is left where it came from."""
    arrived = len(pods.new) - len(pods.spilled)
    kept = {k: v for k, v in placed.items() if k not in ("costPerHour", "costPerMillionOutputTokens")}
    return {
        **kept,
        "replicas": arrived,
        "ready": sum(pod.ready for pod in pods.new if pod not in pods.spilled),
        "chips": arrived * chips,
        "reason": Reason.MOVE_IN_PROGRESS.value,
    }


def _spilled(subject: Subject, decision: Decision) -> list[Document]:
    """Pods that found room in a further pool only. What they cost is in the workload's own bill."""
    home, found = subject.home, []
    for name in home.further if home is not None else ():
        view = decision.views[name]
        there = [pod for pod in decision.pods[subject.key].spilled if pod.node in view.node_names]
        if home is not None and there:
            place = _place(view, home.variant, len(there), len(there) * home.chips)
            found.append({**place, "reason": "Spilled"})
    return found


def _bridge(subject: Subject, decision: Decision) -> Document | None:
    """The bridge, which is billed to nobody: it goes within minutes."""
    standing = subject.bridge
    if standing is None or standing.bridge is None:
        return None
    pool, variant = standing.bridge.place
    view = decision.views.get(pool)
    known = subject.profile.spec.variant(variant)
    chips = known.chips if known else 0
    return {
        "pool": pool,
        "variant": variant,
        "acceleratorClass": view.class_name if view else "",
        "replicas": standing.replicas,
        "ready": min(standing.ready_replicas, standing.replicas),
        "chips": standing.replicas * chips,
        "reason": "Bridge",
    }


def _place(view: PoolView, variant: str | None, replicas: int, chips: int) -> Document:
    """So many replicas on one pool, of so many chips together."""
    return {
        "pool": view.name,
        "variant": variant or "",
        "acceleratorClass": view.class_name,
        "replicas": replicas,
        "chips": chips,
    }


def _billed(subject: Subject, decision: Decision, chips: int, view: PoolView) -> float:
    """Its share of what runs now in dollars per hour; at full nodes where that bill is not known."""
    amortised = chips * view.chip_price_per_hour
    return decision.current.shares.get(subject.key, amortised) if decision.current else amortised


def _cost(cost: float, workload: InferenceWorkload) -> Document:
    traffic = workload.spec.traffic
    rate = cost_per_million_tokens(cost, float(traffic.mean_requests_per_second) * traffic.output_tokens)
    found = {"costPerHour": money(cost)}
    return found if rate is None else {**found, "costPerMillionOutputTokens": money(rate)}


def _figures(figures: Figures) -> Document:
    return {
        "suggestedTarget": {
            "requestsPerSecondPerReplica": f"{floor(figures.requests_per_second * 100) / 100:.2f}",
            "concurrencyPerReplica": max(1, int(figures.concurrency)),
        },
        "ttft": f"{figures.ttft_ms:.0f}ms",
        "tpot": f"{figures.tpot_ms:.1f}ms",
        "provenance": figures.provenance,
    }
