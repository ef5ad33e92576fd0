"""A person who owns a namespace and nothing else: the command line with the rights of the chart's workload editor in one namespace."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from e2e.operator_process import service_account_kubeconfig
from e2e.world import World


class Person:
    """Bound to ``chipwise-workload-editor`` in the world's namespace."""

    def __init__(self, world: World, folder: Path) -> None:
        self._world = world
        world.kubectl("create", "serviceaccount", "person")
        binding = (
            "create", "rolebinding", "person",
            "--clusterrole=chipwise-workload-editor", f"--serviceaccount={world.namespace}:person",
        )  # fmt: skip
        world.kubectl(*binding)
        path = folder / f"{world.namespace}.kubeconfig"
        self.kubeconfig = service_account_kubeconfig(
            world.cluster, path, namespace=world.namespace, name="person"
        )

    def chipwise(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """As this person."""
        return typed(self.kubeconfig, *arguments)

    def restore(self, *flags: str) -> subprocess.CompletedProcess[str]:
        """``chipwise restore`` of the world's workload."""
        return self.chipwise("restore", f"{self._world.namespace}/chat", *flags)


def typed(kubeconfig: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``chipwise`` with a kubeconfig."""
    command = [sys.executable, "-m", "chipwise.cli", *arguments, "--kubeconfig", str(kubeconfig)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
