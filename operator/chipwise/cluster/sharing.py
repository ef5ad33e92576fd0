"""What several pools draw on together for nodes to come: the limits of one NodePool, the maximum of one node group.

Each pool alone may have as many nodes as there is left; all of them together no more. So the plan is asked with a ceiling over them, and
what pods that wait already will open is taken off before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from chipwise.placement.problem import Ceiling


@dataclass(frozen=True, slots=True)
class Share:
    """``left`` is what there is of the amount named ``key``, and ``each`` what a node to come takes of it."""

    key: str
    left: int
    each: int

    @property
    def nodes(self) -> int:
        """So many fit."""
        return self.left // self.each


def group_key(group: str) -> str:
    """The amount that the pools of an autoscaler's node group share."""
    return f"the maximum of node group {group}"


class Sharer(Protocol):
    """A pool. ``coming`` of its nodes ``to_come`` are counted in what is left already."""

    @property
    def name(self) -> str:
        """Of the pool."""

    @property
    def to_come(self) -> int:
        """Nodes that do not exist yet but may, if no other pool gets any."""

    @property
    def coming(self) -> int:
        """Those of them that are on their way."""

    @property
    def shares(self) -> tuple[Share, ...]:
        """What each of the others takes."""


def sharing(name: str, key: str, pools: Iterable[Sharer]) -> list[str]:
    """The other pools that draw on one amount that ``name`` draws on, in order."""
    found = sorted(pool.name for pool in pools if any(share.key == key for share in pool.shares))
    return [other for other in found if other != name] if name in found else []


class Ledger:
    """Amounts on which more than one of ``pools`` draw, as pods that wait open nodes."""

    def __init__(self, pools: Iterable[Sharer]) -> None:
        self._drawing: dict[str, list[tuple[Sharer, Share]]] = {}
        for pool in pools:
            for share in pool.shares:
                self._drawing.setdefault(share.key, []).append((pool, share))
        self._drawing = {key: drawing for key, drawing in self._drawing.items() if len(drawing) > 1}
        self._left = {key: min(share.left for _, share in drawing) for key, drawing in self._drawing.items()}

    def most(self, pool: Sharer) -> int:
        """How many nodes may come to the pool while the others get none."""
        fitting = [self._left[share.key] // share.each for share in self._shared(pool)]
        return min(pool.to_come, *(pool.coming + nodes for nodes in fitting)) if fitting else pool.to_come

    def open(self, pool: Sharer, nodes: int) -> None:
        """So many come for certain."""
        for share in self._shared(pool):
            self._left[share.key] -= max(0, nodes - pool.coming) * share.each

    def counted(self, pool: Sharer, opened: int) -> int:
        """How many of its nodes to come count, beyond those ``opened`` and those on their way; none where it shares with nobody."""
        return pool.to_come - max(opened, min(pool.to_come, pool.coming)) if self._shared(pool) else 0

    def ceilings(self) -> tuple[Ceiling, ...]:
        """What the others may take together, by key."""
        return tuple(
            Ceiling(key, self._left[key], tuple((pool.name, share.each) for pool, share in drawing))
            for key, drawing in sorted(self._drawing.items())
        )

    def _shared(self, pool: Sharer) -> list[Share]:
        return [share for share in pool.shares if share.key in self._drawing]
