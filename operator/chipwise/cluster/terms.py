"""What the scheduler will ask of nodes for the pods of a template, as names of nodes and a rule of spreading.

Asked of the very template that will be written. Nodes that are not Ready or are cordoned take nobody new.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chipwise.cluster.neighbours import Template, minds, neighbours
from chipwise.cluster.pools import PoolView, taint_documents
from chipwise.cluster.sizes import PodSize, footprint_of, size_of_template
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.subject import Subject
from chipwise.cluster.yielding import closed_by_placeholders
from chipwise.placement.problem import Option
from chipwise.placement.terms import Terms
from chipwise.reasons import Refusal
from chipwise.rendering.affinity import REQUIRED
from chipwise.rendering.constraints import author_constraints, tolerates
from chipwise.rendering.vocabulary import NO_CHIPS


class TermsOf:
    """Answers for one snapshot; what was answered is remembered, for most workloads ask the same of the nodes."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._nodes: dict[tuple[str, str], tuple[frozenset[str], bool]] = {}

    def __call__(
        self, document: Mapping[str, Any], namespace: str, size: PodSize, view: PoolView
    ) -> Terms | Refusal:
        """What the pods of ``document`` ask of the nodes of one pool."""
        spec = document["spec"]
        names, on_new = self._takers(spec, view)
        names -= closed_by_placeholders(spec, self._snapshot)
        first = ("cpu", "memory", view.resource_name)
        more = tuple(sorted((name, n) for name, n in size.requests.items() if n and name not in first))
        if not minds(spec, self._snapshot):
            return Terms(names, on_new, more)
        template = Template(document, namespace, author_constraints(document, NO_CHIPS))
        found = neighbours(template, self._snapshot)
        if isinstance(found, Refusal):
            return found
        left = names - found.barred if found.barred & names else names
        return Terms(left, on_new, more, found.one_per_node, found.spread)

    def as_written(
        self, option: Option, document: Mapping[str, Any], subject: Subject, view: PoolView
    ) -> Option:
        """The option with what the pods of another template will ask; without terms where that cannot be counted."""
        size = size_of_template(document, subject.added, self._snapshot)
        found = self(document, subject.deployment.namespace, size, view)
        terms = None if isinstance(found, Refusal) else found
        return replace(option, footprint=footprint_of(size, view.resource_name), terms=terms)

    def _takers(self, spec: Mapping[str, Any], view: PoolView) -> tuple[frozenset[str], bool]:
        """Nodes whose labels and taints let it on, and whether a node to come will have such labels."""
        affinity = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(REQUIRED)
        tolerations = spec.get("tolerations") or ()
        asked = json.dumps([spec.get("nodeSelector"), affinity, tolerations], sort_keys=True)
        known = self._nodes.get((view.name, asked))
        if known is not None:
            return known
        constraints = author_constraints({"spec": spec}, NO_CHIPS)
        names = frozenset(
            node.name
            for node in view.nodes
            if node.usable
            and tolerates(taint_documents(node.taints), tolerations)
            and constraints.matches(dict(node.labels), node.name)
        )
        on_new = view.to_come > 0 and any(map(constraints.matches, view.declared_labels))
        self._nodes[view.name, asked] = (names, on_new)
        return names, on_new
