"""Everything that must be refused, as one table: by the API server (e2e/test_admission.py) and offline (test_rejections.py).

``server`` is a fragment of the API server's message. ``offline`` is one of ours; where a rule of our own is broken it is the same.
"""

import json
from dataclasses import dataclass
from typing import Any

from tests.api.bounds import PLACES, Place
from tests.api.documents import (
    ABSENT,
    Document,
    accelerator_class,
    accelerator_pool,
    coefficients,
    inference_workload,
    measured_profile,
    model_profile,
    patched_profile,
    placement_policy,
    point,
    priced_pool,
    put,
    variant,
)


@dataclass(frozen=True)
class Rejection:
    id: str
    document: Document
    field: str
    server: str
    offline: str


def _rule(name: str, document: Document, field: str, says: str) -> Rejection:
    """One of our own rules: the same sentence on both sides."""
    return Rejection(name, document, field, says, says)


def _at(name: str, document: Document, field: str, value: Any, says: str) -> Rejection:
    return _rule(name, put(document, field, value), field, says)


def _architecture(name: str, field: str, says: str, **shape: int) -> Rejection:
    """A model whose figures contradict each other."""
    sound = {"parameters": 8, "layers": 1, "hiddenSize": 1, "kvHeads": 1, "headDim": 1}
    document = put(model_profile(), "spec.architecture", sound | shape)
    return _rule(name, document, f"spec.architecture.{field}", says)


def _schema(name: str, document: Document, field: str, value: Any, server: str, offline: str) -> Rejection:
    """A bound of the schema: each side in its own words."""
    return Rejection(name, put(document, field, value), field, server, offline)


def _required(name: str, document: Document, field: str) -> Rejection:
    return _schema(name, document, field, ABSENT, f"{field}: Required value", "is required")


def _below_one(name: str, document: Document, field: str, value: int) -> Rejection:
    return _schema(name, document, field, value, "should be greater than or equal to 1", "must be at least 1")


def _unknown(name: str, document: Document, field: str, value: Any, supported: str) -> Rejection:
    offline = supported.replace('"', "'").split(",")[0]
    return _schema(name, document, field, value, f"supported values: {supported}", f"must be {offline}")


def _twice(name: str, document: Document, field: str, repeated: Any) -> Rejection:
    """Two entries of a list that are told apart by the same ``repeated`` fields, or are the same themselves."""
    said = (
        ", ".join(f"{key} {value}" for key, value in repeated.items())
        if isinstance(repeated, dict)
        else repeated
    )
    server = f"{field}: Duplicate value: {json.dumps(repeated, separators=(',', ':'))}"
    return Rejection(name, document, field, server, f"repeats {said}, which may stand here only once")


def _too_many(place: Place) -> Rejection:
    """One entry more than the bound, and nothing else wrong."""
    count = place.limit + 1
    return Rejection(
        f"{count} entries in {place.name}",
        place.holding(count),
        place.path,
        f"{place.path}: Too many: {count}: must have at most {place.limit} items",
        f"may not have more than {place.limit} entries",
    )


def _repeated(place: Place) -> Rejection:
    """The same entry twice, and nothing else wrong."""
    entry = place.entry(1)
    told_apart_by = {key: entry[key] for key in place.keys} if place.keys else entry
    return _twice(
        f"an entry twice in {place.name}", place.given([entry, entry]), f"{place.path}[1]", told_apart_by
    )


POOL, PRICED, WORKLOAD, PROFILE = accelerator_pool(), priced_pool(), inference_workload(), model_profile()
MEASURED = measured_profile(points=[point()])
FITTED = measured_profile(coefficients=coefficients())
ABOVE_ZERO = "must be a decimal number greater than zero"
PRICE, MEAN, PEAK = (
    "spec.price.amount",
    "spec.traffic.meanRequestsPerSecond",
    "spec.traffic.peakRequestsPerSecond",
)
POINT = "spec.variants[0].performance.points[0]"
CONTAINER = "spec.variants[0].container"
LATENCY = "must be a duration greater than zero in ms or s, such as 38ms or 1.5s"
STATISTICS = '"Mean", "P50", "P90", "P95", "P99"'
TAINT = {"key": "nvidia.com/gpu", "operator": "Exists"}
HOST_PATH = {
    "name": "models",
    "mountPath": "/models",
    "hostPath": {"path": "/var/models", "type": "Directory"},
}

PRICES = (
    _at("price of zero", PRICED, PRICE, "0", ABOVE_ZERO),
    _at("price of zero with decimals", PRICED, PRICE, "0.00", ABOVE_ZERO),
    _at("negative price", PRICED, PRICE, "-1", ABOVE_ZERO),
    _at("price with a dollar sign", PRICED, PRICE, "$98.32", ABOVE_ZERO),
    _at("price with a comma", PRICED, PRICE, "98,32", ABOVE_ZERO),
    _at("price with an exponent", PRICED, PRICE, "1e3", ABOVE_ZERO),
    _at("empty price", PRICED, PRICE, "", ABOVE_ZERO),
    _at("blank price", PRICED, PRICE, " ", ABOVE_ZERO),
    _at("price with a line break", PRICED, PRICE, "98.32\n", ABOVE_ZERO),
    _schema("price as a number", PRICED, PRICE, 98.32, "must be of type string", 'put it in quotes, "98.32"'),
    _required("price without amount", put(PRICED, "spec.price.currency", "USD"), PRICE),
    _at("unknown currency", PRICED, "spec.price.currency", "dollar", "such as USD"),
    _unknown("unknown billing unit", PRICED, "spec.price.unit", "Core", '"Node", "Chip"'),
)

POOLS = (
    _at("empty node selector", POOL, "spec.nodeSelector", {}, "name at least one node label"),
    _at("no node selector", POOL, "spec.nodeSelector", ABSENT, "say which nodes are of this pool"),
    _at("no shape", POOL, "spec.shape", ABSENT, "is required: say what one node offers"),
    _at("no number of nodes", POOL, "spec.nodes", ABSENT, "is required: say how many nodes there can be"),
    _at(
        "node pool with a wrong name",
        POOL,
        "spec.karpenter.nodePool",
        "H100",
        "must be the name of an object",
    ),
    _at("label value with a blank", POOL, "spec.nodeSelector.pool", "my pool", "must be a label value"),
    _at(
        "label key with a blank",
        POOL,
        "spec.nodeSelector",
        {"bad key!": "x"},
        "every key must be a label key",
    ),
    _at(
        "label key that is too long",
        POOL,
        "spec.nodeSelector",
        {"k" * 400: "x"},
        "every key must be a label key",
    ),
    _at(
        "namespace label that is none",
        put(POOL, "spec.namespaceSelector.matchExpressions", []),
        "spec.namespaceSelector.matchLabels",
        {"/team": "x"},
        "every key must be a label key",
    ),
    _rule(
        "more nodes committed than there can be",
        put(put(POOL, "spec.nodes", {"min": 0, "max": 1}), "spec.committedNodes", 99),
        "spec.committedNodes",
        "must not be above nodes.max",
    ),
    _rule(
        "a placeholder larger than a node",
        put(put(POOL, "spec.shape.chips", 8), "spec.spare", {"replicas": 1, "chips": 9}),
        "spec.spare.chips",
        "must not be above shape.chips",
    ),
    _rule(
        "more warm nodes than there can be",
        put(put(POOL, "spec.nodes", {"max": 2}), "spec.spare", {"replicas": 3}),
        "spec.spare.replicas",
        "must not be above nodes.max",
    ),
    _below_one("no placeholder", put(POOL, "spec.spare", {"replicas": 1}), "spec.spare.replicas", 0),
    _rule(
        "max below min",
        put(POOL, "spec.nodes", {"min": 5, "max": 4}),
        "spec.nodes.max",
        "must not be below min",
    ),
    _below_one("no nodes at most", POOL, "spec.nodes.max", 0),
    _below_one("nodes without chips", POOL, "spec.shape.chips", 0),
    _at("cpu of zero", POOL, "spec.shape.cpu", "0", "must be an amount of CPU greater than zero"),
    _at("memory in GB", POOL, "spec.shape.memory", "80GB", "must be an amount of memory greater than zero"),
    _at("class name in capitals", POOL, "spec.className", "H100", "must be the name of an object"),
    _unknown("unknown capacity type", POOL, "spec.capacityType", "Cheap", '"OnDemand", "Spot", "Reserved"'),
    _twice("zone given twice", put(POOL, "spec.zones", ["a", "a"]), "spec.zones[1]", "a"),
    _rule(
        "toleration without key",
        put(POOL, "spec.tolerations", [{"operator": "Equal", "value": "x"}]),
        "spec.tolerations[0].key",
        "needs a key, unless operator is Exists",
    ),
    _rule(
        "toleration of any value with a value",
        put(POOL, "spec.tolerations", [{**TAINT, "value": "x"}]),
        "spec.tolerations[0].value",
        "must be left out when operator is Exists",
    ),
    _rule(
        "toleration seconds without NoExecute",
        put(POOL, "spec.tolerations", [{**TAINT, "tolerationSeconds": 5}]),
        "spec.tolerations[0].tolerationSeconds",
        "needs effect NoExecute",
    ),
    _rule(
        "namespace expression without values",
        put(POOL, "spec.namespaceSelector", {"matchExpressions": [{"key": "team", "operator": "In"}]}),
        "spec.namespaceSelector.matchExpressions[0].values",
        "must be given for the operators In and NotIn",
    ),
    _schema(
        "misspelt field",
        POOL,
        "spec.nodeselector",
        {"a": "b"},
        'unknown field "spec.nodeselector"',
        "check the spelling",
    ),
)

CLASSES = (
    _at(
        "resource without domain",
        accelerator_class(),
        "spec.resourceName",
        "gpu",
        "must be an extended resource with the domain",
    ),
    _at(
        "memory of zero",
        accelerator_class(),
        "spec.memory",
        "0Gi",
        "must be an amount of memory greater than zero",
    ),
    _below_one("no bandwidth", accelerator_class(), "spec.memoryBandwidthGBps", 0),
    _schema(
        "blank vendor",
        accelerator_class(),
        "spec.vendor",
        "",
        "should be at least 1 chars long",
        "must not be empty",
    ),
    _unknown("unknown architecture", accelerator_class(), "spec.architecture", "riscv64", '"amd64", "arm64"'),
    _twice(
        "precision given twice",
        accelerator_class(tflops=[{"precision": "bf16", "dense": 1}, {"precision": "bf16", "dense": 2}]),
        "spec.tflops[1]",
        {"precision": "bf16"},
    ),
    _rule(
        "discovery label without values",
        accelerator_class(discovery={"nodeLabels": [{"key": "example.com/chip", "values": []}]}),
        "spec.discovery.nodeLabels[0].values",
        "name at least one value of the label",
    ),
)

PROFILES = (
    _at("no variants", PROFILE, "spec.variants", [], "give at least one variant"),
    _twice(
        "two variants of one name",
        model_profile(variant(), variant(chips=2)),
        "spec.variants[1]",
        {"name": "h100-x4"},
    ),
    _below_one("variant without chips", PROFILE, "spec.variants[0].chips", 0),
    _schema(
        "variant of 65 chips",
        PROFILE,
        "spec.variants[0].chips",
        65,
        "less than or equal to 64",
        "must be at most 64",
    ),
    _schema(
        "chips as text",
        PROFILE,
        "spec.variants[0].chips",
        "4",
        "must be of type integer",
        "must be a whole number",
    ),
    _unknown(
        "unknown precision",
        PROFILE,
        "spec.variants[0].precision",
        "fp64",
        '"bf16", "fp16", "fp8", "int8", "fp4", "int4"',
    ),
    _below_one("starts at once", PROFILE, "spec.variants[0].startupSeconds", 0),
    _architecture(
        "more active parameters than there are",
        "activeParameters",
        "must not exceed parameters",
        parameters=8,
        activeParameters=9,
    ),
    _architecture(
        "fewer query heads than key and value heads",
        "attentionHeads",
        "must not be below kvHeads",
        kvHeads=8,
        attentionHeads=4,
    ),
    _architecture(
        "more experts for a token than there are",
        "expertsPerToken",
        "must be between 1 and experts",
        experts=4,
        expertsPerToken=8,
    ),
    _architecture(
        "experts that no token uses", "expertsPerToken", "must be between 1 and experts", experts=4
    ),
    _architecture("a window without layers", "slidingWindow", "goes with slidingLayers", slidingWindow=4096),
    _architecture("layers without a window", "slidingWindow", "goes with slidingLayers", slidingLayers=1),
    _architecture(
        "more windowed and linear layers than layers",
        "linearLayers",
        "must not exceed layers",
        layers=4,
        slidingWindow=128,
        slidingLayers=2,
        linearLayers=3,
    ),
    _architecture(
        "fewer active parameters than the share of the experts",
        "activeParameters",
        "must not be below parameters x expertsPerToken / experts",
        activeParameters=3,
        experts=8,
        expertsPerToken=4,
    ),
    _architecture(
        "fewer parameters than the keys of its layers",
        "parameters",
        "must not be below layers x hiddenSize x kvHeads x headDim",
        layers=9,
    ),
    _rule(
        "points and coefficients",
        measured_profile(points=[point()], coefficients=coefficients()),
        "spec.variants[0].performance",
        "give either points or coefficients, and not both",
    ),
    _rule(
        "neither points nor coefficients",
        measured_profile(statistic="Mean"),
        "spec.variants[0].performance",
        "give either points or coefficients, and not both",
    ),
    _rule(
        "empty points",
        measured_profile(points=[]),
        "spec.variants[0].performance.points",
        "give at least one measured point",
    ),
    _required("point without input tokens", MEASURED, f"{POINT}.inputTokens"),
    _required("point without output tokens", MEASURED, f"{POINT}.outputTokens"),
    _below_one("point of no input tokens", MEASURED, f"{POINT}.inputTokens", 0),
    _below_one("point of no output tokens", MEASURED, f"{POINT}.outputTokens", 0),
    _below_one("point without concurrency", MEASURED, f"{POINT}.concurrency", 0),
    _at("latency without unit", MEASURED, f"{POINT}.ttft", "126", LATENCY),
    _at("latency of zero", MEASURED, f"{POINT}.tpot", "0ms", LATENCY),
    _at("negative latency", MEASURED, f"{POINT}.tpot", "-1ms", LATENCY),
    _unknown(
        "unknown statistic of points", MEASURED, "spec.variants[0].performance.statistic", "P42", STATISTICS
    ),
    _at("no such day", MEASURED, "spec.variants[0].performance.measuredAt", "2026-13-01", "must be a date"),
    _at("alpha of zero", FITTED, "spec.variants[0].performance.coefficients.alpha", "0.0", ABOVE_ZERO),
    _at(
        "negative beta", FITTED, "spec.variants[0].performance.coefficients.beta", "-0.1", "of at least zero"
    ),
    _below_one("no batch", FITTED, "spec.variants[0].performance.coefficients.maxBatchSize", 0),
)

CONTAINERS = (
    _rule(
        "hostPath",
        patched_profile(volumes=[HOST_PATH]),
        f"{CONTAINER}.volumes[0].hostPath",
        "may not mount a path of the node",
    ),
    _rule(
        "empty hostPath",
        patched_profile(volumes=[{**HOST_PATH, "hostPath": {}}]),
        f"{CONTAINER}.volumes[0].hostPath",
        "may not mount a path of the node",
    ),
    _rule(
        "relative mount path",
        patched_profile(volumes=[{"name": "scratch", "mountPath": "scratch"}]),
        f"{CONTAINER}.volumes[0].mountPath",
        "must be an absolute path",
    ),
    _rule(
        "whole arguments without mode Replace",
        patched_profile(args={"list": ["--a"]}),
        f"{CONTAINER}.args.list",
        "must be given with mode Replace, and only then",
    ),
    _rule(
        "mode Replace without arguments",
        patched_profile(args={"mode": "Replace"}),
        f"{CONTAINER}.args.list",
        "must be given with mode Replace, and only then",
    ),
    _rule(
        "mode Replace with a patch",
        patched_profile(args={"mode": "Replace", "list": ["--a"], "remove": ["--b"]}),
        f"{CONTAINER}.args.mode",
        "drop set, remove and append",
    ),
    _rule(
        "flag with its value",
        patched_profile(args={"remove": ["--a=1"]}),
        f"{CONTAINER}.args.remove[0]",
        "must be one flag without its value",
    ),
    _rule(
        "variable with a blank",
        patched_profile(env=[{"name": "MY VAR"}]),
        f"{CONTAINER}.env[0].name",
        "must be the name of an environment variable",
    ),
    _twice(
        "variable set twice",
        patched_profile(env=[{"name": "A", "value": "1"}, {"name": "A"}]),
        f"{CONTAINER}.env[1]",
        {"name": "A"},
    ),
    _rule(
        "no such runtime class",
        patched_profile(runtimeClassName="-"),
        f"{CONTAINER}.runtimeClassName",
        "must be the name of a RuntimeClass",
    ),
    Rejection(
        "port beyond the last",
        patched_profile(probes={"readiness": {"httpGet": {"port": 65536}}}),
        f"{CONTAINER}.probes.readiness.httpGet.port",
        "should be less than or equal to 65535",
        "must be a port from 1 to 65535",
    ),
    Rejection(
        "port name too long",
        patched_profile(probes={"startup": {"httpGet": {"port": "a-name-beyond-fifteen"}}}),
        f"{CONTAINER}.probes.startup.httpGet.port",
        "may not be more than 15",
        "must be a port from 1 to 65535",
    ),
)

WORKLOADS = (
    _at("rate of zero", WORKLOAD, MEAN, "0", ABOVE_ZERO),
    _at("negative rate", WORKLOAD, MEAN, "-8", ABOVE_ZERO),
    _at("peak that is no number", WORKLOAD, PEAK, "many", ABOVE_ZERO),
    _at("peak below mean", WORKLOAD, PEAK, "7.99", "must not be below meanRequestsPerSecond"),
    _at(
        "peak below mean, shorter text",
        put(WORKLOAD, MEAN, "10"),
        PEAK,
        "9",
        "must not be below meanRequestsPerSecond",
    ),
    _below_one("no input tokens", WORKLOAD, "spec.traffic.inputTokens", 0),
    _below_one("negative input tokens", WORKLOAD, "spec.traffic.inputTokens", -1),
    _below_one("no output tokens", WORKLOAD, "spec.traffic.outputTokens", 0),
    _at(
        "hit ratio above one",
        WORKLOAD,
        "spec.traffic.prefixCacheHitRatio",
        "1.1",
        "must be a decimal number from 0 to 1",
    ),
    _at("empty objectives", WORKLOAD, "spec.objectives", [], "state at least one objective"),
    _required("no objectives", WORKLOAD, "spec.objectives"),
    _at("objective of zero", WORKLOAD, "spec.objectives[0].threshold", "0ms", LATENCY),
    _at("negative objective", WORKLOAD, "spec.objectives[0].threshold", "-40ms", LATENCY),
    _unknown("unknown metric", WORKLOAD, "spec.objectives[0].metric", "ITL", '"TTFT", "TPOT"'),
    _unknown("unknown statistic", WORKLOAD, "spec.objectives[0].statistic", "P42", STATISTICS),
    *(
        _at(
            f"confidence of {wrong or 'nothing'}",
            WORKLOAD,
            "spec.objectives[0].confidence",
            wrong,
            'must be a whole number of per cent from 50% to 95%, in quotes, such as "80%"',
        )
        for wrong in ("49%", "96%", "100%", "0.8", "80", "")
    ),
    _twice(
        "one objective twice",
        inference_workload(
            objectives=[
                {"metric": "TPOT", "threshold": "40ms"},
                {"metric": "TPOT", "statistic": "Mean", "threshold": "50ms"},
            ]
        ),
        "spec.objectives[1]",
        {"metric": "TPOT", "statistic": "Mean"},
    ),
    _unknown("unknown mode", WORKLOAD, "spec.mode", "Auto", '"Off", "Initial", "Rollout"'),
    _schema(
        "mode Off without quotes",
        WORKLOAD,
        "spec.mode",
        False,
        'must be of type string: "boolean"',
        "put them in quotes",
    ),
    _unknown("target of another API", WORKLOAD, "spec.targetRef.apiVersion", "apps/v1beta1", '"apps/v1"'),
    _unknown("target that is no Deployment", WORKLOAD, "spec.targetRef.kind", "StatefulSet", '"Deployment"'),
    _required("target without a name", WORKLOAD, "spec.targetRef.name"),
    _rule(
        "fewer replicas at most than at least",
        put(WORKLOAD, "spec.replicas", {"min": 3, "max": 2}),
        "spec.replicas.max",
        "must not be below min",
    ),
    _below_one("no replicas", WORKLOAD, "spec.replicas.min", 0),
    _unknown(
        "unknown owner of replicas", WORKLOAD, "spec.replicas.managedBy", "HPA", '"Chipwise", "External"'
    ),
    _unknown("unknown deletion policy", WORKLOAD, "spec.deletionPolicy", "Delete", '"Restore", "Retain"'),
    _rule(
        "override without performance",
        inference_workload(performance=[{"variantName": "h100-x4", "performance": {}}]),
        "spec.performance[0].performance",
        "give either points or coefficients, and not both",
    ),
    _schema(
        "override of the container",
        inference_workload(performance=[{"variantName": "h100-x4", "performance": {"points": [point()]}}]),
        "spec.performance[0].container",
        {"image": "example.com/mine"},
        'unknown field "spec.performance[0].container"',
        "is not a field that exists here",
    ),
)

POLICIES = (
    _at(
        "stay without unit", placement_policy(), "spec.minimumStay", "600", "must be a duration in h, m and s"
    ),
    _at(
        "payback of zero",
        placement_policy(),
        "spec.paybackHorizon",
        "0h",
        "must be a duration greater than zero",
    ),
    _below_one("no moves at once", placement_policy(), "spec.maxConcurrentMoves", 0),
    _schema(
        "freeze as text",
        placement_policy(),
        "spec.freeze",
        "yes",
        "must be of type boolean",
        "must be true or false",
    ),
    _unknown(
        "unknown answer", placement_policy(), "spec.onOutdatedVariant", "Ignore", '"Hold", "ReturnToAuthor"'
    ),
)

BOUNDS = tuple(_too_many(place) for place in PLACES)
REPEATS = tuple(_repeated(place) for place in PLACES if place.keys is not None)

REJECTIONS = PRICES + POOLS + CLASSES + PROFILES + CONTAINERS + WORKLOADS + POLICIES + BOUNDS + REPEATS
