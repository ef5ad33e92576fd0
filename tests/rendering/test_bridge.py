"""A bridge says of itself what it is for, and is told from everything that merely looks like one."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from chipwise.rendering.bridge import (
    BRIDGE_ANNOTATION,
    BRIDGE_LABEL,
    Bridge,
    digest,
    document_of,
    name_of,
    read,
)
from chipwise.rendering.manifest import Manifest
from hypothesis import given
from hypothesis import strategies as st

TEMPLATE = {"metadata": {"labels": {"app": "chat"}}, "spec": {"containers": [{"name": "server"}]}}
RENDERING = Manifest({"metadata": {"labels": {"app": "chat"}}, "spec": {"nodeSelector": {"a": "b"}}}, {})
AUTHORS: dict[str, Any] = {
    "metadata": {
        "name": "chat",
        "namespace": "prod",
        "uid": "u-1",
        "labels": {"app": "chat"},
        "annotations": {"a": "b"},
    },
    "spec": {
        "replicas": 2,
        "minReadySeconds": 5,
        "selector": {"matchLabels": {"app": "chat"}},
        "template": TEMPLATE,
    },
}
BRIDGE = Bridge("chat", "u-1", "chat", "maia", "maia-x4", digest(TEMPLATE), digest(RENDERING.template))


def made(replicas: int = 3) -> dict[str, Any]:
    return document_of(AUTHORS, RENDERING, BRIDGE, replicas)


def test_it_reads_back_as_what_it_was_made_for():
    document = made()
    assert read(document) == BRIDGE
    assert document["spec"]["replicas"] == 3
    assert document["spec"]["minReadySeconds"] == 5
    assert document["spec"]["template"]["spec"] == RENDERING.template["spec"]


def test_its_pods_are_the_services_and_its_selector_is_its_own():
    """The author's selector finds its pods; its own finds nobody else's, for the label's value is made of the Deployment's UID."""
    labels = made()["spec"]["template"]["metadata"]["labels"]
    assert labels["app"] == "chat"
    assert made()["spec"]["selector"] == {"matchLabels": {BRIDGE_LABEL: labels[BRIDGE_LABEL]}}
    other = Bridge("chat", "u-2", *(getattr(BRIDGE, name) for name in list(Bridge.__dataclass_fields__)[2:]))
    document = document_of(AUTHORS, RENDERING, other, 1)
    assert document["spec"]["template"]["metadata"]["labels"][BRIDGE_LABEL] != labels[BRIDGE_LABEL]


def test_it_loses_no_pod_to_a_rollout_of_its_own_and_leaves_the_inputs_alone():
    before = deepcopy((AUTHORS, RENDERING))
    assert made()["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert before == (AUTHORS, RENDERING)


def test_the_authors_deployment_owns_it_without_controlling_it_and_gives_it_nothing_else():
    metadata = made()["metadata"]
    assert metadata["ownerReferences"] == [
        {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat", "uid": "u-1"}
    ]
    assert metadata["labels"].keys() == {BRIDGE_LABEL}
    assert metadata["annotations"].keys() == {BRIDGE_ANNOTATION}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda m: m.update(name="copy"),
        lambda m: m.update(labels={}),
        lambda m: m.update(labels={BRIDGE_LABEL: "other"}),
        lambda m: m.update(annotations={}),
        lambda m: m.update(annotations={BRIDGE_ANNOTATION: "{}"}),
        lambda m: m.update(annotations={BRIDGE_ANNOTATION: "[1]"}),
        lambda m: m.update(annotations={BRIDGE_ANNOTATION: "no json"}),
    ],
)
def test_what_only_looks_like_one_is_none(spoil: Any):
    """It would be deleted otherwise."""
    document = made()
    spoil(document["metadata"])
    assert read(document) is None


@given(st.text("ab.-", min_size=1, max_size=253), st.uuids())
def test_every_name_leaves_room_for_that_of_its_pods(name: str, uid: Any):
    """A ReplicaSet is called like its Deployment and eleven characters more; 253 is the most."""
    found = name_of(name, str(uid))
    assert len(found) + 11 <= 253
    assert not found.partition("-bridge-")[0].endswith((".", "-"))
    assert name_of(name, str(uid)) == found != name_of(name, f"{uid}x")
