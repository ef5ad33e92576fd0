"""Each AcceleratorPool joined with its class, its nodes and its NodePool, or the typed reason why it cannot be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from chipwise.api import AcceleratorClass, AcceleratorPool, NodeRange
from chipwise.autoscaling.placeholders import Placeholders
from chipwise.autoscaling.status import GroupState
from chipwise.cluster.facts import NodeFact, Pairs, Taint
from chipwise.cluster.facts.nodes import ARCHITECTURE_LABEL, ZONE_LABEL
from chipwise.cluster.karpenter import Joined, added, joined, selector_of
from chipwise.cluster.launches import Launches
from chipwise.cluster.node_shapes import Shape, room_of
from chipwise.cluster.overlaps import clashes_of
from chipwise.cluster.prices import Price, currency_of, price_of
from chipwise.cluster.sharing import Share, group_key, sharing
from chipwise.cluster.snapshot import Snapshot
from chipwise.placement.problem import Billing, Room
from chipwise.reasons import Reason, Refusal
from chipwise.rendering.constraints import tolerates

#: Of a pool whose nodes nobody has seen: it is refused, and whole numbers keep the figures finite.
_UNKNOWN = Room(chips=1, cpu_milli=0, memory_bytes=0, pods=0)


@dataclass(frozen=True)
class PoolView:
    """One pool as decisions see it. Prices are per hour in the pool's own ``currency``; 0 where there is none, and then ``refusal`` says so.

    ``room`` is what an empty node offers. ``nodes`` are those that match, usable or not, in order of name. ``to_come`` are nodes that do
    not exist yet but may: all up to the maximum where something scales the pool, none in a static one. ``discovered`` are the labels, each
    alternative a set of its own, by which nodes of its class are known once an agent has looked at them. ``group`` is the autoscaler's
    name of it, and ``group_state`` what that says of it. ``shares`` is what nodes to come take of amounts that other pools may draw on too,
    less the ``coming`` ones, which are counted already. ``shape_source`` says where ``room`` is known from (empty: it is not known),
    ``limit`` what bounds the nodes. ``shape`` is what is known of Karpenter's nodes. ``labels`` every node has beside the selector's.
    ``launches`` is how Karpenter's have gone; ``unready`` why no node may come just now, while its nodes serve on; ``spare`` is kept warm.
    """

    name: str
    class_name: str
    resource_name: str
    architecture: str
    selector: Pairs
    zones: tuple[str, ...]
    tolerations: tuple[Mapping[str, Any], ...]
    billing: Billing
    price_per_hour: float
    currency: str
    capacity_type: str
    room: Room
    minimum: int
    maximum: int
    boot_seconds: int
    committed: int
    nodes: tuple[NodeFact, ...]
    refusal: Refusal | None
    to_come: int = 0
    discovered: tuple[Pairs, ...] = ()
    group: str | None = None
    group_state: GroupState | None = None
    price: Price | None = None
    shape_source: str = "spec.shape"
    shape: Shape | None = None
    limit: str = "spec.nodes.max"
    labels: Pairs = ()
    launches: Launches | None = None
    unready: Refusal | None = None
    spare: Placeholders | None = None
    coming: int = 0
    shares: tuple[Share, ...] = ()

    @property
    def chip_price_per_hour(self) -> float:
        """What one chip costs when its node is full."""
        return self.price_per_hour / (self.room.chips if self.billing is Billing.NODE else 1)

    @property
    def hindrance(self) -> Refusal | None:
        """Why nobody new may be placed here."""
        return self.refusal or self.unready

    @cached_property
    def node_names(self) -> frozenset[str]:
        """Names of all nodes that match."""
        return frozenset(node.name for node in self.nodes)

    @cached_property
    def declared_labels(self) -> tuple[Mapping[str, str], ...]:
        """The labels that a node to come is known to get, once for each zone and each way in which its class is discovered."""
        declared = {
            **dict(self.labels),
            **dict(self.selector),
            ARCHITECTURE_LABEL: self.architecture,
            "kubernetes.io/os": "linux",
        }
        zones = [{ZONE_LABEL: zone} for zone in self.zones] or [{}]
        return tuple(
            {**declared, **dict(labels), **zone} for labels in self.discovered or ((),) for zone in zones
        )

    @cached_property
    def known_labels(self) -> tuple[Mapping[str, str], ...]:
        """The labels of its nodes, usable or not; at zero nodes the declared ones."""
        return tuple(dict(node.labels) for node in self.nodes) or self.declared_labels

    @cached_property
    def usable_labels(self) -> tuple[Mapping[str, str], ...]:
        """The labels of the usable nodes."""
        return tuple(dict(node.labels) for node in self.usable_nodes)

    @cached_property
    def usable_nodes(self) -> tuple[NodeFact, ...]:
        """Nodes that are ready, not cordoned and whose taints we tolerate."""
        return tuple(
            n for n in self.nodes if n.usable and tolerates(taint_documents(n.taints), self.tolerations)
        )


def taint_documents(taints: tuple[Taint, ...]) -> tuple[Mapping[str, str], ...]:
    """As they stand in a Node."""
    return tuple({"key": t.key, "value": t.value, "effect": t.effect} for t in taints)


def view_pools(snapshot: Snapshot) -> dict[str, PoolView]:
    """Every pool in order of name. All prices must be in one currency: that of the first priced pool by name."""
    views = {name: _view(pool, snapshot) for name, pool in sorted(snapshot.pools.items())}
    return _name_sharers(_mark_overlaps(_with_groups(views)))


def _with_groups(views: dict[str, PoolView]) -> dict[str, PoolView]:
    """An autoscaler's group has one maximum, whichever of its pools a node is of."""
    nodes: dict[str, set[str]] = {}
    for view in views.values():
        nodes.setdefault(view.group or "", set()).update(view.node_names)

    def shared(view: PoolView) -> PoolView:
        state = view.group_state
        left = state.to_come(len(nodes[state.name])) if state is not None else None
        if state is None or left is None:
            return view
        share = Share(group_key(state.name), left, 1)
        return replace(view, to_come=min(view.to_come, left), shares=(*view.shares, share))

    return {name: shared(view) for name, view in views.items()}


def _name_sharers(views: dict[str, PoolView]) -> dict[str, PoolView]:
    """A limit says with whom it is shared."""
    usable = [view for view in views.values() if view.refusal is None]
    return {
        name: replace(view, limit=f"{view.limit}, shared with {', '.join(others)}")
        if (others := sharing(view.name, view.limit, usable))
        else view
        for name, view in views.items()
    }


def _view(pool: AcceleratorPool, snapshot: Snapshot) -> PoolView:
    spec, chip_class = pool.spec, snapshot.classes.get(pool.spec.class_name)
    price = price_of(pool, snapshot)
    selector = selector_of(pool)
    wanted = set(selector)
    nodes = tuple(node for _, node in sorted(snapshot.nodes.items()) if wanted <= set(node.labels))
    group_state = snapshot.group(spec.node_group) if spec.node_group else None
    resource_name = (chip_class.spec.resource_name or "") if chip_class else ""
    view = PoolView(
        name=pool.metadata.name,
        class_name=spec.class_name,
        resource_name=resource_name,
        architecture=str(chip_class.spec.architecture) if chip_class else "amd64",
        selector=selector,
        zones=tuple(spec.zones),
        tolerations=_tolerations(pool, chip_class),
        billing=Billing(price.unit) if price else Billing.NODE,
        price_per_hour=float(price.amount) if price else 0.0,
        currency=price.currency if price else "",
        capacity_type=str(spec.capacity_type),
        room=room_of(spec.shape) if spec.shape else _UNKNOWN,
        minimum=spec.nodes.min if spec.nodes else 0,
        maximum=spec.nodes.max if spec.nodes else 0,
        boot_seconds=spec.boot_seconds,
        committed=spec.committed_nodes,
        nodes=nodes,
        refusal=_refusal(pool, chip_class),
        to_come=_to_come(spec.nodes, len(nodes), group_state, assumed=snapshot.assume_nodes)
        if spec.nodes
        else 0,
        discovered=_discovered(chip_class),
        group=spec.node_group,
        group_state=group_state,
        price=price,
    )
    if spec.karpenter is not None:
        view = _with_karpenter(view, joined(pool, resource_name, nodes, snapshot))
    late = view.refusal or _unpriced(pool, price) or _other_currency(pool, price, snapshot)
    return replace(view, refusal=late)


def _with_karpenter(view: PoolView, found: Joined) -> PoolView:
    """What the NodePool says goes before what is not known, and after what the pool declares."""
    maximum = len(view.nodes) + found.growth.to_come
    return replace(
        view,
        architecture=found.architecture or view.architecture,
        zones=view.zones or found.zones,
        tolerations=(*view.tolerations, *added(found.tolerations, view.tolerations)),
        room=found.shape.room or _UNKNOWN,
        minimum=view.minimum if found.static is None else min(found.static, maximum),
        maximum=maximum,
        refusal=view.refusal or found.refusal,
        to_come=found.growth.to_come,
        shape_source=found.shape.source,
        shape=found.shape,
        limit=found.growth.limit,
        labels=found.labels,
        launches=found.launches,
        unready=found.unready,
        coming=found.growth.coming,
        shares=found.growth.shares,
    )


def _discovered(chip_class: AcceleratorClass | None) -> tuple[Pairs, ...]:
    found = chip_class.spec.discovery.node_labels if chip_class and chip_class.spec.discovery else ()
    return tuple(((label.key, value),) for label in found for value in label.values)


def _to_come(bounds: NodeRange, there: int, group: GroupState | None, *, assumed: bool) -> int:
    """What the pool declares, and no more than the autoscaler says that it may or can get."""
    if assumed:
        return bounds.max
    declared = max(0, bounds.max - there) if bounds.min < bounds.max else 0
    told = group.to_come(there) if group is not None else None
    return declared if told is None else min(declared, told)


def class_refusal(chip_class: AcceleratorClass) -> Refusal | None:
    """Why no pool of a class can be used."""
    if chip_class.spec.resource_name:
        return None
    message = "spec.resourceName is missing: fill in the extended resource that the device plugin of your cluster registers"
    return Refusal(Reason.RESOURCE_NAME_MISSING, message)


def _tolerations(pool: AcceleratorPool, chip_class: AcceleratorClass | None) -> tuple[Mapping[str, Any], ...]:
    listed = [*(chip_class.spec.tolerations if chip_class else ()), *pool.spec.tolerations]
    return tuple(t.model_dump(by_alias=True, exclude_none=True, mode="json") for t in listed)


def _refusal(pool: AcceleratorPool, chip_class: AcceleratorClass | None) -> Refusal | None:
    name, class_name = pool.metadata.name, pool.spec.class_name
    if chip_class is None:
        return Refusal(Reason.CLASS_MISSING, f"pool {name}: no AcceleratorClass is named {class_name}")
    if not chip_class.spec.resource_name:
        return Refusal(
            Reason.RESOURCE_NAME_MISSING,
            f"pool {name}: class {class_name} has no spec.resourceName, so no pod can ask for its chips",
        )
    return None


def _unpriced(pool: AcceleratorPool, price: Price | None) -> Refusal | None:
    if price is not None:
        return None
    message = f"pool {pool.metadata.name}: no spec.price, and a pool without a price is never used"
    if pool.spec.karpenter is not None:
        message += (
            "; Karpenter's API tells no price: set spec.price, or an absolute price in a NodeOverlay that all nodes of NodePool "
            f"{pool.spec.karpenter.node_pool} match"
        )
    return Refusal(Reason.UNPRICED, message)


def _other_currency(pool: AcceleratorPool, price: Price | None, snapshot: Snapshot) -> Refusal | None:
    standard = currency_of(snapshot)
    if price is None or price.currency == standard:
        return None
    first = next(name for name, other in sorted(snapshot.pools.items()) if other.spec.price)
    return Refusal(
        Reason.CURRENCY_MISMATCH,
        f"pool {pool.metadata.name} is priced in {price.currency}, and pool {first}, the first by name with a price, "
        f"in {standard}",
    )


def _mark_overlaps(views: dict[str, PoolView]) -> dict[str, PoolView]:
    """Two pools that match one node, or would match every node of the other, are both unusable."""
    clashes = clashes_of(views)

    def marked(view: PoolView) -> PoolView:
        if view.name not in clashes or view.refusal is not None:
            return view
        message = f"pool {view.name}: {clashes[view.name]}; make the node selectors disjoint"
        return replace(view, refusal=Refusal(Reason.OVERLAPPING, message))

    return {name: marked(view) for name, view in views.items()}
