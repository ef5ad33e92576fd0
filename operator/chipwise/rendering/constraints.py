"""What an author demands of a node apart from its chip, and whether a node or a pool meets it.

Required constraints only: preferences never exclude a node.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from chipwise.rendering.affinity import REQUIRED, Terms, term_matches, without_chips
from chipwise.rendering.vocabulary import ChipVocabulary

_BLOCKING = frozenset({"NoSchedule", "NoExecute"})


@dataclass(frozen=True, slots=True)
class AuthorConstraints:
    """A node selector, all of which holds, and alternative terms, one of which holds. ``terms`` None asks nothing."""

    node_selector: tuple[tuple[str, str], ...]
    terms: Terms | None

    def matches(self, labels: Mapping[str, str], node_name: str | None = None) -> bool:
        """Tell whether a node with these labels will do. A node that does not exist yet has no name."""
        if any(labels.get(key) != value for key, value in self.node_selector):
            return False
        return self.terms is None or any(term_matches(term, labels, node_name) for term in self.terms)


def author_constraints(template: Mapping[str, Any], vocabulary: ChipVocabulary) -> AuthorConstraints:
    """Read the constraints of a pod template that are not about chips."""
    spec = template["spec"]
    selector = spec.get("nodeSelector") or {}
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get(REQUIRED) or {}
    stated = required.get("nodeSelectorTerms")
    return AuthorConstraints(
        node_selector=tuple(sorted((k, v) for k, v in selector.items() if not vocabulary.is_chip_key(k))),
        terms=None if stated is None else without_chips(stated, vocabulary),
    )


def tolerates(taints: Iterable[Mapping[str, Any]], tolerations: Iterable[Mapping[str, Any]]) -> bool:
    """Tell whether pods with these tolerations may be scheduled on a node with these taints."""
    known = list(tolerations)
    blocking = [taint for taint in taints if taint.get("effect") in _BLOCKING]
    return all(any(_covers(toleration, taint) for toleration in known) for taint in blocking)


def _covers(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    """Follow ``ToleratesTaint`` of k8s.io/api: no effect means every effect, no key with Exists every taint."""
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    operator = toleration.get("operator") or "Equal"
    if not toleration.get("key"):
        return operator == "Exists"
    if toleration["key"] != taint.get("key"):
        return False
    if operator == "Equal":
        return (toleration.get("value") or "") == (taint.get("value") or "")
    return operator == "Exists"
