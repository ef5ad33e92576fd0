"""A control plane in a container, made by kind where a Docker engine answers, with kwok inside for the fake machines."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.cluster import fake_machines
from e2e.cluster.commands import run
from e2e.cluster.driver import api_server_ready, wait_until
from e2e.cluster.errors import ClusterError, CommandError, StartError
from e2e.cluster.folders import HERE, cluster_folder
from e2e.cluster.kind_config import AUDIT_LOG_FILE, AUDIT_POLICY_FILE, kind_configuration
from e2e.cluster.kind_node import KindNode
from e2e.cluster.kwok_config import NODE_GRACE_SECONDS
from e2e.cluster.tools import obtain
from e2e.cluster.toolsets import KIND

DOWN_SECONDS = 90.0  # the kubelet may see it after 20 s only, and gives 30 s to end
READY_SECONDS = 180.0
_API_SERVER = "kube-apiserver"
_CONTROLLERS = ("kube-controller-manager", "kube-scheduler")
COMPONENTS = frozenset({"etcd", _API_SERVER, *_CONTROLLERS})
_DAEMONS = ("kindnet", "kube-proxy")
_CLIENTS = ("kwok", "kube-proxy")
_STUBBORN = f"the API server does not end within {DOWN_SECONDS:.0f} s"


@dataclass(frozen=True, slots=True)
class KindDriver:
    """One control plane of this kind; the node image is kind's own default, which kind pins by digest."""

    name: str
    audit: bool = False

    @property
    def tools(self) -> tuple[str, ...]:
        """No control plane binaries: they are in the image."""
        return ("kind", "kubectl")

    @property
    def kubeconfig(self) -> Path:
        """A file of its own, never the person's."""
        return self._folder / "kubeconfig.yaml"

    @property
    def audit_log(self) -> Path | None:
        """JSON lines, one for each finished request: written in the container to a folder that is on this machine."""
        return self._audit_folder / AUDIT_LOG_FILE if self.audit else None

    @property
    def fingerprint(self) -> str:
        """The version of kind, its configuration, and what is applied into the cluster."""
        version = KIND.version(KIND.tools[0])
        parts = [version, self._configuration(), _AUDIT_POLICY.read_text(), _fake_machines()]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]

    def create(self) -> None:
        """Create the container, then kwok in it."""
        tools = obtain(self.tools)
        self._folder.mkdir(parents=True, exist_ok=True)
        if self.audit:
            self._prepare_audit()
        flags = ["--name", self.name, "--kubeconfig", str(self.kubeconfig), "--wait", "180s", "--config", "-"]
        try:
            run([tools["kind"], "create", "cluster", *flags], stdin=self._configuration(), timeout=900)
            fake_machines.keep_away(tools["kubectl"], self.kubeconfig, _DAEMONS)
            fake_machines.install(tools["kubectl"], self.kubeconfig, _fake_machines())
            self._check_audit()
        except ClusterError as failure:
            self.delete()
            raise StartError(f"kind: {failure}") from failure

    def healthy(self) -> bool:
        """The API server says it is ready, and the other components run."""
        try:
            return self._ready() and self._node.running() >= COMPONENTS
        except CommandError:
            return False

    @contextmanager
    def api_server_down(self) -> Iterator[None]:
        """Take the static pods' manifests away from the kubelet, and give them back afterwards.

        What runs in the cluster and asks the API server sleeps meanwhile. Awake it tries ever more seldom: after 28 s
        without an API server kwok was seen to do nothing for 2 to 26 s more, and one of its machines was taken for lost;
        asleep it went on after 3 s. And kube-proxy would learn that the API server, as it goes, takes its own address
        out of the Service by which kwok finds it. The controllers and the scheduler are started anew, as on kwok.
        """
        node, components = self._node, (_API_SERVER, *_CONTROLLERS)
        try:
            node.signal("STOP", _CLIENTS)
            node.take_away(components)
            wait_until(lambda: node.running().isdisjoint(components), DOWN_SECONDS, lambda: _STUBBORN)
            yield
        finally:
            node.give_back((_API_SERVER,))
            wait_until(self._ready, READY_SECONDS, self._not_ready_again)
            node.signal("CONT", _CLIENTS)
            node.give_back(_CONTROLLERS)
            wait_until(self.healthy, READY_SECONDS, self._not_ready_again)

    def delete(self) -> None:
        """Remove the container; where the engine is gone it is only said, or nothing could ever be started again."""
        command = ["delete", "cluster", "--name", self.name, "--kubeconfig", str(self.kubeconfig)]
        try:
            run([obtain(["kind"])["kind"], *command], timeout=300)
        except CommandError as failure:
            print(f"cluster: {self.name} may be left in the Docker engine: {failure}", flush=True)

    @property
    def _folder(self) -> Path:
        return cluster_folder(self.name) / "kind"

    @property
    def _audit_folder(self) -> Path:
        return self._folder / "audit"

    @property
    def _node(self) -> KindNode:
        return KindNode(f"{self.name}-control-plane")

    def _configuration(self) -> str:
        return kind_configuration(self._audit_folder if self.audit else None)

    def _prepare_audit(self) -> None:
        """Make the log before the API server does, which would make it readable by root alone.

        One that is there is appended to and keeps owner and mode: ensureLogFile in pkg/server/options/audit.go of
        k8s.io/apiserver, openExistingOrNew and openNew of gopkg.in/natefinch/lumberjack.v2.
        """
        self._audit_folder.mkdir(exist_ok=True)
        shutil.copyfile(_AUDIT_POLICY, self._audit_folder / AUDIT_POLICY_FILE)
        log = self._audit_folder / AUDIT_LOG_FILE
        log.write_text("")
        log.chmod(0o644)

    def _check_audit(self) -> None:
        """An engine on another machine mounts that machine's folder."""
        if self.audit_log is not None and self.audit_log.stat().st_size == 0:
            raise StartError(
                f"nothing arrives in {self.audit_log}: the Docker engine does not share this folder"
            )

    def _ready(self) -> bool:
        return api_server_ready(obtain(["kubectl"])["kubectl"], self.kubeconfig)

    def _not_ready_again(self) -> str:
        try:
            running = ", ".join(sorted(self._node.running()))
        except CommandError as failure:
            return f"the API server is not ready again: {failure}"
        return f"the API server is not ready again; what runs: {running}"


def _fake_machines() -> Sequence[dict[str, Any]]:
    return fake_machines.manifests(NODE_GRACE_SECONDS)


_AUDIT_POLICY = HERE / "audit-policy.yaml"
