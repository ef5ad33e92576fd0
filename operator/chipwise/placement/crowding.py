"""How many of some pods are bound for certain while others come to the same nodes, wherever these fall.

For one kind of pod alone the count is exact. Beside others it is the best of three bounds from below, the cheapest asked first: what is
there less what all the others spoil at most, each pod the most that it could on any node; what every node still holds if all of
them land there; and the first again, of those only who can come to a node that matters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chipwise.placement.ground import Crowd, Ground, Vector, allows, plus, slots, spoilt, worst
from chipwise.placement.terms import Terms


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """``full`` has the replicas that each site takes of a crowd now, ``space`` those that it takes when what is leaving has left."""

    crowd: Crowd
    full: tuple[int, ...]
    space: tuple[int, ...]

    def landing(self, number: int) -> int:
        """As many of them as may come to one site."""
        return min(self.crowd.count, self.space[number])


class Crowding:
    """The nodes of one pool, who has left them, and who is about to come."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self._free = [list(site.free) for site in ground.sites]
        self._numbers = {site.name: number for number, site in enumerate(ground.sites) if site.name}
        self._departed: set[str] = set()
        self._coming = [self._measure(crowd) for crowd in ground.crowds]
        self._taken = [[0] * len(ground.resources) for _ in ground.sites]
        self._needs: Counter[Vector] = Counter()
        for one in self._coming:
            self._count(one, 1)

    @property
    def crowds(self) -> list[Crowd]:
        """Who is about to come."""
        return [one.crowd for one in self._coming]

    def add(self, crowd: Crowd) -> None:
        """It is about to come as well."""
        measured = self._measure(crowd)
        self._coming.append(measured)
        self._count(measured, 1)

    def drop(self, crowd: Crowd) -> None:
        """It does not come after all."""
        measured = next(one for one in self._coming if one.crowd is crowd)
        self._coming.remove(measured)
        self._count(measured, -1)

    def leave(self, key: str) -> None:
        """The pods of a workload are gone. What was measured before is then too little, and never too much."""
        if key not in self._departed:
            self._departed.add(key)
            for name, amounts in self.ground.held.get(key, {}).items():
                number = self._numbers[name]
                self._free[number] = plus(self._free[number], amounts)

    def freed(self, terms: Terms, leaving: frozenset[str]) -> dict[int, list[int]]:
        """What is free of each site that ``terms`` allow, when the workloads ``leaving`` have gone too."""
        found = {}
        for number, site in enumerate(self.ground.sites):
            if allows(terms, site):
                found[number] = self._free[number]
                for key in leaving - self._departed:
                    held = self.ground.held.get(key, {}).get(site.name)
                    if held is not None:
                        found[number] = plus(found[number], held)
        return found

    def alone(self, need: Vector, terms: Terms, free: Mapping[int, list[int]]) -> int:
        """How many pods fit while nobody else comes. Exact."""
        return self._together(terms, {number: slots(each, need, terms) for number, each in free.items()})

    def holds(self, crowd: Crowd) -> bool:
        """Whether all of a crowd are bound, however the others fall."""
        return self.secure(crowd) >= crowd.count

    def secure(self, crowd: Crowd) -> int:
        """How many of a crowd are bound however all the others fall; enough is enough."""
        mine = next((one for one in self._coming if one.crowd is crowd), None) or self._measure(crowd)
        kin = [one for one in self._coming if _is_part(one.crowd, crowd)]
        least = self._together(crowd.terms, dict(enumerate(mine.full)))
        if len(kin) == len(self._coming) or least < crowd.count:
            return least
        if crowd.terms.spread is not None:
            return self._together(crowd.terms, self._poor(mine, kin))
        spoils = {need: worst(crowd, need) for need in self._needs}
        rivals = self._needs - Counter(_pods(one.crowd for one in kin))
        quick = least - sum(spoils[need] * count for need, count in rivals.items())
        if quick >= crowd.count:
            return quick
        all_land = self._together(crowd.terms, self._poor(mine, kin))
        if all_land >= crowd.count:
            return all_land
        others = [one for one in self._coming if not _is_part(one.crowd, crowd)]
        near = least - sum(spoils[one.crowd.need] * self._within(one, mine) for one in others)
        return max(0, quick, all_land, near)

    def _measure(self, crowd: Crowd) -> _Measured:
        need, terms = crowd.need, crowd.terms
        full, space = [], []
        for number, site in enumerate(self.ground.sites):
            here = allows(terms, site)
            free = self._free[number]
            full.append(slots(free, need, terms) if here else 0)
            late = any(site.leaving)
            space.append(slots(plus(free, site.leaving), need, terms) if here and late else full[-1])
        return _Measured(crowd, tuple(full), tuple(space))

    def _count(self, one: _Measured, sign: int) -> None:
        self._needs[one.crowd.need] += sign * one.crowd.count
        for number in range(len(self._taken)):
            pods = sign * one.landing(number)
            if pods:
                self._taken[number] = _with(self._taken[number], one.crowd.need, pods)

    def _poor(self, mine: _Measured, kin: Iterable[_Measured]) -> dict[int, int]:
        """Replicas on each site when as many of all others as it holds land there."""
        found = {}
        for number, full in enumerate(mine.full):
            if full:
                taken, site = self._taken[number], self.ground.sites[number]
                for one in kin:
                    taken = _with(taken, one.crowd.need, -one.landing(number))
                left = spoilt(self._free[number], site.leaving, taken)
                found[number] = slots(left, mine.crowd.need, mine.crowd.terms)
        return found

    def _within(self, other: _Measured, mine: _Measured) -> int:
        """How many pods of another crowd can come to the sites that matter."""
        sites = self.ground.sites
        space = sum(
            space * sites[number].count
            for number, (space, full) in enumerate(zip(other.space, mine.full, strict=True))
            if full
        )
        return min(other.crowd.count, space)

    def _together(self, terms: Terms, full: Mapping[int, int]) -> int:
        """Replicas that sites of this capacity hold altogether. Of nodes to come nobody knows the domain."""
        sites = self.ground.sites
        if terms.spread is None:
            return sum(most * sites[number].count for number, most in full.items())
        domain_of = dict(terms.spread.domains)
        capacity: Counter[str] = Counter()
        for number, most in full.items():
            domain = domain_of.get(sites[number].name)
            if domain is not None:
                capacity[domain] += most
        return terms.spread.allowed(capacity)


def _is_part(one: Crowd, crowd: Crowd) -> bool:
    return one is crowd or (crowd.whole and one.key == crowd.key)


def _pods(crowds: Iterable[Crowd]) -> dict[Vector, int]:
    found: dict[Vector, int] = {}
    for crowd in crowds:
        found[crowd.need] = found.get(crowd.need, 0) + crowd.count
    return found


def _with(taken: list[int], need: Vector, pods: int) -> list[int]:
    return [gone + pods * each for gone, each in zip(taken, need, strict=True)]
