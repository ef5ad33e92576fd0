"""What a pool's nodes cost, and who says so: the pool itself, else a NodeOverlay with an absolute price that covers all its nodes.

Karpenter's API carries no price: it asks its provider, and writes the answer nowhere. An overlay counts only where every node that the
pool can get has to match it, and only the weightiest that matches (sigs.k8s.io/karpenter v1.13, ``OrderByWeight``): one that adjusts an
unknown price says nothing of it. Overlays that chipwise wrote are its own words and no source.
"""

from __future__ import annotations

from dataclasses import dataclass

from chipwise.api import AcceleratorPool
from chipwise.cluster.facts import NodeOverlayFact, NodePoolFact, Requirement
from chipwise.cluster.karpenter import selector_of
from chipwise.cluster.snapshot import Snapshot

DEFAULT_CURRENCY = "USD"


@dataclass(frozen=True, slots=True)
class Price:
    """``amount`` is a decimal, for one ``unit`` (Node or Chip) and one hour. ``source`` is for people; ``of_overlay``: a NodeOverlay's."""

    amount: str
    currency: str
    unit: str
    source: str
    of_overlay: bool = False


def price_of(pool: AcceleratorPool, snapshot: Snapshot) -> Price | None:
    """The price in force. An overlay has no currency: it is taken to be that of the first pool by name that states one."""
    stated = pool.spec.price
    if stated is not None:
        return Price(stated.amount, stated.currency, str(stated.unit), stated.source or "spec.price")
    if pool.spec.karpenter is None:
        return None
    fact = snapshot.node_pools.get(pool.spec.karpenter.node_pool)
    overlay = _weightiest(pool, fact, snapshot) if fact is not None else None
    if overlay is None or overlay.price is None or not float(overlay.price):
        return None
    return Price(overlay.price, currency_of(snapshot), "Node", f"NodeOverlay {overlay.name}", of_overlay=True)


def currency_of(snapshot: Snapshot) -> str:
    """The one currency of all pools that are used: that of the first by name that states a price."""
    stated = (pool.spec.price for _, pool in sorted(snapshot.pools.items()))
    return next((price.currency for price in stated if price), DEFAULT_CURRENCY)


def _weightiest(pool: AcceleratorPool, fact: NodePoolFact, snapshot: Snapshot) -> NodeOverlayFact | None:
    found = [
        one
        for one in snapshot.node_overlays.values()
        if one.applies
        and not one.owner
        and (one.price is not None or one.adjusts)
        and all(_always(requirement, pool, fact) for requirement in one.requirements)
    ]
    return max(found, key=lambda one: (one.weight, one.name), default=None)


def _always(requirement: Requirement, pool: AcceleratorPool, fact: NodePoolFact) -> bool:
    """Whether every node of the pool meets it."""
    own = dict(selector_of(pool)).get(requirement.key)
    values = (own,) if own is not None else fact.values(requirement.key)
    return bool(values) and all(requirement.allows(value) for value in values or ())
