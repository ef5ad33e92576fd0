"""A move that needs new nodes asks Cluster Autoscaler first, on a real API server with the rights that the chart grants.

Nobody answers but the test: the kind is made here, with as much of its schema as is used.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from chipwise.autoscaling.provisioning import Probe, digest_of, template_of

from e2e import authored, platform_team
from e2e.admin import Document
from e2e.authored import Setup
from e2e.faults import Lab
from e2e.operator_process import OperatorProcess, install_chart
from e2e.world import World

pytestmark = pytest.mark.e2e

GROUP, PLURAL = "autoscaling.x-k8s.io", "provisioningrequests"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
VALUES = {
    "autoscaling.clusterAutoscaler.enabled": "true",
    "autoscaling.clusterAutoscaler.provisioningRequests": "true",
}
FLAGS = ("--cluster-autoscaler", "kube-system", "--provisioning-requests")


def _kind() -> Document:
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": anything, "status": anything}}}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": schema,
        "subresources": {"status": {}},
    }
    names = {"plural": PLURAL, "singular": "provisioningrequest", "kind": "ProvisioningRequest"}
    approved = {"api-approved.kubernetes.io": "https://github.com/kubernetes/autoscaler/pull/5848"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}", "annotations": approved},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }


@pytest.fixture
def asked(lab: Lab) -> Iterator[Lab]:
    """The kind, and the chart with the rights for it; both taken back afterwards."""
    lab.apply(_kind())
    install_chart(lab.cluster, values=VALUES)
    try:
        yield lab
    finally:
        install_chart(lab.cluster)
        lab.admin.delete(f"{CRDS}/{PLURAL}.{GROUP}")


def requests(world: World) -> list[Document]:
    path = f"/apis/{GROUP}/v1/namespaces/{world.namespace}/{PLURAL}"
    found: list[Document] = world.admin.get(path)["items"]
    return found


def templates(world: World) -> list[Document]:
    found: list[Document] = world.admin.get(f"/api/v1/namespaces/{world.namespace}/podtemplates")["items"]
    return found


def answer(world: World, kind: str, words: str) -> None:
    """As Cluster Autoscaler does."""
    (request,) = requests(world)
    path = f"/apis/{GROUP}/v1/namespaces/{world.namespace}/{PLURAL}/{request['metadata']['name']}/status"
    condition = {"type": kind, "status": "True", "reason": kind, "message": words}
    world.admin.merge(
        path,
        {
            "status": {
                "conditions": [
                    {**condition, "lastTransitionTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
                ]
            }
        },
    )


def waiting(lab: Lab, setup: Setup, operator: OperatorProcess) -> World:
    """The author's pods serve, the cheaper pool is at zero nodes, and the question is asked."""
    world = lab.world(setup, operator)
    world.build_author()
    world.admin.merge(world.path_of_pool("alt"), {"spec": {"nodeGroup": "asg-alt"}})
    world.kubectl_apply(authored.workload(world.setup))
    world.told("Placed", "False", "Probing")
    lab.within(10, lambda: requests(world), "the question")
    return world


def test_it_waits_for_yes_and_goes_and_clears_away(asked: Lab) -> None:
    lab = asked
    with lab.operator(*FLAGS) as operator:
        world = waiting(lab, Setup("asks", expects_move=False, alternative_machines=0), operator)
        (request,), (template,) = requests(world), templates(world)
        assert request["spec"]["podSets"][0]["podTemplateRef"]["name"] == template["metadata"]["name"]
        assert world.event("Probing")
        assert not world.writes()
        answer(world, "Provisioned", "nodes are on their way")
        world.eventually(world.writes, "it moves", 30)
        world.eventually(lambda: not requests(world) and not templates(world), "cleared away", 30)
        lab.apply(
            *(
                each
                for each in platform_team.nodes(replace(world.setup, alternative_machines=None))
                if "-alt-" in each["metadata"]["name"]
            )
        )
        world.settled("alt", deadline=60)
        world.nothing_lost()
        assert operator.is_alive
    assert not [each for each in lab.audit.requests() if each["responseStatus"].get("code") == 403]


def test_a_no_keeps_it_where_it_serves(asked: Lab) -> None:
    """The reason is told; no Deployment is written."""
    lab = asked
    with lab.operator(*FLAGS) as operator:
        world = waiting(lab, Setup("refused", expects_move=False, alternative_machines=0), operator)
        answer(world, "Failed", "no capacity in the zone")
        world.told("Placed", "True", "Placed")
        (refused,) = (each for each in world.status()["candidates"] if each["pool"] == "refused-alt")
        assert refused["reason"] == "CapacityRefused"
        assert "no capacity in the zone" in refused["message"]
        assert not world.writes()
        world.nothing_lost()


def test_whole_pods_are_asked_for(asked: Lab) -> None:
    """What is kept of a template with a sidecar, overhead, a claim and a port of the host is a PodTemplate to the API server, unchanged."""
    lab = asked
    proxy = {
        "name": "proxy",
        "image": "proxy",
        "restartPolicy": "Always",
        "resources": {"requests": {"cpu": "60"}},
    }
    server = {
        "name": "server",
        "image": "server",
        "ports": [{"containerPort": 81, "hostPort": 81, "protocol": "TCP"}],
        "resources": {"limits": {"example.com/chip": "4"}, "claims": [{"name": "nic"}]},
    }
    spec = {
        "initContainers": [proxy],
        "containers": [server],
        "overhead": {"cpu": "4"},
        "resources": {"requests": {"cpu": "80"}},
        "resourceClaims": [{"name": "nic", "resourceClaimTemplateName": "nic"}],
        "volumes": [{"name": "model", "persistentVolumeClaim": {"claimName": "model"}}],
    }
    template = {"metadata": {"labels": {"app": "whole"}}, "spec": spec}
    owner = {"apiVersion": "v1", "kind": "Namespace", "name": "default", "uid": "1"}
    document = template_of(Probe("default/whole", "p", "v", 1, digest_of(template)), template, owner)
    path = "/api/v1/namespaces/default/podtemplates"
    # Its owner is made up, so the garbage collector takes it away at once: what was kept is in the answer.
    found = lab.admin.create(path, document)["template"]["spec"]
    for key in ("overhead", "resources", "resourceClaims", "volumes"):
        assert found[key] == spec[key]
    (sidecar,), (container,) = found["initContainers"], found["containers"]
    assert (sidecar["restartPolicy"], sidecar["resources"]) == ("Always", proxy["resources"])
    assert container["ports"] == server["ports"]
    assert container["resources"]["claims"] == [{"name": "nic"}]
