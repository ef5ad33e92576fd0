"""Hypothesis strategies: what authors write, and the targets that chipwise moves them to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chipwise.rendering.manifest import Document, Manifest
from chipwise.rendering.render import SHARED_MEMORY_PATH
from chipwise.rendering.target import ContainerPatch, PoolTerm, ScratchVolume, Target
from hypothesis import strategies as st

from tests.rendering.builders import PREFERRED, REQUIRED, VOCABULARY
from tests.rendering.command_lines import changes, command_lines

CHIP_KEYS = (
    "nvidia.com/gpu.product",
    "cloud.google.com/gke-accelerator",
    "agentpool",
    "node.kubernetes.io/instance-type",
)
OTHER_KEYS = ("topology.kubernetes.io/zone", "kubernetes.io/arch", "disk", "team")
VALUES = ("a", "b", "7")
_value = st.sampled_from(VALUES)
_key = st.sampled_from(CHIP_KEYS + OTHER_KEYS)


@st.composite
def expressions(draw: st.DrawFn) -> Document:
    key, operator = draw(_key), draw(st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]))
    if operator in ("Exists", "DoesNotExist"):
        return {"key": key, "operator": operator}
    if operator in ("Gt", "Lt"):
        return {"key": key, "operator": operator, "values": ["5"]}
    return {
        "key": key,
        "operator": operator,
        "values": draw(st.lists(_value, min_size=1, max_size=2, unique=True)),
    }


def terms() -> st.SearchStrategy[Document]:
    named = st.just([{"key": "metadata.name", "operator": "In", "values": ["node-1"]}])
    return st.builds(
        lambda found, fields: {
            **({"matchExpressions": found} if found else {}),
            **({"matchFields": fields} if fields else {}),
        },
        st.lists(expressions(), max_size=3),
        st.one_of(st.none(), st.none(), st.none(), named),
    )


@st.composite
def affinities(draw: st.DrawFn) -> Document:
    node: Document = {}
    required = draw(st.lists(terms(), max_size=3))
    if any(required):
        node[REQUIRED] = {"nodeSelectorTerms": required}
    preferred = draw(st.lists(terms().filter(bool), max_size=2))
    if preferred:
        node[PREFERRED] = [{"weight": 10, "preference": term} for term in preferred]
    result: Document = {"nodeAffinity": node} if node else {}
    if draw(st.booleans()):
        keys = draw(st.lists(_key, min_size=1, max_size=2, unique=True))
        spread = [{"topologyKey": key, "labelSelector": {"matchLabels": {"app": "llama"}}} for key in keys]
        result["podAntiAffinity"] = {REQUIRED: spread}
    return result


_variables = st.lists(
    st.one_of(
        st.builds(
            lambda n, v: {"name": n, "value": v},
            st.sampled_from("ABCDEF"),
            st.sampled_from(["", "1", "$(A)/x"]),
        ),
        st.builds(
            lambda n: {"name": n, "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            st.sampled_from("TUV"),
        ),
        st.builds(
            lambda n: {"name": n, "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}, st.just("IP")
        ),
    ),
    max_size=6,
    unique_by=lambda entry: entry["name"],
)
_tolerations = st.lists(
    st.sampled_from(
        [
            {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
            {"key": "amd.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
            {"key": "agentpool", "operator": "Equal", "value": "gpu"},
            {"key": "team", "operator": "Equal", "value": "ml", "effect": "NoSchedule"},
            {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60},
            {"key": "sku", "value": "gpu", "effect": "NoSchedule"},
        ],
    ),
    max_size=4,
    unique_by=str,
)
_probe = st.builds(
    lambda period: {"httpGet": {"path": "/health", "port": 8000}, **period},
    st.sampled_from([{}, {"periodSeconds": 5}, {"failureThreshold": 30, "initialDelaySeconds": 10}]),
)


@st.composite
def _serving(draw: st.DrawFn) -> Document:
    container: Document = {
        "name": "vllm",
        "image": draw(st.sampled_from(["vllm/vllm-openai:v0.11.0", "vllm/vllm-openai"])),
    }
    limits = {"nvidia.com/gpu": draw(st.sampled_from([1, "4", 8]))}
    requests: Document = dict(limits) if draw(st.booleans()) else {}
    requests |= draw(st.sampled_from([{}, {"cpu": "500m"}, {"cpu": 16, "memory": "65536Mi"}]))
    container["resources"] = {"limits": {**limits, **draw(st.sampled_from([{}, {"memory": "128Gi"}]))}}
    if requests:
        container["resources"]["requests"] = requests
    command, args = draw(command_lines())
    container |= {key: words for key, words in (("command", command), ("args", args)) if words}
    for key, strategy in (
        ("env", _variables),
        ("envFrom", st.sampled_from([[], [{"configMapRef": {"name": "common"}}]])),
        ("ports", st.sampled_from([[], [{"name": "http", "containerPort": 8000}]])),
    ):
        if value := draw(strategy):
            container[key] = value
    for key in ("startupProbe", "readinessProbe", "livenessProbe"):
        if draw(st.booleans()):
            container[key] = draw(_probe)
    return container


@st.composite
def author_files(draw: st.DrawFn) -> Manifest:
    """A manifest as an author writes it: valid, and with only what the author cares about."""
    serving = draw(_serving())
    spec: Document = {"containers": [serving], "volumes": []}
    if draw(st.booleans()):
        spec["containers"].insert(
            draw(st.integers(0, 1)), {"name": "proxy", "image": "envoy:1", "env": draw(_variables)}
        )
    if draw(st.booleans()):
        spec["initContainers"] = [{"name": "fetch", "image": "fetch:1", "command": ["fetch"]}]
    _draw_volumes(draw, spec, serving)
    selector = draw(st.dictionaries(_key, _value, max_size=3))
    optional: dict[str, Any] = {
        "nodeSelector": selector,
        "tolerations": draw(_tolerations),
        "affinity": draw(affinities()),
        "runtimeClassName": draw(st.sampled_from([None, "nvidia", "gvisor"])),
    }
    spec |= {key: value for key, value in optional.items() if value}
    spread = draw(st.lists(_key, max_size=2, unique=True))
    if spread:
        spec["topologySpreadConstraints"] = [
            {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule"} for key in spread
        ]
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}
    strategies: list[Document] = [{}, {"type": "Recreate"}, rolling]
    annotations = draw(st.sampled_from([{}, {"prometheus.io/scrape": "true"}]))
    metadata = {"labels": {"app": "llama"}, "annotations": annotations}
    return Manifest({"metadata": metadata, "spec": spec}, draw(st.sampled_from(strategies)))


def _draw_volumes(draw: st.DrawFn, spec: Document, serving: Document) -> None:
    memory = {"emptyDir": {"medium": "Memory"}}
    sources: list[Document | None] = [
        None,
        memory,
        {"emptyDir": {}},
        {"hostPath": {"path": SHARED_MEMORY_PATH}},
    ]
    shm = draw(st.sampled_from(sources))
    mounts: list[Document] = []
    if draw(st.booleans()):
        spec["volumes"].append({"name": "models", "persistentVolumeClaim": {"claimName": "models"}})
        mounts.append({"name": "models", "mountPath": "/models", "readOnly": True})
    if shm is not None:
        spec["volumes"].append({"name": "dshm", **shm})
        mounts.insert(0, {"name": "dshm", "mountPath": SHARED_MEMORY_PATH})
    if mounts:
        serving["volumeMounts"] = mounts
    else:
        del spec["volumes"]


@st.composite
def patches(draw: st.DrawFn) -> ContainerPatch:
    env = draw(
        st.dictionaries(st.sampled_from("ABCXYZ"), st.sampled_from(["", "chip", "$(A)/y"]), max_size=3)
    )
    args = replace(draw(changes()), replace=draw(st.sampled_from([None, None, None, ("--all", "new")])))
    probe = draw(
        st.sampled_from([None, {"httpGet": {"port": 8000}, "failureThreshold": 90, "initialDelaySeconds": 7}])
    )
    init: tuple[Document, ...] = ({"name": "warm", "image": "warm"},)
    volumes = (ScratchVolume("neff", "/cache/neff", size_limit="1024Mi"),)
    return ContainerPatch(
        image=draw(st.sampled_from([None, "rocm/vllm:v0.11.0"])),
        command=draw(st.sampled_from([None, ("serve",)])),
        args=draw(st.sampled_from([None, args])),
        env=tuple(env.items()),
        remove_env=tuple(draw(st.lists(st.sampled_from("DEF"), max_size=2, unique=True))),
        startup_probe=probe,
        cpu=draw(st.sampled_from([None, "8000m"])),
        memory=draw(st.sampled_from([None, "256Gi"])),
        shared_memory=draw(st.sampled_from([None, "16Gi"])),
        runtime_class_name=draw(st.sampled_from([None, "", "other"])),
        init_containers=draw(st.sampled_from([(), init, ({"name": "fetch", "image": "other:1"},)])),
        volumes=draw(st.sampled_from([(), volumes])),
    )


@st.composite
def targets(draw: st.DrawFn) -> Target:
    resource = draw(st.sampled_from(["amd.com/gpu", "example.com/maia", "nvidia.com/gpu"]))
    labels = st.dictionaries(
        st.sampled_from(["agentpool", "example.com/pool", "topology.kubernetes.io/zone"]), _value, min_size=1
    )
    pools = draw(st.lists(labels.map(lambda found: PoolTerm(tuple(found.items()))), min_size=1, max_size=3))
    toleration = {"key": resource, "operator": "Exists", "effect": "NoSchedule"}
    return Target(
        container="vllm",
        resource_name=resource,
        chips=draw(st.integers(1, 8)),
        vocabulary=VOCABULARY,
        terms=tuple(pools),
        tolerations=draw(st.sampled_from([(), (toleration,)])),
        patch=draw(patches()),
        max_surge=draw(st.integers(1, 3)),
    )
