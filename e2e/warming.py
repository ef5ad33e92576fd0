"""Fleets that keep room warm: placeholders on whatever their pools have left, made of what chipwise itself writes for them.

They are of the fleet's own namespace, where all that a fleet has is, so a fleet with a quota has none: theirs would count against it.
"""

from __future__ import annotations

import random
from dataclasses import replace

from chipwise.autoscaling.placeholders import LABEL, Placeholders, Settings, document, owner

from e2e.fleet_maker import DOMAIN, Document
from e2e.fleets import Fleet

PRIORITY_CLASS: Document = {
    "apiVersion": "scheduling.k8s.io/v1",
    "kind": "PriorityClass",
    "metadata": {"name": "truth-spare"},
    "value": -10,
    "preemptionPolicy": "Never",
}


def warmed(plain: Fleet) -> Fleet:
    """The same fleet with one to three placeholders in most of its pools, of a whole node or of fewer chips."""
    if any(each["kind"] == "ResourceQuota" for each in plain.there):
        return plain
    dice = random.Random(f"warm-{plain.seed}")  # noqa: S311 - no secret
    found = [
        _placeholders(plain, pool, dice)
        for pool in plain.kinds
        if pool["kind"] == "AcceleratorPool" and dice.random() < 0.8
    ]
    return replace(plain, there=(*plain.there, *found))


def is_placeholder(pod: Document) -> bool:
    """Whether it may be pushed out."""
    return LABEL in pod["metadata"].get("labels", {})


def _placeholders(plain: Fleet, pool: Document, dice: random.Random) -> Document:
    spec, name = pool["spec"], pool["metadata"]["name"]
    whole = spec["shape"]["chips"]
    wanted = Placeholders(
        pool=name,
        replicas=dice.randint(1, 3),
        chips=dice.choice([whole, dice.randint(1, whole)]),
        resource_name=f"{DOMAIN}/{plain.name}-{spec['className']}",
        selector=tuple(spec["nodeSelector"].items()),
        tolerations=({"operator": "Exists"},),
    )
    settings = Settings(plain.name, priority_class=PRIORITY_CLASS["metadata"]["name"])
    found = document(wanted, settings, owner("", ""))
    del found["metadata"]["ownerReferences"]
    return found
