"""What other packages read from a template: the serving container, its chips, constraints, footprint and volumes."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from chipwise.reasons import Reason, Refusal
from chipwise.rendering.affinity import expression_holds, term_matches
from chipwise.rendering.constraints import author_constraints, tolerates
from chipwise.rendering.footprint import PodFootprint, TemplateVolumes, pod_footprint, template_volumes
from chipwise.rendering.location import container_digest, container_of, requested_chips, serving_container
from chipwise.rendering.render import render
from chipwise.rendering.vocabulary import ChipVocabulary, is_neutral_key

from tests.rendering.builders import REQUIRED, VOCABULARY, amd, llama, llama_file, maia, manifest, serving


def _template(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"spec": {"containers": list(containers), **spec}}


def _container(name: str, requests: dict[str, Any] | None = None, **limits: Any) -> dict[str, Any]:
    return {"name": name, "resources": {"limits": limits, "requests": requests or {}}}


_GPU = {"name": "vllm", "resources": {"limits": {"nvidia.com/gpu": "4"}}}


@pytest.mark.parametrize(
    ("containers", "name", "answer"),
    [
        ([{"name": "a"}], None, "a"),
        ([{"name": "a"}, _GPU], None, "vllm"),
        ([{"name": "a"}, _GPU], "a", "a"),
        ([_GPU], "b", Reason.CONTAINER_MISSING),
        ([{"name": "a"}, {"name": "b"}], None, Reason.CONTAINER_AMBIGUOUS),
        ([_GPU, {**_GPU, "name": "c"}], None, Reason.CONTAINER_AMBIGUOUS),
    ],
)
def test_the_serving_container_is_named_or_the_only_one_or_the_only_one_with_chips(
    containers: Any, name: Any, answer: Any
):
    found = serving_container(_template(*containers), name, VOCABULARY)
    assert (found.reason if isinstance(found, Refusal) else found) == answer


def test_requested_chips_reads_limits_and_requests():
    assert requested_chips(_GPU, VOCABULARY) == ("nvidia.com/gpu", 4)
    assert requested_chips(_container("c", {"example.com/maia": 2}), VOCABULARY) == ("example.com/maia", 2)
    assert requested_chips(_container("c", None, **{"cpu": "1", "nvidia.com/gpu": "0"}), VOCABULARY) is None


def test_the_digest_is_that_of_the_pods_and_differs_between_renderings():
    """A pod repeats limits as requests, and a limit range may add CPU and memory."""
    rendered = serving(render(llama(), amd()))
    pod = deepcopy(rendered)
    pod["resources"]["requests"] = {**pod["resources"]["limits"], "cpu": "16"}
    pod["volumeMounts"].append({"name": "kube-api-access", "mountPath": "/var/run/secrets"})
    assert container_digest(pod) == container_digest(rendered)
    others = {container_digest(serving(content)) for content in (llama(), render(llama(), maia()))}
    assert container_digest(rendered) not in others
    assert len(others) == 2


def test_container_of_finds_by_name():
    assert container_of(_template(_GPU), "vllm") == _GPU
    assert container_of(_template(_GPU), "other") is None


def test_the_authors_constraints_are_what_is_not_about_chips():
    file = llama_file()
    zone = {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["a"]}
    chip = {"key": "nvidia.com/gpu.product", "operator": "Exists"}
    file["spec"]["affinity"] = {
        "nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [zone, chip]}]}}
    }
    constraints = author_constraints(manifest(file).template, VOCABULARY)
    assert constraints.matches({"kubernetes.io/arch": "amd64", "topology.kubernetes.io/zone": "a"})
    assert not constraints.matches({"kubernetes.io/arch": "arm64", "topology.kubernetes.io/zone": "a"})
    assert not constraints.matches({"kubernetes.io/arch": "amd64", "topology.kubernetes.io/zone": "b"})


def test_empty_terms_match_no_node_and_no_terms_ask_nothing():
    assert author_constraints(_template(), VOCABULARY).matches({})
    empty: dict[str, Any] = {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{}]}}}
    assert not author_constraints(_template(affinity=empty), VOCABULARY).matches({})


@pytest.mark.parametrize(
    ("operator", "values", "value", "holds"),
    [
        *(("In", ["a"], "a", True), ("In", ["a"], "b", False), ("In", ["a"], None, False)),
        *(("NotIn", ["a"], "b", True), ("NotIn", ["a"], None, True), ("NotIn", ["a"], "a", False)),
        *(("Exists", [], "a", True), ("Exists", [], None, False), ("DoesNotExist", [], None, True)),
        *(
            ("Gt", ["5"], "6", True),
            ("Gt", ["5"], "5", False),
            ("Gt", ["5"], "x", False),
            ("Gt", ["5"], None, False),
        ),
        *(("Lt", ["5"], "4", True), ("Lt", ["5"], "6", False), ("Like", ["a"], "a", False)),
    ],
)
def test_expressions_hold_as_in_the_scheduler(
    operator: str, values: list[str], value: str | None, holds: bool
):
    assert expression_holds({"key": "k", "operator": operator, "values": values}, value) is holds


def test_fields_match_the_name_of_a_node_that_exists():
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]}
    assert term_matches(term, {}, "n")
    assert not term_matches(term, {})


_TAINT = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("toleration", "tolerated"),
    [
        ({"operator": "Exists"}, True),
        ({"key": "nvidia.com/gpu", "operator": "Exists"}, True),
        ({"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "nvidia.com/gpu", "value": "present"}, True),
        ({"key": "nvidia.com/gpu"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"value": "present"}, False),
    ],
)
def test_tolerations_cover_taints_as_in_the_scheduler(toleration: dict[str, str], tolerated: bool):
    assert tolerates([_TAINT], [toleration]) is tolerated
    assert tolerates([{**_TAINT, "effect": "PreferNoSchedule"}], [])


def test_a_pod_takes_its_containers_or_its_start_whichever_is_more():
    """Sidecars run beside both; limits stand in for requests; the runtime's overhead comes on top."""
    sidecar = {**_container("s", {"cpu": "100m"}), "restartPolicy": "Always"}
    template = _template(
        _container("a", {"cpu": "2"}, memory="1Gi"),
        _container("b", {"cpu": "500m"}),
        initContainers=[sidecar, _container("i", {"cpu": "4"}, memory="1Ki")],
        overhead={"cpu": "10m"},
    )
    assert pod_footprint(template) == PodFootprint(cpu_milli=4110, memory_bytes=2**30)
    template["spec"]["resources"] = {"requests": {"cpu": "8"}}
    assert pod_footprint(template) == PodFootprint(cpu_milli=8010, memory_bytes=2**30)


def test_volumes_that_tie_a_pod_down_are_listed():
    volumes = [
        {"name": "m", "persistentVolumeClaim": {"claimName": "models"}},
        {"name": "h", "hostPath": {"path": "/data"}},
        {"name": "e", "emptyDir": {}},
    ]
    assert template_volumes(_template(volumes=volumes)) == TemplateVolumes(("/data",), ("models",))


@pytest.mark.parametrize(
    "key",
    [
        *(
            "nvidia.com/gpu.product",
            "amd.com/gpu.vram",
            "beta.amd.com/gpu.family",
            "habana.ai/gaudi",
            "gpu.intel.com/xe",
        ),
        *(
            "aws.amazon.com/neuroncore",
            "google.com/tpu",
            "cloud.google.com/gke-accelerator-count",
            "accelerator",
        ),
        *(
            "cloud.google.com/gke-tpu-topology",
            "karpenter.k8s.aws/instance-gpu-name",
            "karpenter.azure.com/sku-gpu-name",
        ),
        *(
            "kubernetes.azure.com/accelerator",
            "agentpool",
            "eks.amazonaws.com/nodegroup",
            "karpenter.sh/nodepool",
        ),
        *("node.kubernetes.io/instance-type", "cloud.google.com/machine-family", "example.com/pool"),
        *("feature.node.kubernetes.io/pci-0302_10de.present", "example.com/maia"),
    ],
)
def test_keys_that_pin_a_chip(key: str):
    assert VOCABULARY.is_chip_key(key)


@pytest.mark.parametrize(
    "key",
    [
        *(
            "topology.kubernetes.io/zone",
            "kubernetes.io/arch",
            "kubernetes.io/os",
            "kubernetes.io/hostname",
            "team",
            "",
        ),
        *("karpenter.sh/capacity-type", "kubernetes.azure.com/scalesetpriority", "cloud.google.com/gke-spot"),
        *(
            "feature.node.kubernetes.io/pci-8086.present",
            "karpenter.k8s.aws/instance-cpu",
            "mynvidia.com/gpu",
        ),
    ],
)
def test_keys_that_do_not_even_if_a_pool_selects_by_them(key: str):
    assert not VOCABULARY.is_chip_key(key)


def test_a_zone_in_a_pools_selector_is_no_chip():
    vocabulary = ChipVocabulary(label_keys=frozenset({"topology.kubernetes.io/zone"}))
    assert is_neutral_key("topology.kubernetes.io/zone")
    assert not vocabulary.is_chip_key("topology.kubernetes.io/zone")
