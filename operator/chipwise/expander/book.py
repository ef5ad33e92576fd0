"""What is known of whose pod is whose and what each workload costs where: read from the statuses that the operator writes.

The operator decides, this repeats. A workload's groups, best first: where the plan wants it, where it is placed, then its candidates by
cost. Candidates that were refused are no candidates. A workload in mode Off has none of these: what is shown of it is no wish.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chipwise.api import AcceleratorPool, InferenceWorkload, Mode
from chipwise.rendering.bridge import Bridge

#: What a pod is told to lose at least, per hour, off the place that was planned for it: the plan knows more than a candidate's cost.
_OFF_PLAN = 0.01

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Scores:
    """One workload. ``planned`` are node groups in the order of preference, ``costs`` dollars per hour by node group."""

    planned: tuple[str, ...]
    costs: Mapping[str, float]

    def losses(self, offered: frozenset[str]) -> Mapping[str, float]:
        """Dollars per hour that each of ``offered`` costs more than the best of them; infinite where nothing is known of it.

        Empty where nothing is known of any: then there is no opinion.
        """
        planned = next((group for group in self.planned if group in offered), None)
        known = {group: cost for group, cost in self.costs.items() if group in offered}
        if planned is None and not known:
            return {}
        best = min(known.values(), default=0.0) if planned is None else known.get(planned, 0.0)
        least = 0.0 if planned is None else _OFF_PLAN
        losses = {group: float("inf") for group in offered}
        losses |= {group: max(least, cost - best) for group, cost in known.items()}
        return losses if planned is None else {**losses, planned: 0.0}


@dataclass(frozen=True)
class Book:
    """Scores of each workload by namespace and name of its Deployment, bridges included."""

    scores: Mapping[Key, Scores] = field(default_factory=dict)

    def of(self, deployment: Key) -> Scores | None:
        """None for a Deployment that no workload names."""
        return self.scores.get(deployment)


def book_of(workloads: Mapping[Key, Any], pools: Mapping[Key, Any], bridges: Mapping[Key, Bridge]) -> Book:
    """Facts by namespace and name. Objects that break their schema, and workloads in mode Off, are passed over."""
    groups = {
        name: pool.spec.node_group
        for (_, name), pool in pools.items()
        if isinstance(pool, AcceleratorPool) and pool.spec.node_group
    }
    found: dict[Key, Scores] = {}
    for (namespace, _), workload in sorted(workloads.items()):
        if isinstance(workload, InferenceWorkload) and workload.spec.mode is not Mode.OFF:
            scores = _scores(workload, groups)
            found.setdefault((namespace, workload.spec.target_ref.name), scores)
    for (namespace, name), bridge in bridges.items():
        scores_of_author = found.get((namespace, bridge.deployment))
        if scores_of_author is not None:
            found[namespace, name] = scores_of_author
    return Book(found)


def _scores(workload: InferenceWorkload, groups: Mapping[str, str]) -> Scores:
    status = workload.status
    if status is None:
        return Scores((), {})
    planned = [groups[each.pool] for each in (*status.proposed, *status.placements) if each.pool in groups]
    costs: dict[str, float] = {}
    possible = [(each.pool, each.cost_per_hour) for each in status.candidates if each.reason is None]
    possible += [(each.pool, each.cost_per_hour) for each in status.proposed]
    for pool, cost in possible:
        if pool in groups and cost is not None:
            costs[groups[pool]] = min(float(cost), costs.get(groups[pool], float(cost)))
    return Scores(tuple(dict.fromkeys(planned)), costs)
