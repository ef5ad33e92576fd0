"""Fleets (``e2e.fleets``) whose pools can grow: the nodes that an autoscaler has in reserve for each, shaped as the pool says."""

from __future__ import annotations

import random
from copy import deepcopy
from dataclasses import replace

from e2e.cluster.fleet import node_manifest
from e2e.fleet_maker import DOMAIN, FLEET, GIB, POOL, ZONES, Document
from e2e.fleets import Fleet


def growing(plain: Fleet) -> Fleet:
    """The same fleet with pools that can grow by one or two nodes, each shaped as its pool says."""
    dice = random.Random(f"growing {plain.seed}")  # noqa: S311 - no secret
    kinds, coming = [], []
    for kind in map(deepcopy, plain.kinds):
        more = dice.choice([0, 1, 1, 2]) if kind["kind"] == "AcceleratorPool" else 0
        if more:
            kind["spec"]["nodes"]["max"] += more
            coming += [_to_come(plain, kind, number, dice) for number in range(more)]
        kinds.append(kind)
    return replace(plain, kinds=tuple(kinds), coming=tuple(coming))


def _to_come(plain: Fleet, pool: Document, number: int, dice: random.Random) -> Document:
    name, spec = pool["metadata"]["name"], pool["spec"]
    own = [n for n in plain.nodes if n["metadata"]["labels"][POOL] == spec["nodeSelector"][POOL]]
    resource = f"{DOMAIN}/{plain.name}-{spec['className']}"
    disk = max(int(node["status"]["allocatable"]["ephemeral-storage"].removesuffix(GIB)) for node in own)
    return node_manifest(
        f"{plain.name}-{name}-new-{number}",
        labels={POOL: spec["nodeSelector"][POOL], FLEET: plain.name},
        taints=[{"key": resource, "value": "present", "effect": "NoSchedule"}],
        capacity={
            resource: str(spec["shape"]["chips"]),
            "cpu": spec["shape"]["cpu"],
            "memory": spec["shape"]["memory"],
            "pods": "110",
            "ephemeral-storage": f"{disk}{GIB}",
        },
        zone=dice.choice(ZONES),
        instance_type="example",
    )
