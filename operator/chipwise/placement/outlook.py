"""A mutable picture of the nodes while moves are put in order: who has left, who is about to come, and what is secure then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from chipwise.placement.ground import (
    Crowd,
    Ground,
    Truth,
    allows,
    need_of,
    plus,
    slots,
    spoilt,
    worst,
)
from chipwise.placement.problem import Option
from chipwise.placement.terms import Terms
from chipwise.reasons import Reason, Refusal


class Outlook:
    """Everybody is in place at first. An option without terms, or on a pool that is not known, is taken on trust."""

    def __init__(self, truth: Truth) -> None:
        self._pools = {name: _Pool(ground) for name, ground in truth.grounds.items()}
        self._left = dict(truth.left)

    def leave(self, key: str) -> None:
        """The pods of a workload are gone."""
        for pool in self._pools.values():
            pool.leave(key)

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

    def grow(self, key: str, option: Option) -> int:
        """How many of the replicas of ``option`` are secure beside everybody else. So many are counted as coming from now on."""
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
        return pool in self._pools and not self._pools[pool].ground.held.get(key)

    def _over_quota(self, option: Option) -> Refusal | None:
        for name, amount in sorted(option.usage):
            left = self._left.get(name, amount)
            if amount > left:
                message = f"quota {name} leaves {left} while both copies run, and {amount} more are needed"
                return Refusal(Reason.QUOTA_EXCEEDED, message)
        return None


class _Pool:
    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self._free = [list(site.free) for site in ground.sites]
        self._numbers = {site.name: number for number, site in enumerate(ground.sites) if site.name}
        self._crowds = list(ground.crowds)
        self._departed: set[str] = set()

    def leave(self, key: str) -> None:
        if key not in self._departed:
            self._departed.add(key)
            for name, amounts in self.ground.held.get(key, {}).items():
                number = self._numbers[name]
                self._free[number] = plus(self._free[number], amounts)

    def enter(self, key: str, option: Option, terms: Terms) -> Refusal | None:
        need = need_of(option, self.ground.resources)
        if need is None:
            return self.lacks(option, terms, frozenset())
        coming = Crowd(need, option.replicas, terms, key, promised=True)
        promised = [other for other in self._crowds if other.promised and other.key != key]
        if promised and (terms.picky or any(other.terms.picky for other in promised)):
            message = "it minds the pods beside it, and others are being placed at the same time"
            return Refusal(Reason.NO_SURGE_CAPACITY, message)
        sound = [other for other in promised if self._secure(other) >= other.count]
        self._crowds.append(coming)
        if all(self._secure(each) >= each.count for each in (coming, *sound)):
            return None
        self._crowds.remove(coming)
        message = f"others are about to be placed on pool {option.pool} and may take the room"
        return self.lacks(option, terms, frozenset()) or Refusal(Reason.NO_SURGE_CAPACITY, message)

    def grow(self, key: str, option: Option, terms: Terms) -> int:
        need = need_of(option, self.ground.resources)
        if need is None:
            return 0
        count = min(option.replicas, self._secure(Crowd(need, option.replicas, terms, key)))
        if count:
            self._crowds.append(Crowd(need, count, terms, key, promised=True))
        return count

    def lacks(self, option: Option, terms: Terms, leaving: frozenset[str]) -> Refusal | None:
        need = need_of(option, self.ground.resources)
        free = {n: self._freed(n, leaving) for n in self._allowed(terms)}
        found = 0
        if need is not None:
            full = {n: slots(each, need, terms) for n, each in free.items()}
            found = self._together(terms, full)
        if found >= option.replicas:
            return None
        return Refusal(Reason.FRAGMENTED, self._sentence(option, terms, free, found))

    def _secure(self, crowd: Crowd) -> int:
        """How many of the crowd are bound however all the others fall. Its own workload's other pods are no rivals."""
        others = [other for other in self._crowds if other is not crowd and not _kin(crowd, other)]
        terms = crowd.terms
        full = {n: slots(self._free[n], crowd.need, terms) for n in self._allowed(terms)}
        least = self._together(terms, full)
        if not others or not least:
            return least
        poor = {n: self._beside(n, crowd, others) if most else 0 for n, most in full.items()}
        spoiled = self._together(terms, poor)
        if terms.spread is not None:
            return spoiled
        within = {n for n, most in full.items() if most}
        return max(
            spoiled, least - sum(worst(crowd, other) * self._coming(other, within) for other in others)
        )

    def _beside(self, number: int, crowd: Crowd, others: list[Crowd]) -> int:
        """Replicas on one node when as many of all ``others`` as it holds land there."""
        site, taken = self.ground.sites[number], [0] * len(self.ground.resources)
        room = plus(self._free[number], site.leaving)
        for other in others:
            if allows(other.terms, site):
                pods = min(other.count, slots(room, other.need, other.terms))
                taken = [gone + pods * each for gone, each in zip(taken, other.need, strict=True)]
        return slots(spoilt(self._free[number], site.leaving, taken), crowd.need, crowd.terms)

    def _coming(self, other: Crowd, within: set[int]) -> int:
        """How many pods of another crowd can land on these sites at all."""
        found = 0
        for number in within:
            site = self.ground.sites[number]
            if allows(other.terms, site):
                room = plus(self._free[number], site.leaving)
                found += slots(room, other.need, other.terms) * site.count
        return min(other.count, found)

    def _together(self, terms: Terms, full: Mapping[int, int]) -> int:
        """Replicas that sites of this capacity hold altogether. Of nodes to come nobody knows the domain."""
        sites = self.ground.sites
        if terms.spread is None:
            return sum(most * sites[number].count for number, most in full.items())
        domain_of = dict(terms.spread.domains)
        capacity: dict[str, int] = {}
        for number, most in full.items():
            domain = domain_of.get(sites[number].name)
            if domain is not None:
                capacity[domain] = capacity.get(domain, 0) + most
        return terms.spread.allowed(capacity)

    def _allowed(self, terms: Terms) -> list[int]:
        return [number for number, site in enumerate(self.ground.sites) if allows(terms, site)]

    def _freed(self, number: int, leaving: frozenset[str]) -> list[int]:
        name, free = self.ground.sites[number].name, self._free[number]
        for key in leaving - self._departed:
            held = self.ground.held.get(key, {}).get(name)
            if held is not None:
                free = plus(free, held)
        return free

    def _sentence(self, option: Option, terms: Terms, free: Mapping[int, list[int]], found: int) -> str:
        sites, chips = self.ground.sites, option.footprint.chips
        most = max((each[0] for each in free.values()), default=0)
        total = sum(max(0, each[0]) * sites[number].count for number, each in free.items())
        there = sum(1 for site in sites if site.name)
        named = sum(1 for number in free if sites[number].name)
        where = (
            f"pool {option.pool}"
            if named == there
            else f"the {named} of {there} nodes of pool {option.pool} that take it"
        )
        if most < chips:
            return f"{total} chips are free on {where}, but no node has {chips} together"
        spread = " under its own spread constraints" if terms.picky else ""
        if found:
            return f"{total} chips are free on {where}, which hold {found} of {option.replicas} replicas of {chips} chips{spread}"
        return f"{total} chips are free on {where}, but no node has {chips} with the CPU, memory and pods beside them{spread}"


def _kin(crowd: Crowd, other: Crowd) -> bool:
    return bool(crowd.key) and crowd.key == other.key
