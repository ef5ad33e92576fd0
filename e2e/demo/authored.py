"""`examples/` as the demo applies it: the authors' files, a policy with short times, and how much each replica serves.

Three things differ from the files. Pods take some seconds to become Ready, as models load; the policy lets a workload move again after
seconds, where hours are sensible; and a node is given seconds to boot, and what failed is tried again after seconds, not minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from chipwise.api import InferenceWorkload
from chipwise.cluster.knowledge import knowledge_of, objectives_of, shape_of, sustained
from chipwise.cluster.manifests import load
from chipwise.cluster.snapshot import Snapshot
from chipwise.reasons import Refusal

from e2e.rendered import ROOT

Document = dict[str, Any]

EXAMPLES = ROOT / "examples"
NAMESPACE = "serving"
READY_AFTER = "4s"
MINIMUM_STAY = "3s"
BOOT_SECONDS = 3
IMPATIENCE = {"failureGrace": "2s", "coolDown": {"first": "15s", "longest": "60s"}}
_READY_DELAY = "pod-ready.stage.kwok.x-k8s.io/delay"


@dataclass(frozen=True, slots=True)
class Serving:
    """What one replica of a workload serves within its objectives, by (resource name, chips): the variant and requests per second."""

    demand: float
    rates: dict[tuple[str, int], tuple[str, float]]


def documents(folder: Path = EXAMPLES) -> list[Document]:
    """Every manifest, changed as said above."""
    found = [
        document
        for path in sorted(folder.rglob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text())
        if document
    ]
    for document in found:
        if document["kind"] == "Deployment":
            template = document["spec"]["template"]
            template["metadata"].setdefault("annotations", {})[_READY_DELAY] = READY_AFTER
        elif document["kind"] == "PlacementPolicy":
            document["spec"] |= {"minimumStay": MINIMUM_STAY, **IMPATIENCE}
        elif document["kind"] == "AcceleratorPool":
            document["spec"]["nodes"]["bootSeconds"] = BOOT_SECONDS
    return found


def by_author(found: list[Document]) -> tuple[list[Document], list[Document]]:
    """What was there before chipwise (namespace and Deployments), and the rest, workloads last."""
    before = [document for document in found if document["kind"] in ("Namespace", "Deployment")]
    before.sort(key=lambda document: document["kind"] != "Namespace")
    rest = [document for document in found if document not in before]
    rest.sort(key=lambda document: document["kind"] == "InferenceWorkload")
    return before, rest


def serving(folder: Path = EXAMPLES) -> dict[str, Serving]:
    """By name of the workload, for those that any chip can serve within their objectives."""
    snapshot = load([folder])
    found = {}
    for workload in snapshot.workloads.values():
        rates = dict(_rates(snapshot, workload))
        if rates:
            traffic = workload.spec.traffic
            peak = traffic.peak_requests_per_second or traffic.mean_requests_per_second
            found[workload.metadata.name] = Serving(float(peak), rates)
    return found


def _rates(
    snapshot: Snapshot, workload: InferenceWorkload
) -> Iterator[tuple[tuple[str, int], tuple[str, float]]]:
    profile = snapshot.profiles[workload.spec.model_profile_name]
    for variant in profile.spec.variants:
        chip_class = snapshot.classes[variant.class_name]
        known = knowledge_of(workload, profile, variant, chip_class)
        if isinstance(known, Refusal):
            continue
        rate = sustained(known, shape_of(workload), objectives_of(workload), variant.max_concurrency)
        if not isinstance(rate, Refusal):
            key = (str(chip_class.spec.resource_name), variant.chips)
            yield key, (variant.name, rate.requests_per_second)
