"""Whether moves are worth it, looked at together: a node is saved only when the last workload leaves it.

Each move is judged by what would be lost if it alone did not happen while all the others do. While some move fails that test the worst
one is dropped and its neighbours are judged again; so two workloads that empty a node only together both pass, and neither passes
when the other cannot go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chipwise.placement.floor import Floor, Holding, held
from chipwise.placement.problem import Option
from chipwise.placement.rules import WORTH, Running, Worth, first_refusal, payback
from chipwise.reasons import Refusal


@dataclass(frozen=True, slots=True)
class Candidate:
    """One workload that may move. ``stuck``: in flight, but a rule stops its next step, so both copies stay.

    ``rescue``: where it runs breaks what its own people demand, so leaving need not save anything. ``further`` are other pools for the
    same variant, in order of cost.
    """

    key: str
    running: Running
    target: Option
    priority: int
    horizon_seconds: float
    stuck: bool = False
    rescue: bool = False
    further: tuple[Option, ...] = ()

    @property
    def first(self) -> bool:
        """It runs in no known pool: it is being placed, and there is no bill to compare with."""
        return self.running.pool is None

    @property
    def bridge(self) -> int:
        """How many replicas of it go over a bridge."""
        return self.running.over_a_bridge(self.target)

    @property
    def spare(self) -> int:
        """How many replicas beyond the target's it must have room for."""
        return 1 if self.bridge else 0


@dataclass(frozen=True, slots=True)
class Savings:
    """Moves that are worth it with what each contributes in dollars per hour, and the refusals of the others."""

    kept: tuple[tuple[Candidate, float], ...]
    refused: Mapping[str, Refusal]


def wanted(target: Option, spare: int = 0) -> Holding:
    """What the target takes, and ``spare`` replicas more: the end of a bridge runs so many twice."""
    return (target.pool, target.footprint, target.replicas + spare)


def worthwhile(
    floor: Floor, now: Mapping[str, Running], flying: Mapping[str, Candidate], open_: Mapping[str, Candidate]
) -> Savings:
    """Which of the ``open_`` moves are worth it, ``flying`` ones being made anyway. ``floor`` is empty and used up."""
    for key, running in now.items():
        if key in flying or key in open_:
            floor.add(wanted((flying.get(key) or open_[key]).target))
        else:
            floor.add(held(running))
    return _Judge(floor, open_).judge()


def saved(floor: Floor, running: Running, target: Option) -> float:
    """What the bill falls by if this move is made and no other, in dollars per hour."""
    pools = (running.pool, target.pool)
    before = floor.cost(pools)
    _shift(floor, running, target)
    after = floor.cost(pools)
    _shift(floor, running, target, -1)
    return round(before - after, 9)


def unpaid(
    floor: Floor, running: Running, others: Iterable[Option], horizon_seconds: float
) -> tuple[Option, Refusal] | None:
    """Of the places that cost less than the present one and not enough to pay for moving there, the one that would pay back first.

    The plan counts what moving costs, so it does not even propose them. ``floor`` holds everybody where the plan wants them.
    """
    late = []
    for option in others:
        savings = saved(floor, running, option) if _fits_instead(floor, running, option) else 0.0
        worth = Worth(savings, option.switching_cost_per_hour, horizon_seconds)
        refusal = payback(worth) if savings > 0 else None
        if refusal is not None:
            late.append((worth.cost_per_hour / savings, option.pool, option.variant, option, refusal))
    if not late:
        return None
    *_, option, refusal = min(late, key=lambda found: found[:3])
    return option, refusal


def _fits_instead(floor: Floor, running: Running, target: Option) -> bool:
    _shift(floor, running, target)
    fits = floor.fits(target.pool)
    _shift(floor, running, target, -1)
    return fits


def _shift(floor: Floor, running: Running, target: Option, sign: int = 1) -> None:
    """Make the move in the picture, or with ``sign`` -1 take it back."""
    floor.add(held(running), -sign)
    floor.add(wanted(target), sign)


class _Judge:
    def __init__(self, floor: Floor, open_: Mapping[str, Candidate]) -> None:
        self._floor = floor
        self._kept = dict(sorted(open_.items()))
        self._into: dict[str, set[str]] = {}
        for key, candidate in self._kept.items():
            self._into.setdefault(candidate.target.pool, set()).add(key)
        self._verdicts: dict[str, tuple[float, Refusal | None]] = {}

    def judge(self) -> Savings:
        refused: dict[str, Refusal] = {}
        stale: Iterable[str] = tuple(self._kept)
        while True:
            for key in stale:
                if key in self._kept:
                    self._verdicts[key] = self._verdict(self._kept[key])
            failing = [
                (self._verdicts[key][0] - self._kept[key].target.switching_cost_per_hour, key)
                for key in self._kept
                if self._verdicts[key][1] is not None
            ]
            if not failing:
                kept = tuple((candidate, self._verdicts[key][0]) for key, candidate in self._kept.items())
                return Savings(kept, refused)
            _, worst = min(failing)
            refusal = self._verdicts[worst][1]
            if refusal is not None:
                refused[worst] = refusal
            stale = self._drop(worst)

    def _drop(self, key: str) -> list[str]:
        """Leaves it where it runs; returns whose verdict that may change."""
        dropped = self._kept.pop(key)
        self._undo([dropped])
        self._into[dropped.target.pool].discard(key)
        pools = {dropped.running.pool, dropped.target.pool}
        return [k for k, c in self._kept.items() if pools & {c.running.pool, c.target.pool}]

    def _verdict(self, candidate: Candidate) -> tuple[float, Refusal | None]:
        """(contribution, refusal)."""
        group = [candidate]
        savings, blocked = self._lost_without(group)
        if candidate.first or candidate.rescue:
            return savings, None
        if blocked:
            group += [
                self._kept[k]
                for k in sorted(self._into.get(candidate.running.pool or "", ()))
                if k != candidate.key
            ]
            if any(member.first or member.rescue for member in group):
                return savings, None
            savings, _ = self._lost_without(group)
        cost = sum(member.target.switching_cost_per_hour for member in group)
        return savings, first_refusal(WORTH, Worth(savings, cost, candidate.horizon_seconds))

    def _lost_without(self, group: list[Candidate]) -> tuple[float, bool]:
        """How much dearer all would be if ``group`` stayed, and whether the others' moves would then not fit where it runs."""
        pools = {pool for c in group for pool in (c.running.pool, c.target.pool)}
        after = self._floor.cost(pools)
        self._undo(group)
        before = self._floor.cost(pools)
        source = group[0].running.pool
        blocked = source is not None and bool(self._into.get(source)) and not self._floor.fits(source)
        self._undo(group, -1)
        return before - after, blocked

    def _undo(self, group: list[Candidate], sign: int = 1) -> None:
        for member in group:
            self._floor.add(wanted(member.target), -sign)
            self._floor.add(held(member.running), sign)
