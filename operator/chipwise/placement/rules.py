"""Whether a workload may move now: one small predicate for each rule, in the order in which they are asked.

A rule looks at one case and returns None, or a refusal whose message carries the figures. A new rule is one function here and one
entry in ``BEFORE`` (what can be told from the workload alone) or ``WORTH`` (what depends on the savings).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import TypeVar

from chipwise.placement.bridge import span
from chipwise.placement.problem import Footprint, Option
from chipwise.reasons import Reason, Refusal

_NOTHING = 1e-9
_HOUR = 3600.0

Subject = TypeVar("Subject")


class Mode(StrEnum):
    """How far chipwise may go with a workload."""

    OFF = "Off"
    INITIAL = "Initial"
    ROLLOUT = "Rollout"


@dataclass(frozen=True, slots=True)
class Running:
    """Where a workload runs now. ``pool`` is None when its nodes belong to no known pool, ``variant`` None on the author's own chips.

    ``stayed_seconds`` counts from the last move, None if there was none; ``moved_at`` says when that was. ``moving_to`` is the target of
    a move in flight, which holds its footprint beside the present one. ``bridge`` are the replicas of a bridge that stands where it is
    moving to, or without ``moving_to`` where it runs. ``failing`` is why it does not come to serve where it is: leaving is then a rescue.
    ``bound`` are the replicas that have a node, a bridge's where it runs among them, None where that is not known: all. Where an autoscaler
    owns the number, ``replicas`` is what is reserved for it, ``runs`` what it has taken, and ``carries`` how much of the declared peak
    that serves, in requests per second.
    """

    workload: str
    pool: str | None = None
    variant: str | None = None
    replicas: int = 0
    footprint: Footprint | None = None
    stayed_seconds: float | None = None
    moved_at: str = ""
    moving_to: Option | None = None
    failing: Refusal | None = None
    bridge: int = 0
    bound: int | None = None
    runs: int = 0
    carries: float | None = None

    @property
    def place(self) -> str:
        """In words."""
        if self.pool is None:
            return "its present nodes" if self.replicas else "nowhere"
        return f"{self.variant} on {self.pool}" if self.variant else f"the author's own chips on {self.pool}"

    def over_a_bridge(self, target: Option) -> int:
        """How many replicas of a move go over a bridge: those that are missing, or of a move in flight those that stand.

        What does not come to serve has little to lose: it goes as it is and is scaled up where it serves.
        """
        if self.moving_to is not None:
            return self.bridge
        return 0 if self.failing is not None else span(*self.numbers(target))

    def numbers(self, target: Option) -> tuple[int, int]:
        """How many replicas run, and how many must before a move to ``target``, so that as much of the peak is served as is now."""
        if self.carries is None or target.figures is None:
            return self.replicas, target.replicas
        return self.runs, ceil(self.carries / target.figures.requests_per_second - _NOTHING)


@dataclass(frozen=True, slots=True)
class MoveRule:
    """What one workload's mode and policy, and what has happened to it, say about moving. Seconds throughout.

    ``max_concurrent_moves`` counts the moves in flight among the workloads of the same ``policy``, with the ``restoring`` ones: those on
    their way back to their author. ``restored``: it was asked to be given back, and is left there. ``frozen_by`` is who stopped every
    move, in words; None if nobody did. ``replicas_external``: somebody else owns their number. ``idle``: it stands at zero replicas, and
    nothing becomes of it until somebody scales it up. ``halted``: too much failed lately under its policy. ``suspended``: nothing that is
    written to its template is rolled out. ``damaged``: what its author wrote is not known any more. ``max_pools``: so many pools its
    template may name.
    """

    mode: Mode = Mode.OFF
    policy: str = "default"
    minimum_stay_seconds: float = 600.0
    payback_horizon_seconds: float = 86_400.0
    max_concurrent_moves: int = 1
    frozen_by: str | None = None
    already_placed: bool = False
    paused: bool = False
    contested: bool = False
    author_rolling_out: bool = False
    restored: bool = False
    restoring: int = 0
    replicas_external: bool = False
    idle: Refusal | None = None
    halted: Refusal | None = None
    suspended: Refusal | None = None
    damaged: Refusal | None = None
    max_pools: int = 1

    @property
    def untouched(self) -> bool:
        """It is left as it is, whatever the plan wants."""
        return self.idle is not None or self.damaged is not None


@dataclass(frozen=True, slots=True)
class Case:
    """One workload that the plan wants elsewhere. ``rescue``: it cannot stay where it is."""

    rule: MoveRule
    running: Running
    target: Option
    rescue: bool = False


@dataclass(frozen=True, slots=True)
class Worth:
    """What a move saves beside all the other moves in view, and what it costs spread over the horizon, in dollars per hour."""

    savings_per_hour: float
    cost_per_hour: float
    horizon_seconds: float


def mode_off(case: Case) -> Refusal | None:
    """Off decides and shows, and writes nothing."""
    if case.rule.mode is Mode.OFF:
        return Refusal(Reason.MODE_OFF, "mode is Off: shown, never written")
    return None


def initial_placed(case: Case) -> Refusal | None:
    """Initial places once."""
    if case.rule.mode is Mode.INITIAL and case.rule.already_placed:
        return Refusal(Reason.ALREADY_PLACED, "mode is Initial and it has been placed once")
    return None


def paused(case: Case) -> Refusal | None:
    """An author who undid a move is not contradicted."""
    if case.rule.paused:
        return Refusal(Reason.PAUSED, "the author undid our last move")
    return None


def restored(case: Case) -> Refusal | None:
    """What was given back on request stays there until its spec is edited."""
    if case.rule.restored:
        return Refusal(Reason.RESTORED, "it was given back to its author on request")
    return None


def contested(case: Case) -> Refusal | None:
    """A tug-of-war with another manager is not continued."""
    if case.rule.contested:
        return Refusal(Reason.CONTESTED, "another manager keeps reverting the Deployment")
    return None


def frozen(case: Case) -> Refusal | None:
    """A freeze stops every move, also the next step of one in flight."""
    if case.rule.frozen_by is not None:
        return Refusal(Reason.FROZEN, f"{case.rule.frozen_by} is frozen")
    return None


def suspended(case: Case) -> Refusal | None:
    """What would not be carried out is not written, and a move under way that is not carried out is no longer waited for."""
    return case.rule.suspended


def author_rolling_out(case: Case) -> Refusal | None:
    """An author's own rollout is let finish: two rollouts at once would need room for three copies."""
    if case.rule.author_rolling_out:
        return Refusal(Reason.ROLLOUT_IN_PROGRESS, "the author's own rollout has not finished")
    return None


def minimum_stay(case: Case) -> Refusal | None:
    """What moved lately stays, unless it does not come to serve there.

    The sentence says since when, not for how long still, which would be untrue as soon as it is written.
    """
    if case.running.failing is not None:
        return None
    stayed, least = case.running.stayed_seconds, case.rule.minimum_stay_seconds
    if stayed is not None and stayed < least:
        return Refusal(
            Reason.MINIMUM_STAY,
            f"moved at {case.running.moved_at} and stays {duration(least)}",
        )
    return None


def too_many_failures(case: Case) -> Refusal | None:
    """Where moves keep failing, nobody is moved for money."""
    saves = not case.rescue and bool(case.running.replicas)
    return case.rule.halted if saves else None


def needs_bridge(case: Case) -> Refusal | None:
    """More replicas than run need a bridge, whose replicas are then taken in: not where somebody else owns their number."""
    now, then = case.running.numbers(case.target)
    if case.rule.replicas_external and case.running.over_a_bridge(case.target):
        return Refusal(
            Reason.NEEDS_BRIDGE,
            f"{then} replicas are needed on {case.target.pool} and {now} run now, and their number is not chipwise's to write: "
            f"raise it to {then} (an autoscaler's minimum, for the time of the move)",
        )
    return None


def no_savings(worth: Worth) -> Refusal | None:
    """A saving counts only where a bill falls."""
    if worth.savings_per_hour <= _NOTHING:
        more = -worth.savings_per_hour
        what = f"moving costs {money(more)} more" if more > _NOTHING else "no bill falls by moving"
        return Refusal(Reason.NO_SAVINGS, what)
    return None


def payback(worth: Worth) -> Refusal | None:
    """Both copies run while the model loads; that must be earned back within the horizon."""
    if worth.savings_per_hour > worth.cost_per_hour:
        return None
    needed = worth.cost_per_hour / worth.savings_per_hour * worth.horizon_seconds
    cost = worth.cost_per_hour * worth.horizon_seconds / _HOUR
    return Refusal(
        Reason.PAYBACK_TOO_LONG,
        f"saves {money(worth.savings_per_hour)} but moving costs {cost:.2f} $: pays back after {duration(needed)}, "
        f"the horizon is {duration(worth.horizon_seconds)}",
    )


#: Asked when a move is in flight: these stop even its next step.
STANDING: tuple[Callable[[Case], Refusal | None], ...] = (
    restored,
    mode_off,
    initial_placed,
    paused,
    contested,
    frozen,
    suspended,
    author_rolling_out,
)
#: Asked before a move starts.
BEFORE: tuple[Callable[[Case], Refusal | None], ...] = (
    *STANDING,
    minimum_stay,
    too_many_failures,
    needs_bridge,
)
#: Asked of its savings.
WORTH: tuple[Callable[[Worth], Refusal | None], ...] = (no_savings, payback)


def first_refusal(rules: tuple[Callable[[Subject], Refusal | None], ...], subject: Subject) -> Refusal | None:
    """The first objection, if any."""
    return next((refusal for rule in rules if (refusal := rule(subject)) is not None), None)


def money(per_hour: float) -> str:
    """Dollars per hour to the cent."""
    return f"{per_hour:.2f} $/h"


def duration(seconds: float) -> str:
    """The largest unit that leaves a figure of at least one, e.g. 36 h, 2.5 h, 10 min."""
    for unit, name in ((_HOUR, "h"), (60.0, "min")):
        if seconds >= unit:
            return f"{seconds / unit:.1f}".removesuffix(".0") + f" {name}"
    return f"{seconds:.0f} s"
