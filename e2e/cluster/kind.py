"""A control plane in a container, made by kind where a Docker engine answers, with kwok inside for the fake machines."""

import hashlib
import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster import fake_machines
from e2e.cluster.commands import run
from e2e.cluster.driver import api_server_ready
from e2e.cluster.errors import CommandError, StartError, UnsupportedError
from e2e.cluster.folders import cluster_folder
from e2e.cluster.tools import obtain
from e2e.cluster.toolsets import KIND


@dataclass(frozen=True, slots=True)
class KindDriver:
    """One control plane of this kind; the node image is kind's own default, which kind pins by digest."""

    name: str

    @property
    def tools(self) -> tuple[str, ...]:
        """No control plane binaries: they are in the image."""
        return ("kind", "kubectl")

    @property
    def kubeconfig(self) -> Path:
        """A file of its own, never the person's."""
        return cluster_folder(self.name) / "kind" / "kubeconfig.yaml"

    @property
    def audit_log(self) -> Path | None:
        """The log would be inside the container."""
        return None

    @property
    def fingerprint(self) -> str:
        """The version of kind and what is applied into the cluster."""
        made_of = json.dumps([KIND.version(KIND.tools[0]), fake_machines.manifests()])
        return hashlib.sha256(made_of.encode()).hexdigest()[:12]

    def create(self) -> None:
        """Create the container, then kwok in it."""
        tools = obtain(self.tools)
        self.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
        wanted = {
            "kind": "Cluster",
            "apiVersion": "kind.x-k8s.io/v1alpha4",
            "networking": {"apiServerAddress": "127.0.0.1"},
            "nodes": [{"role": "control-plane"}],
        }
        flags = ["--name", self.name, "--kubeconfig", str(self.kubeconfig), "--wait", "180s", "--config", "-"]
        try:
            run([tools["kind"], "create", "cluster", *flags], stdin=json.dumps(wanted), timeout=900)
            fake_machines.install(tools["kubectl"], self.kubeconfig)
        except CommandError as failure:
            self.delete()
            raise StartError(f"kind: {failure}") from failure

    def healthy(self) -> bool:
        """The API server says it is ready."""
        return api_server_ready(obtain(["kubectl"])["kubectl"], self.kubeconfig)

    def api_server_down(self) -> AbstractContextManager[None]:
        """Not offered: the kubelet in the container would start it again at a time of its own."""
        raise UnsupportedError("kind cannot hold the API server down; use CLUSTER=kwok")

    def delete(self) -> None:
        """Remove the container; where the engine is gone it is only said, or nothing could ever be started again."""
        command = ["delete", "cluster", "--name", self.name, "--kubeconfig", str(self.kubeconfig)]
        try:
            run([obtain(["kind"])["kind"], *command], timeout=300)
        except CommandError as failure:
            print(f"cluster: {self.name} may be left in the Docker engine: {failure}", flush=True)
