"""Prices of our pools as NodeOverlays (alpha), so that Karpenter consolidates by what people are billed and not by a list price.

Absolute prices only. An overlay says of every node of one NodePool and one capacity type what it costs. What is written follows the
price in force with hysteresis, since Karpenter looks for nodes to replace after each change: below ``HYSTERESIS`` the old one stays. A
tenth is more than spot prices move in a day, and less than what a replaced node costs while both run.

Spot is never made dearer than on-demand, by no overlay and at no moment between two writes: of a NodePool that may offer both either both
are written, in that order of price, or neither (github.com/aws/karpenter-provider-aws issue 8704: an overlay on one of the two sent
launches to the other). Reserved capacity gets none: with the price that its owner allots to it, Karpenter would launch spot beside what
is paid for. Where somebody else's overlay may set a price for the same nodes ours stays away: two of one weight are a
conflict, and Karpenter would refuse one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from chipwise.cluster.facts import NodeOverlayFact, NodePoolFact, Requirement
from chipwise.cluster.facts.karpenter import CAPACITY_TYPE_LABEL, OVERLAY_LABEL
from chipwise.cluster.pools import PoolView
from chipwise.cluster.prices import Price
from chipwise.cluster.snapshot import Snapshot
from chipwise.kube.resources import NODE_OVERLAYS
from chipwise.placement.problem import Billing

#: The share of the written price by which the price in force must differ before it is written anew.
HYSTERESIS = 0.10
_PREFIX = "chipwise-"
_SPOT, _ON_DEMAND = "spot", "on-demand"
_RESERVED = "Reserved"


class Verb(Enum):
    """What is done with one overlay."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Overlay:
    """One of ours, as it should be. ``price`` is for one node and one hour."""

    pool: str
    node_pool: str
    capacity_type: str
    selector: tuple[tuple[str, str], ...]
    price: str

    @property
    def name(self) -> str:
        """Of the overlay: the pool's, marked."""
        return f"{_PREFIX}{self.pool}"

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

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """As a fact has them."""
        return tuple(Requirement(key, "In", (value,)) for key, value in sorted(self.selector))


@dataclass(frozen=True, slots=True)
class Change:
    """One write. ``uid`` is of the overlay that is changed or deleted, ``overlay`` what it should be."""

    verb: Verb
    name: str
    uid: str = ""
    overlay: Overlay | None = None


@dataclass(frozen=True)
class Output:
    """What is to be written, in that order, and why nothing is written for some pools."""

    changes: tuple[Change, ...]
    without: Mapping[str, str]


def output(views: Mapping[str, PoolView], snapshot: Snapshot) -> Output:
    """Bring our overlays in line with the prices in force. Others' are never touched."""
    ours = {one.name: one for one in snapshot.node_overlays.values() if one.owner}
    without: dict[str, str] = {}
    overlays: list[Overlay] = []
    for view in views.values():
        if view.launches is None:
            continue
        fact = snapshot.node_pools.get(view.launches.node_pool)
        said = _unfit(view, fact, snapshot)
        if said or fact is None:
            without[view.name] = said
        else:
            overlays.append(_overlay(view, fact))
    wanted: dict[str, Overlay] = {}
    for name in sorted({one.node_pool for one in overlays}):
        group = [one for one in overlays if one.node_pool == name]
        said = _unpaired(group, snapshot.node_pools[name])
        if said:
            without.update({one.pool: said for one in group})
        else:
            wanted.update({one.name: one for one in _steadied(group, ours)})
    return Output(_changes(wanted, ours), dict(sorted(without.items())))


def _overlay(view: PoolView, fact: NodePoolFact) -> Overlay:
    assert view.price is not None  # noqa: S101 - it is fit
    capacity = dict(view.selector)[CAPACITY_TYPE_LABEL]
    return Overlay(view.name, fact.name, capacity, view.selector, view.price.amount)


def _unfit(view: PoolView, fact: NodePoolFact | None, snapshot: Snapshot) -> str:
    """Why a pool by itself gets no overlay; empty where it may."""
    if view.refusal is not None or fact is None or view.price is None:
        return view.refusal.message if view.refusal is not None else "there is no such NodePool"
    of_price = _unsayable(view, view.price)
    if of_price:
        return of_price
    for other in snapshot.node_overlays.values():
        if not other.owner and (other.price is not None or other.adjusts) and _may_match(other, view, fact):
            return f"NodeOverlay {other.name}, which is not chipwise's, may set a price for the same nodes"
    named = snapshot.node_overlays.get(f"{_PREFIX}{view.name}")
    if named is not None and not named.owner:
        return f"somebody else has a NodeOverlay {named.name}"
    return ""


def _unsayable(view: PoolView, price: Price) -> str:
    """Why its price is none to tell Karpenter."""
    if view.billing is not Billing.NODE:
        return "it is billed by the chip, and an overlay says what a node costs"
    if view.capacity_type == _RESERVED:
        return "it is reserved, and paid for whether used or not: its provider's own price, next to nothing, puts it first"
    if price.source.startswith("NodeOverlay "):
        return f"its price is that of {price.source}"
    return ""


def _may_match(other: NodeOverlayFact, view: PoolView, fact: NodePoolFact) -> bool:
    """Whether some node of the pool can meet all its requirements, as far as anybody knows."""
    own = dict(view.selector)
    return all(
        r.allows(own[r.key])
        if r.key in own
        else any(map(r.allows, values))
        if (values := fact.values(r.key)) is not None
        else True
        for r in other.requirements
    )


def _unpaired(group: list[Overlay], fact: NodePoolFact) -> str:
    """Why the pools of one NodePool get none together: a price for one of spot and on-demand, or in the wrong order."""
    offered = fact.values(CAPACITY_TYPE_LABEL)
    if offered is not None and len(offered) == 1:
        return ""
    missing = {_SPOT, _ON_DEMAND} & set(offered or (_SPOT, _ON_DEMAND)) - {one.capacity_type for one in group}
    if missing:
        return (
            f"NodePool {fact.name} may offer {' and '.join(sorted(missing))} too, of which no pool tells the price: "
            "with one overlay alone the two might change places"
        )
    if _inverted(group):
        return f"spot of NodePool {fact.name} is not cheaper than on-demand, and an overlay must not say so"
    return ""


def _inverted(group: Iterable[Overlay]) -> bool:
    prices = [(one.capacity_type, float(one.price)) for one in group]
    spot = [price for kind, price in prices if kind == _SPOT]
    on_demand = [price for kind, price in prices if kind == _ON_DEMAND]
    return bool(spot and on_demand) and max(spot) >= min(on_demand)


def _steadied(group: list[Overlay], ours: Mapping[str, NodeOverlayFact]) -> list[Overlay]:
    """With the prices that are written already where they are close enough; all as they are where that would change the order."""
    kept = [_kept(one, ours.get(one.name)) for one in group]
    return group if _inverted(kept) else kept


def _kept(one: Overlay, there: NodeOverlayFact | None) -> Overlay:
    if there is None or there.price is None or there.requirements != one.requirements:
        return one
    before, now = float(there.price), float(one.price)
    if abs(now - before) >= HYSTERESIS * before:
        return one
    return Overlay(one.pool, one.node_pool, one.capacity_type, one.selector, there.price)


def _changes(wanted: Mapping[str, Overlay], ours: Mapping[str, NodeOverlayFact]) -> tuple[Change, ...]:
    gone = [Change(Verb.DELETE, name, ours[name].uid) for name in sorted(set(ours) - set(wanted))]
    new = [Change(Verb.CREATE, name, "", wanted[name]) for name in sorted(set(wanted) - set(ours))]
    changed = [
        Change(Verb.UPDATE, name, ours[name].uid, one)
        for name, one in wanted.items()
        if name in ours and not _reads(ours[name], one)
    ]
    return (*gone, *sorted(changed, key=lambda change: (_turn(change, ours), change.name)), *new)


def _reads(there: NodeOverlayFact, one: Overlay) -> bool:
    same = there.price == one.price and there.requirements == one.requirements
    return same and not there.adjusts and not there.weight


def _turn(change: Change, ours: Mapping[str, NodeOverlayFact]) -> int:
    """On-demand goes up before spot does, and spot down before on-demand: so they keep their order between two writes."""
    assert change.overlay is not None  # noqa: S101 - an update has one
    before, now = float(ours[change.name].price or 0), float(change.overlay.price)
    if change.overlay.capacity_type == _ON_DEMAND and now > before:
        return 0
    return 1 if change.overlay.capacity_type == _SPOT and now < before else 2
