"""Fleets (``e2e.fleets``) that are in use: Deployments that chipwise has moved before, an autoscaler here and there, and more to serve since.

What chipwise wrote then is made by chipwise: the fleet is decided about while it is empty, and the Deployments are what its writes made
of them.
"""

from __future__ import annotations

import random
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime

from chipwise.cluster.decide import decide
from chipwise.cluster.situation import RESTORE
from chipwise.control.act import Act, Kind
from chipwise.control.acts import acts_of
from chipwise.rendering.defaults import normalise
from chipwise.rendering.manifest import Manifest

from e2e.fleet_maker import Document
from e2e.fleets import Fleet
from e2e.seen import seen
from tests.kube.patching import patched

_THEN = datetime(2026, 1, 1, tzinfo=UTC)
_READY = [{"type": "Ready", "status": "True"}]


def in_use(plain: Fleet) -> Fleet:
    """The same seed, the same fleet. Some of its workloads need up to three times as much by now, and some are to be given back."""
    dice = random.Random(f"in use {plain.seed}")  # noqa: S311 - no secret
    before = [_stored(document) for document in plain.there if document["kind"] == "Deployment"]
    written = _moved(plain, before)
    there: list[Document] = []
    for document in plain.there:
        if document["kind"] != "Deployment":
            there.append(document)
            continue
        there.append(written[document["metadata"]["name"]])
        if dice.random() < 0.2:
            there.append(_autoscaler(document, dice))
    return replace(plain, there=tuple(there), kinds=tuple(_later(kind, dice) for kind in plain.kinds))


def _moved(plain: Fleet, deployments: list[Document]) -> dict[str, Document]:
    nodes = [{**deepcopy(n), "status": {**n["status"], "conditions": _READY}} for n in plain.nodes]
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": plain.name}}
    decision = decide(seen([space, *nodes, *deployments, *plain.kinds]), now=_THEN)
    found = {each["metadata"]["name"]: each for each in deployments}
    for act in acts_of(decision):
        if isinstance(act, Act) and act.kind is Kind.MOVE:
            name = act.deployment.name
            found[name] = patched(found[name], act.patch(found[name]))
    for each in found.values():
        for key in ("uid", "generation", "resourceVersion"):
            del each["metadata"][key]
    return found


def _stored(document: Document) -> Document:
    found = deepcopy(document)
    stored = normalise(Manifest(found["spec"]["template"], {}))
    found["spec"] |= {"template": stored.template, "strategy": stored.strategy}
    found["metadata"] |= {"uid": found["metadata"]["name"], "generation": 1, "resourceVersion": "1"}
    return found


def _later(kind: Document, dice: random.Random) -> Document:
    if kind["kind"] != "InferenceWorkload":
        return kind
    found = deepcopy(kind)
    traffic = found["spec"]["traffic"]
    more = dice.choice([0.5, 1, 3, 5, 8])
    traffic["meanRequestsPerSecond"] = f"{float(traffic['meanRequestsPerSecond']) * more:.2f}"
    if dice.random() < 0.15:
        found["metadata"]["annotations"] = {RESTORE: str(found["metadata"]["generation"])}
    return found


def _autoscaler(deployment: Document, dice: random.Random) -> Document:
    """Bounds around what runs, and no metric that is served: it owns the number and leaves it alone."""
    name, replicas = deployment["metadata"]["name"], deployment["spec"]["replicas"]
    target = {"type": "Utilization", "averageUtilization": 80}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": deployment["metadata"]["namespace"]},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": 1,
            "maxReplicas": replicas + dice.randint(0, 3),
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    }
