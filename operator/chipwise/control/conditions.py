"""The conditions of a workload: one function each, None where there is nothing to say. Ready sums them up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chipwise.api import shorten
from chipwise.cluster.authorship import Authorship
from chipwise.cluster.damage import damaged
from chipwise.cluster.decide import Decision
from chipwise.cluster.restoring import is_outdated
from chipwise.cluster.situation import EDITED, is_contested, is_paused, is_restore_requested
from chipwise.cluster.subject import Subject
from chipwise.placement.moves import Decision as Verdict
from chipwise.placement.moves import Move
from chipwise.reasons import Reason, Refusal

Document = dict[str, Any]

#: Conditions that say something is wrong while they hold. TemplateOutdated is none: what serves is sound.
_TROUBLES = frozenset({"Failing", "RecordDamaged", "Paused", "Restored", "Contested", "VariantOutdated"})


def condition(kind: str, *, holds: bool, reason: str, message: str, generation: int) -> Document:
    """One condition, less its transition time, which depends on what it was before (``timed``)."""
    return {
        "type": kind,
        "status": "True" if holds else "False",
        "reason": reason,
        "message": shorten(message),
        "observedGeneration": generation,
    }


def ready_unless(refusal: Refusal | None, message: str, generation: int) -> Document:
    """Ready of an object that is accepted, with ``message``, unless there is a refusal."""
    reason, words = ("Accepted", message) if refusal is None else (refusal.reason.value, refusal.message)
    return condition("Ready", holds=refusal is None, reason=reason, message=words, generation=generation)


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


def conditions_of(
    subject: Subject, move: Move, decision: Decision, writes_refused: str | None
) -> list[Document]:
    """Ready first, then what it sums up. ``writes_refused`` is what the API server said to the last write."""
    found = [
        _accepted(subject),
        _feasible(subject, decision),
        _placed(subject, move, writes_refused),
        _failing(subject, decision),
        _damaged(subject),
        _paused(subject),
        _restored(subject, move),
        _contested(subject, decision),
        _variant_outdated(subject, decision),
        _template_outdated(subject, decision),
    ]
    present = [one for one in found if one is not None]
    return [_ready(subject, move, present), *present]


def _say(subject: Subject, kind: str, reason: str, message: str, *, holds: bool = True) -> Document:
    generation = subject.workload.metadata.generation
    return condition(kind, holds=holds, reason=reason, message=message, generation=generation)


def _accepted(subject: Subject) -> Document:
    message = f"Deployment {subject.deployment.name} serves in container {subject.container}"
    return _say(subject, "Accepted", "Accepted", message)


def _feasible(subject: Subject, decision: Decision) -> Document | None:
    choice = decision.choice(subject.key)
    if choice.option is not None:
        message = f"{choice.option.variant} on {choice.option.pool} keeps every objective"
        return _say(subject, "Feasible", "Feasible", message)
    if choice.refusal is None or choice.refusal.reason is Reason.SCALED_TO_ZERO:
        return None
    return _say(subject, "Feasible", choice.refusal.reason.value, choice.refusal.message, holds=False)


def _placed(subject: Subject, move: Move, writes_refused: str | None) -> Document:
    if writes_refused is not None:
        message = f"{move.message}; the last write was refused: {writes_refused}"
        return _say(subject, "Placed", Reason.WRITE_REFUSED.value, message, holds=False)
    if move.decision is Verdict.STAY:
        reason = "Placed" if move.reason is Reason.STAYS else move.reason.value
        return _say(subject, "Placed", reason, move.message)
    return _say(subject, "Placed", move.reason.value, move.message, holds=False)


def _failing(subject: Subject, decision: Decision) -> Document | None:
    trouble = decision.setbacks.troubles.get(subject.key)
    if trouble is None:
        return None
    return _say(subject, "Failing", trouble.reason.value, trouble.message)


def _damaged(subject: Subject) -> Document | None:
    found = damaged(subject.deployment)
    return _say(subject, "RecordDamaged", found.reason.value, found.message) if found is not None else None


def _paused(subject: Subject) -> Document | None:
    """Its observedGeneration stays at the one on which the undo was noticed: an edit after it ends the pause."""
    status, generation = subject.workload.status, subject.workload.metadata.generation
    before = status.condition("Paused") if status else None
    if is_paused(subject):
        noticed = before.observed_generation if before and str(before.status) == "True" else generation
        message = "the last move was undone by hand and that is respected; edit the workload to let chipwise decide again"
        return condition("Paused", holds=True, reason="Undone", message=message, generation=noticed)
    if before is None:
        return None
    reason = EDITED if subject.reading.authorship is Authorship.UNDONE else "NotPaused"
    return _say(subject, "Paused", reason, "chipwise may move this workload", holds=False)


def _restored(subject: Subject, move: Move) -> Document | None:
    """False while it is on its way back, or waits for that, with the reason of the last decision."""
    if not is_restore_requested(subject.workload):
        return None
    return _say(subject, "Restored", move.reason.value, move.message, holds=move.reason is Reason.RESTORED)


def _contested(subject: Subject, decision: Decision) -> Document | None:
    if not is_contested(subject.record, decision.now):
        return None
    message = (
        "somebody keeps applying the author's template over the placement: "
        "let it leave the fields of field manager chipwise alone"
    )
    return _say(subject, "Contested", Reason.CONTESTED.value, message)


def _variant_outdated(subject: Subject, decision: Decision) -> Document | None:
    if not is_outdated(subject):
        return None
    variant = subject.record.variant if subject.record else ""
    message = f"the author's image is {subject.image}, and variant {variant} was not made for it"
    waits = decision.restores.get(subject.key)
    if waits is not None:
        message += f"; it waits to go back to its author's own chip: {waits.message}"
    return _say(subject, "VariantOutdated", Reason.VARIANT_OUTDATED.value, message)


def _template_outdated(subject: Subject, decision: Decision) -> Document | None:
    if subject.key not in decision.renewals:
        return None
    wait = decision.renewals[subject.key]
    reason, why = (wait.reason.value, wait.message) if wait else ("Renewing", "it is written anew now")
    message = f"profile, class or pool changed since the template was written: {why}"
    return _say(subject, "TemplateOutdated", reason, message)


def _ready(subject: Subject, move: Move, found: list[Document]) -> Document:
    """The first condition that is not as it should be speaks for all."""
    for one in found:
        expected = "False" if one["type"] in _TROUBLES else "True"
        if one["type"] != "TemplateOutdated" and one["status"] != expected:
            return _say(subject, "Ready", one["reason"], one["message"], holds=False)
    return _say(subject, "Ready", "Placed", move.message)
