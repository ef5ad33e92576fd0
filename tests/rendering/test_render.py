"""Rendering keeps what the author wrote and takes away all that speaks of another chip."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from chipwise.reasons import Reason
from chipwise.rendering.affinity import expression_holds, term_matches
from chipwise.rendering.defaults import normalise
from chipwise.rendering.manifest import Manifest, RenderingRefused
from chipwise.rendering.render import SHARED_MEMORY_PATH, SHARED_MEMORY_VOLUME, obstacle, render
from chipwise.rendering.target import ContainerPatch, ScratchVolume, Target
from hypothesis import given
from hypothesis import strategies as st

from tests.rendering.authors import CHIP_KEYS, OTHER_KEYS, VALUES, author_files, targets
from tests.rendering.builders import (
    REQUIRED,
    VOCABULARY,
    amd,
    llama,
    llama_file,
    maia,
    manifest,
    pool,
    serving,
)

_LABELS = st.dictionaries(
    st.sampled_from((*CHIP_KEYS, *OTHER_KEYS, "example.com/pool")), st.sampled_from(VALUES)
)


def _keys(value: Any) -> Iterator[str]:
    """Every name in a document that a scheduler reads: map keys, and the keys of expressions, tolerations and topologies."""
    if isinstance(value, dict):
        yield from value
        yield from (value[key] for key in ("key", "topologyKey") if key in value)
        for item in value.values():
            yield from _keys(item)
    elif isinstance(value, list):
        for item in value:
            yield from _keys(item)


def _accepts(content: Manifest, labels: dict[str, str]) -> bool:
    spec = content.template["spec"]
    terms = spec["affinity"]["nodeAffinity"][REQUIRED]["nodeSelectorTerms"]
    selected = all(labels.get(key) == value for key, value in spec.get("nodeSelector", {}).items())
    return selected and any(term_matches(term, labels) for term in terms)


def _author_accepts(base: Manifest, labels: dict[str, str]) -> bool:
    """The author's demands with every one about a chip taken as met."""
    spec = base.template["spec"]
    if any(labels.get(k) != v for k, v in spec.get("nodeSelector", {}).items() if k not in CHIP_KEYS):
        return False
    terms = spec.get("affinity", {}).get("nodeAffinity", {}).get(REQUIRED, {}).get("nodeSelectorTerms")
    return terms is None or any(
        bool(term)
        and "matchFields" not in term
        and all(
            e["key"] in CHIP_KEYS or expression_holds(e, labels.get(e["key"]))
            for e in term["matchExpressions"]
        )
        for term in terms
    )


def _render(file: Manifest, target: Target) -> tuple[Manifest, Manifest]:
    base = normalise(file)
    return base, render(base, target)


@given(author_files(), targets())
def test_the_losing_vendors_keys_remain_nowhere(file: Manifest, target: Target):
    """Resources, selectors, affinity, tolerations and topologies: one key left over and the pods pend for ever."""
    _, rendered = _render(file, target)
    pools = {key for term in target.terms for key, _ in term.labels}
    left = {key for key in _keys(rendered.template["spec"]) if VOCABULARY.is_chip_key(key)}
    assert left <= pools | {target.resource_name}


@given(author_files(), targets(), _LABELS)
def test_a_node_is_accepted_exactly_if_the_author_and_a_pool_accept_it(
    file: Manifest, target: Target, labels: dict[str, str]
):
    """Required terms are alternatives: crossing them with the pools' must neither lose nor invent one."""
    base, rendered = _render(file, target)
    in_a_pool = any(all(labels.get(key) == value for key, value in term.labels) for term in target.terms)
    assert _accepts(rendered, labels) == (in_a_pool and _author_accepts(base, labels))


@given(author_files(), targets())
def test_what_the_author_wrote_about_other_things_stays_in_its_order(file: Manifest, target: Target):
    """Env of other names, other containers, tolerations and annotations are not the target's business."""
    base, rendered = _render(file, target)
    touched = {name for name, _ in target.patch.env} | set(target.patch.remove_env)
    env = [v for v in serving(base).get("env", []) if v["name"] not in touched]
    assert [v for v in serving(rendered).get("env", []) if v["name"] not in touched] == env
    assert serving(rendered).get("envFrom") == serving(base).get("envFrom")
    kept = [
        t
        for t in base.template["spec"].get("tolerations", [])
        if not VOCABULARY.is_chip_key(t.get("key", ""))
    ]
    assert rendered.template["spec"].get("tolerations", [])[: len(kept)] == kept
    others = [[c for c in m.template["spec"]["containers"] if c["name"] != "vllm"] for m in (base, rendered)]
    assert others[0] == others[1]
    assert rendered.template["metadata"] == base.template["metadata"]


@given(author_files(), targets())
def test_a_rendering_is_complete_deterministic_and_leaves_its_inputs_alone(file: Manifest, target: Target):
    """What we write is what the API server stores; the same base gives the same document."""
    base = normalise(file)
    before = deepcopy(base)
    rendered = render(base, target)
    assert base == before
    assert render(before, target) == rendered
    assert normalise(rendered) == rendered


def test_llama_moves_from_nvidia_to_amd():
    """The whole write, field by field."""
    rendered = render(llama(), amd())
    container = serving(rendered)
    spec = rendered.template["spec"]
    assert container["image"] == "rocm/vllm:v0.11.0"
    assert container["args"] == [
        *("--model", "meta-llama/Llama-3.1-70B-Instruct", "--tensor-parallel-size=2"),
        *("--port", "8000", "--enforce-eager"),
    ]
    assert [variable["name"] for variable in container["env"]] == [
        "CACHE",
        "HF_HOME",
        "HIP_FORCE_DEV_KERNARG",
    ]
    assert container["resources"] == {
        "limits": {"amd.com/gpu": "2", "memory": "256Gi"},
        "requests": {"cpu": "16"},
    }
    assert container["startupProbe"]["failureThreshold"] == 90
    assert container["startupProbe"]["timeoutSeconds"] == 1
    assert spec["nodeSelector"] == {"kubernetes.io/arch": "amd64"}
    assert [t["key"] for t in spec["tolerations"]] == ["team", "amd.com/gpu"]
    assert spec["volumes"] == [{"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "16Gi"}}]
    assert rendered.strategy == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
    }


def test_llama_moves_on_from_amd_to_a_chip_with_a_made_up_name():
    """A move starts from the author's base, never from the last rendering: nothing of AMD's can remain."""
    rendered = render(llama(), maia())
    terms = rendered.template["spec"]["affinity"]["nodeAffinity"][REQUIRED]["nodeSelectorTerms"]
    assert serving(rendered)["resources"]["limits"] == {"example.com/maia": "4", "memory": "256Gi"}
    assert "--tensor-parallel-size=4" not in serving(rendered)["args"]
    assert [term["matchExpressions"][0]["values"] for term in terms] == [["maia-west"], ["maia-east"]]


def test_requests_name_the_chip_only_where_the_author_named_one():
    """Limits alone suffice for extended resources."""
    file = llama_file()
    file["spec"]["containers"][0]["resources"]["requests"]["nvidia.com/gpu"] = 4
    assert serving(render(manifest(file), amd()))["resources"]["requests"] == {
        "cpu": "16",
        "amd.com/gpu": "2",
    }


def test_a_term_left_empty_asks_nothing_and_so_do_its_alternatives():
    """'An H100, or zone a' without the chip is 'any node', not 'zone a' and not 'no node'."""
    file = llama_file()
    chip = {"matchExpressions": [{"key": "nvidia.com/gpu.product", "operator": "In", "values": ["H100"]}]}
    zone = {"matchExpressions": [{"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["a"]}]}
    file["spec"]["affinity"] = {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [chip, zone]}}}
    node_affinity = render(manifest(file), amd()).template["spec"]["affinity"]["nodeAffinity"]
    pinned = {"key": "kubernetes.azure.com/agentpool", "operator": "In", "values": ["mi300x"]}
    assert node_affinity == {REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [pinned]}]}}


def test_the_first_pool_comes_first_in_each_of_the_authors_ways():
    """Karpenter tries required terms in list order."""
    file = llama_file()
    zones = [
        {"matchExpressions": [{"key": "topology.kubernetes.io/zone", "operator": "In", "values": [z]}]}
        for z in "ab"
    ]
    file["spec"]["affinity"] = {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": zones}}}
    target = amd(terms=(pool(("agentpool", "cheap")), pool(("agentpool", "dear"))))
    terms = render(manifest(file), target).template["spec"]["affinity"]["nodeAffinity"][REQUIRED][
        "nodeSelectorTerms"
    ]
    values = [[e["values"][0] for e in term["matchExpressions"]] for term in terms]
    assert values == [["a", "cheap"], ["b", "cheap"], ["a", "dear"], ["b", "dear"]]


def test_the_authors_shared_memory_is_resized_where_a_sidecar_may_share_it():
    """One mount at /dev/shm, on the author's own volume."""
    spec = render(llama(), amd()).template["spec"]
    assert serving(render(llama(), amd()))["volumeMounts"] == [
        {"name": "shm", "mountPath": SHARED_MEMORY_PATH}
    ]
    assert len(spec["volumes"]) == 1


def test_shared_memory_takes_the_place_of_a_host_path_which_then_goes():
    """A host path would tie the pod to what a node happens to have."""
    file = llama_file()
    file["spec"]["volumes"] = [{"name": "shm", "hostPath": {"path": SHARED_MEMORY_PATH}}]
    rendered = render(manifest(file), amd())
    assert serving(rendered)["volumeMounts"] == [
        {"name": SHARED_MEMORY_VOLUME, "mountPath": SHARED_MEMORY_PATH}
    ]
    assert [volume["name"] for volume in rendered.template["spec"]["volumes"]] == [SHARED_MEMORY_VOLUME]


def test_a_vendors_runtime_class_does_not_follow_to_another_vendor():
    """Its handler is not installed there; the author's other classes are."""
    for runtime, kept in (("nvidia", None), ("gvisor", "gvisor")):
        file = llama_file()
        file["spec"]["runtimeClassName"] = runtime
        assert render(manifest(file), amd()).template["spec"].get("runtimeClassName") == kept


def test_a_limit_below_the_new_request_is_raised():
    """The API server refuses a request above its limit."""
    resources = serving(render(llama(), amd(patch=ContainerPatch(memory="512Gi", cpu="4000m"))))["resources"]
    assert resources["limits"]["memory"] == "512Gi"
    assert resources["requests"] == {"cpu": "4", "memory": "512Gi"}


def test_scratch_volumes_are_mounted_into_the_variants_init_containers_too():
    """A compile cache is filled by one and read by the other."""
    volumes = (ScratchVolume("neff", "/neff"),)
    patch = ContainerPatch(init_containers=({"name": "compile", "image": "neuron:1"},), volumes=volumes)
    spec = render(llama(), amd(patch=patch)).template["spec"]
    assert spec["initContainers"][0]["volumeMounts"] == [{"name": "neff", "mountPath": "/neff"}]
    assert spec["initContainers"][0]["imagePullPolicy"] == "IfNotPresent"
    assert {"name": "neff", "emptyDir": {}} in spec["volumes"]


def _with_sidecar_chips(file: dict[str, Any]) -> None:
    file["spec"]["containers"].append(
        {"name": "draft", "image": "x", "resources": {"limits": {"nvidia.com/gpu": 1}}}
    )


def _with_claim(file: dict[str, Any]) -> None:
    file["spec"]["containers"][0]["resources"]["claims"] = [{"name": "gpu"}]


def _with_one_liner(file: dict[str, Any]) -> None:
    file["spec"]["containers"][0] |= {
        "command": ["/bin/bash", "-euo", "pipefail", "-c"],
        "args": ["vllm serve x"],
    }


def _with_node(file: dict[str, Any]) -> None:
    file["spec"]["nodeName"] = "node-1"


def _with_empty_terms(file: dict[str, Any]) -> None:
    file["spec"]["affinity"] = {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{}]}}}


def _with_other_name(file: dict[str, Any]) -> None:
    file["spec"]["containers"][0]["name"] = "engine"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_with_sidecar_chips, Reason.SIDECAR_WANTS_CHIPS),
        (_with_claim, Reason.DEVICE_CLAIMED),
        (_with_one_liner, Reason.ARGS_NOT_PATCHABLE),
        (_with_node, Reason.NODE_PINNED),
        (_with_empty_terms, Reason.SELECTOR_UNSATISFIED),
        (_with_other_name, Reason.CONTAINER_MISSING),
    ],
)
def test_what_cannot_be_rendered_is_refused_with_its_reason(change: Any, reason: Reason):
    """Nothing of the author's is changed silently where the change could be wrong."""
    file = llama_file()
    change(file)
    refusal = obstacle(manifest(file), amd())
    assert refusal is not None
    assert refusal.reason is reason


def test_a_variants_volume_may_not_shadow_the_authors_claim():
    """The author's other containers may read it."""
    file = llama_file()
    file["spec"]["volumes"].append({"name": "models", "persistentVolumeClaim": {"claimName": "m"}})
    target = replace(amd(), patch=ContainerPatch(volumes=(ScratchVolume("models", "/m"),)))
    with pytest.raises(RenderingRefused, match="VolumeConflict"):
        render(manifest(file), target)


def test_obstacle_is_none_where_nothing_stands_in_the_way():
    assert obstacle(llama(), amd()) is None
