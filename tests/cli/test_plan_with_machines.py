"""The examples without machines, and with all machines and pods that a cluster would have: one decision."""

from __future__ import annotations

import json
from typing import Any

import yaml

from tests.cli.fleet import EXAMPLES, planned

ZONE = "topology.kubernetes.io/zone"


def _with_machines() -> list[dict[str, Any]]:
    """The examples as a cluster would have them: every node that may be there, and each author's pods packed on as few as will do."""
    found = [
        d for path in sorted(EXAMPLES.rglob("*.yaml")) for d in yaml.safe_load_all(path.read_text()) if d
    ]
    resource = {
        d["metadata"]["name"]: d["spec"]["resourceName"] for d in found if d["kind"] == "AcceleratorClass"
    }
    for each in [d for d in found if d["kind"] == "AcceleratorPool"]:
        spec, name = each["spec"], each["metadata"]["name"]
        resource_name = resource[spec["className"]]
        labels = {**spec["nodeSelector"], ZONE: spec["zones"][0], "kubernetes.io/os": "linux"}
        if name == "h100":
            labels |= {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3", "accelerator": "nvidia"}
        shape = {
            resource_name: spec["shape"]["chips"],
            "pods": 110,
            **{k: spec["shape"][k] for k in ("cpu", "memory")},
        }
        found += [
            _machine(f"{name}-{number}", labels, shape, resource_name)
            for number in range(spec["nodes"]["max"])
        ]
    room = dict.fromkeys((f"h100-{number}" for number in range(8)), 8)
    deployments = [d for d in found if d["kind"] == "Deployment"]
    for author in sorted(deployments, key=_chips, reverse=True):
        for number in range(author["spec"].get("replicas", 1)):
            node = next(name for name, chips in room.items() if chips >= _chips(author))
            room[node] -= _chips(author)
            found.append(_bound(author, number, node))
    return found


def _chips(deployment: dict[str, Any]) -> int:
    containers = deployment["spec"]["template"]["spec"]["containers"]
    return sum(
        int(each.get("resources", {}).get("limits", {}).get("nvidia.com/gpu", 0)) for each in containers
    )


def _machine(name: str, labels: dict[str, str], shape: dict[str, Any], chip: str) -> dict[str, Any]:
    amounts = {key: str(amount) for key, amount in shape.items()}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": [{"key": chip, "value": "present", "effect": "NoSchedule"}]},
        "status": {"allocatable": amounts, "conditions": [{"type": "Ready", "status": "True"}]},
    }


def _bound(deployment: dict[str, Any], number: int, node: str) -> dict[str, Any]:
    name, template = deployment["metadata"]["name"], deployment["spec"]["template"]
    owner = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": f"{name}-5d",
        "uid": name,
        "controller": True,
    }
    labels = {**template["metadata"]["labels"], "pod-template-hash": "5d"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{name}-5d-{number}",
            "namespace": "serving",
            "labels": labels,
            "ownerReferences": [owner],
        },
        "spec": {**template["spec"], "nodeName": node},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }


def test_manifests_alone_and_a_cluster_full_of_machines_give_the_same_bill(tmp_path):
    """What waits shares the nodes that it opens, as it shares those on which it runs."""
    cluster = tmp_path / "cluster.json"
    cluster.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": _with_machines()}))
    bills = [planned(path, exit_code=1)["summary"] for path in (EXAMPLES, cluster)]
    for field in ("costPerHour", "currentCostPerHour", "savingsPerHour", "lowerBoundPerHour"):
        assert bills[0][field] == bills[1][field]
