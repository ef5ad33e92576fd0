"""Spot below on-demand: which overlays may stand together, and which writes keep it so whichever of them are lost.

In a NodePool that may offer both, an overlay on one of the two alone sends launches to the wrong one
(github.com/aws/karpenter-provider-aws issue 8704). So each needs one of the other for all its nodes, and of every machine spot is the
cheaper. On the way there spot comes first and goes last: on-demand with our price beside spot with its list price is never seen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from chipwise.cluster.facts import NodeOverlayFact, NodePoolFact
from chipwise.cluster.facts.karpenter import CAPACITY_TYPE_LABEL
from chipwise.cluster.overlay import Change, Overlay, overlay_of
from chipwise.cluster.verbs import Verb

SPOT, ON_DEMAND = "spot", "on-demand"
_OTHER = {SPOT: ON_DEMAND, ON_DEMAND: SPOT}


def offers_both(fact: NodePoolFact | None) -> bool:
    """Whether a NodePool may make nodes of both; of one that is not there anything may come."""
    return fact is None or all(fact.allows(CAPACITY_TYPE_LABEL, each) for each in _OTHER)


def troubles(overlays: Collection[Overlay], fact: NodePoolFact | None) -> dict[str, str]:
    """Which overlays of one NodePool may not stand, by name, with the reason: without them all others may."""
    if not offers_both(fact):
        return {}
    kept = [one for one in overlays if one.capacity_type in _OTHER]
    found: dict[str, str] = {}
    for spot in (one for one in kept if one.capacity_type == SPOT):
        for other in (one for one in kept if one.capacity_type == ON_DEMAND):
            if spot.meets(other) and spot.amount >= other.amount:
                said = f"spot of NodePool {spot.node_pool} is not cheaper than on-demand, and an overlay must not say so"
                found |= {spot.name: said, other.name: said}
    while alone := [one for one in kept if one.name not in found and not _is_paired(one, kept, found, fact)]:
        for one in alone:
            found[one.name] = (
                f"NodePool {one.node_pool} may offer {_OTHER[one.capacity_type]} too, and of some such machine no pool tells "
                "the price: with one overlay alone the two might change places"
            )
    return found


def _is_paired(
    one: Overlay, kept: Iterable[Overlay], without: Collection[str], fact: NodePoolFact | None
) -> bool:
    partners = [
        each.place for each in kept if each.capacity_type != one.capacity_type and each.name not in without
    ]
    return _covered(one.place, partners, fact)


def _covered(
    place: Mapping[str, str], others: Collection[Mapping[str, str]], fact: NodePoolFact | None
) -> bool:
    """Whether every node of ``place`` is of one of ``others``, be it one for each value that the NodePool has for a label."""
    meeting = [one for one in others if all(place.get(key, value) == value for key, value in one.items())]
    if any(one.items() <= place.items() for one in meeting):
        return True
    for key in sorted({key for one in meeting for key in one} - place.keys()):
        values = fact.values(key) if fact is not None else None
        if values and all(_covered({**place, key: value}, meeting, fact) for value in values):
            return True
    return False


class Ledger:
    """Overlays of ours in one NodePool as they stand (``there``) and as they should be (``wanted``), by name."""

    def __init__(
        self, wanted: Mapping[str, Overlay], there: Mapping[str, NodeOverlayFact], fact: NodePoolFact | None
    ) -> None:
        self._wanted = wanted
        self._there = there
        self._fact = fact
        self._free = not offers_both(fact)
        stands = {name: overlay_of(one) for name, one in there.items()}
        self._before = {name: one for name, one in stands.items() if one is not None}
        # Karpenter holds to no overlay that it found in conflict with another.
        self._firm = {
            name: one for name, one in self._before.items() if there[name].applies and self._stays(name, one)
        }

    def changes(self) -> tuple[Change, ...]:
        """What may be written now. Each may be lost, and come before or after any other, without harm; the rest comes when it is seen.

        Where every write waits for another (the selectors of a pair changed) on-demand goes, and comes back in its turn.
        """
        gone = sorted(self._there.keys() - self._wanted.keys())
        new = [
            one
            for name, one in sorted(self._wanted.items())
            if (known := self._there.get(name)) is None or not one.is_written(known)
        ]
        deleted = [name for name in gone if self._may_go(name)]
        written = [one for one in new if self._may_come(one)]
        if not deleted and not written and (gone or new):
            deleted = [name for name, one in self._before.items() if one.capacity_type == ON_DEMAND]
        return (
            *(Change(Verb.DELETE, name, self._there[name].uid) for name in sorted(deleted)),
            *(self._write(one) for one in written),
        )

    def _write(self, one: Overlay) -> Change:
        known = self._there.get(one.name)
        if known is None:
            return Change(Verb.CREATE, one.name, "", one)
        return Change(Verb.UPDATE, one.name, known.uid, one)

    def _stays(self, name: str, one: Overlay) -> bool:
        wanted = self._wanted.get(name)
        return wanted is not None and wanted.selector == one.selector

    def _may_go(self, name: str) -> bool:
        one = self._before.get(name)
        if self._free or one is None or one.capacity_type != SPOT:
            return True
        return all(self._is_safe(other, without=name) for other in self._before.values() if other.meets(one))

    def _may_come(self, one: Overlay) -> bool:
        before = self._before.get(one.name)
        same = before is not None and before.selector == one.selector
        if self._free or one.capacity_type not in _OTHER:
            return True
        if one.capacity_type == ON_DEMAND:
            dearer = same and before is not None and one.amount >= before.amount
            return dearer or self._is_safe(one, without="")
        if same and before is not None and one.amount <= before.amount:
            return True
        lets_go = before is None or same or self._may_go(one.name)
        return lets_go and all(
            one.amount < other.amount
            for other in (*self._before.values(), *self._wanted.values())
            if other.capacity_type == ON_DEMAND and other.meets(one)
        )

    def _is_safe(self, one: Overlay, *, without: str) -> bool:
        """Whether on-demand may stand: beside spot that stands and stays, for all its nodes, and cheaper now and then."""
        if one.capacity_type != ON_DEMAND:
            return True
        beside = [
            each
            for each in (*self._before.values(), *self._wanted.values())
            if each.capacity_type == SPOT and each.meets(one) and each.name != without
        ]
        if any(each.amount >= one.amount for each in beside):
            return False
        firm = [
            each.place for name, each in self._firm.items() if each.capacity_type == SPOT and name != without
        ]
        return _covered(one.place, firm, self._fact)
