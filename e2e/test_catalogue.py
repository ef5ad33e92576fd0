"""What ``chipwise catalog manifests`` writes is what the API server takes, unknown fields refused."""

from __future__ import annotations

import subprocess
import sys

import pytest
from chipwise import catalog

from e2e.cluster import Cluster

pytestmark = pytest.mark.apiserver

EVERY_MODEL = [word for model in catalog.models() for word in ("--model", model.id)]


def made(*arguments: str) -> str:
    """The manifests, by the command itself."""
    command = [sys.executable, "-m", "chipwise.cli", "catalog", "manifests", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def taken(cluster: Cluster, manifests: str) -> list[str]:
    """The kinds of what the API server would store."""
    answer = cluster.run_kubectl(
        "apply", "--dry-run=server", "--validate=strict", "-o", "name", "-f", "-", stdin=manifests
    )
    return [line.partition(".")[0] for line in answer.splitlines()]


@pytest.mark.parametrize(
    ("arguments", "kinds"),
    [
        (EVERY_MODEL, {"acceleratorclass": len(catalog.chips()), "modelprofile": len(catalog.models())}),
        (["--cloud", "azure", "--region", "eastus"], {"acceleratorpool": 20}),
        (["--cloud", "aws", "--region", "us-east-1"], {"acceleratorpool": 50}),
        (
            [
                *(
                    "--instance",
                    "tpu7x-standard-4t",
                    "--region",
                    "us-central1",
                    "--price",
                    "tpu7x-standard-4t=30",
                ),
                *("--node-cpu", "200", "--node-memory", "900Gi", "--node-pool", "tpus", "--max-nodes", "8"),
            ],
            {"acceleratorclass": 1, "acceleratorpool": 1},
        ),
        (
            ["--instance", "p5.48xlarge", "--region", "us-east-1", "--karpenter", "h100"],
            {"acceleratorclass": 1, "acceleratorpool": 1},
        ),
    ],
    ids=["models", "azure", "aws", "gke", "karpenter"],
)
def test_everything_that_is_made_is_taken(
    cluster: Cluster, arguments: list[str], kinds: dict[str, int]
) -> None:
    found = taken(cluster, made(*arguments))
    for kind, least in kinds.items():
        assert found.count(kind) >= least
