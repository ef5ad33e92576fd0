"""Plan minus what runs: which workloads move, in which order, and why the others do not.

What is decided in three rounds: the rules of each workload alone (rules.py); whether its move is worth it beside the other moves
(worth.py); and an order in which every step fits (sequence.py). Nobody is ever evicted: a workload that the plan has no place for stays
where it runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from chipwise.placement.floor import Floor, held
from chipwise.placement.ground import Truth
from chipwise.placement.outlook import Outlook
from chipwise.placement.plan import Choice, Plan
from chipwise.placement.problem import Option, Problem
from chipwise.placement.rules import BEFORE, STANDING, Case, MoveRule, Running, first_refusal, money
from chipwise.placement.sequence import Nodes, Place, Slot, sequence
from chipwise.placement.worth import Candidate, unpaid, wanted, worthwhile
from chipwise.reasons import Reason, Refusal

#: Refusals of the place where a workload runs that make leaving it a rescue. Not those of a pool that is misdeclared: correcting that
#: is a person's work, and nobody should move for a slip of the pen.
_UNTENABLE = frozenset(
    {
        Reason.OBJECTIVE_MISSED,
        Reason.OVERLOADED,
        Reason.REPLICAS_EXCEEDED,
        Reason.MEMORY_EXCEEDED,
        Reason.CONTEXT_EXCEEDED,
        Reason.PRECISION_TOO_LOW,
        Reason.VARIANT_NOT_ALLOWED,
        Reason.POOL_NOT_ALLOWED,
        Reason.NAMESPACE_NOT_ALLOWED,
        Reason.CAPACITY_TYPE_NOT_ALLOWED,
    }
)


class Decision(StrEnum):
    """What becomes of a workload in this round."""

    STAY = "Stay"
    MOVE = "Move"
    HOLD = "Hold"
    UNPLACED = "Unplaced"


@dataclass(frozen=True, slots=True)
class Move:
    """What becomes of one workload. Only MOVE is to be carried out now; HOLD with a ``step`` would come later in the order.

    ``step`` 0 is in flight, 1 starts now (all of step 1 together fit beside everything else), from 2 one after the other.
    ``savings_per_hour`` is what the bill falls by when this move is made after those of earlier steps (and earlier in the list), so
    that the savings of a sequence add up to what the bill falls by altogether. ``spare`` is for how many replicas beyond the target's
    there is room, where the move goes over a bridge. ``refusal`` is why it is held. ``further`` are pools that the template names beside
    the target's, in this order: room is kept for it there too.
    """

    workload: str
    source: Running
    target: Option | None
    savings_per_hour: float
    decision: Decision
    reason: Reason
    message: str
    step: int | None = None
    spare: int = 0
    refusal: Refusal | None = None
    further: tuple[str, ...] = ()


def plan_moves(
    problem: Problem,
    plan: Plan,
    running: Mapping[str, Running],
    rules: Mapping[str, MoveRule],
    truth: Truth | None = None,
) -> tuple[Move, ...]:
    """One move for each workload of the plan or running: those with a step in order, then the others by name.

    A workload missing from ``running`` runs nowhere; one missing from ``rules`` has the default rule, whose mode is Off. ``truth`` is the
    nodes as they are: what would not fit there whatever moves is held as Fragmented.
    """
    now = {key: running.get(key, Running(key)) for key in {*running, *(c.workload for c in plan.choices)}}
    round_ = _Round(problem, plan, now, rules, truth or Truth())
    return round_.moves()


class _Round:
    def __init__(
        self,
        problem: Problem,
        plan: Plan,
        now: Mapping[str, Running],
        rules: Mapping[str, MoveRule],
        truth: Truth,
    ) -> None:
        self._problem, self._now = problem, dict(sorted(now.items()))
        self._rules = {key: rules.get(key, MoveRule()) for key in self._now}
        self._choices: dict[str, Choice] = {choice.workload: choice for choice in plan.choices}
        self._priorities = {w.key: w.priority for w in problem.workloads}
        self._refused = {w.key: w.refused for w in problem.workloads}
        self._options = {w.key: w.options for w in problem.workloads}
        self._settled: dict[str, Move] = {}
        self._truth = truth

    def moves(self) -> tuple[Move, ...]:
        flying, open_ = self._first_round()
        floor = self._floor()
        worth = worthwhile(floor, self._now, flying, open_)
        self._say_what_does_not_pay(floor)
        nodes = Nodes(self._floor(), Outlook(self._truth))
        slots = sequence(self._floor(), self._now, flying, worth.kept, self._rules, nodes)
        ordered = [self._stepped(slot) for slot in slots.slots]
        for key, refusal in {**worth.refused, **slots.refused}.items():
            self._settled[key] = self._held(key, open_[key].target, refusal)
        return self._priced(ordered)

    def _floor(self) -> Floor:
        return Floor(self._problem, self._now.values())

    def _first_round(self) -> tuple[dict[str, Candidate], dict[str, Candidate]]:
        """Settles who stays or is held by a rule of its own; returns who is in flight and who might start."""
        flying: dict[str, Candidate] = {}
        open_: dict[str, Candidate] = {}
        fragmented = self._fragmented()
        for key, running in self._now.items():
            rule = self._rules[key]
            target = running.moving_to or self._target(key)
            if rule.idle is not None:
                why = rule.idle
                self._settled[key] = Move(key, running, None, 0.0, Decision.STAY, why.reason, why.message)
            elif target is None:
                self._settled[key] = self._without_place(key)
            elif running.moving_to is not None:
                refusal = first_refusal(STANDING, self._case(key, target))
                flying[key] = self._candidate(key, target)
                if refusal is not None:
                    flying[key] = replace(flying[key], stuck=True)
                    self._settled[key] = self._held(key, target, refusal)
            elif key in fragmented:
                self._settled[key] = self._held(key, target, fragmented[key])
            elif (running.pool, running.variant) == (target.pool, target.variant):
                self._settled[key] = self._stays(key, target)
            elif (refusal := first_refusal(BEFORE, self._case(key, target))) is not None:
                self._settled[key] = self._held(key, target, refusal)
            else:
                open_[key] = self._candidate(key, target)
        return flying, open_

    def _fragmented(self) -> dict[str, Refusal]:
        """Whose place the nodes do not have, though all that the plan wants elsewhere had left: those who stay do not repack.

        Staying needs no place but for a workload of which nothing is bound yet.
        """
        outlook, found = Outlook(self._truth), {}
        coming = {}
        for key, running in self._now.items():
            target = self._target(key)
            stays = target is not None and (running.pool, running.variant) == (target.pool, target.variant)
            if target is None or running.moving_to is not None or self._rules[key].idle is not None:
                continue
            if not stays:
                outlook.leave(key)
            if not stays or outlook.is_nowhere(key, target.pool):
                coming[key] = target
        for key, target in coming.items():
            refusal = outlook.lacks(target)
            if refusal is not None:
                found[key] = refusal
        return found

    def _target(self, key: str) -> Option | None:
        choice = self._choices.get(key)
        return None if choice is None else choice.option

    def _case(self, key: str, target: Option) -> Case:
        return Case(self._rules[key], self._now[key], target, rescue=self._is_untenable(key))

    def _candidate(self, key: str, target: Option) -> Candidate:
        horizon = self._rules[key].payback_horizon_seconds
        priority, rescue = self._priorities.get(key, 0), self._is_untenable(key)
        further = self._further(key, target)
        return Candidate(key, self._now[key], target, priority, horizon, rescue=rescue, further=further)

    def _further(self, key: str, target: Option) -> tuple[Option, ...]:
        """Other pools for the same variant, the cheapest first. Not the one that it leaves."""
        prices = {pool.name: pool.price_per_chip for pool in self._problem.pools}
        others = (
            option
            for option in self._options.get(key, ())
            if option.variant == target.variant and option.pool not in (target.pool, self._now[key].pool)
        )
        return tuple(sorted(others, key=lambda option: (prices[option.pool], option.pool)))

    def _is_untenable(self, key: str) -> bool:
        """Whether it fails where it runs, or that place was refused for what its own people demand."""
        running = self._now[key]
        return running.failing is not None or any(
            refused.variant == running.variant
            and refused.pool in (None, running.pool)
            and refused.refusal.reason in _UNTENABLE
            for refused in self._refused.get(key, ())
        )

    def _without_place(self, key: str) -> Move:
        running, choice = self._now[key], self._choices.get(key)
        refusal = choice.refusal if choice is not None else None
        refusal = refusal or Refusal(Reason.STAYS, "the plan does not cover it")
        if running.pool is None and not running.replicas:
            return Move(key, running, None, 0.0, Decision.UNPLACED, refusal.reason, refusal.message)
        return Move(
            key,
            running,
            None,
            0.0,
            Decision.HOLD,
            refusal.reason,
            f"Stays on {running.place}: {refusal.message}",
        )

    def _stays(self, key: str, target: Option) -> Move:
        running = self._now[key]
        message = f"{running.place} is where the plan wants it"
        if running.replicas != target.replicas:
            message += f" ({running.replicas} replicas run, {target.replicas} are needed)"
        return Move(key, running, target, 0.0, Decision.STAY, Reason.STAYS, message)

    def _say_what_does_not_pay(self, floor: Floor) -> None:
        """Who stays only because moving costs too much is told so. ``floor`` has every move that is worth it made."""
        for key, move in self._settled.items():
            if move.decision is not Decision.STAY:
                continue
            others = (
                option
                for option in self._options[key]
                if option.switching_cost_per_hour and first_refusal(BEFORE, self._case(key, option)) is None
            )
            found = unpaid(floor, move.source, others, self._rules[key].payback_horizon_seconds)
            if found is not None:
                option, refusal = found
                message = f"{move.message}: {option.variant} on {option.pool} {refusal.message}"
                self._settled[key] = replace(move, reason=refusal.reason, message=message)

    def _held(self, key: str, target: Option, refusal: Refusal) -> Move:
        message = f"{target.variant} on {target.pool} is proposed: {refusal.message}"
        return Move(key, self._now[key], target, 0.0, Decision.HOLD, refusal.reason, message, refusal=refusal)

    def _stepped(self, slot: Slot) -> Move:
        """The move of a place in the order."""
        running, target = self._now[slot.key], slot.target
        way = _way(running, target)
        if slot.place is Place.IN_FLIGHT:
            if slot.key in self._settled:
                return replace(self._settled.pop(slot.key), step=0, spare=slot.spare)
            reason, message = Reason.MOVE_IN_PROGRESS, f"Moving {way}"
        elif slot.place is Place.NOW:
            reason, message = _starting(running, target)
        else:
            wait = slot.wait or Refusal(Reason.NO_SURGE_CAPACITY, "it waits for its turn")
            reason, message = wait.reason, f"{wait.message}; step {slot.step} in the order is {way}"
        decision = Decision.MOVE if slot.place in (Place.IN_FLIGHT, Place.NOW) else Decision.HOLD
        return Move(
            slot.key,
            running,
            target,
            0.0,
            decision,
            reason,
            message,
            slot.step,
            slot.spare,
            further=slot.further,
        )

    def _priced(self, ordered: list[Move]) -> tuple[Move, ...]:
        """Savings by making all moves one after the other: those with a step first, then what is held, by name.

        A move of which nothing old is left has saved already what it saves.
        """
        floor = self._floor()
        for running in self._now.values():
            floor.add(held(running) or (wanted(running.moving_to) if running.moving_to else None))
        found = []
        for move in [*ordered, *(self._settled[key] for key in sorted(self._settled))]:
            arrived = move.source.moving_to is not None and held(move.source) is None
            if move.target is None or move.decision is Decision.STAY or arrived:
                found.append(move)
                continue
            pools = (move.source.pool, move.target.pool)
            before = floor.cost(pools)
            floor.add(held(move.source), -1)
            floor.add(wanted(move.target))
            savings = round(before - floor.cost(pools), 9)
            text = f"{move.message}, {_saying(savings)}" if move.step is not None else move.message
            found.append(replace(move, savings_per_hour=savings, message=text))
        return tuple(found)


def _starting(running: Running, target: Option) -> tuple[Reason, str]:
    failing = running.failing
    if failing is None:
        return Reason.MOVED, f"Moves {_way(running, target)}"
    there = f"to {target.variant} on {target.pool}"
    why = f"where it failed ({failing.reason}: {failing.message})"
    now, then = running.numbers(target)
    dips = (
        f"; until it is scaled up there, {now} of the {then} replicas serve that are needed"
        if now < then
        else ""
    )
    return Reason.RESCUED, f"Moves from {running.place}, {why}, {there}{dips}"


def _way(running: Running, target: Option) -> str:
    """From where to where, and how."""
    goal, carried = f"{target.variant} on {target.pool}", running.over_a_bridge(target)
    if carried and running.moving_to is not None and not running.replicas:
        return f"to {goal}: a bridge of {_replicas(carried)} is taken in"
    over = f" over a bridge of {_replicas(carried)}" if carried else ""
    return f"from {running.place} to {goal}{over}"


def _replicas(count: int) -> str:
    return f"{count} {'replica' if count == 1 else 'replicas'}"


def _saying(savings: float) -> str:
    if savings > 0:
        return f"saves {money(savings)}"
    return f"adds {money(-savings)}" if savings < 0 else "the bill stays the same"
