"""From a fractional solution to an assignment that fits: round, repair, improve. Deterministic, and never over capacity.

Rounding takes what the relaxation is sure of and fills in the rest by descending share. Repair makes room for what is left over: first
by moving others, then by putting out workloads of lower priority. Improvement moves single workloads while that lowers the bill, and
tries to empty a bought node by moving the few workloads on it that lose least.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from chipwise.placement.descent import Guide, candidates, descend
from chipwise.placement.instance import Instance, Seat, amortised
from chipwise.placement.occupancy import Occupancy

_EPSILON = 1e-9
Likeness = tuple[int, int, int, tuple[tuple[int, int], ...], int]
#: How many workloads one repair may move elsewhere to let one in.
_RELOCATIONS = 8
#: How many workloads it may ask, and how many such repairs may fail before no more are tried.
_ASKED = 40
_FAILURES = 200
#: How many workloads one attempt to empty a node may move.
_EMPTIED = 12
_PASSES = 3


def rounded(instance: Instance, shares: Sequence[float], guide: Guide | None = None) -> Occupancy:
    """Assign near ``shares``, the relaxation's value of each option (all 0 for none), repair, and improve along ``guide``."""
    occupancy = Occupancy(instance)
    order = sorted(
        range(len(instance.workloads)),
        key=lambda owner: (
            instance.ranks[owner],
            -max(shares[seat.index] for seat in instance.of[owner]),
            owner,
        ),
    )
    waiting = [owner for owner in order if not _place(occupancy, owner, shares)]
    repair(occupancy, waiting)
    owners: Sequence[int] = range(len(instance.workloads))
    if guide is not None:
        descend(occupancy, guide)
        owners = candidates(instance, guide)
    improve(occupancy, owners)
    return occupancy


def _place(occupancy: Occupancy, owner: int, shares: Sequence[float]) -> bool:
    """By descending share while there is one, else where it costs least."""
    seats = occupancy.instance.of[owner]
    wanted = sorted(
        (seat for seat in seats if shares[seat.index] > _EPSILON), key=lambda s: (-shares[s.index], s.index)
    )
    for seat in wanted:
        if occupancy.fits(seat):
            occupancy.put(seat)
            return True
    return _put_cheapest(occupancy, owner)


def _put_cheapest(occupancy: Occupancy, owner: int, barred_pool: int = -1) -> bool:
    best: tuple[float, float, int] | None = None
    for seat in occupancy.instance.of[owner]:
        if seat.pool != barred_pool and occupancy.fits(seat):
            key = (occupancy.added(seat), _linear_cost(occupancy.instance, seat), seat.index)
            best = key if best is None else min(best, key)
    if best is None:
        return False
    occupancy.put(occupancy.instance.seats[best[2]])
    return True


def _linear_cost(instance: Instance, seat: Seat) -> float:
    return amortised(instance.pools[seat.pool], seat.chips) + seat.switching


def repair(occupancy: Occupancy, waiting: Sequence[int]) -> None:
    """Let in what is ``waiting``, highest priority first, as far as moving others or putting out lower priorities allows.

    What was tried in vain is not tried again for a like workload, so a fleet far beyond capacity costs no more than one that fits.
    """
    ranks = occupancy.instance.ranks
    heap = [(ranks[owner], owner) for owner in waiting]
    heapq.heapify(heap)
    hopeless: set[Likeness] = set()
    failures = 0
    while heap:
        rank, owner = heapq.heappop(heap)
        if _put_cheapest(occupancy, owner):
            continue
        seats = [s for s in occupancy.instance.of[owner] if _likeness(s, rank) not in hopeless]
        seats.sort(key=lambda s: (_linear_cost(occupancy.instance, s), s.index))
        if failures < _FAILURES and _relocate(occupancy, seats):
            continue
        failures += 1
        displaced = _displace(occupancy, seats)
        if displaced is None:
            hopeless |= {_likeness(s, rank) for s in seats}
            continue
        for other in displaced:
            heapq.heappush(heap, (ranks[other], other))


def _likeness(seat: Seat, rank: int) -> Likeness:
    return (seat.pool, seat.footprint, seat.replicas, seat.limits, rank)


def _relocate(occupancy: Occupancy, seats: Sequence[Seat]) -> bool:
    """Move up to a few workloads out of a pool so that one of ``seats`` fits there; undo everything if that is not enough."""
    for seat in seats:
        moved: list[Seat] = []
        for other in _leavers(occupancy, seat.pool, seat.footprint)[:_ASKED]:
            old = occupancy.take(other)
            if old is None:  # pragma: no cover
                continue
            if not _put_cheapest(occupancy, other, barred_pool=seat.pool):
                occupancy.put(old)
                continue
            moved.append(old)
            if occupancy.fits(seat):
                occupancy.put(seat)
                return True
            if len(moved) >= _RELOCATIONS:
                break
        _undo(occupancy, moved)
    return False


def _leavers(occupancy: Occupancy, pool: int, footprint: int = -1) -> list[int]:
    """Who might leave a pool: those with an option elsewhere, the like of ``footprint`` first, then by what a chip loses."""
    instance = occupancy.instance
    found = []
    for other in occupancy.members[pool]:
        held = instance.seats[occupancy.chosen[other]]
        elsewhere = [_linear_cost(instance, option) for option in instance.of[other] if option.pool != pool]
        if elsewhere:
            loss = (min(elsewhere) - _linear_cost(instance, held)) / max(1, held.chips)
            found.append((footprint not in (-1, held.footprint), loss, other))
    return [other for _, _, other in sorted(found)]


def _undo(occupancy: Occupancy, moved: Sequence[Seat]) -> None:
    for old in moved:
        occupancy.take(old.owner)
    for old in moved:
        occupancy.put(old)


def _displace(occupancy: Occupancy, seats: Sequence[Seat]) -> list[int] | None:
    """Put out workloads of lower priority, lowest first, until one of ``seats`` fits; who has no place then, or None if none fits."""
    instance = occupancy.instance
    for seat in seats:
        victims = [
            (-instance.ranks[other], -instance.seats[occupancy.chosen[other]].chips, other)
            for other in _rivals(occupancy, seat)
            if instance.ranks[other] > instance.ranks[seat.owner]
        ]
        removed: list[Seat] = []
        for _, _, other in sorted(victims):
            old = occupancy.take(other)
            if old is not None:
                removed.append(old)
            if occupancy.fits(seat):
                break
        if removed and occupancy.fits(seat):
            occupancy.put(seat)
            return [old.owner for old in reversed(removed) if not _return(occupancy, old)]
        _undo(occupancy, removed)
    return None


def _rivals(occupancy: Occupancy, seat: Seat) -> set[int]:
    """Who holds some of the pool, or of a limit, that this option needs."""
    needed = {limit for limit, _ in seat.limits}
    if not needed:
        return occupancy.members[seat.pool]
    held = {
        occupancy.instance.seats[index].owner
        for index in occupancy.chosen
        if index >= 0 and any(limit in needed for limit, _ in occupancy.instance.seats[index].limits)
    }
    return held | occupancy.members[seat.pool]


def _return(occupancy: Occupancy, old: Seat) -> bool:
    if occupancy.fits(old):
        occupancy.put(old)
        return True
    return False


def improve(occupancy: Occupancy, owners: Sequence[int]) -> None:
    """Lower the bill by moving ``owners`` singly, and others to empty nodes, without leaving anyone out."""
    for _ in range(_PASSES):
        if not (_single_moves(occupancy, owners) | _empty_nodes(occupancy)):
            return


def _single_moves(occupancy: Occupancy, owners: Sequence[int]) -> bool:
    """Each workload in turn goes where it costs least, the others staying."""
    instance = occupancy.instance
    changed = False
    for owner in owners:
        index = occupancy.chosen[owner]
        if index < 0 or len(instance.of[owner]) < 2:
            continue
        held = instance.seats[index]
        gain = occupancy.freed(held)
        if gain <= _EPSILON:
            continue
        old = occupancy.take(owner)
        _put_cheapest(occupancy, owner)
        now = instance.seats[occupancy.chosen[owner]]
        if now.index != held.index and old is not None:
            occupancy.take(owner)
            cost = occupancy.added(now)
            best = now if cost < gain - _EPSILON else old
            occupancy.put(best)
            changed |= best is now
    return changed


def _empty_nodes(occupancy: Occupancy) -> bool:
    """In each pool move the workloads that lose least until the bill falls by more than the moves cost, or give up."""
    changed = False
    for p, pool in enumerate(occupancy.instance.pools):
        while occupancy.members[p] and pool.price_per_hour and _empty_one(occupancy, p):
            changed = True
    return changed


def _empty_one(occupancy: Occupancy, p: int) -> bool:
    before = occupancy.objective()
    moved: list[Seat] = []
    for other in _leavers(occupancy, p)[: _EMPTIED * 4]:
        old = occupancy.take(other)
        if old is None:  # pragma: no cover
            continue
        if not _put_cheapest(occupancy, other, barred_pool=p):
            occupancy.put(old)
            continue
        moved.append(old)
        if occupancy.objective() < before - _EPSILON:
            return True
        if len(moved) >= _EMPTIED:
            break
    _undo(occupancy, moved)
    return False
