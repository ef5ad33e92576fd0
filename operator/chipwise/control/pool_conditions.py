"""The conditions of a pool beside Ready: one function each, None where there is nothing to say."""

from __future__ import annotations

from chipwise.autoscaling.priorities import CONFIG_MAP
from chipwise.cluster.decide import Decision
from chipwise.cluster.feasibility.obtainable import stockout
from chipwise.cluster.pools import PoolView
from chipwise.control.conditions import Document, condition

ORDERED = "Ordered"
OBTAINABLE = "NodesObtainable"


def beside_ready(view: PoolView, decision: Decision) -> list[Document]:
    """In a fixed order."""
    generation = decision.snapshot.pools[view.name].metadata.generation
    found = (_ordered(view, decision, generation), _obtainable(view, generation))
    return [each for each in found if each is not None]


def _obtainable(view: PoolView, generation: int) -> Document | None:
    """False while the autoscaler backs off from its node group; absent otherwise, for nobody knows what a provider has."""
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
    message = f"node group {view.group} is number {wanted.place(view.group)} of {len(wanted.order)} in the ConfigMap {CONFIG_MAP}"
    return condition(ORDERED, holds=True, reason="Accepted", message=message, generation=generation)
