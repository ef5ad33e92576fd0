"""What people read: the status of every object of ours, computed from a decision. Pure; the reporter writes it."""

from __future__ import annotations

from dataclasses import replace

from chipwise.cluster.bridging import leads_to
from chipwise.cluster.cooling import CoolDown, kept, stamp
from chipwise.cluster.copies import HOME
from chipwise.cluster.decide import Decision
from chipwise.cluster.remembered import size_fields
from chipwise.cluster.subject import Subject
from chipwise.control.conditions import Document, condition, conditions_of
from chipwise.control.placed import money, placements, proposal
from chipwise.placement.moves import Decision as Verdict
from chipwise.placement.moves import Move
from chipwise.reasons import Reason

DECISIONS_KEPT = 10
CANDIDATES_SHOWN = 8
_MESSAGE = 500


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
    placed, proposed = placements(subject, decision), proposal(subject, decision)
    status = {
        "observedGeneration": generation,
        "summary": _summary(subject, placed, move),
        "placements": placed[:4],
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


def _summary(subject: Subject, placements: list[Document], move: Move) -> Document:
    """Of what is billed: neither a bridge nor what a move has not replaced the old pods with yet."""
    summary: Document = {"reason": move.reason.value}
    placed = next((each for each in placements if "costPerHour" in each), None)
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
