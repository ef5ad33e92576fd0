"""A pool that names a NodePool of Karpenter, joined with it: which nodes are its own, of what shape, and how many may yet come.

Nodes are told by Karpenter's own labels, which exist at zero nodes. Limits are counted as Karpenter counts them before a launch
(sigs.k8s.io/karpenter v1.13, provisioning/scheduling ``filterByRemainingResources``): against the *capacity* of the nodes that stand, and
with the whole of a node for one to come, as far as such a machine was ever seen; else with what pods can use of it. Some providers give a node as capacity only what was asked of it; such a node counts as
little here as there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chipwise.api import AcceleratorPool
from chipwise.cluster.facts import NodeClaimFact, NodeFact, NodePoolFact, Pairs, Taint, pairs
from chipwise.cluster.facts.karpenter import CAPACITY_TYPE_LABEL, NODE_POOL_LABEL
from chipwise.cluster.facts.nodes import ARCHITECTURE_LABEL, ZONE_LABEL
from chipwise.cluster.launches import Launches, Whose, launches
from chipwise.cluster.makeable import unmakeable, unoffered
from chipwise.cluster.node_shapes import PODS, Maker, Shape, shape_of
from chipwise.cluster.sharing import Share
from chipwise.cluster.snapshot import Snapshot
from chipwise.placement.problem import Room
from chipwise.reasons import Reason, Refusal
from chipwise.rendering.constraints import tolerates

#: Nodes that a pool may grow by where neither Karpenter nor anybody else sets a limit; the provider's quota is the true one.
UNLIMITED = 1000
#: What bounds a pool whose owner says so.
DECLARED = "spec.nodes.max"
_NODES = "nodes"
_CAPACITY_TYPES = {"OnDemand": "on-demand", "Spot": "spot", "Reserved": "reserved"}


@dataclass(frozen=True, slots=True)
class Growth:
    """``to_come`` are nodes that do not exist yet but may; ``limit`` says what bounds them.

    ``coming`` of them are on their way and counted already; ``shares`` is what the others take of what the NodePool has left.
    """

    to_come: int
    limit: str
    coming: int = 0
    shares: tuple[Share, ...] = ()


@dataclass(frozen=True)
class Joined:
    """What the NodePool says of a pool. ``refusal`` is why it cannot be used at all, ``unready`` why no node may come to it now."""

    labels: Pairs
    tolerations: tuple[Mapping[str, str], ...]
    architecture: str | None
    zones: tuple[str, ...]
    shape: Shape
    growth: Growth
    static: int | None
    launches: Launches
    refusal: Refusal | None
    unready: Refusal | None


def selector_of(pool: AcceleratorPool) -> Pairs:
    """The labels of a pool's nodes. Of a NodePool: its name and the capacity type, with what the pool selects beyond that."""
    stated = dict(pool.spec.node_selector)
    if pool.spec.karpenter is not None:
        capacity = _CAPACITY_TYPES[str(pool.spec.capacity_type)]
        stated = {NODE_POOL_LABEL: pool.spec.karpenter.node_pool, CAPACITY_TYPE_LABEL: capacity, **stated}
    return pairs(stated)


def joined(
    pool: AcceleratorPool, resource_name: str, nodes: tuple[NodeFact, ...], snapshot: Snapshot
) -> Joined:
    """``nodes`` are those that match the pool's selector."""
    assert pool.spec.karpenter is not None  # noqa: S101 - the caller has asked
    name, selector = pool.spec.karpenter.node_pool, selector_of(pool)
    fact = snapshot.node_pools.get(name)
    claims = tuple(c for _, c in sorted(snapshot.node_claims.items()) if c.node_pool == name)
    own = tuple(c for c in claims if _may_have(c, selector))
    shape = shape_of(Maker(pool, resource_name, selector, fact), nodes, own)
    unready = _unready(pool, fact)
    standing = [n for n in snapshot.nodes.values() if n.label(NODE_POOL_LABEL) == name]
    there = _Standing(resource_name, claims, own, len(standing), len(nodes), dict(shape.machine))
    growth = _growth(pool, fact, shape.room, there)
    impossible = unmakeable(selector, fact) if fact is not None else ""
    if unready is not None:
        growth = Growth(0, f"NodePool {name} is not ready, or is going")
    elif impossible:
        growth = Growth(0, f"NodePool {name} makes no node with the labels that the pool selects")
    return Joined(
        labels=_labels(fact),
        tolerations=_tolerations(fact),
        architecture=_only(fact, ARCHITECTURE_LABEL),
        zones=(fact.values(ZONE_LABEL) if fact is not None else None) or (),
        shape=shape,
        growth=growth,
        static=fact.static if fact is not None else None,
        launches=launches(
            Whose(name, dict(selector)[CAPACITY_TYPE_LABEL], own),
            snapshot,
            limit="" if growth.to_come or impossible or growth.limit == DECLARED else growth.limit,
            words=() if fact is None or fact.ready else fact.troubles,
        ),
        # What stands already is used on, as long as it stands.
        refusal=_refusal(pool, fact, shape, snapshot, "" if nodes else impossible),
        unready=unready,
    )


def _may_have(claim: NodeClaimFact, selector: Pairs) -> bool:
    """Whether its node may be one of the pool: no label that is known of it says otherwise."""
    known = dict(claim.labels)
    return all(known.get(key, value) == value for key, value in selector)


def _labels(fact: NodePoolFact | None) -> Pairs:
    """Every label that all its nodes will have."""
    if fact is None:
        return ()
    keys = {requirement.key for requirement in fact.requirements if requirement.key != CAPACITY_TYPE_LABEL}
    single = {key: values[0] for key in keys if (values := fact.values(key)) and len(values) == 1}
    return pairs({**single, **dict(fact.labels)})


def _only(fact: NodePoolFact | None, key: str) -> str | None:
    values = fact.values(key) if fact is not None else None
    return values[0] if values and len(values) == 1 else None


def _tolerations(fact: NodePoolFact | None) -> tuple[Mapping[str, str], ...]:
    """What its template's taints ask for. Taints that are there at the start only go by themselves."""
    return tuple(_toleration(taint) for taint in (fact.taints if fact is not None else ()))


def _toleration(taint: Taint) -> Mapping[str, str]:
    if not taint.value:
        return {"key": taint.key, "operator": "Exists", "effect": taint.effect}
    return {"key": taint.key, "operator": "Equal", "value": taint.value, "effect": taint.effect}


def added(
    tolerations: tuple[Mapping[str, str], ...], stated: tuple[Mapping[str, object], ...]
) -> tuple[Mapping[str, str], ...]:
    """Those of ``tolerations`` that ``stated`` ones do not cover."""
    return tuple(t for t in tolerations if not tolerates([_taint(t)], stated))


def _taint(toleration: Mapping[str, str]) -> Mapping[str, str]:
    return {"value": "", **{key: text for key, text in toleration.items() if key != "operator"}}


@dataclass(frozen=True)
class _Standing:
    """``claims`` are all of the NodePool, ``own`` those of the pool; ``all_nodes`` and ``nodes`` count Nodes likewise.

    ``machine`` is what a whole machine has, as far as one was seen.
    """

    resource_name: str
    claims: tuple[NodeClaimFact, ...]
    own: tuple[NodeClaimFact, ...]
    all_nodes: int
    nodes: int
    machine: Mapping[str, int]

    @property
    def staying(self) -> tuple[NodeClaimFact, ...]:
        """Claims that are not about to go: Karpenter counts no others."""
        return tuple(claim for claim in self.claims if not claim.deleting)

    @property
    def coming(self) -> int:
        """NodeClaims of the pool whose Node is not there yet."""
        return sum(not c.node and not c.deleting and c.failure is None for c in self.own)


def _growth(pool: AcceleratorPool, fact: NodePoolFact | None, room: Room | None, there: _Standing) -> Growth:
    if fact is None or room is None:
        return Growth(0, "")
    bounds = pool.spec.nodes
    count, limit = UNLIMITED, f"no limit is set: as many as {UNLIMITED} more are counted on"
    shares = []
    if fact.static is not None:
        limit = f"spec.replicas of NodePool {fact.name}"
        shares.append(Share(limit, max(0, fact.static - max(len(there.staying), there.all_nodes)), 1))
        count = shares[0].nodes
    for name, most in fact.limits or ():
        share = _share(f"limits.{name} of NodePool {fact.name}", name, most, room, there)
        if share is not None:
            shares.append(share)
            if share.nodes < count:
                count, limit = share.nodes, share.key
    count += there.coming
    if bounds is not None and bounds.max - there.nodes < count:
        count, limit = max(0, bounds.max - there.nodes), DECLARED
    return Growth(count, limit, there.coming, tuple(shares))


def _share(key: str, name: str, limit: int, room: Room, there: _Standing) -> Share | None:
    """What is left of one limit; None where no node counts against it."""
    if name == _NODES:
        return Share(key, max(0, limit - max(len(there.staying), there.all_nodes)), 1)
    declared = {
        "cpu": room.cpu_milli,
        "memory": room.memory_bytes,
        PODS: room.pods,
        there.resource_name: room.chips,
    }
    seen = (dict(claim.capacity).get(name, 0) for claim in there.own if not claim.deleting)
    each = max(declared.get(name, 0), there.machine.get(name, 0), *seen)
    if not each:
        return None
    claimed = [dict(c.capacity).get(name, 0) if c.capacity else each for c in there.staying]
    used = sum(claimed) + (0 if there.claims else each * there.all_nodes)
    return Share(key, max(0, limit - used), each)


def _unready(pool: AcceleratorPool, fact: NodePoolFact | None) -> Refusal | None:
    """In Karpenter's own words. Its nodes serve on; none comes until it is ready."""
    if fact is None or (fact.ready and not fact.deleting):
        return None
    said = "; ".join(word.sentence for word in fact.troubles) or "its condition Ready is False"
    if fact.deleting:
        said = "it is being deleted, and its nodes with it"
    return Refusal(
        Reason.NODE_POOL_NOT_READY,
        f"pool {pool.metadata.name}: Karpenter launches no node for NodePool {fact.name} ({said})",
    )


def _refusal(
    pool: AcceleratorPool, fact: NodePoolFact | None, shape: Shape, snapshot: Snapshot, impossible: str
) -> Refusal | None:
    name = pool.metadata.name
    assert pool.spec.karpenter is not None  # noqa: S101
    wanted = pool.spec.karpenter.node_pool
    if not snapshot.karpenter:
        message = (
            f"pool {name}: it names NodePool {wanted}, and chipwise does not read Karpenter: start it with --karpenter "
            "(chart value autoscaling.karpenter.enabled), and give it the right to list nodepools.karpenter.sh"
        )
        return Refusal(Reason.KARPENTER_NOT_READ, message)
    if fact is None:
        message = f"pool {name}: Karpenter has no NodePool named {wanted}: create it, or correct spec.karpenter.nodePool"
        return Refusal(Reason.NODE_POOL_MISSING, message)
    said = unoffered(selector_of(pool), fact) or impossible
    if said:
        return Refusal(Reason.NODE_POOL_MISMATCH, f"pool {name}: {said}")
    if shape.room is None:
        message = (
            f"pool {name}: NodePool {wanted} has had no node with the chips of its class yet, or none since its class, its "
            "selector or the NodePool's requirements are these; what one offers is not known: declare spec.shape"
        )
        return Refusal(Reason.SHAPE_UNKNOWN, message)
    return None
