"""A small fleet as documents: two classes with a pool each, one profile with a variant on both, workloads and Deployments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chipwise.cli.main import main
from click.testing import CliRunner, Result

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
INFERNO = ROOT / "tests" / "data" / "inferno-small"

Document = dict[str, Any]


def invoke(*arguments: Any, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments], input=stdin, catch_exceptions=False)


def planned(*paths: Any, exit_code: int = 0) -> Document:
    """The JSON of a plan."""
    result = invoke("plan", *(word for path in paths for word in ("-f", path)), "-o", "json")
    assert result.exit_code == exit_code, result.output
    document: Document = json.loads(result.stdout)
    return document


def write(folder: Path, *documents: Document, name: str = "fleet.json") -> Path:
    """One file with a List, so that a field's value is exactly what a test says."""
    path = folder / name
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": documents}))
    return path


def ours(kind: str, name: str, spec: Document, namespace: str | None = None) -> Document:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": "chipwise.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


def chip(name: str, **spec: Any) -> Document:
    facts = {"vendor": "Example", "chip": name, "memory": "80G", "memoryBandwidthGBps": 3000}
    return ours("AcceleratorClass", name, facts | {"resourceName": f"example.com/{name}"} | spec)


def pool(name: str, amount: Any, **spec: Any) -> Document:
    """Eight chips a node, at most four nodes."""
    return ours(
        "AcceleratorPool",
        name,
        {
            "className": name,
            "nodeSelector": {"example.com/pool": name},
            "shape": {"chips": 8, "cpu": "64", "memory": "512Gi"},
            "nodes": {"max": 4},
            "price": {"amount": amount},
        }
        | spec,
    )


def variant(class_name: str, tpot: str = "20ms", **spec: Any) -> Document:
    """Two chips; one replica serves about 6 requests/s of 100 tokens."""
    point = {"concurrency": 16, "inputTokens": 100, "outputTokens": 100, "ttft": "100ms", "tpot": tpot}
    return {
        "name": f"{class_name}-x2",
        "className": class_name,
        "chips": 2,
        "precision": "bf16",
        "startupSeconds": 60,
        "performance": {"points": [point | {"concurrency": 1}, point], "source": f"bench of {class_name}"},
    } | spec


def profile(*variants: Document) -> Document:
    return ours("ModelProfile", "llama", {"model": "example/llama", "variants": list(variants)})


def workload(name: str, threshold: str = "40ms", namespace: str = "prod", **spec: Any) -> Document:
    return ours(
        "InferenceWorkload",
        name,
        {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "modelProfileName": "llama",
            "traffic": {"meanRequestsPerSecond": "5", "inputTokens": 100, "outputTokens": 100},
            "objectives": [{"metric": "TPOT", "threshold": threshold}],
            "mode": "Rollout",
        }
        | spec,
        namespace,
    )


def deployment(name: str, chip_name: str, replicas: int, namespace: str = "prod") -> Document:
    container = {
        "name": "server",
        "image": "vllm/vllm-openai:v1",
        "args": ["--model", "example/llama"],
        "resources": {"limits": {f"example.com/{chip_name}": 2}},
    }
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def supply() -> tuple[Document, ...]:
    """dear at 80 $/h a node, cheap at 16."""
    return (
        chip("dear"),
        chip("cheap"),
        pool("dear", "80"),
        pool("cheap", "16"),
        profile(variant("dear"), variant("cheap")),
    )
