"""An order of moves in which every step fits, not only the end: a moving workload holds its old and its new footprint.

Moves that start now start together, so all their copies are counted at once, as far as the budgets go, and each must be bound however
the scheduler lets them fall on the nodes as they are (``outlook``). What comes after is tried one at a time in the room that the earlier
ones leave. What never fits, such as two workloads that would swap two full pools, is refused. A move over a bridge takes one replica more
in its course than at its end, and is told of the room for more: it then ends sooner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
    """One place in the order. ``wait`` says what a later one waits for.

    ``spare``: room for so many replicas beyond the target's is kept while the move goes over a bridge. ``further``: pools where room for
    all of it is kept as well.
    """

    key: str
    target: Option
    place: Place
    step: int
    wait: Refusal | None = None
    spare: int = 0
    further: tuple[str, ...] = ()


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
    spare = {key: _spare(nodes.floor, flying[key]) for key in sorted(flying)}
    slots = [Slot(key, flying[key].target, Place.IN_FLIGHT, 0, spare=spare[key]) for key in spare]
    waiting = [candidate for candidate, _ in queue]
    started, why = _start(nodes, waiting, _in_flight(flying, rules), rules)
    slots += [
        Slot(c.key, c.target, Place.NOW, 1, spare=c.spare, further=_fall_back(nodes, c, rules[c.key]))
        for c in started
    ]
    for done in [*(c for c in flying.values() if not c.stuck), *started]:
        nodes.leave(done, spare.get(done.key, done.spare))
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
        if not self._adds(candidate):
            return _ROOM
        refusal = self._outlook.enter(candidate.key, _whole(candidate))
        if refusal is not None:
            self._drop(candidate)
        return refusal

    def fits(self, candidate: Candidate) -> bool:
        """Whether the new footprint fits beside all that is held, packed as the plan likes."""
        if not self._adds(candidate):
            return False
        self._drop(candidate)
        return True

    def follow(self, candidate: Candidate) -> bool:
        """Add the new footprint in the room that those who have left gave back."""
        if self._outlook.lacks(_whole(candidate)) is not None or not self._adds(candidate):
            return False
        self.leave(candidate, candidate.spare)
        return True

    def is_there(self, target: Option) -> bool:
        """Whether it would be bound on nodes that exist."""
        return self._outlook.has(target)

    def keep(self, key: str, option: Option) -> bool:
        """Set room aside on nodes to come, for as many replicas as may have to go there; none where a free node is there already."""
        if self._outlook.has(replace(option, replicas=1)):
            return False
        self.floor.add(wanted(option))
        if self.floor.fits(option.pool) and self._outlook.enter(key, replace(option, usage=())) is None:
            return True
        self.floor.add(wanted(option), -1)
        return False

    def leave(self, candidate: Candidate, spare: int) -> None:
        """The old copy is gone, and so is what was kept for the bridge."""
        pool, footprint, _ = wanted(candidate.target)
        self.floor.add(occupied(candidate.running), -1)
        self.floor.add((pool, footprint, spare), -1)
        self._outlook.leave(candidate.key)

    def fragmented(self, candidate: Candidate) -> Refusal | None:
        """Why not even the room of its own old copy would do, if that is so. That a bridge wants more at times does not count here."""
        return self._outlook.lacks(candidate.target, leaving=(candidate.key,))

    def missing(self, candidate: Candidate) -> int | None:
        """How many nodes its pool lacks for it; None if no number would do."""
        self.floor.add(wanted(candidate.target, candidate.spare))
        found = self.floor.missing(candidate.target.pool)
        self._drop(candidate)
        return found

    def _adds(self, candidate: Candidate) -> bool:
        self.floor.add(wanted(candidate.target, candidate.spare))
        if self.floor.fits(candidate.target.pool):
            return True
        self._drop(candidate)
        return False

    def _drop(self, candidate: Candidate) -> None:
        self.floor.add(wanted(candidate.target, candidate.spare), -1)


def _whole(candidate: Candidate) -> Option:
    """What its pool must have room for in the course of the move."""
    target = candidate.target
    return replace(target, replicas=target.replicas + candidate.spare)


#: Both copies at once are more than the pool's nodes hold.
_ROOM = Refusal(Reason.NO_SURGE_CAPACITY, "both copies fit only after earlier moves")


def _spare(floor: Floor, candidate: Candidate) -> int:
    """Room for as many replicas of the bridge at once as there is, added to what is held; for one in any case."""
    pool, footprint, _ = wanted(candidate.target)
    for extra in range(candidate.bridge, 0, -1):
        floor.add((pool, footprint, extra))
        if extra == 1 or floor.fits(pool):
            return extra
        floor.add((pool, footprint, extra), -1)
    return 0


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


def _fall_back(nodes: Nodes, candidate: Candidate, rule: MoveRule) -> tuple[str, ...]:
    """The pools beside its own that a workload's template may name: those where its nodes would have to come too, and may.

    The scheduler takes free nodes in any order, so a pool that has any would be filled however dear it is. And a workload whose own
    nodes are there needs no other.
    """
    found: list[str] = []
    if nodes.is_there(candidate.target):
        return ()
    for option in candidate.further:
        if len(found) + 1 < rule.max_pools and nodes.keep(candidate.key, option):
            found.append(option.pool)
    return tuple(found)


def _afterwards(nodes: Nodes, waiting: list[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    """One at a time in order, again from the front while something moved; and what never fits."""
    done: list[Candidate] = []
    while True:
        left: list[Candidate] = []
        full: set[tuple[Holding, Terms | None]] = set()
        for candidate in waiting:
            target = (wanted(candidate.target, candidate.spare), candidate.target.terms)
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
    target, spare, missing = candidate.target, candidate.spare, nodes.missing(candidate)
    copies = f"{candidate.running.place} keeps its copy until the new one is Ready"
    if spare:
        copies += f", and of {candidate.bridge} over a bridge one at a time runs twice"
    lack = "room" if not missing else f"{missing} {'node' if missing == 1 else 'nodes'}"
    return Refusal(
        Reason.NO_SURGE_CAPACITY,
        f"{target.replicas + spare} x {target.footprint.chips} chips do not fit beside what {target.pool} holds ({copies}): "
        f"{lack} missing",
    )
