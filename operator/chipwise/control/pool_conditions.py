"""The conditions of a pool beside Ready: one function each, None where there is nothing to say."""

from __future__ import annotations

from chipwise.autoscaling.platforms import Said, Terms, handle, terms_of, unstable
from chipwise.autoscaling.priorities import CONFIG_MAP
from chipwise.cluster.decide import Decision
from chipwise.cluster.facts import NodeFact
from chipwise.cluster.feasibility.obtainable import stockout
from chipwise.cluster.pools import PoolView
from chipwise.control.conditions import Document, condition
from chipwise.reasons import Reason, Refusal

ORDERED = "Ordered"
STABLE = "SelectorStable"
SPARE = "SpareKept"
AS_DECLARED = "CapacityTypeAsDeclared"
OBTAINABLE = "NodesObtainable"


def beside_ready(view: PoolView, decision: Decision) -> list[Document]:
    """In a fixed order."""
    generation = decision.snapshot.pools[view.name].metadata.generation
    found = (
        _ordered(view, decision, generation),
        _obtainable(view, generation),
        _stable(view, generation),
        _as_declared(view, generation),
        _spare(view, decision, generation),
    )
    return [each for each in found if each is not None]


def _obtainable(view: PoolView, generation: int) -> Document | None:
    """False while the autoscaler adds no node to its group; absent otherwise, for nobody knows what a provider has."""
    refusal = stockout(view)
    if refusal is None:
        return None
    reason, message = refusal.reason.value, refusal.message
    return condition(OBTAINABLE, holds=False, reason=reason, message=message, generation=generation)


def _ordered(view: PoolView, decision: Decision, generation: int) -> Document | None:
    """Whether Cluster Autoscaler is told when to try its node group."""
    wanted = decision.expansion
    if wanted is None or view.group is None:
        return None
    if wanted.problem is not None:
        reason, message = wanted.problem.reason.value, wanted.problem.message
        return condition(ORDERED, holds=False, reason=reason, message=message, generation=generation)
    if not wanted.is_written:
        return None  # not yet, or refused: the Event says why
    message = f"node group {view.group} is number {wanted.place(view.group)} of {len(wanted.order)} in the ConfigMap {CONFIG_MAP}"
    return condition(ORDERED, holds=True, reason="Accepted", message=message, generation=generation)


def _stable(view: PoolView, generation: int) -> Document | None:
    """False where the selector has labels that a new node lacks: at zero nodes no autoscaler knows that it would match."""
    keys = unstable(key for key, _ in view.selector)
    if not keys:
        return None
    message = (
        f"{', '.join(keys)}: written by an agent once a node runs, or by each node for itself, so no autoscaler can tell that a new "
        f"node would match, and at zero nodes nothing does; select by {_advice(view)}"
    )
    reason = Reason.SELECTOR_UNSTABLE.value
    return condition(STABLE, holds=False, reason=reason, message=message, generation=generation)


def _advice(view: PoolView) -> str:
    """The provider's label that all nodes of the pool share, if there is one."""
    found = {handle(dict(node.labels)) for node in view.nodes}
    shared = found.pop() if len(found) == 1 else None
    return (
        f"{shared[0]}: {shared[1]}"
        if shared
        else "a label that the provider sets, such as that of the node pool"
    )


def _as_declared(view: PoolView, generation: int) -> Document | None:
    """False where nodes, or the selector itself, say spot and the pool does not, or the other way about. Reserved nodes look like any."""
    selected = terms_of(dict(view.selector))
    if selected is not None and _contradicts(selected, view):
        words = f"spec.nodeSelector says {_words(selected)}"
    else:
        odd = [said for node in view.nodes if (said := _said(node)) is not None and _contradicts(said, view)]
        if not odd:
            return None
        words = f"{len(odd)} of {len(view.nodes)} nodes say {_words(odd[0])}"
    message = f"{words}, and spec.capacityType is {view.capacity_type}"
    reason = Reason.CAPACITY_TYPE_MISMATCH.value
    return condition(AS_DECLARED, holds=False, reason=reason, message=message, generation=generation)


def _spare(view: PoolView, decision: Decision, generation: int) -> Document | None:
    """Whether all the room that is to be kept warm is; absent where none is asked for."""
    asked = decision.snapshot.pools[view.name].spec.spare
    if asked is None:
        return None
    if decision.spares is None:
        words = "spec.spare asks for warm room, and chipwise runs without --spare (in the chart autoscaling.spare.enabled)"
        refusal: Refusal | None = Refusal(Reason.SPARE_NOT_ENABLED, words)
    else:
        refusal = decision.spares.pools[view.name].refusal
    if refusal is not None:
        reason, message = refusal.reason.value, refusal.message
        return condition(SPARE, holds=False, reason=reason, message=message, generation=generation)
    message = f"{asked.replicas} of {asked.replicas} placeholders have a node"
    return condition(SPARE, holds=True, reason="Accepted", message=message, generation=generation)


def _said(node: NodeFact) -> Said | None:
    return terms_of({**{taint.key: taint.value for taint in node.taints}, **dict(node.labels)})


def _contradicts(said: Said, view: PoolView) -> bool:
    return (said.terms is Terms.SPOT) != (view.capacity_type == Terms.SPOT.value)


def _words(said: Said) -> str:
    return f"{said.terms.value} ({said.key}={said.value})"
