"""The API server admits and refuses what the offline parser does, in words that name the field and say what to do."""

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from chipwise.api import (
    Condition,
    ConditionStatus,
    DecisionStatus,
    InferenceWorkloadStatus,
    InvalidObject,
    Placement,
    PlacementSummary,
    parse,
)

from e2e.cluster import Cluster
from e2e.cluster.commands import kubectl_on
from e2e.cluster.errors import CommandError
from tests.api.bounds import NEVER_VALID, PLACES
from tests.api.documents import (
    MINIMAL,
    Document,
    accelerator_pool,
    coefficients,
    inference_workload,
    model_profile,
    point,
    put,
    variant,
)
from tests.api.rejections import REJECTIONS, Rejection

pytestmark = pytest.mark.apiserver


def create(cluster: Cluster, document: Document) -> dict[str, Any]:
    """What the API server would store; CommandError with its message if it refuses."""
    arguments = ("create", "--dry-run=server", "-o", "json", "-f", "-")
    created: dict[str, Any] = json.loads(cluster.run_kubectl(*arguments, stdin=json.dumps(document)))
    return created


@pytest.mark.parametrize("document", MINIMAL, ids=lambda document: document["kind"])
def test_minimal_documents_are_admitted(cluster: Cluster, document: Document) -> None:
    """What is optional can be left out, and the server's defaults are those of the models."""
    stored = parse(create(cluster, document))
    assert stored.spec == parse(document).spec


@pytest.mark.parametrize("case", REJECTIONS, ids=lambda case: case.id)
def test_refused_by_server_and_offline(cluster: Cluster, case: Rejection) -> None:
    """Both refuse, and both name the field."""
    with pytest.raises(CommandError) as refused:
        create(cluster, case.document)
    with pytest.raises(InvalidObject) as offline:
        parse(case.document)

    assert case.field in str(refused.value)
    assert case.server in str(refused.value)
    assert offline.value.path == case.field
    assert "rule evaluation error" not in str(refused.value)


def test_as_many_entries_as_allowed_are_admitted(cluster: Cluster) -> None:
    """At its bound every list and map is fine, so that in the cases above one entry too many is all that is wrong."""
    full = [place.holding(place.limit) for place in PLACES if place.path not in NEVER_VALID]
    listed: Document = {"apiVersion": "v1", "kind": "List", "items": full}
    admitted = cluster.run_kubectl(
        "create", "--dry-run=server", "-o", "name", "-f", "-", stdin=json.dumps(listed)
    )
    assert len(admitted.splitlines()) == len(full)


NUMBERS = (
    "",
    " ",
    "0",
    "00",
    "1",
    "01",
    "10",
    "0.5",
    ".5",
    "5.",
    "0.0",
    "0.01",
    "1.0",
    "1..2",
    "-1",
    "1,5",
    "٣",
)
UNITS = ("", "ms", "s", "m", "k", "M", "Mi", "Gi", "h", " ms", "MS", "ms\n")
SPELLINGS = [number + unit for number in NUMBERS for unit in UNITS]


def refused_positions(cluster: Cluster, document: Document, path: str) -> set[int]:
    """Which values of ``path`` (with ``{}`` for the position) the API server complains about."""
    done = subprocess.run(
        [*kubectl_on(cluster.kubectl, cluster.kubeconfig), "create", "--dry-run=server", "-f", "-"],
        input=json.dumps(document),
        capture_output=True,
        text=True,
        check=False,
    )
    pattern = re.escape(path).replace(r"\{\}", r"(\d+)") + ": Invalid"
    return {int(position) for position in re.findall(pattern, done.stderr)}


@pytest.mark.parametrize(
    ("document", "path", "spellings"),
    [
        (
            model_profile(variant(performance={"points": [point() for _ in SPELLINGS]})),
            "spec.variants[{}].performance.points[{}].ttft".replace("{}", "0", 1),
            SPELLINGS,
        ),
        (
            model_profile(*(variant(name=f"v{n}", container={}) for n in range(32))),
            "spec.variants[{}].container.sharedMemory",
            SPELLINGS[36:68],
        ),
        (
            model_profile(
                *(variant(name=f"v{n}", performance={"coefficients": coefficients()}) for n in range(17))
            ),
            "spec.variants[{}].performance.coefficients.alpha",
            SPELLINGS[::12],
        ),
        (
            accelerator_pool(tolerations=[{"key": "a"} for _ in range(16)]),
            "spec.tolerations[{}].value",
            [
                "",
                "a",
                "A-b",
                "a_b",
                "a.b",
                "-a",
                "a-",
                " a",
                "a b",
                "a/b",
                "ä",
                "a" * 63,
                "1",
                "a\n",
                ".",
                "a..b",
            ],
        ),
    ],
    ids=["latency", "memory", "decimal", "label value"],
)
def test_server_and_offline_agree_on_forms(
    cluster: Cluster, document: Document, path: str, spellings: list[str]
) -> None:
    """Many spellings in one object: the same ones are wrong on both sides."""
    for position, spelling in enumerate(spellings):
        document = put(document, path.format(position), spelling)
    with pytest.raises(InvalidObject) as offline:
        parse(document)

    pattern = re.escape(path).replace(r"\{\}", r"(\d+)")
    by_us = {int(re.fullmatch(pattern, problem.path)[1]) for problem in offline.value.problems}  # type: ignore[index]
    assert by_us == refused_positions(cluster, document, path)
    assert 0 < len(by_us) < len(spellings)


def test_explain_reads_as_a_manual(cluster: Cluster) -> None:
    """Kubectl explain knows the short name, every field and its units."""
    brief = cluster.run_kubectl("explain", "iw.spec.objectives", "--recursive")
    full = cluster.run_kubectl("explain", "iw.spec.objectives")

    assert re.findall(r"^  (\w+)\t", brief, re.MULTILINE) == [
        "confidence",
        "metric",
        "statistic",
        "threshold",
    ]
    assert "in ms or s, such as 40ms or 1.5s" in full
    assert "enum: TTFT, TPOT" in full


def test_one_line_answers_where_how_much_and_why(cluster: Cluster, written: str) -> None:
    """Kubectl get shows what chipwise wrote into the status, which passes its own schema."""
    header, row = cluster.run_kubectl("get", "iw", written).splitlines()

    assert header.split() == ["NAME", "READY", "POOL", "VARIANT", "REPLICAS", "$/H", "WHY", "AGE"]
    assert row.split()[:7] == [written, "True", "h100", "h100-x4", "3", "36.87", "Stays"]
    assert written in cluster.run_kubectl("get", "chipwise", "-A")


@pytest.fixture
def written(cluster: Cluster) -> Iterator[str]:
    """Create a workload whose status has been written; yield its name."""
    name = "admission-columns"
    document = put(inference_workload(), "metadata.name", name)
    cluster.run_kubectl("create", "-f", "-", stdin=json.dumps(document))
    status = InferenceWorkloadStatus(
        observed_generation=1,
        conditions=(
            Condition(
                type="Ready",
                status=ConditionStatus.TRUE,
                last_transition_time="2026-03-27T12:00:00Z",
                reason="Stays",
                message="",
            ),
        ),
        summary=PlacementSummary(
            pool="h100", variant="h100-x4", replicas=3, cost_per_hour="36.87", reason="Stays"
        ),
        placements=(Placement(pool="h100", variant="h100-x4", replicas=3, ttft="412ms", tpot="28.1ms"),),
        decisions=(
            DecisionStatus(
                at="2026-03-27T12:00:00Z", decision="Hold", reason="Stays", from_="h100-x4 on h100"
            ),
        ),
    )
    patch = {"status": status.model_dump(by_alias=True, exclude_none=True, mode="json")}
    cluster.run_kubectl("patch", "iw", name, "--subresource=status", "--type=merge", "-p", json.dumps(patch))
    yield name
    cluster.run_kubectl("delete", "iw", name)
