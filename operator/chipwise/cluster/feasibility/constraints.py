"""What the author asks of nodes apart from chips stays in force on every pool."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chipwise.cluster.facts.nodes import ARCHITECTURE_LABEL
from chipwise.cluster.feasibility.case import Case
from chipwise.reasons import Reason, Refusal

_ARCHITECTURES = ("amd64", "arm64")


def author_constraints_hold(case: Case) -> Refusal | None:
    """Some node that takes pods, or the labels declared of nodes that may come, must match what remains of selector and required affinity.

    Of nodes to come only declared labels (selector, zones, architecture) are known: an author's label that nobody declares is a
    refusal, not a hope. What runs there already has been let in.
    """
    constraints, pool = case.subject.constraints, case.pool
    if case.stands:
        return None
    candidates = (
        *pool.usable_labels,
        *(pool.declared_labels if pool.to_come or not pool.usable_labels else ()),
    )
    if any(constraints.matches(labels) for labels in candidates):
        return None
    wanted = [name for name in _ARCHITECTURES if any(map(constraints.matches, _as(name, candidates)))]
    if wanted:
        there = ", ".join(
            sorted({labels.get(ARCHITECTURE_LABEL, pool.architecture) for labels in candidates})
        )
        return Refusal(
            Reason.ARCHITECTURE_MISMATCH,
            f"nodes of pool {pool.name} are {there}, the Deployment asks for {' or '.join(wanted)}",
        )
    asked = ", ".join(f"{key}={value}" for key, value in constraints.node_selector)
    own = f"node selector {asked}" if asked else "required node affinity"
    known = "no node of pool" if pool.usable_nodes else "nothing that is declared of pool"
    return Refusal(Reason.SELECTOR_UNSATISFIED, f"{known} {pool.name} matches the Deployment's own {own}")


def taints_tolerated(case: Case) -> Refusal | None:
    """When nodes exist, at least one must carry no taint beyond the tolerations of class and pool."""
    if case.pool.usable_nodes or case.stands:
        return None
    usable = [node for node in case.pool.nodes if node.usable]
    if not usable:
        return None
    taints = sorted({f"{taint.key}={taint.value}:{taint.effect}" for node in usable for taint in node.taints})
    return Refusal(
        Reason.TAINT_NOT_TOLERATED,
        f"every node of pool {case.pool.name} carries a taint that neither class nor pool tolerates: {', '.join(taints)}",
    )


def _as(architecture: str, candidates: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    return [{**labels, ARCHITECTURE_LABEL: architecture} for labels in candidates]
