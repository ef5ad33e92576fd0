"""An order of moves in which every step fits, not only the end: a moving workload holds its old and its new footprint.

Moves that start now start together, so all their copies are counted at once, as far as the budgets go, and each must be bound however
the scheduler lets them fall on the nodes as they are (``outlook``). What comes after is tried one at a time in the room that the earlier
ones leave. What never fits, such as two workloads that would swap two full pools, is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from chipwise.placement.floor import Floor, Holding, held, occupied
from chipwise.placement.outlook import Outlook
from chipwise.placement.problem import Option
from chipwise.placement.rules import MoveRule, Running
from chipwise.placement.terms import Terms
from chipwise.placement.worth import Candidate, saved, wanted
from chipwise.reasons import Reason, Refusal


class Place(Enum):
    """Where in the order: in flight, starting now, or later."""

    IN_FLIGHT = auto()
    NOW = auto()
    LATER = auto()


@dataclass(frozen=True, slots=True)
class Slot:
    """One place in the order. ``wait`` says what a later one waits for."""

    key: str
    target: Option
    place: Place
    step: int
    wait: Refusal | None = None


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
    nodes: Nodes,
) -> Order:
    """Order the ``kept`` moves: first placements by priority, then by what each saves at once if it goes first, then by contribution.

    So nobody sees the bill rise first for a saving that only a later move brings, where another order avoids it. ``floor`` is empty and
    used up, and so are ``nodes``.
    """
    for key, running in now.items():
        coming = wanted(flying[key].target) if key in flying else None
        for holding in (held(running), coming):
            floor.add(holding)
        for holding in (occupied(running), coming):
            nodes.floor.add(holding)
    slots = [Slot(key, flying[key].target, Place.IN_FLIGHT, 0) for key in sorted(flying)]
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
    waiting = [candidate for candidate, _ in queue]
    started, why = _start(nodes, waiting, _in_flight(flying, rules), rules)
    slots += [Slot(c.key, c.target, Place.NOW, 1) for c in started]
    for done in [*(c for c in flying.values() if not c.stuck), *started]:
        nodes.leave(done)
    later, stuck = _afterwards(nodes, [c for c in waiting if c.key in why])
    slots += [
        Slot(candidate.key, candidate.target, Place.LATER, step, why[candidate.key])
        for step, candidate in enumerate(later, start=2)
    ]
    return Order(tuple(slots), {c.key: _never(nodes, c) for c in stuck})


class Nodes:
    """The pools as the plan may pack them, less what only waits for a node, and the nodes as they are: a move must fit both."""

    def __init__(self, floor: Floor, outlook: Outlook) -> None:
        self.floor, self._outlook = floor, outlook

    def start(self, candidate: Candidate) -> Refusal | None:
        """Add the new footprint beside all that is held, unless the scheduler might refuse it."""
        refusal = _ROOM if not self._adds(candidate) else self._outlook.enter(candidate.key, candidate.target)
        if refusal is not None and refusal is not _ROOM:
            self.floor.add(wanted(candidate.target), -1)
        return refusal

    def fits(self, candidate: Candidate) -> bool:
        """Whether the new footprint fits beside all that is held, packed as the plan likes."""
        if not self._adds(candidate):
            return False
        self.floor.add(wanted(candidate.target), -1)
        return True

    def follow(self, candidate: Candidate) -> bool:
        """Add the new footprint in the room that those who have left gave back."""
        if self._outlook.lacks(candidate.target) is not None or not self._adds(candidate):
            return False
        self.leave(candidate)
        return True

    def leave(self, candidate: Candidate) -> None:
        """The old copy is gone."""
        self.floor.add(occupied(candidate.running), -1)
        self._outlook.leave(candidate.key)

    def fragmented(self, candidate: Candidate) -> Refusal | None:
        """Why not even the room of its own old copy would do, if that is so."""
        return self._outlook.lacks(candidate.target, leaving=(candidate.key,))

    def _adds(self, candidate: Candidate) -> bool:
        self.floor.add(wanted(candidate.target))
        if self.floor.fits(candidate.target.pool):
            return True
        self.floor.add(wanted(candidate.target), -1)
        return False


#: Both copies at once are more than the pool's nodes hold.
_ROOM = Refusal(Reason.NO_SURGE_CAPACITY, "both copies fit only after earlier moves")


def _in_flight(flying: Mapping[str, Candidate], rules: Mapping[str, MoveRule]) -> dict[str, int]:
    counts = {rule.policy: rule.restoring for rule in rules.values()}
    for key in flying:
        counts[rules[key].policy] = counts.get(rules[key].policy, 0) + 1
    return counts


def _start(
    nodes: Nodes, waiting: list[Candidate], flights: dict[str, int], rules: Mapping[str, MoveRule]
) -> tuple[list[Candidate], dict[str, Refusal]]:
    """Who starts now, holding both footprints; and why each other one waits."""
    started: list[Candidate] = []
    why: dict[str, Refusal] = {}
    for candidate in waiting:
        rule = rules[candidate.key]
        if flights.get(rule.policy, 0) >= rule.max_concurrent_moves:
            message = f"policy {rule.policy} allows {rule.max_concurrent_moves} at once"
            budget = Refusal(Reason.CONCURRENCY_BUDGET, message)
            why[candidate.key] = budget if nodes.fits(candidate) else _ROOM
            continue
        refusal = nodes.start(candidate)
        if refusal is None:
            flights[rule.policy] = flights.get(rule.policy, 0) + 1
            started.append(candidate)
        else:
            why[candidate.key] = _ROOM if refusal.reason is Reason.FRAGMENTED else refusal
    return started, why


def _afterwards(nodes: Nodes, waiting: list[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    """One at a time in order, again from the front while something moved; and what never fits."""
    done: list[Candidate] = []
    while True:
        left: list[Candidate] = []
        full: set[tuple[Holding, Terms | None]] = set()
        for candidate in waiting:
            target = (wanted(candidate.target), candidate.target.terms)
            if target not in full and nodes.follow(candidate):
                done.append(candidate)
                full = {t for t in full if t[0][0] != candidate.running.pool}
            else:
                full.add(target)
                left.append(candidate)
        if len(left) == len(waiting):
            return done, left
        waiting = left


def _never(nodes: Nodes, candidate: Candidate) -> Refusal:
    fragmented = nodes.fragmented(candidate)
    if fragmented is not None:
        return fragmented
    target = candidate.target
    nodes.floor.add(wanted(target))
    missing = nodes.floor.missing(target.pool)
    nodes.floor.add(wanted(target), -1)
    copies = f"{candidate.running.place} keeps its copy until the new one is Ready"
    lack = "room" if not missing else f"{missing} {'node' if missing == 1 else 'nodes'}"
    return Refusal(
        Reason.NO_SURGE_CAPACITY,
        f"{target.replicas} x {target.footprint.chips} chips do not fit beside what {target.pool} holds ({copies}): {lack} missing",
    )
