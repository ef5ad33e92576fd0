"""GKE custom ComputeClasses in our order of pools: rules that GKE tries from the top (``cloud.google.com/v1``).

GKE's reference (docs.cloud.google.com, ``kubernetes-engine/docs/reference/crds/computeclass``) has far more fields; these are enough to name
what a pool's node selector names. ``priorityScore`` (1 to 1000, higher first; GKE 1.35.2 and later) must stand on every rule or on none, and
at most three rules may share one: here none do. A stockout puts a rule aside for about five minutes, so a list of more than ten is
never seen to its end: the top is tried again before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST = 10
_HIGHEST = 1000
_STEP = 10
_POOL = "cloud.google.com/gke-nodepool"
_TYPE = "node.kubernetes.io/instance-type"
_FAMILY = "cloud.google.com/machine-family"
_GPU = "cloud.google.com/gke-accelerator"
_TPU = "cloud.google.com/gke-tpu-accelerator"
_TOPOLOGY = "cloud.google.com/gke-tpu-topology"

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """A pool as GKE may know it: its node selector, the chips of one node, and whether it is spot."""

    pool: str
    selector: Mapping[str, str]
    chips: int
    spot: bool = False


def rule_of(place: Place) -> Document | None:
    """The rule for one pool; None where its selector has no label of GKE that a rule could name.

    A node pool has its terms already. Otherwise GKE makes nodes, and has to be told.
    """
    labels = place.selector
    if _POOL in labels:
        return {"nodepools": [labels[_POOL]]}
    rule: Document = {}
    if _TYPE in labels:
        rule["machineType"] = labels[_TYPE]
    elif _FAMILY in labels:
        rule["machineFamily"] = labels[_FAMILY]
    if _GPU in labels:
        rule["gpu"] = {"type": labels[_GPU], "count": place.chips}
    elif _TPU in labels and _TOPOLOGY in labels:
        rule["tpu"] = {"type": labels[_TPU], "count": place.chips, "topology": labels[_TOPOLOGY]}
    return {**rule, "spot": place.spot} if rule else None


def compute_class(name: str, places: Sequence[Place], *, scored: bool) -> Document | None:
    """The manifest for ``places``, what to try first first: at most ten. None where no rule can be made.

    ``scored`` writes scores beside the order, which say the same.
    """
    rules = [rule for place in places if (rule := rule_of(place)) is not None][:MOST]
    if not rules:
        return None
    if scored:
        rules = [{"priorityScore": _HIGHEST - _STEP * at, **rule} for at, rule in enumerate(rules)]
    makes_nodes = any("nodepools" not in rule for rule in rules)
    return {
        "apiVersion": "cloud.google.com/v1",
        "kind": "ComputeClass",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": "chipwise"}},
        "spec": {
            "priorities": rules,
            **({"nodePoolAutoCreation": {"enabled": True}} if makes_nodes else {}),
            "whenUnsatisfiable": "DoNotScaleUp",
        },
    }
