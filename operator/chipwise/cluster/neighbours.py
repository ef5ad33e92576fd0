"""Constraints of a pod on the pods beside it: which nodes they rule out, and how its own replicas must be spread.

Counted exactly: ports of the host, required anti-affinity in both directions, and one topology spread constraint that must hold. What
cannot be counted from what is known is refused by name and never hoped for.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from chipwise.cluster.facts import NodeFact, PodFact
from chipwise.cluster.facts.needs import host_ports
from chipwise.cluster.pools import taint_documents
from chipwise.cluster.snapshot import Snapshot
from chipwise.placement.terms import Spread
from chipwise.reasons import Reason, Refusal
from chipwise.rendering.affinity import REQUIRED
from chipwise.rendering.constraints import AuthorConstraints, tolerates
from chipwise.rendering.selectors import selects

HOSTNAME = "kubernetes.io/hostname"
#: The hash of a ReplicaSet that does not exist yet: no pod has it, and all its own will.
_HASH = "pod-template-hash"
_NEW = "\0new"


@dataclass(frozen=True, slots=True)
class Template:
    """A pod template in its namespace, with what it asks of nodes."""

    document: Mapping[str, Any]
    namespace: str
    constraints: AuthorConstraints

    @property
    def spec(self) -> Mapping[str, Any]:
        """Of the pods."""
        found: Mapping[str, Any] = self.document["spec"]
        return found

    @property
    def labels(self) -> dict[str, str]:
        """Of the pods, with a hash that no pod has yet."""
        stated = (self.document.get("metadata") or {}).get("labels") or {}
        return {**stated, _HASH: _NEW}


@dataclass(frozen=True, slots=True)
class Neighbours:
    """``barred`` are names of nodes."""

    barred: frozenset[str] = frozenset()
    one_per_node: bool = False
    spread: Spread | None = None


@dataclass(frozen=True, slots=True)
class _Term:
    """One required anti-affinity term, of a template or of a pod that is there."""

    topology_key: str
    selector: Mapping[str, Any] | None
    namespaces: Collection[str] | None

    def meets(self, namespace: str, labels: Mapping[str, str]) -> bool:
        return (self.namespaces is None or namespace in self.namespaces) and selects(self.selector, labels)


def neighbours(template: Template, snapshot: Snapshot) -> Neighbours | Refusal:
    """What the pods that are there mean for those that ``template`` will have."""
    unclear = _unclear(template)
    if unclear is not None:
        return Refusal(
            Reason.CONSTRAINT_UNCLEAR, f"{unclear} cannot be counted, so no room is promised under it"
        )
    terms = _terms(template)
    mine = [term for term in terms if term.meets(template.namespace, template.labels)]
    ports = set(host_ports(template.spec))
    barred = _with_ports(ports, snapshot) | _repelled(template, snapshot) | _avoided(terms, snapshot)
    wide = sorted({term.topology_key for term in mine} - {HOSTNAME})
    return Neighbours(
        barred=frozenset(barred),
        one_per_node=bool(ports) or any(term.topology_key == HOSTNAME for term in mine),
        spread=_one_each(wide[0], snapshot) if wide else _spread(template, snapshot),
    )


def minds(spec: Mapping[str, Any], snapshot: Snapshot) -> bool:
    """Whether any of this matters for pods with such a spec: most have no constraint of this kind."""
    affinity = spec.get("affinity") or {}
    return bool(
        snapshot.repelling
        or affinity.get("podAntiAffinity")
        or affinity.get("podAffinity")
        or spec.get("topologySpreadConstraints")
        or host_ports(spec)
    )


def _unclear(template: Template) -> str | None:
    """The first constraint that is not understood."""
    affinity = template.spec.get("affinity") or {}
    if (affinity.get("podAffinity") or {}).get(REQUIRED):
        return "required podAffinity"
    anti = (affinity.get("podAntiAffinity") or {}).get(REQUIRED) or ()
    if any(term.get("mismatchLabelKeys") for term in anti):
        return "podAntiAffinity with mismatchLabelKeys"
    own = [term for term in _terms(template) if term.meets(template.namespace, template.labels)]
    wide = {term.topology_key for term in own} - {HOSTNAME}
    hard = _hard(template)
    if len(wide) + len(hard) > 1:
        keys = sorted([*wide, *(constraint["topologyKey"] for constraint in hard)])
        return f"spreading over several topologies at once ({', '.join(keys)})"
    for constraint in hard:
        if not selects(_selector(constraint, template.labels), template.labels):
            return "a topologySpreadConstraint that does not select its own pods"
    return None


def _hard(template: Template) -> list[Mapping[str, Any]]:
    return [
        constraint
        for constraint in template.spec.get("topologySpreadConstraints") or ()
        if constraint.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule"
    ]


def _terms(template: Template) -> list[_Term]:
    anti = (template.spec.get("affinity") or {}).get("podAntiAffinity") or {}
    return [
        _Term(
            term["topologyKey"],
            _selector(term, template.labels),
            None if "namespaceSelector" in term else term.get("namespaces") or (template.namespace,),
        )
        for term in anti.get(REQUIRED) or ()
    ]


def _selector(holder: Mapping[str, Any], labels: Mapping[str, str]) -> Mapping[str, Any] | None:
    """Its ``labelSelector``, with the values of ``matchLabelKeys`` as the API server puts them into pods."""
    selector, keys = holder.get("labelSelector"), holder.get("matchLabelKeys") or ()
    if selector is None or not keys:
        return selector
    same = [{"key": key, "operator": "In", "values": [labels[key]]} for key in keys if key in labels]
    return {**selector, "matchExpressions": [*(selector.get("matchExpressions") or ()), *same]}


def _with_ports(ports: set[str], snapshot: Snapshot) -> set[str]:
    if not ports:
        return set()
    return {pod.node for pod in snapshot.pods.values() if pod.node and ports & set(pod.needs.ports)}


def _avoided(terms: Iterable[_Term], snapshot: Snapshot) -> set[str]:
    """Nodes in a domain where a pod is that one of the template's own terms keeps away from."""
    found: set[str] = set()
    for term in terms:
        there = [
            pod
            for pod in snapshot.pods.values()
            if pod.node and term.meets(pod.namespace, dict(pod.needs.labels))
        ]
        found |= _beside(there, term.topology_key, snapshot)
    return found


def _repelled(template: Template, snapshot: Snapshot) -> set[str]:
    """Nodes in a domain where a pod is that keeps the template's pods away from itself."""
    found: set[str] = set()
    for pod in snapshot.repelling:
        for one in pod.needs.repels:
            spaces = one.namespaces if one.namespaces is None or one.namespaces else (pod.namespace,)
            term = _Term(one.topology_key, json.loads(one.selector), spaces)
            if term.meets(template.namespace, template.labels):
                found |= _beside([pod], one.topology_key, snapshot)
    return found


def _beside(pods: Iterable[PodFact], key: str, snapshot: Snapshot) -> set[str]:
    """Nodes that share a value of ``key`` with a node of one of ``pods``."""
    taken = {node.label(key) for pod in pods if (node := snapshot.nodes.get(pod.node or "")) is not None}
    taken.discard(None)
    return {name for name, node in snapshot.nodes.items() if node.label(key) in taken} if taken else set()


def _one_each(key: str, snapshot: Snapshot) -> Spread:
    """One replica for each value of ``key``; domains that are taken have been barred."""
    domains = tuple(
        (name, domain)
        for name, node in sorted(snapshot.nodes.items())
        if (domain := node.label(key)) is not None
    )
    return Spread(domains, skew=None)


def _spread(template: Template, snapshot: Snapshot) -> Spread | None:
    """Domains are those of all nodes that the constraint looks at, also of some that could not take a pod."""
    hard = _hard(template)
    if not hard:
        return None
    (constraint,) = hard
    key, selector = constraint["topologyKey"], _selector(constraint, template.labels)
    domains = {
        name: domain
        for name, node in sorted(snapshot.nodes.items())
        if (domain := node.label(key)) is not None and _looked_at(node, constraint, template)
    }
    standing = dict.fromkeys(domains.values(), 0)
    for pod in snapshot.pods.values():
        counts = pod.node in domains and not pod.deleting and pod.namespace == template.namespace
        if counts and selects(selector, dict(pod.needs.labels)):
            standing[domains[pod.node or ""]] += 1
    return Spread(
        tuple(domains.items()),
        skew=int(constraint["maxSkew"]),
        standing=tuple(standing.items()),
        from_zero=len(standing) < int(constraint.get("minDomains") or 1),
    )


def _looked_at(node: NodeFact, constraint: Mapping[str, Any], template: Template) -> bool:
    if constraint.get("nodeAffinityPolicy", "Honor") == "Honor" and not template.constraints.matches(
        dict(node.labels), node.name
    ):
        return False
    if constraint.get("nodeTaintsPolicy", "Ignore") != "Honor":
        return True
    return node.usable and tolerates(taint_documents(node.taints), template.spec.get("tolerations") or ())
