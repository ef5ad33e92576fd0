"""A running control plane, as tests and the demo see it."""

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from e2e.cluster.choice import Backend
from e2e.cluster.commands import kubectl_on, run
from e2e.cluster.driver import Driver


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where it is, what talks to it, and the few things that can be done to the whole of it."""

    name: str
    backend: Backend
    kubeconfig: Path
    server: str
    ca_file: Path
    audit_log: Path | None
    kubectl: Path
    helm: Path
    driver: Driver = field(repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of this process, with this cluster and its tools in it, for programs to be run."""
        path = os.pathsep.join([str(self.kubectl.parent), str(self.helm.parent), os.environ.get("PATH", "")])
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig), "PATH": path}

    def run_kubectl(self, *arguments: str, stdin: str | None = None, timeout: float = 120.0) -> str:
        """What kubectl prints, as the administrator; CommandError if it fails."""
        return run([*kubectl_on(self.kubectl, self.kubeconfig), *arguments], stdin=stdin, timeout=timeout)

    def api_server_down(self) -> AbstractContextManager[None]:
        """The API server is gone while the block runs, and ready again after it. Not on an existing cluster."""
        return self.driver.api_server_down()

    def delete(self) -> None:
        """Remove the control plane and all that is kept of it."""
        from e2e.cluster.start import delete_cluster  # start builds on this module

        delete_cluster(self.name)
