"""One workload of a decision as a document: what runs now, what the plan gives it, what becomes of it, what else it could have had."""

from __future__ import annotations

from typing import Any

from chipwise.cli.figures import milliseconds, money, per_million
from chipwise.cluster.decide import Decision
from chipwise.cluster.prices import currency_of
from chipwise.placement.explain import Ranked
from chipwise.placement.moves import Decision as Verdict
from chipwise.placement.problem import Option

Document = dict[str, Any]


def standing(decision: Decision, key: str) -> Document:
    """All but the candidates. ``placed`` is False for a workload that cannot be decided about, too."""
    namespace, _, name = key.partition("/")
    workload = decision.snapshot.workloads[key]
    found: Document = {"namespace": namespace, "name": name, "mode": str(workload.spec.mode)}
    if key in decision.refused:
        refusal = decision.refused[key]
        nowhere: Document = {"placements": [], "costPerHour": None, "amortisedPerHour": None, "current": None}
        verdict = {
            "decision": Verdict.UNPLACED.value,
            "reason": refusal.reason.value,
            "message": refusal.message,
        }
        return {**found, "placed": False, **nowhere, **verdict}
    choice, move = decision.shown.plan.choice(key), decision.shown.by_workload[key]
    placed = choice.option is not None
    why = choice.refusal or move
    return {
        **found,
        "placed": placed,
        "placements": [_placement(decision, key, choice.option, choice.cost_per_hour)]
        if choice.option
        else [],
        "costPerHour": money(choice.cost_per_hour) if placed else None,
        "amortisedPerHour": money(choice.amortised_per_hour) if placed else None,
        "current": current(decision, key),
        "decision": move.decision.value,
        "reason": why.reason.value,
        "message": why.message,
    }


def place(pool: str | None, variant: str | None) -> str:
    """A place in words."""
    if pool is None:
        return "nodes of no known pool"
    return f"{variant} on {pool}" if variant else f"the author's own chips on {pool}"


def current(decision: Decision, key: str) -> Document | None:
    """What runs now; None if nothing does.

    ``costPerHour`` is its share of the present bill, None where it takes no part in that: on no known pool, or nowhere to go.
    """
    running, home = decision.shown.running[key], decision.subjects[key].home
    replicas = running.replicas or (home.replicas if home else 0)
    if not replicas:
        return None
    pool, variant, each = (
        running.pool,
        running.variant,
        running.footprint.chips if running.footprint else None,
    )
    if pool is None and home is not None:
        pool, variant, each = home.pool, home.variant, home.chips
    chips = each * replicas if each is not None else None
    view = decision.views.get(pool) if pool else None
    cost = decision.current.shares.get(key) if decision.current else None
    comparable = view is not None and view.currency == currency_of(decision.snapshot)
    amortised = chips * view.chip_price_per_hour if chips is not None and view and comparable else None
    return {
        "pool": pool,
        "variant": variant,
        "acceleratorClass": view.class_name if view else None,
        "replicas": replicas,
        "chips": chips,
        "costPerHour": money(cost),
        "amortisedPerHour": money(amortised),
        "costPerMillionOutputTokens": per_million(cost, _tokens(decision, key)),
    }


def candidates(decision: Decision, key: str, top: int) -> list[Document]:
    """The feasible ones by what each would add to the bill, then the refused. Empty for a workload that cannot be decided about."""
    if key in decision.refused:
        return []
    return [_candidate(decision, ranked) for ranked in decision.shown.explainer.candidates(key, top)]


def _candidate(decision: Decision, ranked: Ranked) -> Document:
    option, refusal = ranked.option, ranked.refusal
    view = decision.views.get(ranked.pool) if ranked.pool else None
    figures = option.figures if option else None
    return {
        "variant": ranked.variant,
        "pool": ranked.pool,
        "acceleratorClass": view.class_name if view else None,
        "feasible": option is not None,
        "chosen": ranked.chosen,
        "replicas": option.replicas if option else None,
        "chips": option.chips if option else None,
        "addedPerHour": money(ranked.added_per_hour),
        "alonePerHour": money(ranked.alone_per_hour),
        "amortisedPerHour": money(ranked.amortised_per_hour),
        "ttftMilliseconds": milliseconds(figures.ttft_ms) if figures else None,
        "tpotMilliseconds": milliseconds(figures.tpot_ms) if figures else None,
        "provenance": figures.provenance if figures else None,
        "reason": refusal.reason.value if refusal else None,
        "message": refusal.message if refusal else None,
    }


def _placement(decision: Decision, key: str, option: Option, cost: float) -> Document:
    figures = option.figures
    return {
        "pool": option.pool,
        "variant": option.variant,
        "acceleratorClass": decision.views[option.pool].class_name,
        "replicas": option.replicas,
        "chips": option.chips,
        "costPerHour": money(cost),
        "costPerMillionOutputTokens": per_million(cost, _tokens(decision, key)),
        "ttftMilliseconds": milliseconds(figures.ttft_ms) if figures else None,
        "tpotMilliseconds": milliseconds(figures.tpot_ms) if figures else None,
        "provenance": figures.provenance if figures else None,
        "requestsPerSecondOfOneReplica": round(figures.requests_per_second, 6) if figures else None,
        "band": round(figures.band, 4) if figures else None,
    }


def _tokens(decision: Decision, key: str) -> float:
    """Output tokens a second on average."""
    traffic = decision.subjects[key].workload.spec.traffic
    return float(traffic.mean_requests_per_second) * traffic.output_tokens
