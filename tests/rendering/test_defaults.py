"""A file and what the API server makes of it are one manifest."""

from __future__ import annotations

import pytest
from chipwise.rendering.defaults import complete_container, complete_probe, complete_volume, normalise, same
from chipwise.rendering.manifest import Manifest
from hypothesis import given

from tests.rendering.authors import author_files
from tests.rendering.builders import llama_file


@given(author_files())
def test_what_is_stored_comes_back_equal(file: Manifest):
    stored = normalise(file)
    assert normalise(stored) == stored
    assert same(file, stored)


def test_a_file_is_completed_as_stored():
    spec = normalise(Manifest(llama_file(), {})).template["spec"]
    container = spec["containers"][0]
    assert container["resources"]["limits"] == {"nvidia.com/gpu": "4", "memory": "256Gi"}
    assert container["ports"] == [{"containerPort": 8000, "protocol": "TCP"}]
    assert container["terminationMessagePolicy"] == "File"
    assert spec["restartPolicy"] == "Always"
    assert spec["securityContext"] == {}


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        *(
            ("vllm", "Always"),
            ("vllm:latest", "Always"),
            ("vllm:v1", "IfNotPresent"),
            ("host:5000/vllm", "Always"),
        ),
        *(
            ("vllm@sha256:0", "IfNotPresent"),
            ("host:5000/vllm:v1", "IfNotPresent"),
            ("vllm:latest@sha256:0", "Always"),
        ),
    ],
)
def test_the_pull_policy_follows_the_tag(image: str, policy: str):
    assert complete_container({"name": "c", "image": image})["imagePullPolicy"] == policy


def test_probes_get_their_defaults_and_lose_a_delay_of_nothing():
    assert complete_probe({"httpGet": {"port": 1}, "initialDelaySeconds": 0}) == {
        "httpGet": {"port": 1, "path": "/", "scheme": "HTTP"},
        "timeoutSeconds": 1,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 3,
    }


def test_volumes_get_their_defaults():
    assert complete_volume({"name": "v"}) == {"name": "v", "emptyDir": {}}
    assert complete_volume({"name": "v", "configMap": {"name": "c"}})["configMap"]["defaultMode"] == 420
    assert complete_volume({"name": "v", "hostPath": {"path": "/"}})["hostPath"]["type"] == ""


def test_nothing_written_as_nothing_is_nothing():
    """Nulls and empty lists are not stored; an empty struct that means something is."""
    file = llama_file()
    file["metadata"]["creationTimestamp"] = None
    file["spec"] |= {"initContainers": [], "hostAliases": None}
    file["spec"]["containers"][0] |= {"command": [], "securityContext": {}}
    template = normalise(Manifest(file, {})).template
    assert template["metadata"] == {"labels": {"app": "llama"}}
    assert not {"initContainers", "hostAliases"} & set(template["spec"])
    assert "command" not in template["spec"]["containers"][0]
    assert template["spec"]["containers"][0]["securityContext"] == {}
