"""Every manifest of examples/ is accepted by a real API server with the real CRDs, and means the same offline."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from chipwise.cluster.manifests import documents

from e2e.cluster import Cluster

pytestmark = pytest.mark.apiserver

EXAMPLES = Path(__file__).parent.parent / "examples"
NAMED = [
    pytest.param(path, document, id=f"{path.name}-{document['kind']}-{document['metadata']['name']}")
    for path, document in documents([EXAMPLES])
]


@pytest.fixture(scope="module")
def _namespace(cluster: Cluster) -> None:
    cluster.run_kubectl("apply", "-f", str(EXAMPLES / "namespace.yaml"))


@pytest.mark.usefixtures("_namespace")
@pytest.mark.parametrize(("path", "document"), NAMED)
def test_an_example_is_accepted(cluster: Cluster, path: Path, document: dict[str, object]) -> None:
    """Under strict validation: an unknown or misspelt field would be refused."""
    said = cluster.run_kubectl(
        "apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=yaml.safe_dump(document)
    )
    assert "(server dry run)" in said, path


def test_there_is_an_example_of_every_kind() -> None:
    """A person finds each of the five kinds to start from."""
    kinds = {document["kind"] for _, document in documents([EXAMPLES])}
    assert {
        "AcceleratorClass",
        "AcceleratorPool",
        "ModelProfile",
        "InferenceWorkload",
        "PlacementPolicy",
    } <= kinds
