"""Asking Cluster Autoscaler for room before a move: a ProvisioningRequest (``autoscaling.x-k8s.io/v1``) and its PodTemplate.

Its API is kubernetes/autoscaler:cluster-autoscaler/apis/provisioningrequest/autoscaling.x-k8s.io/v1. Of its classes
``check-capacity`` only says whether there is room on the nodes that there are, which chipwise sees for itself; so what is asked for is
``best-effort-atomic-scale-up``: all the nodes that are missing, of one group, or none (Cluster Autoscaler 1.30.2 and later). The spec cannot
be changed, so another wish is another object. Both objects are owned by the workload and deleted when they were answered.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

CLASS = "best-effort-atomic-scale-up.autoscaling.x-k8s.io"
ANNOTATION = "chipwise.dev/probe-for"
LABEL = "chipwise.dev/probe"

#: Of a pod's spec whatever the scheduler looks at, beside its containers and volumes.
_KEPT = (
    "nodeSelector",
    "affinity",
    "tolerations",
    "topologySpreadConstraints",
    "priorityClassName",
    "runtimeClassName",
    "schedulerName",
    "hostNetwork",
    "overhead",
    "resources",
    "resourceClaims",
)
#: Volumes that may be bound to a zone or a node.
_CLAIMS = frozenset({"persistentVolumeClaim", "ephemeral"})

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Probe:
    """What is asked: whether ``replicas`` of a workload's variant can be had on a pool. ``workload`` is namespace/name.

    ``pods`` is a digest of what such pods ask of the scheduler: other pods are another wish.
    """

    workload: str
    pool: str
    variant: str
    replicas: int
    pods: str = ""

    @property
    def namespace(self) -> str:
        """Where the objects are: beside the workload."""
        return self.workload.partition("/")[0]

    @property
    def key(self) -> str:
        """Namespace and name of the objects, as a snapshot has them."""
        return f"{self.namespace}/{self.name}"

    @property
    def name(self) -> str:
        """The same wish has the same name."""
        return f"{self.workload.partition('/')[2][:40].rstrip('-.')}-probe-{_digest(self.fields)}"

    @property
    def fields(self) -> Document:
        """As they are kept in the annotation. Objects made before pods were told apart have none of these."""
        return {key: value for key, value in asdict(self).items() if value != ""}


@dataclass(frozen=True, slots=True)
class ProbeState:
    """An object as it is. ``answer`` is True for provisioned, False for failed, None before either, with the words of the answer.

    ``since`` is when it was answered, else when it was made, in RFC 3339.
    """

    probe: Probe
    uid: str
    answer: bool | None
    words: str
    since: str


def asked_of(template: Mapping[str, Any]) -> Document:
    """Of a pod template what the scheduler asks about, in metadata and spec: whatever takes room on a node or keeps a pod off one."""
    spec = template["spec"]
    kept = {key: spec[key] for key in _KEPT if spec.get(key)}
    for key in ("initContainers", "containers"):
        if spec.get(key):
            kept[key] = [_container(each) for each in spec[key]]
    volumes = [each for each in spec.get("volumes") or () if _CLAIMS.intersection(each)]
    if volumes:
        kept["volumes"] = volumes
    labels = (template.get("metadata") or {}).get("labels") or {}
    return {"metadata": {"labels": dict(labels)}, "spec": kept}


def _container(container: Mapping[str, Any]) -> Document:
    """A sidecar (an init container that restarts) holds its resources as long as the pod does; a port of the host keeps others off."""
    ports = [each for each in container.get("ports") or () if each.get("hostPort")]
    return {
        "name": container["name"],
        "image": container.get("image", "none"),
        "resources": container.get("resources") or {},
        **({"restartPolicy": container["restartPolicy"]} if container.get("restartPolicy") else {}),
        **({"ports": ports} if ports else {}),
    }


def digest_of(template: Mapping[str, Any]) -> str:
    """Of what the scheduler is asked."""
    return _digest(asked_of(template))


def _digest(document: Document) -> str:
    return sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:8]


def template_of(probe: Probe, template: Mapping[str, Any], owner: Mapping[str, Any]) -> Document:
    """The PodTemplate: of the pods only what the scheduler asks about."""
    return {
        "apiVersion": "v1",
        "kind": "PodTemplate",
        "metadata": _metadata(probe, owner),
        "template": asked_of(template),
    }


def request_of(probe: Probe, owner: Mapping[str, Any]) -> Document:
    """The ProvisioningRequest."""
    return {
        "apiVersion": "autoscaling.x-k8s.io/v1",
        "kind": "ProvisioningRequest",
        "metadata": _metadata(probe, owner),
        "spec": {
            "provisioningClassName": CLASS,
            "podSets": [{"podTemplateRef": {"name": probe.name}, "count": probe.replicas}],
        },
    }


def _metadata(probe: Probe, owner: Mapping[str, Any]) -> Document:
    return {
        "name": probe.name,
        "namespace": probe.namespace,
        "labels": {LABEL: "true"},
        "annotations": {ANNOTATION: json.dumps(probe.fields, sort_keys=True, separators=(",", ":"))},
        "ownerReferences": [dict(owner)],
    }


def probe_state(raw: Mapping[str, Any]) -> ProbeState | None:
    """Read a ProvisioningRequest; None for one that is not ours, or that somebody gave another name."""
    metadata = raw["metadata"]
    try:
        said = json.loads((metadata.get("annotations") or {})[ANNOTATION])
        probe = Probe(
            str(said["workload"]),
            str(said["pool"]),
            str(said["variant"]),
            int(said["replicas"]),
            str(said.get("pods", "")),
        )
    except (KeyError, TypeError, ValueError):
        return None
    if (probe.namespace, probe.name) != (metadata.get("namespace"), metadata["name"]):
        return None
    conditions = {each.get("type"): each for each in (raw.get("status") or {}).get("conditions") or ()}
    for kind, answer in (
        ("Failed", False),
        ("BookingExpired", False),
        ("CapacityRevoked", False),
        ("Provisioned", True),
    ):
        found = conditions.get(kind) or {}
        if found.get("status") == "True":
            words = str(found.get("message") or found.get("reason") or kind)[:300]
            since = str(found.get("lastTransitionTime") or metadata.get("creationTimestamp") or "")
            return ProbeState(probe, metadata.get("uid", ""), answer, words, since)
    return ProbeState(probe, metadata.get("uid", ""), None, "", str(metadata.get("creationTimestamp") or ""))
