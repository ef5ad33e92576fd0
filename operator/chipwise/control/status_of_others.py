"""The status of classes, pools, profiles and policies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from chipwise.api import shorten
from chipwise.cluster.census import census
from chipwise.cluster.cooling import stamp
from chipwise.cluster.decide import Decision
from chipwise.cluster.extract import BY_KIND
from chipwise.cluster.facts import NodeFact
from chipwise.cluster.node_shapes import Shape
from chipwise.cluster.pools import PoolView, class_refusal
from chipwise.cluster.remembered import size_fields
from chipwise.cluster.snapshot import Unreadable
from chipwise.cluster.subject import DEFAULT_POLICY
from chipwise.control.conditions import Document, condition
from chipwise.control.pool_conditions import beside_ready
from chipwise.kube.resources import (
    ACCELERATOR_CLASSES,
    ACCELERATOR_POOLS,
    MODEL_PROFILES,
    PLACEMENT_POLICIES,
    Resource,
)
from chipwise.reasons import Reason

_UNDECLARED_SHOWN = 16
_COOL_DOWNS_SHOWN = 16
_INSTANCE_TYPE = "node.kubernetes.io/instance-type"


class Report(NamedTuple):
    """One object's status as last seen, and as it should read."""

    resource: Resource
    namespace: str
    name: str
    uid: str
    observed: Document
    wanted: Document


def other_statuses(decision: Decision) -> Iterator[Report]:
    """Every object of ours that is no readable workload."""
    snapshot = decision.snapshot
    for name, chip_class in sorted(snapshot.classes.items()):
        yield _report(ACCELERATOR_CLASSES, chip_class, _class_status(name, decision))
    for name, pool in sorted(snapshot.pools.items()):
        yield _report(ACCELERATOR_POOLS, pool, _pool_status(decision.views[name], decision))
    specs = [workload.spec for workload in snapshot.workloads.values()]
    served = Counter(spec.model_profile_name for spec in specs)
    under = Counter(spec.policy_name or DEFAULT_POLICY for spec in specs)
    for name, profile in sorted(snapshot.profiles.items()):
        yield _report(MODEL_PROFILES, profile, _profile_status(name, served[name], decision))
    for name, policy in sorted(snapshot.policies.items()):
        generation = policy.metadata.generation
        ready = condition("Ready", holds=True, reason="Accepted", message="in force", generation=generation)
        status = {"observedGeneration": generation, "workloads": under[name], "conditions": [ready]}
        yield _report(PLACEMENT_POLICIES, policy, status)
    for one in snapshot.unreadable:
        resource, seen = BY_KIND[one.kind], dict(one.status)
        yield Report(resource, one.namespace, one.name, one.uid, seen, _invalid_status(one))


def observed_status(thing: Any) -> Document:
    """The status that an object of ours came with, as a document."""
    if thing.status is None:
        return {}
    found: Document = thing.status.model_dump(
        by_alias=True, exclude_none=True, exclude_unset=True, mode="json"
    )
    return found


def _report(resource: Resource, thing: Any, wanted: Document) -> Report:
    metadata = thing.metadata
    return Report(resource, "", metadata.name, metadata.uid, observed_status(thing), wanted)


def _invalid_status(one: Unreadable) -> Document:
    """An older schema let the object in; it is shown and never used."""
    ready = condition(
        "Ready", holds=False, reason=Reason.INVALID.value, message=one.message, generation=one.generation
    )
    return {"observedGeneration": one.generation, "conditions": [ready]}


def _class_status(name: str, decision: Decision) -> Document:
    chip_class = decision.snapshot.classes[name]
    generation, refusal = chip_class.metadata.generation, class_refusal(chip_class)
    if refusal is None:
        message = f"pods ask for {chip_class.spec.resource_name}"
        ready = condition("Ready", holds=True, reason="Accepted", message=message, generation=generation)
    else:
        ready = condition(
            "Ready",
            holds=False,
            reason=refusal.reason.value,
            message=refusal.message,
            generation=generation,
        )
    return {
        "observedGeneration": generation,
        "pools": sum(view.class_name == name for view in decision.views.values()),
        "undeclared": _undeclared(name, decision),
        "conditions": [ready],
    }


def _undeclared(name: str, decision: Decision) -> list[Document]:
    """Nodes that show the chip, by resource or by label, and match no pool."""
    spec = decision.snapshot.classes[name].spec
    labels = spec.discovery.node_labels if spec.discovery else ()
    declared = {node.name for view in decision.views.values() for node in view.nodes}
    nodes: Counter[str] = Counter()
    chips: Counter[str] = Counter()
    for node in decision.snapshot.nodes.values():
        if node.name in declared or not labels or not _shows(node, labels):
            continue
        kind = node.label(_INSTANCE_TYPE) or ""
        nodes[kind] += 1
        chips[kind] += dict(node.chips).get(spec.resource_name or "", 0)
    found = [{"instanceType": kind, "nodes": nodes[kind], "chips": chips[kind]} for kind in sorted(nodes)]
    return found[:_UNDECLARED_SHOWN]


def _shows(node: NodeFact, labels: Any) -> bool:
    return all(node.label(label.key) in label.values for label in labels)


def _pool_status(view: PoolView, decision: Decision) -> Document:
    pool = decision.snapshot.pools[view.name]
    generation = pool.metadata.generation
    ours = {subject.deployment.key for subject in decision.subjects.values()}
    ours |= {bridge.key for bridge in decision.snapshot.bridges.values()}
    counted = census(view, decision.snapshot, ours)
    refusal = view.hindrance
    if refusal is None:
        ready = condition(
            "Ready", holds=True, reason="Accepted", message="can be used", generation=generation
        )
    else:
        ready = condition(
            "Ready",
            holds=False,
            reason=refusal.reason.value,
            message=refusal.message,
            generation=generation,
        )
    status: Document = {
        "observedGeneration": generation,
        "nodes": {"total": counted.nodes, "ready": counted.ready_nodes},
        "limitInForce": {"nodes": view.maximum, "source": view.limit},
        "chips": {
            "allocatable": counted.allocatable,
            "usedByOthers": counted.used_by_others,
            "used": counted.used,
            "reserved": counted.reserved,
            "free": counted.free,
        },
        "conditions": [ready, *beside_ready(view, decision)],
    }
    cool_downs = decision.setbacks.cooling.of_pool(view.name)[:_COOL_DOWNS_SHOWN]
    if cool_downs:
        status["coolDowns"] = [
            {
                "capacityType": one.culprit.capacity_type,
                "chips": 0,
                **(size_fields(one.culprit.size) if one.culprit.size else {}),
                "reason": one.reason,
                "until": stamp(one.until),
                "message": shorten(one.message),
            }
            for one in cool_downs
        ]
    if view.shape_source:
        status["shapeInForce"] = {
            "chips": view.room.chips,
            "cpu": f"{view.room.cpu_milli}m",
            "memory": str(view.room.memory_bytes),
            "pods": view.room.pods,
            "source": view.shape_source,
            **seen_under(view.shape),
        }
    keeping = decision.spares.pools.get(view.name) if decision.spares is not None else None
    if keeping is not None:
        status["spare"] = {"replicas": keeping.replicas, "chips": keeping.chips, "warm": keeping.warm}
        cost = next((use.cost_per_hour for use in decision.spare_now if use.pool == view.name), None)
        if cost is not None:
            status["spare"]["costPerHour"] = f"{cost:.4f}"
    price = view.price
    if price is not None:
        status["priceInForce"] = {
            "amount": price.amount,
            "currency": price.currency,
            "unit": price.unit,
            "source": price.source,
        }
    return status


def seen_under(shape: Shape | None) -> Document:
    """By which a shape that is remembered is told from one of other nodes, and what counts against limits."""
    if shape is None:
        return {}
    machine = dict(shape.machine)
    return {
        "madeBy": shape.made_by,
        **({"machineCpu": f"{machine['cpu']}m"} if "cpu" in machine else {}),
        **({"machineMemory": str(machine["memory"])} if "memory" in machine else {}),
    }


def _profile_status(name: str, workloads: int, decision: Decision) -> Document:
    profile = decision.snapshot.profiles[name]
    generation = profile.metadata.generation
    missing = sorted({v.class_name for v in profile.spec.variants} - set(decision.snapshot.classes))
    if missing:
        message = f"no AcceleratorClass is named {', '.join(missing)}: variants of it are not used"
        ready = condition(
            "Ready", holds=False, reason=Reason.CLASS_MISSING.value, message=message, generation=generation
        )
    else:
        message = f"{len(profile.spec.variants)} variants"
        ready = condition("Ready", holds=True, reason="Accepted", message=message, generation=generation)
    return {
        "observedGeneration": generation,
        "variants": len(profile.spec.variants),
        "workloads": workloads,
        "conditions": [ready],
    }
