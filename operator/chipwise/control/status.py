"""What people read: the status of every object of ours, computed from a decision. Pure; the reporter writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chipwise.api import InferenceWorkload, shorten
from chipwise.cluster.authorship import Authorship
from chipwise.cluster.decide import Decision
from chipwise.cluster.situation import EDITED, is_contested, is_paused
from chipwise.cluster.subject import Subject
from chipwise.control.acts import is_outdated
from chipwise.placement.explain import cost_per_million_tokens
from chipwise.placement.moves import Decision as Verdict
from chipwise.placement.moves import Move
from chipwise.placement.problem import Figures
from chipwise.reasons import Reason

DECISIONS_KEPT = 10
CANDIDATES_SHOWN = 8
_MESSAGE = 500
#: Conditions that say something is wrong while they hold. TemplateOutdated is none: what serves is sound.
_TROUBLES = frozenset({"Paused", "Contested", "VariantOutdated"})

Document = dict[str, Any]


def condition(kind: str, *, holds: bool, reason: str, message: str, generation: int) -> Document:
    """One condition, less its transition time, which depends on what it was before (``timed``)."""
    return {
        "type": kind,
        "status": "True" if holds else "False",
        "reason": reason,
        "message": shorten(message),
        "observedGeneration": generation,
    }


def timed(conditions: list[Document], before: Mapping[str, Any] | None, now: str) -> list[Document]:
    """Conditions with the moment at which each last changed its status."""
    known = {c["type"]: c for c in (before or {}).get("conditions") or ()}
    return [
        {
            **new,
            "lastTransitionTime": known[new["type"]]["lastTransitionTime"]
            if new["type"] in known and known[new["type"]]["status"] == new["status"]
            else now,
        }
        for new in conditions
    ]


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
        return {"observedGeneration": generation, "summary": {"reason": reason}, "conditions": conditions}
    subject, move = decision.subjects[key], said(decision.move(key), decision)
    placed, proposed = _present(subject, decision), _proposed(subject, decision)
    status: Document = {
        "observedGeneration": generation,
        "summary": _summary(subject, placed, move),
        "placements": [placed] if placed else [],
        "proposed": [proposed] if proposed else [],
        "candidates": _candidates(key, decision),
        "conditions": _conditions(subject, move, decision, writes_refused),
    }
    if move.target is not None and move.decision is not Verdict.STAY:
        status["savingsPerHour"] = money(move.savings_per_hour)
    return status


def said(move: Move, decision: Decision) -> Move:
    """The move as people are told of it: one that must not be written is held."""
    if decision.standing.writes or move.decision is not Verdict.MOVE:
        return move
    message = f"{move.message}: shown only, for chipwise was installed without the right to write Deployments"
    return replace(move, decision=Verdict.HOLD, reason=Reason.WRITES_DISABLED, message=message)


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
    move = said(decision.move(key), decision)
    entry = {
        "at": at,
        "decision": move.decision.value,
        "reason": move.reason.value,
        "message": move.message[:_MESSAGE],
    }
    if move.decision is Verdict.MOVE and move.target is not None:
        entry |= {"from": move.source.place, "to": f"{move.target.variant} on {move.target.pool}"}
    return entry


def _present(subject: Subject, decision: Decision) -> Document | None:
    home = subject.home
    if home is None:
        return None
    view = decision.views[home.pool]
    replicas = subject.deployment.replicas
    amortised = replicas * home.chips * view.chip_price_per_hour
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


def _conditions(
    subject: Subject, move: Move, decision: Decision, writes_refused: str | None
) -> list[Document]:
    generation = subject.workload.metadata.generation
    choice = decision.choice(subject.key)

    def say(kind: str, holds: bool, reason: str, message: str) -> Document:
        return condition(kind, holds=holds, reason=reason, message=message, generation=generation)

    found = [
        say(
            "Accepted",
            True,
            "Accepted",
            f"Deployment {subject.deployment.name} serves in container {subject.container}",
        )
    ]
    if choice.option is not None:
        found.append(
            say(
                "Feasible",
                True,
                "Feasible",
                f"{choice.option.variant} on {choice.option.pool} keeps every objective",
            )
        )
    elif choice.refusal is not None:
        found.append(say("Feasible", False, choice.refusal.reason.value, choice.refusal.message))
    placed = move.decision is Verdict.STAY and writes_refused is None
    reason, message = move.reason.value, move.message
    if writes_refused is not None:
        reason = Reason.WRITE_REFUSED.value
        message = f"{move.message}; the last write was refused: {writes_refused}"
    found.append(say("Placed", placed, "Placed" if placed else reason, message))
    paused = subject.workload.status.condition("Paused") if subject.workload.status else None
    if is_paused(subject):
        noticed = paused.observed_generation if paused and str(paused.status) == "True" else generation
        text = "the last move was undone by hand and that is respected; edit the workload to let chipwise decide again"
        found.append(condition("Paused", holds=True, reason="Undone", message=text, generation=noticed))
    elif paused is not None:
        edited = subject.reading.authorship is Authorship.UNDONE
        reason = EDITED if edited else "NotPaused"
        found.append(say("Paused", False, reason, "chipwise may move this workload"))
    if is_contested(subject.record, decision.now):
        text = "somebody keeps applying the author's template over the placement: let it leave the fields of field manager chipwise alone"
        found.append(say("Contested", True, Reason.CONTESTED.value, text))
    if is_outdated(subject):
        text = f"the author's image is {subject.image}, and variant {subject.record.variant if subject.record else ''} was not made for it"
        found.append(say("VariantOutdated", True, Reason.VARIANT_OUTDATED.value, text))
    if subject.key in decision.renewals:
        wait = decision.renewals[subject.key]
        reason, text = (wait.reason.value, wait.message) if wait else ("Renewing", "it is written anew now")
        text = f"profile, class or pool changed since the template was written: {text}"
        found.append(say("TemplateOutdated", True, reason, text))
    worst = next(
        (
            c
            for c in found
            if c["type"] != "TemplateOutdated" and (c["status"] == "False") != (c["type"] in _TROUBLES)
        ),
        None,
    )
    ready = (
        say("Ready", True, "Placed", move.message)
        if worst is None
        else say("Ready", False, worst["reason"], worst["message"])
    )
    return [ready, *found]
