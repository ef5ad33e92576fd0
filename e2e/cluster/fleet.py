"""Fake machines: Nodes that kwok plays, with any hardware one likes."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from e2e.cluster.cluster import Cluster
from e2e.cluster.fake_machines import FAKE_ANNOTATION
from e2e.cluster.toolsets import KUBERNETES

FIELD_MANAGER = "chipwise-fleet"
_ROOM = {"cpu": "192", "memory": "2048Gi", "ephemeral-storage": "1000Gi", "pods": "110"}


def node_manifest(
    name: str,
    *,
    labels: Mapping[str, str],
    taints: Sequence[Mapping[str, str]],
    capacity: Mapping[str, str],
    zone: str,
    instance_type: str,
    architecture: str = "amd64",
) -> dict[str, Any]:
    """A fake Node; `capacity` is added to the room of a large machine, and all of it is allocatable."""
    room = {**_ROOM, **capacity}
    key, value = FAKE_ANNOTATION
    machine = {
        key: value,
        "kubernetes.io/hostname": name,
        "kubernetes.io/arch": architecture,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": instance_type,
        "topology.kubernetes.io/zone": zone,
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {**machine, **labels}, "annotations": {key: value}},
        "spec": {"taints": [dict(taint) for taint in taints]},
        "status": {
            "capacity": room,
            "allocatable": room,
            "nodeInfo": _node_info(name, architecture),
        },
    }


def apply(cluster: Cluster, manifests: Iterable[Mapping[str, Any]]) -> None:
    """Apply any number of manifests in one call of kubectl."""
    listing = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(manifests)})
    flags = ("--server-side", "--force-conflicts", f"--field-manager={FIELD_MANAGER}")
    cluster.run_kubectl("apply", *flags, "-f", "-", stdin=listing, timeout=300)


def _node_info(name: str, architecture: str) -> dict[str, str]:
    fake = dict.fromkeys(("bootID", "containerRuntimeVersion", "kernelVersion", "osImage"), "fake")
    versions = dict.fromkeys(("kubeletVersion", "kubeProxyVersion"), KUBERNETES.version(KUBERNETES.tools[0]))
    identity = dict.fromkeys(("machineID", "systemUUID"), name)
    return {"architecture": architecture, "operatingSystem": "linux"} | fake | versions | identity
