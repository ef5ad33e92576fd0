"""Two facts are equal exactly when no decision can tell the documents apart."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from chipwise.cluster.extract import extract
from chipwise.cluster.facts import (
    PodFact,
    autoscaler_fact,
    claim_fact,
    deployment_fact,
    extended,
    namespace_fact,
    node_fact,
    pod_fact,
    priority_fact,
    quota_fact,
)
from chipwise.cluster.snapshot import Unreadable
from chipwise.kube.reflector import extracted
from chipwise.kube.resources import ACCELERATOR_POOLS, DEPLOYMENTS, NODES, PODS, Resource
from chipwise.rendering.location import container_digest
from hypothesis import given
from hypothesis import strategies as st

from tests.cluster import documents as docs
from tests.cluster.documents import Document


def pod_of(raw: Document) -> PodFact:
    fact = pod_fact(raw, container_digest)
    assert fact is not None
    return fact


def stored_deployment(**metadata: Any) -> Document:
    return docs.deployment(uid="u", resourceVersion="1", generation=1, **metadata)


@pytest.mark.parametrize(
    ("resource", "raw"),
    [(NODES, docs.node("h100")), (PODS, docs.pod("p", on="h100-0")), (DEPLOYMENTS, stored_deployment())],
)
def test_heartbeats_and_managed_fields_make_equal_facts(resource: Resource, raw: Document):
    """A kubelet reports every few seconds, and each write of anybody leaves managed fields."""
    noisy = deepcopy(raw)
    noisy["metadata"] |= {"resourceVersion": "99", "managedFields": [{"manager": "kubelet"}]}
    noisy.setdefault("status", {})
    for condition in noisy["status"].get("conditions", []):
        condition["lastHeartbeatTime"] = "2026-01-01T00:00:10Z"
    noisy["status"]["images"] = [{"names": ["a"]}]
    assert extract(resource, raw) == extract(resource, noisy)


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_has_ended_holds_nothing(phase: str):
    assert pod_fact(docs.pod("p", on="h100-0", chips=4, phase=phase), container_digest) is None


def test_a_terminating_pod_still_holds_its_chips():
    fact = pod_of(docs.pod("p", on="h100-0", chips=4, deleting=True))
    assert fact.deleting
    assert fact.chips == (("nvidia.com/gpu", 4),)


def test_a_pod_of_a_deployment_is_told_by_its_replica_set_and_hash():
    raw = docs.pod("chat-abc-x", chips=4, owner=("ReplicaSet", "chat-abc"))
    raw["metadata"]["labels"] = {"pod-template-hash": "abc"}
    fact = pod_of(raw)
    assert fact.deployment == "chat"
    assert dict(fact.digests).keys() == {"c"}


@pytest.mark.parametrize(
    ("owner", "label"),
    [(("ReplicaSet", "bare"), ""), (("Job", "chat-abc"), "abc"), (("ReplicaSet", "other"), "abc")],
)
def test_a_pod_of_anything_else_belongs_to_no_deployment(owner: tuple[str, str], label: str):
    raw = docs.pod("p", chips=4, owner=owner)
    raw["metadata"]["labels"] = {"pod-template-hash": label}
    assert pod_of(raw).deployment is None


def test_chips_of_a_pod_come_from_limits_where_requests_name_none():
    """The API server copies them; a manifest in a file does not."""
    raw = docs.pod("p")
    raw["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "1"}, "limits": {"nvidia.com/gpu": "2"}}
    assert pod_of(raw).chips == (("nvidia.com/gpu", 2),)


@pytest.mark.parametrize("name", ["cpu", "memory", "hugepages-2Mi", "requests.nvidia.com/gpu"])
def test_only_resources_with_a_domain_are_chips(name: str):
    assert extended({name: "4", "nvidia.com/gpu": "0", "amd.com/gpu": "2"}) == (("amd.com/gpu", 2),)


@pytest.mark.parametrize(
    ("changes", "usable"),
    [({}, True), ({"ready": False}, False), ({"unschedulable": True}, False)],
)
def test_a_node_is_usable_when_it_is_ready_and_not_cordoned(changes: dict[str, Any], usable: bool):
    assert node_fact(docs.node("h100", **changes)).usable is usable


def test_a_preference_among_taints_keeps_nobody_away():
    raw = docs.node("h100", taints=[{"key": "slow", "effect": "PreferNoSchedule"}])
    assert node_fact(raw).taints == ()


def test_quantities_are_millicores_bytes_and_counts():
    raw = docs.node("h100")
    raw["status"]["allocatable"] = {"cpu": "95500m", "memory": "1Ki", "pods": "64", "nvidia.com/gpu": "8"}
    fact = node_fact(raw)
    assert (fact.cpu_milli, fact.memory_bytes, fact.pods, fact.chips) == (
        95_500,
        1024,
        64,
        (("nvidia.com/gpu", 8),),
    )


@given(
    labels=st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=4),
    order=st.randoms(use_true_random=False),
)
def test_the_order_of_keys_is_no_difference(labels: dict[str, str], order: Any):
    shuffled = list(labels.items())
    order.shuffle(shuffled)
    one, other = docs.node("h100", labels=labels), docs.node("h100", labels=dict(shuffled))
    assert node_fact(one) == node_fact(other)


def test_the_text_of_a_deployment_leaves_noise_and_copies_out():
    """What writes compare must not change when somebody reads, annotates by machine, or counts pods."""
    noise = {
        "kubectl.kubernetes.io/last-applied-configuration": "{...}",
        "deployment.kubernetes.io/revision": "7",
    }
    plain = deployment_fact(stored_deployment(annotations={"team": "ml"}))
    noisy = stored_deployment(annotations={"team": "ml", **noise})
    noisy["metadata"] |= {"generation": 9, "resourceVersion": "44"}
    noisy["status"] = {"readyReplicas": 2, "conditions": [{"type": "Available"}]}
    fact = deployment_fact(noisy)
    assert fact.text == plain.text
    assert fact.document["metadata"]["annotations"] == {"team": "ml"}
    assert (fact.generation, fact.ready_replicas) == (9, 2)


def test_a_deployment_has_rolled_out_when_every_pod_is_new_and_ready():
    raw = stored_deployment()
    raw["status"] = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2}
    assert deployment_fact(raw).rolled_out
    for field, value in (("observedGeneration", 0), ("replicas", 3), ("readyReplicas", 1)):
        late = deepcopy(raw)
        late["status"][field] = value
        assert not deployment_fact(late).rolled_out


def test_the_controller_of_a_deployment_is_named():
    owners = [
        {"kind": "Team", "name": "x"},
        {"kind": "LLMService", "name": "y", "controller": True},
    ]
    assert deployment_fact(stored_deployment(ownerReferences=owners)).owner == "LLMService/y"


def test_an_autoscaler_of_something_else_is_no_fact():
    raw = {
        "metadata": {"name": "h", "namespace": "prod"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "chat"}, "maxReplicas": 6},
    }
    fact = autoscaler_fact(raw)
    assert fact is not None
    assert (fact.deployment, fact.minimum, fact.maximum) == ("chat", 1, 6)
    raw["spec"]["scaleTargetRef"] = {"kind": "StatefulSet", "name": "chat"}  # type: ignore[index]
    assert autoscaler_fact(raw) is None


def test_a_quota_keeps_what_pods_count_against():
    """CPU in millicores. Services, claims and Deployments are nobody's concern here."""
    raw: Document = {
        "metadata": {"name": "q", "namespace": "prod"},
        "spec": {
            "hard": {"requests.nvidia.com/gpu": "8", "requests.cpu": "4", "pods": "10", "services": "1"}
        },
    }
    fact = quota_fact(raw)
    assert fact is not None
    assert fact.hard == (("pods", 10), ("requests.cpu", 4000), ("requests.nvidia.com/gpu", 8))
    assert fact.used == (("pods", 0), ("requests.cpu", 0), ("requests.nvidia.com/gpu", 0))
    raw["status"] = {"hard": {"requests.nvidia.com/gpu": "4"}, "used": {"requests.nvidia.com/gpu": "3"}}
    enforced = quota_fact(raw)
    assert enforced is not None
    assert enforced.hard == (("requests.nvidia.com/gpu", 4),)
    assert enforced.used == (("requests.nvidia.com/gpu", 3),)
    raw["spec"] = {"hard": {"services": "10", "count/deployments.apps": "3"}}
    del raw["status"]
    assert quota_fact(raw) is None


@pytest.mark.parametrize(
    ("modes", "shared"),
    [(["ReadWriteOnce"], False), (["ReadWriteOncePod"], False), (["ReadWriteMany"], True), ([], False)],
)
def test_a_claim_is_shared_if_several_nodes_may_mount_it(modes: list[str], shared: bool):
    raw = {"metadata": {"name": "c", "namespace": "prod"}, "spec": {"accessModes": modes}}
    assert claim_fact(raw).shared is shared


def test_namespaces_and_priorities_keep_labels_and_value():
    assert namespace_fact({"metadata": {"name": "prod", "labels": {"b": "2", "a": "1"}}}).labels == (
        ("a", "1"),
        ("b", "2"),
    )
    assert priority_fact({"metadata": {"name": "high"}, "value": 1000}).value == 1000


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw.pop("spec"),
        lambda raw: raw["spec"].update(replicas="many"),
        lambda raw: raw["metadata"].update(ownerReferences=[{"controller": True}]),
    ],
)
def test_a_foreign_document_of_a_strange_shape_is_passed_over(spoil: Any):
    """It is logged and ignored: a restart would only meet it again."""
    raw = stored_deployment()
    spoil(raw)
    assert extracted(extract, DEPLOYMENTS, raw) is None


def test_an_object_of_ours_that_breaks_its_schema_is_shown_as_unreadable():
    raw = docs.pool("h100", nodes={"max": 0})
    fact = extract(ACCELERATOR_POOLS, raw)
    assert isinstance(fact, Unreadable)
    assert (fact.kind, fact.name, fact.generation) == ("AcceleratorPool", "h100", 1)
    assert "spec.nodes.max" in fact.message
