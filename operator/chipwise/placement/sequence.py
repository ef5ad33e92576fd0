"""An order of moves in which every step fits, not only the end: a moving workload holds its old and its new footprint.

Moves that start now start together, so all their copies are counted at once, as far as the budgets go. What comes after is tried one at
a time in the room that the earlier ones leave. What never fits, such as two workloads that would swap two full pools, is refused.
A move over a bridge takes one replica more in its course than at its end, and is told of the room for more: it then ends sooner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from chipwise.placement.floor import Floor, held
from chipwise.placement.problem import Option
from chipwise.placement.rules import MoveRule, Running
from chipwise.placement.worth import Candidate, saved, wanted
from chipwise.reasons import Reason, Refusal


class Place(Enum):
    """Where in the order: in flight, starting now, waiting for the budget, or waiting for room."""

    IN_FLIGHT = auto()
    NOW = auto()
    BUDGET = auto()
    ROOM = auto()


@dataclass(frozen=True, slots=True)
class Slot:
    """One place in the order. ``spare``: room for so many replicas beyond the target's is kept while the move goes over a bridge."""

    key: str
    target: Option
    place: Place
    step: int
    message: str = ""
    spare: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    """The order, and who has no place in it."""

    slots: tuple[Slot, ...]
    refused: Mapping[str, Refusal]


def sequence(
    floor: Floor,
    now: Mapping[str, Running],
    flying: Mapping[str, Candidate],
    kept: tuple[tuple[Candidate, float], ...],
    rules: Mapping[str, MoveRule],
) -> Order:
    """Order the ``kept`` moves: first placements by priority, then by what each saves at once if it goes first, then by contribution.

    So nobody sees the bill rise first for a saving that only a later move brings, where another order avoids it. ``floor`` is empty and
    used up.
    """
    for key, running in now.items():
        floor.add(held(running))
        if key in flying:
            floor.add(wanted(flying[key].target))
    queue = sorted(
        kept,
        key=lambda c: (
            not c[0].first,
            -c[0].priority if c[0].first else 0,
            -saved(floor, c[0].running, c[0].target),
            -c[1],
            c[0].key,
        ),
    )
    spare = {key: _spare(floor, flying[key]) for key in sorted(flying)}
    slots = [Slot(key, flying[key].target, Place.IN_FLIGHT, 0, spare=spare[key]) for key in spare]
    waiting = [candidate for candidate, _ in queue]
    started, why = _start(floor, waiting, _in_flight(flying, rules), rules)
    slots += [Slot(c.key, c.target, Place.NOW, 1, spare=c.spare) for c in started]
    for done in [*(c for c in flying.values() if not c.stuck), *started]:
        _end(floor, done, spare.get(done.key, done.spare))
    later, stuck = _afterwards(floor, [c for c in waiting if c.key in why])
    for step, candidate in enumerate(later, start=2):
        slots.append(_later(candidate, why[candidate.key], step, rules[candidate.key]))
    return Order(tuple(slots), {c.key: _never(floor, c) for c in stuck})


def _spare(floor: Floor, candidate: Candidate) -> int:
    """Room for as many replicas of the bridge at once as there is, added to what is held; for one in any case."""
    pool, footprint, _ = wanted(candidate.target)
    for extra in range(candidate.bridge, 0, -1):
        floor.add((pool, footprint, extra))
        if extra == 1 or floor.fits(pool):
            return extra
        floor.add((pool, footprint, extra), -1)
    return 0


def _end(floor: Floor, candidate: Candidate, spare: int) -> None:
    """The old footprint is given up, and what was kept for the bridge."""
    pool, footprint, _ = wanted(candidate.target)
    floor.add(held(candidate.running), -1)
    floor.add((pool, footprint, spare), -1)


def _in_flight(flying: Mapping[str, Candidate], rules: Mapping[str, MoveRule]) -> dict[str, int]:
    counts = {rule.policy: rule.restoring for rule in rules.values()}
    for key in flying:
        counts[rules[key].policy] = counts.get(rules[key].policy, 0) + 1
    return counts


def _start(
    floor: Floor, waiting: list[Candidate], flights: dict[str, int], rules: Mapping[str, MoveRule]
) -> tuple[list[Candidate], dict[str, Place]]:
    """Who starts now, holding both footprints in ``floor``; and why each other one waits."""
    started: list[Candidate] = []
    why: dict[str, Place] = {}
    for candidate in waiting:
        rule = rules[candidate.key]
        if not _enters(floor, candidate):
            why[candidate.key] = Place.ROOM
        elif flights.get(rule.policy, 0) >= rule.max_concurrent_moves:
            why[candidate.key] = Place.BUDGET
            floor.add(wanted(candidate.target, candidate.spare), -1)
        else:
            flights[rule.policy] = flights.get(rule.policy, 0) + 1
            started.append(candidate)
    return started, why


def _enters(floor: Floor, candidate: Candidate) -> bool:
    """Adds the new footprint beside all that is held, unless it does not fit."""
    floor.add(wanted(candidate.target, candidate.spare))
    if floor.fits(candidate.target.pool):
        return True
    floor.add(wanted(candidate.target, candidate.spare), -1)
    return False


def _afterwards(floor: Floor, waiting: list[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    """One at a time in order, again from the front while something moved; and what never fits."""
    done: list[Candidate] = []
    while True:
        left: list[Candidate] = []
        full: set[tuple[str, object, int]] = set()
        for candidate in waiting:
            target = wanted(candidate.target, candidate.spare)
            if target not in full and _enters(floor, candidate):
                _end(floor, candidate, candidate.spare)
                done.append(candidate)
                full = {t for t in full if t[0] != candidate.running.pool}
            else:
                full.add(target)
                left.append(candidate)
        if len(left) == len(waiting):
            return done, left
        waiting = left


def _later(candidate: Candidate, place: Place, step: int, rule: MoveRule) -> Slot:
    if place is Place.BUDGET:
        message = (
            f"policy {rule.policy} allows {rule.max_concurrent_moves} at once; step {step} in the order is"
        )
    else:
        message = f"both copies fit only after earlier moves; step {step} in the order is"
    return Slot(candidate.key, candidate.target, place, step, message)


def _never(floor: Floor, candidate: Candidate) -> Refusal:
    target, spare = candidate.target, candidate.spare
    floor.add(wanted(target, spare))
    missing = floor.missing(target.pool)
    floor.add(wanted(target, spare), -1)
    copies = f"{candidate.running.place} keeps its copy until the new one is Ready"
    if spare:
        copies += f", and of {candidate.bridge} over a bridge one at a time runs twice"
    lack = "room" if missing is None else f"{missing} {'node' if missing == 1 else 'nodes'}"
    return Refusal(
        Reason.NO_SURGE_CAPACITY,
        f"{target.replicas + spare} x {target.footprint.chips} chips do not fit beside what {target.pool} holds ({copies}): "
        f"{lack} missing",
    )
