"""One control plane for all tests of a run, with the kinds installed."""

from pathlib import Path

import pytest

from e2e.cluster import Cluster, start_cluster

CRDS = Path(__file__).parent.parent / "crds"


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """Start the control plane chipwise-e2e with an audit log; it is left running, as starting it is slow."""
    found = start_cluster("chipwise-e2e", audit=True)
    found.run_kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRDS))
    found.run_kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", str(CRDS))
    return found
