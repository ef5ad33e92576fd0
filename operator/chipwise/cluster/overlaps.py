"""Pools whose node selectors overlap: a node of two pools is of neither."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from chipwise.cluster.facts import NodeFact, Pairs


class Selecting(Protocol):
    """A pool with the nodes that match its selector."""

    @property
    def name(self) -> str:
        """Of the pool."""

    @property
    def selector(self) -> Pairs:
        """Labels that all its nodes have."""

    @property
    def nodes(self) -> tuple[NodeFact, ...]:
        """All that match."""


def clashes_of(views: Mapping[str, Selecting]) -> dict[str, str]:
    """By pool, what clashes: two pools that match one node, or of which one would match every node of the other."""
    return {**_would_clash(views), **_clash_now(views)}


def _clash_now(views: Mapping[str, Selecting]) -> dict[str, str]:
    """Pools that share a node, with the first such node."""
    owners: dict[str, list[str]] = {}
    for view in views.values():
        for node in view.nodes:
            owners.setdefault(node.name, []).append(view.name)
    clashes: dict[str, str] = {}
    for node_name, names in sorted(owners.items()):
        for name in names if len(names) > 1 else ():
            clashes.setdefault(name, f"node {node_name} matches the pools {', '.join(names)}")
    return clashes


def _would_clash(views: Mapping[str, Selecting]) -> dict[str, str]:
    """Pools of which one selects whatever the other does, even while there are no nodes."""
    clashes: dict[str, str] = {}
    for one in views.values():
        for other in views.values():
            if one.name != other.name and set(one.selector) <= set(other.selector):
                for name in (one.name, other.name):
                    clashes.setdefault(
                        name, f"every node of pool {other.name} would match pool {one.name} too"
                    )
    return clashes
