"""Pods that the API server does not take, by quota or by admission: the move is taken back, and its words are told."""

from __future__ import annotations

import time

import pytest

from e2e.authored import ALT_IMAGE, MINE, Document
from e2e.cluster.fleet import apply
from e2e.failing import GRACE, HASTE, ROUNDING, Hasty, back_with_the_author, cool_downs, turns
from e2e.world import World

pytestmark = pytest.mark.e2e


def quota(name: str) -> list[Document]:
    """Pods get larger on their way in than anybody wrote them, and then the quota has no room: nobody can see that before it happens."""
    request = {"type": "Container", "defaultRequest": {"ephemeral-storage": "1Gi"}}
    meta = {"name": "disk", "namespace": name}
    return [
        {"apiVersion": "v1", "kind": "LimitRange", "metadata": meta, "spec": {"limits": [request]}},
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": meta,
            "spec": {"hard": {"requests.ephemeral-storage": "1Gi"}},
        },
    ]


def admission(name: str) -> list[Document]:
    """A policy that refuses pods of the other pool's image in one namespace."""
    group = "admissionregistration.k8s.io/v1"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    refused = f"object.spec.containers.all(c, c.image != '{ALT_IMAGE}')"
    meta = {"name": name, "labels": {MINE: name}}
    return [
        {
            "apiVersion": group,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": meta,
            "spec": {
                "matchConstraints": {"resourceRules": [rule]},
                "validations": [{"expression": refused, "message": "this image is not approved"}],
            },
        },
        {
            "apiVersion": group,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": meta,
            "spec": {
                "policyName": name,
                "validationActions": ["Deny"],
                "matchResources": {
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}
                },
            },
        },
    ]


@pytest.mark.setup(Hasty("quota", mode="Off"))
def test_pods_over_quota_are_taken_back(world: World) -> None:
    """The API server's words reach the status."""
    apply(world.cluster, quota(world.namespace))
    refused(world, "QuotaExceeded", "requests.ephemeral-storage")


@pytest.mark.setup(Hasty("admission", mode="Off"))
def test_pods_that_admission_refuses_are_taken_back(world: World) -> None:
    """So do those of an admission policy."""
    documents = admission(world.namespace)
    apply(world.cluster, documents)
    try:
        time.sleep(2)  # until the API server knows the policy
        refused(world, "AdmissionRefused", "this image is not approved")
    finally:
        for found in documents:
            world.kubectl("delete", found["kind"], found["metadata"]["name"])


def refused(world: World, reason: str, words: str) -> None:
    world.edit_workload(mode="Rollout")
    world.eventually(back_with_the_author(world), "the author's pods alone", 40)
    (noted,) = cool_downs(world)
    assert noted["reason"] == reason
    assert words in noted["message"]
    (_, _), (placed, _), (taken_back, _) = turns(world)[:3]
    assert GRACE - ROUNDING <= taken_back - placed <= GRACE + HASTE
    world.nothing_lost()
