"""Whose a pod is, from the bytes that Cluster Autoscaler sends of it."""

from __future__ import annotations

from google.protobuf.message import DecodeError

from chipwise.expander.wire.pod_pb2 import Pod

_HASH = "pod-template-hash"


def deployment_of(content: bytes) -> tuple[str, str] | None:
    """Namespace and name of the Deployment of a serialized v1.Pod; None for a pod of none, and for bytes that are no pod."""
    pod = Pod()
    try:
        pod.ParseFromString(content)
    except DecodeError:
        return None
    metadata = pod.metadata
    marker = f"-{metadata.labels[_HASH]}" if _HASH in metadata.labels else ""
    for owner in metadata.ownerReferences:
        if (
            owner.controller
            and owner.kind == "ReplicaSet"
            and len(marker) > 1
            and owner.name.endswith(marker)
        ):
            return metadata.namespace, owner.name[: -len(marker)]
    return None
