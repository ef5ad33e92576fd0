"""Whether Karpenter can make a node with the labels that a pool selects by, told before a pod waits for one.

sigs.k8s.io/karpenter v1.13: a pod may ask for a label that the NodePool states, or that Karpenter or its provider knows by itself; any
other is refused (pkg/scheduling/requirements.go, ``Compatible``). A requirement with ``minValues`` needs so many values among the machine
types that are left (pkg/cloudprovider/types.go, ``SatisfiesMinValues``); with fewer none is launched, unless Karpenter runs with
``--min-values-policy=BestEffort``.
"""

from __future__ import annotations

from collections.abc import Mapping

from chipwise.autoscaling.platforms import is_known_to_karpenter
from chipwise.cluster.facts import NodePoolFact, Pairs, Requirement
from chipwise.cluster.facts.karpenter import NODE_POOL_LABEL
from chipwise.cluster.facts.nodes import ARCHITECTURE_LABEL, INSTANCE_TYPE_LABEL

#: In the name part of labels of which a machine type has one value; of a zone or a capacity type it has several.
_OF_MACHINES = ("instance-", "sku-")


def unoffered(selector: Pairs, fact: NodePoolFact) -> str:
    """The label that the NodePool gives another value, as a sentence; empty where there is none."""
    for key, value in selector:
        if key != NODE_POOL_LABEL and not fact.allows(key, value):
            offered = ", ".join(fact.values(key) or ()) or "something else"
            return (
                f"it selects nodes with {key}={value}, and NodePool {fact.name} makes none: it offers {offered}; "
                "change the NodePool's requirements, or the pool's capacityType or nodeSelector"
            )
    return ""


def unmakeable(selector: Pairs, fact: NodePoolFact) -> str:
    """Why no node can come that has the labels of ``selector``, as a sentence; empty where one can."""
    for key, _ in selector:
        if not is_known_to_karpenter(key) and not _states(fact, key):
            return (
                f'Karpenter makes no node with it for NodePool {fact.name}: label "{key}" does not have known values; state it in '
                "the labels or requirements of the NodePool's template, or take it out of spec.nodeSelector"
            )
    for each in fact.requirements:
        if (each.min_values or 0) > 1 and _leaves_one(each, dict(selector)):
            return (
                f"it selects one machine type, and NodePool {fact.name} wants a choice: minValues {each.min_values} of "
                f"{each.key}; lower that, or leave the choice to Karpenter"
            )
    return ""


def _states(fact: NodePoolFact, key: str) -> bool:
    return key in dict(fact.labels) or any(each.key == key for each in fact.requirements)


def _leaves_one(requirement: Requirement, selector: Mapping[str, str]) -> bool:
    """Whether among the machine types that are left its label has one value."""
    return _is_of_machines(requirement.key) and (
        INSTANCE_TYPE_LABEL in selector or requirement.key in selector
    )


def _is_of_machines(key: str) -> bool:
    return key == ARCHITECTURE_LABEL or key.rpartition("/")[2].startswith(_OF_MACHINES)
