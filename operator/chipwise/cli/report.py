"""A decision as the document that ``chipwise plan -o json`` prints. Its fields are described in docs/cli.md and change only with care.

It is the ``shown`` round: where everything would go if every workload were in mode Rollout.
"""

from __future__ import annotations

from typing import Any

from chipwise.cli.figures import money
from chipwise.cli.workload import candidates, place, standing
from chipwise.cluster.decide import Decision
from chipwise.cluster.prices import currency_of
from chipwise.placement.moves import Decision as Verdict
from chipwise.placement.moves import Move
from chipwise.placement.plan import PoolUse, SpareUse

Document = dict[str, Any]

#: Candidates of each workload; ``chipwise explain`` shows all.
TOP = 8


def plan_document(decision: Decision, seconds: float) -> Document:
    """Everything in order of name, moves in order of step. ``solveSeconds`` alone differs from run to run."""
    keys = sorted({*decision.subjects, *decision.refused})
    workloads = [{**standing(decision, key), "candidates": candidates(decision, key, TOP)} for key in keys]
    return {
        "summary": _summary(decision, workloads, seconds),
        "workloads": workloads,
        "pools": _pools(decision),
        "moves": [move_document(move) for move in decision.shown.moves if _is_proposed(move)],
        "unreadable": [
            {"kind": one.kind, "namespace": one.namespace or None, "name": one.name, "message": one.message}
            for one in decision.snapshot.unreadable
        ],
        "orphans": [one.key for one in decision.orphans],
        "orphansWaiting": [
            {"deployment": one.key, "reason": refusal.reason.value, "message": refusal.message}
            for one, refusal in decision.orphans_waiting
        ],
    }


def is_whole(document: Document) -> bool:
    """Whether every workload could be placed."""
    return not document["summary"]["unplaced"] and not document["unreadable"]


def _summary(decision: Decision, workloads: list[Document], seconds: float) -> Document:
    plan, bill = decision.shown.plan, decision.current
    placed = sum(workload["placed"] for workload in workloads)
    saved = sum(move.savings_per_hour for move in decision.shown.moves if _is_proposed(move))
    return {
        "currency": currency_of(decision.snapshot),
        "costPerHour": money(plan.cost_per_hour),
        "currentCostPerHour": money(bill.cost_per_hour if bill else None),
        "sparePerHour": money(plan.spare_per_hour),
        "savingsPerHour": money(saved),
        "objectivePerHour": money(plan.objective_per_hour),
        "lowerBoundPerHour": money(plan.lower_bound_per_hour),
        "gap": round(plan.gap, 6),
        "optimal": plan.optimal,
        "timeLimited": plan.time_limited,
        "placed": placed,
        "unplaced": len(workloads) - placed,
        "modeOff": sum(workload["mode"] == "Off" for workload in workloads),
        "solveSeconds": round(seconds, 3),
    }


def _pools(decision: Decision) -> list[Document]:
    uses = {use.pool: use for use in decision.shown.plan.pools}
    spares = {use.pool: use for use in decision.shown.plan.spare}
    found = []
    for name, view in sorted(decision.views.items()):
        use = uses.get(name, PoolUse(name, 0, 0, 0, 0, 0.0))
        found.append(
            {
                "name": name,
                "acceleratorClass": view.class_name,
                "usable": view.hindrance is None,
                "chipsUsed": use.chips_used,
                "chipsFree": use.chips_free,
                "nodes": use.nodes,
                "nodesPaid": use.nodes_paid,
                "costPerHour": money(use.cost_per_hour),
                "spare": _spare(spares.get(name)),
                "pricePerHour": money(view.price_per_hour) if view.price_per_hour else None,
                "priceUnit": view.billing.value if view.price_per_hour else None,
                "currency": view.currency or None,
                "reason": view.hindrance.reason.value if view.hindrance else None,
                "message": view.hindrance.message if view.hindrance else None,
            }
        )
    return found


def _spare(use: SpareUse | None) -> Document | None:
    """None where a pool keeps no room warm."""
    if use is None:
        return None
    return {
        "replicas": use.replicas,
        "chips": use.chips,
        "kept": use.kept,
        "costPerHour": money(use.cost_per_hour),
    }


def _is_proposed(move: Move) -> bool:
    """A move that the plan wants, now or later; not those who stay and those without a place."""
    return move.target is not None and move.decision in (Verdict.MOVE, Verdict.HOLD)


def move_document(move: Move) -> Document:
    """``from`` is None when nothing runs, ``to`` when there is no place."""
    target = move.target
    return {
        "workload": move.workload,
        "from": place(move.source.pool, move.source.variant) if move.source.replicas else None,
        "to": place(target.pool, target.variant) if target else None,
        "savingsPerHour": money(move.savings_per_hour),
        "decision": move.decision.value,
        "reason": move.reason.value,
        "message": move.message,
        "step": move.step,
        "further": list(move.further),
    }
