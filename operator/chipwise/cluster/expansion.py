"""Which order Cluster Autoscaler is to try its node groups in, from a decision: what each workload would cost in each pool that has a group.

A workload's cost in a pool is its bill there if it were alone in the cluster: whole nodes where nodes are bought, nothing for what is
paid for anyway. A pool that it may not use, or that cools down for it, is not in its list. ``autoscaling.order`` makes one order of all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chipwise.autoscaling.order import Costs, order_groups, worst_regrets
from chipwise.autoscaling.priorities import Unusable, rendered
from chipwise.cluster.facts import PriorityMap
from chipwise.cluster.pools import PoolView
from chipwise.placement.explain import Explainer
from chipwise.reasons import Refusal


@dataclass(frozen=True, slots=True)
class Expansion:
    """``order`` are the node groups, what to try first first, and ``text`` is what the ConfigMap should hold: None with a ``problem``.

    ``known`` is the ConfigMap as it is, None where there is none. ``regret`` is the most that anybody pays too much per hour for there
    being one order, and ``regretful`` who that is.
    """

    order: tuple[str, ...]
    known: PriorityMap | None
    text: str | None
    problem: Refusal | None = None
    regret: float = 0.0
    regretful: str | None = None

    @property
    def is_written(self) -> bool:
        """The cluster holds it."""
        return self.known is not None and self.text is not None and self.known.text == self.text

    def place(self, group: str) -> int:
        """From 1, what is tried first."""
        return self.order.index(group) + 1


def expansion(
    explainers: Mapping[str, Explainer], views: Mapping[str, PoolView], known: PriorityMap | None
) -> Expansion:
    """``explainers`` are those of the choice that decides about each workload."""
    groups = {view.name: view.group for view in views.values() if view.group}
    order, costs = ordered(explainers, views, groups)
    regrets = worst_regrets(order, costs)
    worst = min(regrets, key=lambda key: (-regrets[key], key), default=None)
    regret = regrets[worst] if worst is not None else 0.0
    told = worst if regret > 0 else None
    try:
        text = rendered(known.text if known is not None else None, order)
    except Unusable as unusable:
        return Expansion(order, known, None, unusable.refusal, regret, told)
    return Expansion(order, known, text, None, regret, told)


def ordered(
    explainers: Mapping[str, Explainer], views: Mapping[str, PoolView], groups: Mapping[str, str]
) -> tuple[tuple[str, ...], Costs]:
    """The groups (by pool) in order, what to try first first, and what each workload costs in each."""
    costs = costs_of(explainers, groups)
    return order_groups(costs, _prices(views, groups)), costs


def costs_of(explainers: Mapping[str, Explainer], groups: Mapping[str, str]) -> Costs:
    """What each workload costs in each group, alone; ``groups`` are those of the pools."""
    return {key: _costs(key, explainer, groups) for key, explainer in explainers.items()}


def _costs(key: str, explainer: Explainer, groups: Mapping[str, str]) -> Mapping[str, float]:
    """Of the ways to serve it in one pool the cheapest, of several pools in one group the dearest."""
    pools: dict[str, float] = {}
    for pool, cost in explainer.alone(key):
        if pool in groups:
            pools[pool] = min(cost, pools.get(pool, cost))
    found: dict[str, float] = {}
    for pool, cost in pools.items():
        found[groups[pool]] = max(cost, found.get(groups[pool], cost))
    return found


def _prices(views: Mapping[str, PoolView], groups: Mapping[str, str]) -> dict[str, float]:
    """What a chip costs in each group at full nodes; a group of a pool without a price comes after those with one."""
    found: dict[str, float] = {}
    for pool, group in groups.items():
        view = views[pool]
        price = view.chip_price_per_hour if view.price_per_hour else float("inf")
        found[group] = max(price, found.get(group, price))
    return found
