"""A mutable picture of the nodes while moves are put in order: who has left, who is about to come, and what is secure then."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import replace

from chipwise.placement.crowding import Crowding
from chipwise.placement.ground import Crowd, Truth, need_of
from chipwise.placement.problem import Option
from chipwise.placement.terms import Terms
from chipwise.reasons import Reason, Refusal


class Outlook:
    """Everybody is in place at first. An option without terms, or on a pool that is not known, is taken on trust."""

    def __init__(self, truth: Truth) -> None:
        self._pools = {name: _Pool(Crowding(ground)) for name, ground in truth.grounds.items()}
        self._left = dict(truth.left)

    def leave(self, key: str) -> None:
        """The pods of a workload are gone."""
        for pool in self._pools.values():
            pool.crowding.leave(key)

    def enter(self, key: str, option: Option) -> Refusal | None:
        """The replicas of ``option`` come beside everybody who is there or about to come; refused, nothing changes."""
        refusal = self._over_quota(option)
        pool = self._pools.get(option.pool)
        if refusal is None and pool is not None and option.terms is not None:
            refusal = pool.enter(key, option, option.terms)
        if refusal is None:
            for name, amount in option.usage:
                if name in self._left:
                    self._left[name] -= amount
        return refusal

    def lacks(self, option: Option, leaving: Iterable[str] = ()) -> Refusal | None:
        """Why the replicas do not fit even alone, beside those who are there, when the workloads ``leaving`` have gone too."""
        pool = self._pools.get(option.pool)
        if pool is None or option.terms is None:
            return None
        return pool.lacks(option, option.terms, frozenset(leaving))

    def has(self, option: Option) -> bool:
        """Whether the nodes that exist have room for it, if nobody else comes. Of a pool that is not known: no."""
        pool = self._pools.get(option.pool)
        return pool is not None and option.terms is not None and pool.has(option, option.terms)

    def grow(self, key: str, option: Option) -> int:
        """How many of the replicas of ``option`` are secure beside everybody else and break no promise: they come from now on."""
        count, pool = option.replicas, self._pools.get(option.pool)
        for name, amount in option.usage:
            if amount > self._left.get(name, amount):
                count = min(count, self._left[name] * option.replicas // amount)
        if count and pool is not None and option.terms is not None:
            count = pool.grow(key, replace(option, replicas=count), option.terms)
        for name, amount in option.usage:
            if count and name in self._left:
                self._left[name] -= -(-amount * count // option.replicas)
        return count

    def is_nowhere(self, key: str, pool: str) -> bool:
        """Whether no pod of the workload is bound in a pool that is known."""
        return pool in self._pools and not self._pools[pool].crowding.ground.held.get(key)

    def _over_quota(self, option: Option) -> Refusal | None:
        for name, amount in sorted(option.usage):
            left = self._left.get(name, amount)
            if amount > left:
                message = f"quota {name} leaves {left} while both copies run, and {amount} more are needed"
                return Refusal(Reason.QUOTA_EXCEEDED, message)
        return None


class _Pool:
    def __init__(self, crowding: Crowding) -> None:
        self.crowding = crowding
        self._sound: list[Crowd] | None = None

    def enter(self, key: str, option: Option, terms: Terms) -> Refusal | None:
        crowding = self.crowding
        need = need_of(option, crowding.ground.resources)
        if need is None:
            return self.lacks(option, terms, frozenset())
        coming = Crowd(need, option.replicas, terms, key, promised=True)
        if self._disturbs(coming):
            message = "it minds the pods beside it, and others are being placed at the same time"
            return Refusal(Reason.NO_SURGE_CAPACITY, message)
        if self._admits(coming):
            self._add(coming)
            return None
        message = f"others are about to be placed on pool {option.pool} and may take the room"
        return self.lacks(option, terms, frozenset()) or Refusal(Reason.NO_SURGE_CAPACITY, message)

    def grow(self, key: str, option: Option, terms: Terms) -> int:
        """The most that are bound for certain and break no promise: fewer of them never spoil more."""
        need = need_of(option, self.crowding.ground.resources)
        if need is None:
            return 0
        wished = Crowd(need, option.replicas, terms, key, promised=True, whole=True)
        if self._disturbs(wished):
            return 0
        numbers = range(1, min(option.replicas, self.crowding.secure(wished)) + 1)
        count = bisect_left(numbers, True, key=lambda n: not self._admits(replace(wished, count=n)))
        if count:
            self._add(replace(wished, count=count))
        return count

    def _disturbs(self, coming: Crowd) -> bool:
        """Whether somebody promised minds its neighbours, or the newcomer does: what they do to each other is not counted."""
        promised = [other for other in self._kept() if other.key != coming.key]
        return bool(promised) and (coming.terms.picky or any(other.terms.picky for other in promised))

    def _admits(self, coming: Crowd) -> bool:
        """Whether all of it is bound, and with it still everything that was promised and held till now."""
        sound = [other for other in self._kept() if not (coming.whole and other.key == coming.key)]
        self.crowding.add(coming)
        holds = all(map(self.crowding.holds, (coming, *sound)))
        self.crowding.drop(coming)
        return holds

    def _add(self, coming: Crowd) -> None:
        self.crowding.add(coming)
        self._kept().append(coming)

    def _kept(self) -> list[Crowd]:
        if self._sound is None:
            crowds = self.crowding.crowds
            self._sound = [other for other in crowds if other.promised and self.crowding.holds(other)]
        return self._sound

    def has(self, option: Option, terms: Terms) -> bool:
        need = need_of(option, self.crowding.ground.resources)
        if need is None:
            return False
        free = self.crowding.freed(replace(terms, new_nodes=False), frozenset())
        return self.crowding.alone(need, terms, free) >= option.replicas

    def lacks(self, option: Option, terms: Terms, leaving: frozenset[str]) -> Refusal | None:
        need = need_of(option, self.crowding.ground.resources)
        free = self.crowding.freed(terms, leaving)
        found = 0 if need is None else self.crowding.alone(need, terms, free)
        if found >= option.replicas:
            return None
        return Refusal(Reason.FRAGMENTED, self._sentence(option, terms, free, found))

    def _sentence(self, option: Option, terms: Terms, free: Mapping[int, list[int]], found: int) -> str:
        sites, chips = self.crowding.ground.sites, option.footprint.chips
        most = max((each[0] for each in free.values()), default=0)
        total = sum(max(0, each[0]) * sites[number].count for number, each in free.items())
        there = sum(1 for site in sites if site.name)
        named = sum(1 for number in free if sites[number].name)
        pool = f"pool {option.pool}"
        where = pool if named == there else f"the {named} of {there} nodes of {pool} that take it"
        spread = " under its own spread constraints" if terms.picky else ""
        if most < chips:
            return f"{total} chips are free on {where}, but no node has {chips} together"
        if found:
            held = f"{found} of {option.replicas} replicas of {chips} chips{spread}"
            return f"{total} chips are free on {where}, which hold {held}"
        rest = f"with the CPU, memory and pods beside them{spread}"
        return f"{total} chips are free on {where}, but no node has {chips} {rest}"
