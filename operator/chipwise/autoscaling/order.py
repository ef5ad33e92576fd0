"""One order of node groups for every workload, for autoscalers that know no more than one: the worst regret is the smallest there can be.

A workload that may use several groups gets the first of them in the order that can be had, and which can be had nobody knows. Its regret
is what it then costs more than on the cheapest group that could be had, in dollars per hour. At worst that is the largest difference
``cost(p) - cost(q)`` over all pairs in which ``p`` stands before ``q``: everything before ``p`` is sold out, and ``q`` is not.

Weighing: all workloads alike, dollar for dollar. First the smallest bound that everybody's worst regret can be kept under; then, largest
stake first, each workload's own as small as that bound and those before it allow. So no other order lowers the worst regret of one
workload without raising that of another. What is left open follows price, then name. Differences of less than a cent are none.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

Costs = Mapping[str, Mapping[str, float]]
"""Dollars per hour by workload and group, of the groups that a workload may use."""

_CENTS = 100
#: So many workloads are compared pair by pair at once.
_AT_ONCE = 256


def order_groups(costs: Costs, prices: Mapping[str, float]) -> tuple[str, ...]:
    """All groups of ``prices``, what to try first first. ``prices`` breaks ties: any figure by which the groups compare.

    Groups that no workload may use come last. Groups in ``costs`` that ``prices`` lacks are left out.
    """
    used = {group for each in costs.values() for group in each}
    names = sorted(prices, key=lambda name: (name not in used, prices[name], name))
    if not names:
        return ()
    workloads = _distinct(costs, names)
    order = _Order(len(names))
    order.bound(workloads)
    for each in workloads:
        if order.is_decided:
            break
        order.narrow(each)
    return tuple(names[index] for index in order.first())


def worst_regrets(order: Sequence[str], costs: Costs) -> dict[str, float]:
    """What each workload pays too much per hour at worst, to the cent, if groups are tried in this order."""
    return {key: _worst([groups[n] for n in order if n in groups]) for key, groups in costs.items()}


def _worst(costs: Sequence[float]) -> float:
    """The most by which one is dearer than one after it."""
    dearest = worst = 0
    for cents in (round(cost * _CENTS) for cost in costs):
        dearest = max(dearest, cents)
        worst = max(worst, dearest - cents)
    return worst / _CENTS


def _distinct(costs: Costs, names: Sequence[str]) -> list[Any]:
    """Every list of costs that there is, once, in cents by group and NaN where a group is not used; largest stake first, then by key."""
    import numpy as np  # noqa: PLC0415 - the command line must start fast without it

    numbers = {name: index for index, name in enumerate(names)}
    found = np.full((len(costs), len(names)), np.nan)
    for row, (_, each) in enumerate(sorted(costs.items())):
        for name, cost in each.items():
            if name in numbers:
                found[row, numbers[name]] = cost
    cents = np.rint(found * _CENTS) + 0.0
    used = ~np.isnan(cents)
    stakes = np.where(used, cents, -np.inf).max(axis=1) - np.where(used, cents, np.inf).min(axis=1)
    order = np.argsort(-stakes, kind="stable")
    once = {cents[row].tobytes(): row for row in order[::-1] if stakes[row] > 0}
    return [cents[row] for row in sorted(once.values(), key=lambda row: (-stakes[row], row))]


class _Order:
    """What must come before what: ``before[p, q]`` for p before q, closed under its own consequences and never contradicting itself."""

    def __init__(self, groups: int) -> None:
        import numpy as np  # noqa: PLC0415

        self._np = np
        self._before = np.zeros((groups, groups), dtype=bool)

    @property
    def is_decided(self) -> bool:
        """No other order is left."""
        groups = len(self._before)
        return int(self._before.sum()) == groups * (groups - 1) // 2

    def bound(self, workloads: Sequence[Any]) -> None:
        """Keep everybody's regret under the smallest bound that there is."""
        np = self._np
        worst = np.zeros(self._before.shape)
        for at in range(0, len(workloads), _AT_ONCE):
            some = np.array(workloads[at : at + _AT_ONCE])
            worst = np.fmax(worst, np.fmax.reduce(some[:, :, None] - some[:, None, :]))
        self._keep(worst, 0.0)

    def narrow(self, workload: Any) -> None:
        """Keep one workload's regret as small as what must be already allows. Mostly that holds already, which is quick to see."""
        np = self._np
        regrets = workload[:, None] - workload[None, :]
        least = float(np.fmax.reduce(np.where(self._before, regrets, 0.0), axis=None))
        if bool(((regrets > least).T & ~self._before).any()):
            self._keep(regrets, least)

    def _keep(self, regrets: Any, least: float) -> None:
        """That no group comes before another where that is regretted by more than can be helped, which is ``least`` if that can be."""
        bound = least
        if not self._can_keep(regrets, least):
            larger = self._np.unique(regrets[regrets > least])  # the largest constrains nothing
            bound = larger[bisect_left(larger, True, key=lambda each: self._can_keep(regrets, each))]
        self._before = _closed(self._with(regrets, bound))

    def _can_keep(self, regrets: Any, bound: float) -> bool:
        return len(_sorted(self._with(regrets, bound))) == len(self._before)

    def _with(self, regrets: Any, bound: float) -> Any:
        return self._before | (regrets > bound).T

    def first(self) -> list[int]:
        """The order that keeps all this, taking of several groups the first."""
        return _sorted(self._before)


def _sorted(before: Any) -> list[int]:
    """All groups in order, of several that may come next the first; not all of them where the rest contradicts itself."""
    waits_for = before.sum(axis=0)
    found: list[int] = []
    while len(found) < len(before):
        group = int(waits_for.argmin())
        if waits_for[group]:
            break
        found.append(group)
        waits_for = waits_for - before[group]
        waits_for[group] = len(before) * 2
    return found


def _closed(before: Any) -> Any:
    """With what follows from it (Warshall)."""
    before = before.copy()
    for between in range(len(before)):
        before |= before[:, between, None] & before[None, between]
    return before
