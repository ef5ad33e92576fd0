"""Without Karpenter on the control plane: said at once where it is asked for, and nothing is asked of it where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.cluster import Cluster
from e2e.operator_process import OperatorProcess, service_account_kubeconfig

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("flags", [("--karpenter",), ("--karpenter", "--node-overlays")])
def test_missing_kinds_end_it_with_a_sentence(
    cluster: Cluster, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    """Exit code 2, the kinds by name, and what to do; a watch would wait for them without a word."""
    kubeconfig = service_account_kubeconfig(cluster, tmp_path / "kubeconfig")
    operator = OperatorProcess(kubeconfig, tmp_path / "operator.log", *flags)
    operator.start()
    assert operator.ended(30) == 2, operator.log
    assert "does not serve nodepools.karpenter.sh, nodeclaims.karpenter.sh (karpenter.sh/v1)" in operator.log
    assert "install Karpenter's CRDs, or start without --karpenter" in operator.log
    assert "Traceback" not in operator.log
