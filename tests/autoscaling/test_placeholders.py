"""Placeholders as the API server takes them: low, harmless, on the pool's nodes alone, and named after it whatever its name is."""

from __future__ import annotations

import re
from typing import Any

from chipwise.autoscaling.placeholders import (
    LABEL,
    WRITTEN,
    Placeholders,
    Settings,
    document,
    owner,
    placeholder_of,
    short,
)
from chipwise.rendering.affinity import REQUIRED
from hypothesis import given
from hypothesis import strategies as st

OWNER = owner("chipwise-spare", "1234")
TOLERATION = {"key": "nvidia.com/gpu", "operator": "Exists"}
LABEL_VALUE = re.compile(r"[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?")


def placeholders(pool: str = "h100", replicas: int = 2, chips: int = 8) -> Placeholders:
    return Placeholders(pool, replicas, chips, "nvidia.com/gpu", (("b", "2"), ("a", "1")), (TOLERATION,))


def written(**changes: Any) -> dict[str, Any]:
    return document(placeholders(**changes), Settings(namespace="here", image="mirror/pause:1"), OWNER)


def test_its_pods_hold_the_chips_on_the_pools_nodes_and_give_way():
    found = written()
    spec = found["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert (found["metadata"]["namespace"], found["spec"]["replicas"]) == ("here", 2)
    assert container["image"] == "mirror/pause:1"
    assert container["resources"]["requests"]["nvidia.com/gpu"] == "8"
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "8"
    assert spec["priorityClassName"] == "chipwise-spare"
    assert spec["tolerations"] == [TOLERATION]
    (term,) = spec["affinity"]["nodeAffinity"][REQUIRED]["nodeSelectorTerms"]
    assert [(each["key"], each["operator"], each["values"]) for each in term["matchExpressions"]] == [
        ("a", "In", ["1"]),
        ("b", "In", ["2"]),
    ]


def test_its_pods_may_run_where_pod_security_is_restricted():
    """And know no token of the API server's."""
    spec = written()["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False


def test_its_image_may_need_a_secret():
    settings = Settings(pull_secrets=("mirror",))
    spec = document(placeholders(), settings, OWNER)["spec"]["template"]["spec"]
    assert spec["imagePullSecrets"] == [{"name": "mirror"}]
    assert "imagePullSecrets" not in written()["spec"]["template"]["spec"]


def test_the_priority_class_owns_it():
    """What takes the class away takes the placeholders away."""
    assert written()["metadata"]["ownerReferences"] == [OWNER]


def test_the_digest_is_of_all_that_is_written():
    def digest(**changes: Any) -> str:
        return str(written(**changes)["metadata"]["annotations"][WRITTEN])

    assert digest() == digest()
    assert len({digest(), digest(replicas=3), digest(chips=4)}) == 3
    other = document(placeholders(), Settings(namespace="here", image="mirror/pause:1"), owner("x", "5"))
    assert other["metadata"]["annotations"][WRITTEN] != digest()


NAME = st.from_regex(r"\A[a-z0-9]([-a-z0-9.]{0,250}[a-z0-9])?\Z").filter(lambda name: ".." not in name)


@given(NAME, NAME)
def test_names_and_labels_are_valid_and_no_two_pools_share_one(one: str, other: str):
    for pool in (one, other):
        assert LABEL_VALUE.fullmatch(short(pool))
        found = written(pool=pool)
        assert found["spec"]["selector"]["matchLabels"] == {LABEL: short(pool)}
        assert LABEL_VALUE.fullmatch(found["metadata"]["name"])
    if one != other:
        assert short(one) != short(other)
        assert placeholders(one).name != placeholders(other).name


def test_only_what_gives_way_is_known_as_one():
    """By priority: the label alone would make room that is not there."""
    pod: dict[str, Any] = {"metadata": {"labels": {LABEL: "h100"}}, "spec": {"priority": -10}}
    assert placeholder_of(pod) == "h100"
    assert not placeholder_of({**pod, "spec": {"priority": 0}})
    assert not placeholder_of({**pod, "spec": {}})
    assert not placeholder_of({"metadata": {}, "spec": {"priority": -10}})
