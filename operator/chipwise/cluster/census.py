"""What the chips of a pool do now, and what its nodes cost whoever uses them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from chipwise.cluster.landing import awaiting
from chipwise.cluster.pools import PoolView
from chipwise.cluster.snapshot import Snapshot
from chipwise.placement.problem import Billing


@dataclass(frozen=True, slots=True)
class Census:
    """What the chips of a pool do now, for its status. Counts of chips on usable nodes; ``reserved`` awaits binding.

    What is under placeholders counts as free, for these give way.
    """

    nodes: int
    ready_nodes: int
    allocatable: int
    used_by_others: int
    used: int
    reserved: int

    @property
    def free(self) -> int:
        """Chips that nobody holds or awaits."""
        return max(0, self.allocatable - self.used_by_others - self.used - self.reserved)


def census(view: PoolView, snapshot: Snapshot, ours: Collection[str]) -> Census:
    """``ours`` are namespace/name of the Deployments that workloads name."""
    others = used = 0
    for node in view.usable_nodes:
        for pod in snapshot.pods_by_node.get(node.name, ()):
            chips = dict(pod.chips).get(view.resource_name, 0)
            if pod.deployment and f"{pod.namespace}/{pod.deployment}" in ours:
                used += chips
            else:
                others += chips
    return Census(
        nodes=len(view.nodes),
        ready_nodes=len(view.usable_nodes),
        allocatable=sum(dict(node.chips).get(view.resource_name, 0) for node in view.usable_nodes),
        used_by_others=others,
        used=used,
        reserved=sum(dict(pod.chips).get(view.resource_name, 0) for pod in awaiting(view, snapshot)),
    )


def spent_per_hour(view: PoolView, counted: Census) -> float:
    """What the pool costs now: its nodes, used or not, machines without a Node too; where chips are billed, those in use."""
    if view.billing is Billing.CHIP:
        return (counted.used + counted.used_by_others) * view.price_per_hour
    launched = view.launches.bought if view.launches is not None else 0
    return max(counted.nodes, launched) * view.price_per_hour
