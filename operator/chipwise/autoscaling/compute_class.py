"""GKE custom ComputeClasses in our order of pools: rules that GKE tries from the top (``cloud.google.com/v1``).

GKE's reference (docs.cloud.google.com, ``kubernetes-engine/docs/reference/crds/computeclass``) has far more fields; these are enough to name
what a pool's node selector names. What a rule cannot say keeps the pool out, with words: nodes of other terms would be made. The reference is
prose with an illustration; the schema of the CRD itself is not published. ``priorityScore`` (1 to 1000, higher first; GKE 1.35.2 and
later) must stand on every rule or on none, and at most three rules may share one: here none do. A stockout puts a rule aside for about five
minutes, so a list of more than ten is never seen to its end: the top is tried again before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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

_ZONE = "topology.kubernetes.io/zone"
_CLASS = "cloud.google.com/compute-class"
#: Labels that a rule says, or that all nodes with its accelerator have.
_SAID = frozenset({_TYPE, _FAMILY, _GPU, _TPU, _TOPOLOGY, _ZONE})
#: Labels that say spot or not, and so does the rule.
_SPOT = {
    ("cloud.google.com/gke-spot", "true"): True,
    ("cloud.google.com/gke-provisioning", "spot"): True,
    ("cloud.google.com/gke-provisioning", "standard"): False,
}

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """A pool as GKE may know it: its node selector, the chips of one node, its zones where they are declared, and on what terms it is lent."""

    pool: str
    selector: Mapping[str, str]
    chips: int
    spot: bool = False
    zones: tuple[str, ...] = ()
    reserved: bool = False


class NoRule(ValueError):  # noqa: N818 - it is a state of the pool
    """No rule says what the pool's selector does. The message is a sentence that begins with "its"."""


@dataclass(frozen=True, slots=True)
class Rules:
    """``taken`` are the pools with their rules, what to try first first; ``left_out`` the others, each with a sentence why."""

    taken: tuple[tuple[str, Document], ...]
    left_out: tuple[tuple[str, str], ...]


def rule_of(place: Place, name: str) -> Document:
    """The rule for one pool in the class called ``name``. Raises NoRule where none has just its nodes.

    A node pool has its terms already. Otherwise GKE makes nodes, and has to be told.
    """
    labels = place.selector
    if _POOL in labels:
        if _ZONE in labels:
            raise NoRule(
                f"its nodeSelector has {_ZONE} beside a node pool, and a rule names whole node pools"
            )
        return {"nodepools": [labels[_POOL]]}
    rule = {**_machine(labels), **_accelerator(place)}
    if not rule:
        raise NoRule("its nodeSelector has no label of GKE by which nodes could be made")
    unsaid = sorted(
        key for key in labels if key not in _SAID and _SPOT.get((key, labels[key])) is not place.spot
    )
    if labels.get(_CLASS) == name:
        unsaid.remove(_CLASS)
    if unsaid:
        raise NoRule(f"its nodeSelector has {unsaid[0]}={labels[unsaid[0]]}, which no rule can say")
    if place.reserved:
        raise NoRule(
            "its capacityType is Reserved, and no reservation is known: select a node pool that uses one"
        )
    zones = [labels[_ZONE]] if _ZONE in labels else list(place.zones)
    return {**rule, "spot": place.spot, **({"location": {"zones": zones}} if zones else {})}


def _machine(labels: Mapping[str, str]) -> Document:
    machine, family = labels.get(_TYPE), labels.get(_FAMILY)
    if machine is None:
        return {} if family is None else {"machineFamily": family}
    if family is not None and not machine.startswith(f"{family}-"):
        raise NoRule(f"its nodeSelector has machine type {machine}, which is not of family {family}")
    return {"machineType": machine}


def _accelerator(place: Place) -> Document:
    labels = place.selector
    if (_TPU in labels) != (_TOPOLOGY in labels) or (_TPU in labels and _GPU in labels):
        raise NoRule(f"its nodeSelector needs {_TPU} and {_TOPOLOGY} together, or {_GPU} alone")
    if _GPU in labels:
        return {"gpu": {"type": labels[_GPU], "count": place.chips}}
    if _TPU in labels:
        return {"tpu": {"type": labels[_TPU], "count": place.chips, "topology": labels[_TOPOLOGY]}}
    return {}


def rules_of(name: str, places: Iterable[Place]) -> Rules:
    """At most ten, none twice."""
    taken: dict[str, Document] = {}
    left_out: list[tuple[str, str]] = []
    for place in places:
        try:
            rule = rule_of(place, name)
        except NoRule as why:
            left_out.append((place.pool, str(why)))
            continue
        like = next((pool for pool, other in taken.items() if other == rule), None)
        if like is not None:
            left_out.append((place.pool, f"its rule is that of pool {like}, which comes first"))
        elif len(taken) == MOST:
            left_out.append((place.pool, f"GKE never sees more than {MOST} rules to their end"))
        else:
            taken[place.pool] = rule
    return Rules(tuple(taken.items()), tuple(left_out))


def compute_class(name: str, found: Rules, *, scored: bool) -> Document | None:
    """The manifest; None where there is no rule. ``scored`` writes scores beside the order, which say the same."""
    rules = [rule for _, rule in found.taken]
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
