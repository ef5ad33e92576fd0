"""One NodeOverlay of ours: what it says, and how it reads in a document and in a fact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from chipwise.cluster.facts import NodeOverlayFact, Requirement
from chipwise.cluster.facts.karpenter import CAPACITY_TYPE_LABEL, NODE_POOL_LABEL, OVERLAY_LABEL
from chipwise.cluster.verbs import Verb
from chipwise.kube.resources import NODE_OVERLAYS

PREFIX = "chipwise-"


@dataclass(frozen=True, slots=True)
class Overlay:
    """One of ours, as it should be or as it stands. ``price`` is for one node and one hour."""

    pool: str
    selector: tuple[tuple[str, str], ...]
    price: str

    @property
    def name(self) -> str:
        """Of the overlay: the pool's, marked."""
        return f"{PREFIX}{self.pool}"

    @property
    def node_pool(self) -> str:
        """The NodePool of its nodes."""
        return dict(self.selector)[NODE_POOL_LABEL]

    @property
    def capacity_type(self) -> str:
        """In Karpenter's words: spot, on-demand or reserved."""
        return dict(self.selector)[CAPACITY_TYPE_LABEL]

    @property
    def amount(self) -> float:
        """The price as a number."""
        return float(self.price)

    @property
    def place(self) -> Mapping[str, str]:
        """Which nodes it is about, whatever their capacity type."""
        return {key: value for key, value in self.selector if key != CAPACITY_TYPE_LABEL}

    def at(self, price: str) -> Overlay:
        """The same of another price."""
        return replace(self, price=price)

    def meets(self, other: Overlay) -> bool:
        """Whether one machine in one zone may be of both, but for the capacity type."""
        theirs = other.place
        return all(theirs.get(key, value) == value for key, value in self.place.items())

    @property
    def spec(self) -> dict[str, Any]:
        """As it stands in the document. No weight: anybody's weighs more."""
        listed = [{"key": key, "operator": "In", "values": [value]} for key, value in self.selector]
        return {"requirements": listed, "price": self.price}

    @property
    def document(self) -> dict[str, Any]:
        """All of it, with the mark by which it is known as ours."""
        return {
            "apiVersion": NODE_OVERLAYS.api_version,
            "kind": NODE_OVERLAYS.kind,
            "metadata": {"name": self.name, "labels": {OVERLAY_LABEL: self.pool}},
            "spec": self.spec,
        }

    def is_written(self, there: NodeOverlayFact) -> bool:
        """Whether a fact says just this."""
        same = there.price == self.price and there.requirements == self._requirements
        return same and not there.adjusts and not there.weight

    @property
    def _requirements(self) -> tuple[Requirement, ...]:
        return tuple(Requirement(key, "In", (value,)) for key, value in sorted(self.selector))


def overlay_of(there: NodeOverlayFact) -> Overlay | None:
    """What one of ours says, None where somebody changed it into what we never write."""
    selector = tuple((one.key, one.values[0]) for one in there.requirements if one.values)
    keys = {key for key, _ in selector}
    if there.price is None or not {NODE_POOL_LABEL, CAPACITY_TYPE_LABEL} <= keys:
        return None
    if not there.name.startswith(PREFIX):
        return None
    found = Overlay(there.name.removeprefix(PREFIX), selector, there.price)
    return found if found.is_written(there) else None


@dataclass(frozen=True, slots=True)
class Change:
    """One write. ``uid`` is of the overlay that is changed or deleted, ``overlay`` what it should be."""

    verb: Verb
    name: str
    uid: str = ""
    overlay: Overlay | None = None
