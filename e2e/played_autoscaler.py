"""Cluster Autoscaler, played: its status and its Events as it writes them, by the administrator.

Its module is not to be had from the module proxy that the tests build their tools from, so it does not run here. The forms are those
that were recorded of version 1.35.2.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import yaml

from e2e.admin import Document
from e2e.faults import Lab
from e2e.world import World

NAMESPACE, STATUS = "kube-system", "cluster-autoscaler-status"
CONFIG_MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
FULL = "1 max node group size reached", "1 node(s) didn't match Pod's node affinity/selector"
#: As it was before 1.30.
PROSE = """\
Cluster-autoscaler status at 2023-01-01 10:00:00.000000001 +0000 UTC:
Cluster-wide:
  Health:      Healthy (ready=3 unready=0 notStarted=0 longNotStarted=0 registered=3 longUnregistered=0)
"""


def say(lab: Lab, *groups: Document) -> None:
    """As it writes its status."""
    at = time.strftime("%Y-%m-%d %H:%M:%S.000000001 +0000 UTC", time.gmtime())
    write(lab, yaml.safe_dump({"time": at, "autoscalerStatus": "Running", "nodeGroups": list(groups)}))


def write(lab: Lab, text: str) -> None:
    """Its status, whatever it says."""
    document = {"metadata": {"name": STATUS, "namespace": NAMESPACE}, "data": {"status": text}}
    if not lab.admin.create(CONFIG_MAPS, document):
        lab.admin.merge(f"{CONFIG_MAPS}/{STATUS}", document)


def group(
    name: str, *, backoff: str = "", most: int = 5, target: int = 5, ready: int | None = None
) -> Document:
    """One group of its status. With fewer ``ready`` than ``target`` it is unhealthy."""
    scale_up: Document = {"status": "NoActivity"}
    if backoff:
        scale_up = {"status": "Backoff", "backoffInfo": {"errorCode": "quota", "errorMessage": backoff}}
    health = {
        "status": "Healthy" if ready is None else "Unhealthy",
        "nodeCounts": {"registered": {"total": target, "ready": target if ready is None else ready}},
        "cloudProviderTarget": target,
        "minSize": 0,
        "maxSize": most,
    }
    return {"name": name, "health": health, "scaleUp": scale_up}


def refuse(lab: Lab, world: World, whys: Sequence[str] = FULL) -> None:
    """As it says of each pod without a node, three times over half a minute, that it adds none."""
    for pod in world.pods():
        if pod["spec"].get("nodeName"):
            continue
        metadata, now = pod["metadata"], time.time()
        first, last = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)) for at in (now - 30, now))
        about = {
            "kind": "Pod",
            "namespace": world.namespace,
            "name": metadata["name"],
            "uid": metadata["uid"],
        }
        event = {
            "metadata": {"name": f"{metadata['name']}.1", "namespace": world.namespace},
            "involvedObject": {"apiVersion": "v1", **about},
            "reason": "NotTriggerScaleUp",
            "message": f"pod didn't trigger scale-up: {', '.join(whys)}",
            "type": "Normal",
            "source": {"component": "cluster-autoscaler"},
            "count": 3,
            "firstTimestamp": first,
            "lastTimestamp": last,
        }
        lab.admin.create(f"/api/v1/namespaces/{world.namespace}/events", event)
