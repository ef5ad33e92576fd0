"""The cluster that the current kubeconfig points at; nothing in that file is changed.

Fake machines need kwok, which is put into a namespace of its own and taken away by `delete`; a kwok that is
already there is left alone and used.
"""

import hashlib
import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster import fake_machines
from e2e.cluster.commands import kubectl_on, run
from e2e.cluster.driver import api_server_ready
from e2e.cluster.errors import CommandError, UnsupportedError
from e2e.cluster.folders import cluster_folder
from e2e.cluster.tools import obtain


@dataclass(frozen=True, slots=True)
class ExistingDriver:
    """Somebody's cluster, used by us."""

    name: str

    @property
    def tools(self) -> tuple[str, ...]:
        """The cluster is there, so only what talks to it."""
        return ("kubectl",)

    @property
    def kubeconfig(self) -> Path:
        """A copy that holds only the current context, so that a later change of context moves nothing."""
        return cluster_folder(self.name) / "existing" / "kubeconfig.yaml"

    @property
    def audit_log(self) -> Path | None:
        """Not ours to read."""
        return None

    @property
    def fingerprint(self) -> str:
        """The current context, and what is applied into the cluster."""
        made_of = self._current_context() + json.dumps(fake_machines.manifests())
        return hashlib.sha256(made_of.encode()).hexdigest()[:12]

    def create(self) -> None:
        """Copy the current context and see to it that fake machines have a kwok."""
        kubectl = obtain(self.tools)["kubectl"]
        self.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(self._current_context())
        if not self._has_kwok(kubectl):
            fake_machines.install(kubectl, self.kubeconfig, fake_machines.manifests())

    def healthy(self) -> bool:
        """The API server says it is ready."""
        return api_server_ready(obtain(self.tools)["kubectl"], self.kubeconfig)

    def api_server_down(self) -> AbstractContextManager[None]:
        """Never."""
        raise UnsupportedError("an existing API server is not taken down; use CLUSTER=kwok or CLUSTER=kind")

    def delete(self) -> None:
        """Remove our kwok, if it is there; the cluster stays."""
        if not self.kubeconfig.exists():
            return
        try:
            fake_machines.remove(obtain(self.tools)["kubectl"], self.kubeconfig)
        except CommandError as failure:
            print(f"cluster: {fake_machines.NAMESPACE} may be left in the cluster: {failure}", flush=True)

    def _current_context(self) -> str:
        return run([obtain(self.tools)["kubectl"], "config", "view", "--raw", "--flatten", "--minify"])

    def _has_kwok(self, kubectl: Path) -> bool:
        asked = ["get", "deployments", "--all-namespaces", "-l", "app=kwok-controller", "-o", "name"]
        return bool(run([*kubectl_on(kubectl, self.kubeconfig), *asked]).strip())
