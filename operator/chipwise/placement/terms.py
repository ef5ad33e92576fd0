"""What the scheduler asks of a node before it binds one replica there, beyond chips, CPU and memory, and how replicas must be spread.

Nodes are named; what depends on nodes (labels, taints, ports, pods that keep others away) was settled before, and is only which
names are left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """How replicas must be spread over domains, such as zones. ``domains`` gives the domain of each node that counts.

    ``skew`` is how many more a domain may have than the emptiest one; None: one replica for each domain, and none beside another that
    matches. ``standing`` counts the pods that match in each domain.
    ``from_zero``: the emptiest domain counts as empty, for there are fewer than asked for.
    """

    domains: tuple[tuple[str, str], ...]
    skew: int | None
    standing: tuple[tuple[str, int], ...] = ()
    from_zero: bool = False

    def allowed(self, capacity: Mapping[str, int]) -> int:
        """How many replicas fit, of which each domain could hold ``capacity``.

        Exact whatever order the scheduler takes: a domain takes pods until it is full or ``skew`` above the emptiest, and the emptiest
        can always take one more unless it is full.
        """
        there = {domain: 0 for _, domain in self.domains} | dict(self.standing)
        if self.skew is None:
            return sum(min(1, capacity.get(domain, 0)) for domain, count in there.items() if not count)
        least = min((count + capacity.get(domain, 0) for domain, count in there.items()), default=0)
        highest = (0 if self.from_zero else least) + self.skew
        return sum(min(capacity.get(domain, 0), max(0, highest - count)) for domain, count in there.items())


@dataclass(frozen=True, slots=True)
class Terms:
    """``nodes`` are the names of those it may take, ``new_nodes`` whether one to come would do.

    ``more`` are requests of other resources by name. ``one_per_node``: two replicas never share a node.
    """

    nodes: frozenset[str]
    new_nodes: bool = True
    more: tuple[tuple[str, int], ...] = ()
    one_per_node: bool = False
    spread: Spread | None = None

    @property
    def picky(self) -> bool:
        """Whether what it may take depends on where the pods beside it land."""
        return self.one_per_node or self.spread is not None
