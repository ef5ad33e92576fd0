"""The configuration that kwokctl gets: real components on 127.0.0.1, tuned to answer quickly on a small machine."""

import json
import random
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from e2e.cluster.folders import HERE

# A Node that stops reporting is noticed after 24 s instead of 40; its lease is renewed four times in that time.
NODE_GRACE_SECONDS = 24
NODE_MONITOR_SECONDS = 2
LOST_NODE_LABEL = "node-lost.stage.kwok.x-k8s.io"

PORTS = (
    "kubeApiserverPort",
    "etcdPort",
    "etcdPeerPort",
    "kubeControllerManagerPort",
    "kubeSchedulerPort",
    "kwokControllerPort",
)

# One instance of each, so nobody to elect; and with an election a controller exits when the API server restarts.
_CONTROLLER_FLAGS = {"leader-elect": "false", "kube-api-qps": "500", "kube-api-burst": "1000"}

COMPONENT_FLAGS: Mapping[str, Mapping[str, str]] = {
    "etcd": {"unsafe-no-fsync": "true"},
    # Loopback may be no endpoint of a Service, so none is published for the API server.
    "kube-apiserver": {
        "advertise-address": "127.0.0.1",
        "endpoint-reconciler-type": "none",
        "service-cluster-ip-range": "10.96.0.0/16",
    },
    "kube-controller-manager": _CONTROLLER_FLAGS,
    "kube-scheduler": _CONTROLLER_FLAGS,
    "kwok-controller": {
        "node-ip": "127.0.0.1",  # where kwok answers in place of a kubelet
        # A label that takes a Node out of kwok's sight: the machine falls silent, as if its power were cut.
        "manage-all-nodes": "false",
        "manage-nodes-with-label-selector": f"!{LOST_NODE_LABEL}",
    },
}

# Megabytes; a log that is rotated away under a reader is worth nothing.
AUDIT_FLAGS: Mapping[str, str] = {"audit-log-maxsize": "2000"}


def kwokctl_configuration(
    binaries: Mapping[str, Path], ports: Mapping[str, int], *, version: str, audit_policy: Path | None
) -> str:
    """Everything kwokctl needs to know, and the stages of the fake machines, as one file of several documents."""
    options: dict[str, Any] = {
        "runtime": "binary",
        "bindAddress": "127.0.0.1",
        "kubeVersion": version,
        "kubeApiserverBinary": str(binaries["kube-apiserver"]),
        "kubeControllerManagerBinary": str(binaries["kube-controller-manager"]),
        "kubeSchedulerBinary": str(binaries["kube-scheduler"]),
        "etcdBinary": str(binaries["etcd"]),
        "kwokControllerBinary": str(binaries["kwok"]),
        "kubectlBinary": str(binaries["kubectl"]),
        "heartbeatFactor": 1,
        "nodeLeaseDurationSeconds": NODE_GRACE_SECONDS,
        "kubeControllerManagerNodeMonitorPeriodMilliseconds": NODE_MONITOR_SECONDS * 1000,
        "kubeControllerManagerNodeMonitorGracePeriodMilliseconds": NODE_GRACE_SECONDS * 1000,
        **ports,
    }
    if audit_policy is not None:
        options["kubeAuditPolicy"] = str(audit_policy)
    documents = [
        _document(
            "KwokctlConfiguration", options, componentsPatches=_patches(audit=audit_policy is not None)
        ),
        kwok_configuration(),
    ]
    return "\n---\n".join(documents)


_KWOK_OPTIONS = {
    "cidr": "10.128.0.0/12",
    "podPlayStageParallelism": 16,
    "nodePlayStageParallelism": 16,
    "nodeLeaseParallelism": 8,
    "podsOnNodeSyncParallelism": 16,
}


def kwok_configuration() -> str:
    """What kwok itself reads, as YAML documents: how much it does at once, and the stages of the fake machines."""
    return "\n---\n".join((_document("KwokConfiguration", _KWOK_OPTIONS), stages()))


def stages() -> str:
    """The stages of Nodes and pods, as YAML documents."""
    return "\n---\n".join((HERE / "stages" / file).read_text() for file in ("node.yaml", "pod.yaml"))


def free_ports() -> dict[str, int]:
    """A free port for each component.

    Drawn at random, because two clusters may be started at the same moment, and below the range from which the
    system gives ports to outgoing connections, because a restarted API server has to find its own port free.
    """
    taken: list[int] = []
    while len(taken) < len(PORTS):
        port = random.randint(20000, 32000)  # noqa: S311 - no secret
        if port not in taken and _is_free(port):
            taken.append(port)
    return dict(zip(PORTS, taken, strict=True))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _document(kind: str, options: Mapping[str, Any], **more: Any) -> str:
    head = {"apiVersion": "config.kwok.x-k8s.io/v1alpha1", "kind": kind, "options": options}
    return json.dumps(head | more, indent=2)


def _patches(*, audit: bool) -> list[dict[str, Any]]:
    flags = {name: dict(values) for name, values in COMPONENT_FLAGS.items()}
    if audit:
        flags["kube-apiserver"].update(AUDIT_FLAGS)
    return [
        {"name": name, "extraArgs": [_flag(key, value) for key, value in values.items()]}
        for name, values in flags.items()
    ]


def _flag(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": value, "override": key in _SET_BY_KWOKCTL}


_SET_BY_KWOKCTL = frozenset({"manage-all-nodes", "node-ip"})  # to be replaced, not said twice
