"""One line of the log, and one count, for each decision about a workload that differs from the one before.

The words are those of ``status.decisions`` and of the Events. Only the leader's are noted: a standby decides too, and nothing follows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from chipwise.cluster.decide import Decision
from chipwise.control.status import destination, told
from chipwise.placement.moves import Move

log = logging.getLogger(__name__)

Line = dict[str, Any]


class Ledger:
    """``count`` is called with decision and reason of each line."""

    def __init__(self, count: Callable[[str, str], object]) -> None:
        self._count = count
        self._known: dict[str, tuple[str, str, str | None]] = {}

    def note(self, decision: Decision) -> None:
        """Log what changed since the last call."""
        before, self._known = self._known, {}
        for key in sorted({*decision.subjects, *decision.refused}):
            line, message = line_of(key, decision)
            mark = (line["decision"], line["reason"], line.get("to"))
            self._known[key] = mark
            if before.get(key) != mark:
                self._count(line["decision"], line["reason"])
                log.info("%s: %s", key, message, extra=line)

    def forget(self) -> None:
        """Somebody else leads; when that ends everything is to be said again."""
        self._known.clear()


def line_of(key: str, decision: Decision) -> tuple[Line, str]:
    """The fields of the line in their fixed order, less those that have no value, and the sentence."""
    refusal = decision.refused.get(key)
    if refusal is not None:
        return {"workload": key, "decision": "Refused", "reason": refusal.reason.value}, refusal.message
    move = told(key, decision)
    return _line(move), move.message


def _line(move: Move) -> Line:
    fields: Line = {
        "workload": move.workload,
        "decision": move.decision.value,
        "reason": move.reason.value,
        "from": move.source.place,
    }
    where = destination(move)
    if where is not None:
        fields |= {"to": where, "savings": round(move.savings_per_hour, 4)}
    if move.step is not None:
        fields["step"] = move.step
    return fields
