"""Cluster Autoscaler's side of the wire, from the published definitions and nothing of ours.

Field numbers and types are facts of kubernetes/autoscaler:cluster-autoscaler/expander/grpcplugin/protos/expander.proto (as of 1.35),
k8s.io/api/core/v1/generated.proto and k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto (v0.35), built here into descriptors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

Field = tuple[str, int, int | str, int]
"""Name, number, type (of descriptor.proto, or a message, or a map), label."""

STRING, BYTES, INT32, INT64, BOOL, MESSAGE = 9, 12, 5, 3, 8, 11
OPTIONAL, REPEATED = 1, 3

META: dict[str, list[Field]] = {
    "ObjectMeta": [
        ("name", 1, STRING, OPTIONAL),
        ("generateName", 2, STRING, OPTIONAL),
        ("namespace", 3, STRING, OPTIONAL),
        ("selfLink", 4, STRING, OPTIONAL),
        ("uid", 5, STRING, OPTIONAL),
        ("resourceVersion", 6, STRING, OPTIONAL),
        ("generation", 7, INT64, OPTIONAL),
        ("deletionGracePeriodSeconds", 10, INT64, OPTIONAL),
        ("labels", 11, "map", REPEATED),
        ("annotations", 12, "map", REPEATED),
        ("ownerReferences", 13, ".meta.OwnerReference", REPEATED),
        ("finalizers", 14, STRING, REPEATED),
    ],
    "OwnerReference": [
        ("kind", 1, STRING, OPTIONAL),
        ("name", 3, STRING, OPTIONAL),
        ("uid", 4, STRING, OPTIONAL),
        ("apiVersion", 5, STRING, OPTIONAL),
        ("controller", 6, BOOL, OPTIONAL),
        ("blockOwnerDeletion", 7, BOOL, OPTIONAL),
    ],
}
CORE: dict[str, list[Field]] = {
    "Pod": [
        ("metadata", 1, ".meta.ObjectMeta", OPTIONAL),
        ("spec", 2, ".core.PodSpec", OPTIONAL),
        ("status", 3, ".core.PodStatus", OPTIONAL),
    ],
    "PodSpec": [("restartPolicy", 3, STRING, OPTIONAL), ("schedulerName", 19, STRING, OPTIONAL)],
    "PodStatus": [("phase", 1, STRING, OPTIONAL), ("message", 3, STRING, OPTIONAL)],
    "Node": [("metadata", 1, ".meta.ObjectMeta", OPTIONAL)],
}
GRPC: dict[str, list[Field]] = {
    "BestOptionsRequest": [
        ("options", 1, ".grpcplugin.Option", REPEATED),
        ("nodeMap", 2, "map .core.Node", REPEATED),
        ("nodeBytesMap", 3, "map bytes", REPEATED),
    ],
    "BestOptionsResponse": [("options", 1, ".grpcplugin.Option", REPEATED)],
    "Option": [
        ("nodeGroupId", 1, STRING, OPTIONAL),
        ("nodeCount", 2, INT32, OPTIONAL),
        ("debug", 3, STRING, OPTIONAL),
        ("pod", 4, ".core.Pod", REPEATED),
        ("podBytes", 5, BYTES, REPEATED),
    ],
}
METHOD = "/grpcplugin.Expander/BestOptions"


def _file(package: str, syntax: str, messages: Mapping[str, Iterable[Field]], *uses: str) -> Any:
    found = descriptor_pb2.FileDescriptorProto(
        name=f"{package}.proto", package=package, syntax=syntax, dependency=[f"{use}.proto" for use in uses]
    )
    for name, fields in messages.items():
        message = found.message_type.add(name=name)
        for field, number, kind, label in fields:
            if isinstance(kind, str) and kind.startswith("map"):
                kind = _entry(message, f".{package}.{name}", field, kind.removeprefix("map").strip())  # noqa: PLW2901
            typed = {"type": MESSAGE, "type_name": kind} if isinstance(kind, str) else {"type": kind}
            message.field.add(name=field, number=number, label=label, **typed)
    return found


def _entry(message: Any, where: str, field: str, value: str) -> str:
    name = field[0].upper() + field[1:] + "Entry"
    entry = message.nested_type.add(name=name)
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, label=OPTIONAL, type=STRING)
    kinds: dict[str, dict[str, Any]] = {"": {"type": STRING}, "bytes": {"type": BYTES}}
    entry.field.add(
        name="value", number=2, label=OPTIONAL, **kinds.get(value, {"type": MESSAGE, "type_name": value})
    )
    return f"{where}.{name}"


def _classes() -> Mapping[str, Any]:
    pool = descriptor_pool.DescriptorPool()
    pool.Add(_file("meta", "proto2", META))
    pool.Add(_file("core", "proto2", CORE, "meta"))
    pool.Add(_file("grpcplugin", "proto3", GRPC, "core"))
    names = [*(f"core.{name}" for name in CORE), *(f"grpcplugin.{name}" for name in GRPC)]
    return {
        name.split(".")[1]: message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
        for name in names
    }


_CLASSES = _classes()
Pod, Node = _CLASSES["Pod"], _CLASSES["Node"]
BestOptionsRequest, BestOptionsResponse = _CLASSES["BestOptionsRequest"], _CLASSES["BestOptionsResponse"]


def pod(deployment: str, number: int = 0, *, namespace: str = "prod", marker: str = "5d9c7b8f6d") -> Any:
    """A pod of a Deployment, as the API server would have it."""
    found = Pod()
    found.metadata.name = f"{deployment}-{marker}-{number}"
    found.metadata.namespace = namespace
    found.metadata.uid = f"uid-{number}"
    found.metadata.labels["app"] = "chat"
    found.metadata.labels["pod-template-hash"] = marker
    found.metadata.annotations["what"] = "ever"
    owner = found.metadata.ownerReferences.add(
        apiVersion="apps/v1", kind="ReplicaSet", name=f"{deployment}-{marker}", uid="rs", controller=True
    )
    owner.blockOwnerDeletion = True
    found.spec.schedulerName = "default-scheduler"
    found.status.phase = "Pending"
    return found


def request(offers: Mapping[str, Iterable[Any]], *, old: bool = False) -> Any:
    """Groups on offer with the pods that each would help; ``old`` as before 1.35. Templates of all groups come along."""
    found = BestOptionsRequest()
    for group, pods in offers.items():
        option = found.options.add(nodeGroupId=group, nodeCount=1)
        for each in pods:
            if isinstance(each, bytes):
                option.podBytes.append(each)
            elif old:
                option.pod.append(each)
            else:
                option.podBytes.append(each.SerializeToString())
        template = Node()
        template.metadata.name = f"template-{group}"
        if old:
            found.nodeMap[group].CopyFrom(template)
        found.nodeBytesMap[group] = template.SerializeToString()
    found.nodeBytesMap["not-on-offer"] = b"template"
    return found
