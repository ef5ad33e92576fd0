"""The smallest valid document of each kind, and a way to change one place of it."""

import copy
import re
from typing import Any

API_VERSION = "chipwise.dev/v1alpha1"

Document = dict[str, Any]


class _Absent:
    """Put in place of a value, it takes the field away."""


ABSENT = _Absent()


def _document(kind: str, name: str, spec: Document) -> Document:
    return copy.deepcopy({"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec})


def accelerator_class(**spec: Any) -> Document:
    return _document(
        "AcceleratorClass",
        "h100",
        {"vendor": "NVIDIA", "chip": "H100 SXM", "memory": "80Gi", "memoryBandwidthGBps": 3350, **spec},
    )


def accelerator_pool(**spec: Any) -> Document:
    minimal = {
        "className": "h100",
        "nodeSelector": {"example.com/pool": "h100"},
        "shape": {"chips": 8, "cpu": "96", "memory": "1900Gi"},
        "nodes": {"max": 4},
    }
    return _document("AcceleratorPool", "h100", {**minimal, **spec})


def priced_pool(**price: Any) -> Document:
    return accelerator_pool(price={"amount": "98.32", **price})


def variant(**fields: Any) -> Document:
    return {
        "name": "h100-x4",
        "className": "h100",
        "chips": 4,
        "precision": "bf16",
        "startupSeconds": 180,
        **fields,
    }


def point(**fields: Any) -> Document:
    return {
        "concurrency": 8,
        "inputTokens": 1024,
        "outputTokens": 512,
        "ttft": "126ms",
        "tpot": "10.7ms",
        **fields,
    }


def coefficients(**fields: Any) -> Document:
    return {
        "alpha": "6.958",
        "beta": "0.042",
        "gamma": "0.00001",
        "maxBatchSize": 64,
        "atTokens": 512,
        **fields,
    }


def model_profile(*variants: Document) -> Document:
    return _document(
        "ModelProfile", "qwen3-32b", {"model": "Qwen/Qwen3-32B", "variants": list(variants or (variant(),))}
    )


def measured_profile(**performance: Any) -> Document:
    return model_profile(variant(performance=performance))


def patched_profile(**container: Any) -> Document:
    return model_profile(variant(container=container))


def inference_workload(**spec: Any) -> Document:
    minimal = {
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat"},
        "modelProfileName": "qwen3-32b",
        "traffic": {"meanRequestsPerSecond": "8.0", "inputTokens": 1024, "outputTokens": 512},
        "objectives": [{"metric": "TPOT", "threshold": "40ms"}],
    }
    document = _document("InferenceWorkload", "chat", {**minimal, **spec})
    document["metadata"]["namespace"] = "default"
    return document


def placement_policy(**spec: Any) -> Document:
    return _document("PlacementPolicy", "default", spec)


MINIMAL = (accelerator_class(), accelerator_pool(), model_profile(), inference_workload(), placement_policy())


def put(document: Document, path: str, value: Any) -> Document:
    """A copy of ``document`` with ``value`` at ``path`` (``spec.variants[0].chips``); maps on the way are made."""
    changed = copy.deepcopy(document)
    place: Any = changed
    *way, last = [int(index) if index else name for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path)]
    for step in way:
        place = place[step] if isinstance(step, int) else place.setdefault(step, {})
    if isinstance(value, _Absent):
        del place[last]
    else:
        place[last] = value
    return changed
