"""The status of every object of ours that is no readable workload."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from chipwise.cluster.decide import Decision
from chipwise.cluster.extract import BY_KIND
from chipwise.cluster.facts import NodeFact
from chipwise.cluster.facts.nodes import INSTANCE_TYPE_LABEL
from chipwise.cluster.pools import class_refusal
from chipwise.cluster.snapshot import Unreadable
from chipwise.cluster.subject import DEFAULT_POLICY
from chipwise.control.conditions import Document, ready_unless
from chipwise.control.pool_status import pool_status
from chipwise.kube.resources import (
    ACCELERATOR_CLASSES,
    ACCELERATOR_POOLS,
    MODEL_PROFILES,
    PLACEMENT_POLICIES,
    Resource,
)
from chipwise.reasons import Reason, Refusal

_UNDECLARED_SHOWN = 16


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
        yield _report(ACCELERATOR_POOLS, pool, pool_status(decision.views[name], decision))
    specs = [workload.spec for workload in snapshot.workloads.values()]
    served = Counter(spec.model_profile_name for spec in specs)
    under = Counter(spec.policy_name or DEFAULT_POLICY for spec in specs)
    for name, profile in sorted(snapshot.profiles.items()):
        yield _report(MODEL_PROFILES, profile, _profile_status(name, served[name], decision))
    for name, policy in sorted(snapshot.policies.items()):
        generation = policy.metadata.generation
        ready = ready_unless(None, "in force", generation)
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
    ready = ready_unless(Refusal(Reason.INVALID, one.message), "", one.generation)
    return {"observedGeneration": one.generation, "conditions": [ready]}


def _class_status(name: str, decision: Decision) -> Document:
    chip_class = decision.snapshot.classes[name]
    generation, refusal = chip_class.metadata.generation, class_refusal(chip_class)
    ready = ready_unless(refusal, f"pods ask for {chip_class.spec.resource_name}", generation)
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
        kind = node.label(INSTANCE_TYPE_LABEL) or ""
        nodes[kind] += 1
        chips[kind] += dict(node.chips).get(spec.resource_name or "", 0)
    found = [{"instanceType": kind, "nodes": nodes[kind], "chips": chips[kind]} for kind in sorted(nodes)]
    return found[:_UNDECLARED_SHOWN]


def _shows(node: NodeFact, labels: Any) -> bool:
    return all(node.label(label.key) in label.values for label in labels)


def _profile_status(name: str, workloads: int, decision: Decision) -> Document:
    profile = decision.snapshot.profiles[name]
    generation = profile.metadata.generation
    missing = sorted({v.class_name for v in profile.spec.variants} - set(decision.snapshot.classes))
    words = f"no AcceleratorClass is named {', '.join(missing)}: variants of it are not used"
    refusal = Refusal(Reason.CLASS_MISSING, words) if missing else None
    ready = ready_unless(refusal, f"{len(profile.spec.variants)} variants", generation)
    return {
        "observedGeneration": generation,
        "variants": len(profile.spec.variants),
        "workloads": workloads,
        "conditions": [ready],
    }
