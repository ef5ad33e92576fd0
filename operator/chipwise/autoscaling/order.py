"""One order of node groups for every workload, for autoscalers that know no more than one: the worst regret is the smallest there can be.

A workload that may use several groups gets the first of them in the order that can be had, and which can be had nobody knows. Its regret
is what it then costs more than on the cheapest group that could be had, in dollars per hour. At worst that is the largest difference
``cost(p) - cost(q)`` over all pairs in which ``p`` stands before ``q``: everything before ``p`` is sold out, and ``q`` is not.

Weighing: all workloads alike, dollar for dollar. First the smallest bound that everybody's worst regret can be kept under; then, largest
stake first, each workload's own as small as that bound and those before it allow. So no other order lowers the worst regret of one
workload without raising that of another. What is left open follows price, then name. Differences of less than a cent are none.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

Costs = Mapping[str, Mapping[str, float]]
"""Dollars per hour by workload and group, of the groups that a workload may use."""

_CENTS = 100


def order_groups(costs: Costs, prices: Mapping[str, float]) -> tuple[str, ...]:
    """All groups of ``prices``, what to try first first. ``prices`` breaks ties: any figure by which the groups compare.

    Groups that no workload may use come last. Groups in ``costs`` that ``prices`` lacks are left out.
    """
    used = {group for each in costs.values() for group in each}
    names = sorted(prices, key=lambda name: (name not in used, prices[name], name))
    workloads = [_Workload(key, names, costs[key]) for key in sorted(costs)]
    workloads = [each for each in workloads if each.stake > 0]
    workloads.sort(key=lambda each: (-each.stake, each.key))
    constraints = _bounded(workloads, [0] * len(names))
    for each in workloads:
        if constraints.decided:
            break
        constraints = each.narrowed(constraints)
    return tuple(names[index] for index in constraints.order)


def worst_regrets(order: Sequence[str], costs: Costs) -> dict[str, float]:
    """What each workload pays too much per hour at worst, to the cent, if groups are tried in this order."""
    found = {}
    for key, groups in costs.items():
        cents = [round(groups[name] * _CENTS) for name in order if name in groups]
        found[key] = max((first - later for first, later in combinations(cents, 2)), default=0)
    return {key: max(0, regret) / _CENTS for key, regret in found.items()}


@dataclass(frozen=True, slots=True)
class _Constraints:
    """``after[i]`` are the groups, as bits, that must come after group ``i``; ``order`` keeps them all, ``decided`` if no other does."""

    after: Sequence[int]
    order: tuple[int, ...]
    decided: bool


def _sorted(after: Sequence[int]) -> _Constraints | None:
    """An order that keeps ``after``, taking of several the first by index; None if there is none."""
    before = [0] * len(after)
    for index, mask in enumerate(after):
        for later in range(len(after)):
            before[later] |= (mask >> later & 1) << index
    left, found, decided = list(range(len(after))), [], True
    done = 0
    while left:
        ready = [index for index in left if not before[index] & ~done]
        if not ready:
            return None
        decided = decided and len(ready) == 1
        found.append(ready[0])
        done |= 1 << ready[0]
        left.remove(ready[0])
    return _Constraints(after, tuple(found), decided)


class _Workload:
    """One workload's costs in cents, ascending, with the groups by index."""

    def __init__(self, key: str, names: Sequence[str], costs: Mapping[str, float]) -> None:
        self.key = key
        ranked = sorted((round(costs[n] * _CENTS), index) for index, n in enumerate(names) if n in costs)
        self.cents = [cents for cents, _ in ranked]
        self._groups = [index for _, index in ranked]
        self._dearer = [0] * (len(ranked) + 1)  # bits of the groups from a rank on
        for rank in range(len(ranked) - 1, -1, -1):
            self._dearer[rank] = self._dearer[rank + 1] | 1 << self._groups[rank]

    @property
    def stake(self) -> int:
        """The most that it can regret."""
        return self.cents[-1] - self.cents[0] if self.cents else 0

    @property
    def differences(self) -> list[int]:
        """Every regret that it can have, ascending."""
        return sorted({0, *(dear - cheap for cheap, dear in combinations(self.cents, 2))})

    def keeps(self, after: Sequence[int], bound: int) -> list[int]:
        """``after``, and that no group comes before one that is cheaper by more than ``bound``."""
        found = list(after)
        for cents, index in zip(self.cents, self._groups, strict=True):
            found[index] |= self._dearer[bisect_right(self.cents, cents + bound)]
        return found

    def narrowed(self, constraints: _Constraints) -> _Constraints:
        """The same with this workload's own worst regret as small as can be."""
        choices = self.differences
        low, high, best = 0, len(choices) - 1, constraints
        while low <= high:
            middle = (low + high) // 2
            found = _sorted(self.keeps(constraints.after, choices[middle]))
            if found is None:
                low = middle + 1
            else:
                best, high = found, middle - 1
        return best


def _bounded(workloads: Sequence[_Workload], nothing: Sequence[int]) -> _Constraints:
    """The smallest bound that everybody's worst regret can be kept under, as constraints."""
    choices = sorted({0, *(difference for each in workloads for difference in each.differences)})

    def kept_under(bound: int) -> _Constraints | None:
        after = nothing
        for each in workloads:
            after = each.keeps(after, bound)
        return _sorted(after)

    low, high = 0, len(choices) - 1
    best = kept_under(choices[high])
    while low <= high:
        middle = (low + high) // 2
        found = kept_under(choices[middle])
        if found is None:
            low = middle + 1
        else:
            best, high = found, middle - 1
    if best is None:  # pragma: no cover - under the largest difference nothing is constrained
        raise AssertionError("a bound that constrains nothing cannot contradict itself")
    return best
