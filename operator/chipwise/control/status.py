"""What people read: the status of every object of ours, computed from a decision. Pure; the reporter writes it."""

from __future__ import annotations

from dataclasses import replace
from math import floor

from chipwise.api import InferenceWorkload
from chipwise.cluster.bridging import leads_to
from chipwise.cluster.cooling import CoolDown, kept, stamp
from chipwise.cluster.copies import HOME
from chipwise.cluster.decide import Decision
from chipwise.cluster.remembered import size_fields
from chipwise.cluster.subject import Subject
from chipwise.control.conditions import Document, condition, conditions_of
from chipwise.placement.explain import cost_per_million_tokens
from chipwise.placement.moves import Decision as Verdict
from chipwise.placement.moves import Move
from chipwise.placement.problem import Figures
from chipwise.reasons import Reason

DECISIONS_KEPT = 10
CANDIDATES_SHOWN = 8
_MESSAGE = 500


def money(amount: float) -> str:
    """Dollars to the cent, as status holds them."""
    return f"{round(amount, 2) + 0.0:.2f}"  # + 0.0 takes the sign off a zero


def workload_status(key: str, decision: Decision, writes_refused: str | None = None) -> Document:
    """Everything but the moments and the log of decisions, which ``reporter`` adds."""
    workload = decision.snapshot.workloads[key]
    generation = workload.metadata.generation
    refusal = decision.refused.get(key)
    if refusal is not None:
        reason = refusal.reason.value
        conditions = [
            condition("Ready", holds=False, reason=reason, message=refusal.message, generation=generation),
            condition("Accepted", holds=False, reason=reason, message=refusal.message, generation=generation),
        ]
        status: Document = {
            "observedGeneration": generation,
            "summary": {"reason": reason},
            "conditions": conditions,
        }
        return status | _cool_downs(key, decision)
    subject, move = decision.subjects[key], said(decision.move(key), decision)
    placed, proposed = _present(subject, decision), _proposed(subject, decision)
    bridge = _bridge(subject, decision)
    status = {
        "observedGeneration": generation,
        "summary": _summary(subject, placed, move),
        "placements": [each for each in (placed, *_spilled(subject, decision), bridge) if each][:4],
        "proposed": [proposed] if proposed else [],
        "candidates": _candidates(key, decision),
        "conditions": conditions_of(subject, move, decision, writes_refused),
    }
    status |= _cool_downs(key, decision)
    if move.target is not None and move.decision is not Verdict.STAY:
        status["savingsPerHour"] = money(move.savings_per_hour)
    return status


def _cool_downs(key: str, decision: Decision) -> Document:
    """What the status tells of already, and what is new. One that failed again takes the place of the one before.

    Also of a workload that is refused: a name that is mistyped for a moment must not let a pool be tried again.
    """
    found = list(decision.setbacks.cooling.own(key))
    news = decision.setbacks.news.get(key)
    if news is not None:
        found = [news, *(one for one in found if one.culprit != news.culprit)]
    entries = [_cool_down(one) for one in kept(found, decision.now)]
    return {"coolDowns": entries} if entries else {}


def _cool_down(one: CoolDown) -> Document:
    culprit = one.culprit
    entry: Document = {
        "reason": one.reason,
        "message": one.message[:_MESSAGE],
        "variant": culprit.variant,
        "failures": one.failures,
        "at": stamp(one.at),
        "until": stamp(one.until),
    }
    if culprit.pool:
        entry |= {"pool": culprit.pool, "capacityType": culprit.capacity_type}
    if culprit.size is not None:
        entry |= size_fields(culprit.size)
    return entry


def said(move: Move, decision: Decision) -> Move:
    """The move as people are told of it: how far its bridge is, and one that must not be written is held."""
    if not decision.standing.writes and move.decision is Verdict.MOVE:
        message = (
            f"{move.message}: shown only, for chipwise was installed without the right to write Deployments"
        )
        return replace(move, decision=Verdict.HOLD, reason=Reason.WRITES_DISABLED, message=message)
    bridge = decision.subjects[move.workload].bridge
    if bridge is None:
        return move
    ready = min(bridge.ready_replicas, bridge.replicas)
    return replace(move, message=f"{move.message}; bridge: {ready} of {bridge.replicas} Ready")


def told(key: str, decision: Decision) -> Move:
    """The same at the moment of deciding: of a move under way also how far it has come."""
    move, pods = said(decision.move(key), decision), decision.pods[key]
    subject = decision.subjects[key]
    if move.reason is not Reason.MOVE_IN_PROGRESS or leads_to(subject, move.target):
        return move
    ready = f"{pods.new_ready} new replicas are Ready, {len(pods.old)} old ones still run"
    return replace(move, message=f"{move.message}{': ' if subject.bridge is None else ', '}{ready}")


def decision_entry(key: str, decision: Decision, at: str) -> Document:
    """What was decided, for the log of decisions in status."""
    refusal = decision.refused.get(key)
    if refusal is not None:
        return {
            "at": at,
            "decision": "Refused",
            "reason": refusal.reason.value,
            "message": refusal.message[:_MESSAGE],
        }
    move = told(key, decision)
    entry = {
        "at": at,
        "decision": move.decision.value,
        "reason": move.reason.value,
        "message": move.message[:_MESSAGE],
    }
    where = destination(move)
    if move.decision is Verdict.MOVE and where is not None:
        entry |= {"from": move.source.place, "to": where}
    return entry


def destination(move: Move) -> str | None:
    """Where to, in words; None where there is no place for it."""
    if move.reason is Reason.RESTORING:
        return HOME
    return None if move.target is None else f"{move.target.variant} on {move.target.pool}"


def _present(subject: Subject, decision: Decision) -> Document | None:
    home = subject.home
    if home is None:
        return None
    view = decision.views[home.pool]
    replicas = max(0, subject.deployment.replicas - home.spilled)
    amortised = subject.deployment.replicas * home.chips * view.chip_price_per_hour
    billed = decision.current.shares.get(subject.key, amortised) if decision.current else amortised
    placed: Document = {
        "pool": home.pool,
        "variant": home.variant or "",
        "acceleratorClass": view.class_name,
        "replicas": replicas,
        "chips": replicas * home.chips,
        "costPerHour": money(billed),
        **_per_million(billed, subject.workload),
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


def _spilled(subject: Subject, decision: Decision) -> list[Document]:
    """Pods that found room in a further pool only. What they cost is in the workload's own bill."""
    home, found = subject.home, []
    for name in home.further if home is not None else ():
        view = decision.views[name]
        there = [pod for pod in decision.pods[subject.key].spilled if pod.node in view.node_names]
        if home is not None and there:
            found.append(
                {
                    "pool": name,
                    "variant": home.variant or "",
                    "acceleratorClass": view.class_name,
                    "replicas": len(there),
                    "chips": len(there) * home.chips,
                    "reason": "Spilled",
                }
            )
    return found


def _bridge(subject: Subject, decision: Decision) -> Document | None:
    """The bridge, which is billed to nobody: it goes within minutes."""
    standing = subject.bridge
    if standing is None or standing.bridge is None:
        return None
    pool, variant = standing.bridge.place
    view = decision.views.get(pool)
    chips = next((v.chips for v in subject.profile.spec.variants if v.name == variant), 0)
    return {
        "pool": pool,
        "variant": variant,
        "acceleratorClass": view.class_name if view else "",
        "replicas": standing.replicas,
        "ready": min(standing.ready_replicas, standing.replicas),
        "chips": standing.replicas * chips,
        "reason": "Bridge",
    }


def _proposed(subject: Subject, decision: Decision) -> Document | None:
    choice = decision.choice(subject.key)
    option = choice.option
    if option is None:
        return None
    return {
        "pool": option.pool,
        "variant": option.variant,
        "acceleratorClass": decision.views[option.pool].class_name,
        "replicas": option.replicas,
        "chips": option.chips,
        "costPerHour": money(choice.cost_per_hour),
        **_per_million(choice.cost_per_hour, subject.workload),
        **(_figures(option.figures) if option.figures else {}),
    }


def _per_million(cost: float, workload: InferenceWorkload) -> Document:
    traffic = workload.spec.traffic
    rate = cost_per_million_tokens(cost, float(traffic.mean_requests_per_second) * traffic.output_tokens)
    return {"costPerMillionOutputTokens": money(rate)} if rate is not None else {}


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


def _summary(subject: Subject, placed: Document | None, move: Move) -> Document:
    summary: Document = {"reason": move.reason.value}
    if placed:
        summary |= {
            "pool": placed["pool"],
            "variant": placed["variant"],
            "acceleratorClass": placed["acceleratorClass"],
            "costPerHour": placed["costPerHour"],
        }
    summary["replicas"] = subject.deployment.replicas
    return summary


def _candidates(key: str, decision: Decision) -> list[Document]:
    found = []
    for ranked in decision.round_of(key).explainer.candidates(key, CANDIDATES_SHOWN):
        entry: Document = {
            "variant": ranked.variant,
            "pool": ranked.pool or "",
            "message": ranked.sentence()[:_MESSAGE],
        }
        if ranked.option is not None:
            entry["replicas"] = ranked.option.replicas
        if ranked.added_per_hour is not None:
            entry["costPerHour"] = money(ranked.added_per_hour)
        if ranked.refusal is not None:
            entry["reason"] = ranked.refusal.reason.value
        found.append(entry)
    return found
