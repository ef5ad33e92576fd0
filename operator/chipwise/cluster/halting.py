"""Policies under which so much failed lately that nobody is moved for money, until the failures have aged out.

One failure is the place's or the variant's own. Several different ones point at something that they share, and each further move would
run into it. Rescues, first placements and restores go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from chipwise.cluster.cooling import Cooling, stamp
from chipwise.cluster.subject import Subject
from chipwise.placement.rules import duration
from chipwise.reasons import Reason, Refusal


@dataclass(frozen=True, slots=True)
class Halts:
    """``by_policy`` says why, for each policy that is halted; ``due_seconds`` until the first of them goes on."""

    by_policy: Mapping[str, Refusal]
    due_seconds: float | None = None

    def of(self, subject: Subject) -> Refusal | None:
        """Why its moves for savings wait."""
        return self.by_policy.get(subject.policy_name)


def halts(subjects: Mapping[str, Subject], cooling: Cooling) -> Halts:
    """What the statuses of each policy's workloads tell of, against what the policy allows."""
    under: dict[str, list[Subject]] = {}
    for subject in subjects.values():
        under.setdefault(subject.policy_name, []).append(subject)
    refusals, waits = {}, []
    for name, members in sorted(under.items()):
        policy = members[0].policy
        window = timedelta(seconds=policy.cool_down.longest_seconds)
        failures = cooling.lately({subject.key for subject in members}, window)
        if len(failures) < policy.max_failures:
            continue
        until = failures[-policy.max_failures].at + window
        waits.append((until - cooling.now).total_seconds())
        last = failures[-1]
        what = f"{last.culprit.variant} on {last.culprit.pool}" if last.culprit.pool else last.culprit.variant
        message = (
            f"{len(failures)} pools or variants failed within {duration(window.total_seconds())} under policy {name}, which allows fewer "
            f"than {policy.max_failures} (the last: {what}, {last.reason}): nothing moves for savings before {stamp(until)}"
        )
        refusals[name] = Refusal(Reason.TOO_MANY_FAILURES, message)
    return Halts(refusals, min(waits, default=None))
