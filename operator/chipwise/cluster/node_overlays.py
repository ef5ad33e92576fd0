"""Prices of our pools as NodeOverlays (alpha), so that Karpenter consolidates by what people are billed and not by a list price.

Absolute prices only. An overlay says of every node of one NodePool and one capacity type what it costs. What is written follows the
price in force with hysteresis, since Karpenter looks for nodes to replace after each change: below ``HYSTERESIS`` the old one stays. A
tenth is more than spot prices move in a day, and less than what a replaced node costs while both run. In the same way one that is
written outlives what may pass: a pool that cannot be used, a price of spot that is not below on-demand (``Output.waiting``).

Spot is never made dearer than on-demand of the same NodePool (``cluster/overlay_order``). Reserved capacity gets none: with the
price that its owner allots to it, Karpenter would launch spot beside what is paid for. Where somebody else's overlay may set a price
for the same nodes ours stays away: two of one weight are a conflict, and Karpenter would refuse one of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from chipwise.cluster.facts import NodeOverlayFact, NodePoolFact
from chipwise.cluster.overlay import PREFIX, Change, Overlay, overlay_of
from chipwise.cluster.overlay_order import Ledger, troubles
from chipwise.cluster.pools import PoolView
from chipwise.cluster.prices import Price
from chipwise.cluster.snapshot import Snapshot
from chipwise.placement.problem import Billing
from chipwise.reasons import Reason

#: The share of the written price by which the price in force must differ before it is written anew.
HYSTERESIS = 0.10
#: Refusals that are no accident: there is no price any more that could be told.
_FOR_GOOD = frozenset({Reason.UNPRICED, Reason.CURRENCY_MISMATCH})
_RESERVED = "Reserved"


@dataclass(frozen=True)
class Output:
    """What may be written now, in any order, and why nothing is written for some pools.

    What has to wait for another write comes when that is seen. ``waiting`` are overlays by name that stand although they should not, by
    what may pass; those of them that were given up are taken away.
    """

    changes: tuple[Change, ...]
    without: Mapping[str, str]
    waiting: frozenset[str] = frozenset()


@dataclass
class _Wishes:
    """Of one NodePool, by name of the overlay: ``ideal`` at the price in force, ``standing`` as they are and might stay.

    ``unfit`` are pools that can have none now, and may again.
    """

    fact: NodePoolFact | None
    ideal: dict[str, Overlay] = field(default_factory=dict)
    standing: dict[str, Overlay] = field(default_factory=dict)
    unfit: set[str] = field(default_factory=set)


def output(
    views: Mapping[str, PoolView], snapshot: Snapshot, given_up: Collection[str] = frozenset()
) -> Output:
    """Bring our overlays in line with the prices in force. Others' are never touched."""
    ours = {one.name: one for one in snapshot.node_overlays.values() if one.owner}
    without: dict[str, str] = {}
    wishes: dict[str, _Wishes] = {}
    for view in views.values():
        if view.launches is not None:
            name = view.launches.node_pool
            group = wishes.setdefault(name, _Wishes(snapshot.node_pools.get(name)))
            _wish(view, group, snapshot, without)
    wanted: dict[str, Overlay] = {}
    waiting: set[str] = set()
    for group in wishes.values():
        found, said, late = _settled(group, given_up)
        wanted |= found
        waiting |= late
        without.update({name.removeprefix(PREFIX): why for name, why in said.items()})
    return Output(_changes(wanted, ours, snapshot), dict(sorted(without.items())), frozenset(waiting))


def _wish(view: PoolView, group: _Wishes, snapshot: Snapshot, without: dict[str, str]) -> None:
    """Add what one pool would have and has."""
    name = f"{PREFIX}{view.name}"
    there = snapshot.node_overlays.get(name)
    stands = overlay_of(there) if there is not None and there.owner else None
    if stands is not None and stands.selector == view.selector:
        group.standing[name] = stands
    passing = view.refusal is not None and view.refusal.reason not in _FOR_GOOD
    said = _unfit(view, group.fact, snapshot)
    if not said and view.price is not None:
        group.ideal[name] = Overlay(view.name, view.selector, view.price.amount)
        return
    without[view.name] = said
    if passing and name in group.standing:
        group.unfit.add(name)
    else:
        group.standing.pop(name, None)


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
    named = snapshot.node_overlays.get(f"{PREFIX}{view.name}")
    if named is not None and not named.owner:
        return f"somebody else has a NodeOverlay {named.name}"
    return ""


def _unsayable(view: PoolView, price: Price) -> str:
    """Why its price is none to tell Karpenter."""
    if view.billing is not Billing.NODE:
        return "it is billed by the chip, and an overlay says what a node costs"
    if view.capacity_type == _RESERVED:
        return "it is reserved, and paid for whether used or not: its provider's own price, next to nothing, puts it first"
    if price.of_overlay:
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


def _settled(
    group: _Wishes, given_up: Collection[str]
) -> tuple[dict[str, Overlay], dict[str, str], set[str]]:
    """What is wanted of one NodePool, why some are not, and what stands only because it waits.

    First with the prices that are written where they are close enough; then those that would be out of order at their own; then as they
    stand, until they are given up.
    """
    kept = {name: one for name, one in group.standing.items() if name not in given_up}
    held = {name: kept[name] for name in group.unfit & kept.keys()}
    steady = {name: _steadied(one, group.standing.get(name)) for name, one in group.ideal.items()} | held
    amiss = troubles(steady.values(), group.fact)
    own = {name: group.ideal.get(name, one) if name in amiss else one for name, one in steady.items()}
    amiss = troubles(own.values(), group.fact)
    late = {name for name in {*amiss, *group.unfit} if name in group.standing}
    last = {name: one for name, one in own.items() if name not in amiss}
    last |= {name: kept[name] for name in late & kept.keys()}
    if late - set(given_up):
        # Nothing new rests on what waits, and what stands and rests on it waits too.
        sure, _, _ = _settled(group, {*given_up, *late})
        last = {name: one for name, one in last.items() if name in group.standing or name in sure}
        late |= last.keys() - sure.keys()
    still = troubles(last.values(), group.fact)
    wanted = {name: one for name, one in last.items() if name not in still}
    return wanted, {**still, **amiss}, late


def _steadied(one: Overlay, there: Overlay | None) -> Overlay:
    """At the price that is written, where that is close enough."""
    if there is None or abs(one.amount - there.amount) >= HYSTERESIS * there.amount:
        return one
    return there


def _changes(
    wanted: Mapping[str, Overlay], ours: Mapping[str, NodeOverlayFact], snapshot: Snapshot
) -> tuple[Change, ...]:
    """Those of each NodePool by themselves. An overlay that is to be about another NodePool goes first, and comes when it is gone."""
    should: dict[str, dict[str, Overlay]] = {}
    are: dict[str, dict[str, NodeOverlayFact]] = {}
    for name, there in ours.items():
        known = overlay_of(there) or wanted.get(name)
        are.setdefault(known.node_pool if known else "", {})[name] = there
    for name, one in wanted.items():
        if name not in ours or name in are.get(one.node_pool, {}):
            should.setdefault(one.node_pool, {})[name] = one
    return tuple(
        change
        for node_pool in sorted({*should, *are})
        for change in Ledger(
            should.get(node_pool, {}), are.get(node_pool, {}), snapshot.node_pools.get(node_pool)
        ).changes()
    )
