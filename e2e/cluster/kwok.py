"""A control plane of plain processes: etcd, API server, controllers, scheduler and kwok, run by kwokctl."""

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster.commands import kubectl_on, run
from e2e.cluster.driver import api_server_ready, wait_until
from e2e.cluster.errors import CommandError, StartError
from e2e.cluster.folders import HERE, cluster_folder
from e2e.cluster.kwok_config import free_ports, kwokctl_configuration
from e2e.cluster.processes import KnownProcess
from e2e.cluster.tools import obtain
from e2e.cluster.toolsets import KUBERNETES, KWOK

COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok-controller")
READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class KwokDriver:
    """One control plane of this kind."""

    name: str
    audit: bool = False

    @property
    def tools(self) -> tuple[str, ...]:
        """All of Kubernetes and kwok."""
        return tuple(tool.name for toolset in (KUBERNETES, KWOK) for tool in toolset.tools)

    @property
    def kubeconfig(self) -> Path:
        """Written by kwokctl, with its certificates beside it."""
        return self._folder / "kubeconfig.yaml"

    @property
    def audit_log(self) -> Path | None:
        """JSON lines, one for each finished request."""
        return self._folder / "logs" / "audit.log" if self.audit else None

    @property
    def fingerprint(self) -> str:
        """Everything but the ports, which are drawn anew for each control plane."""
        wanted = self._configuration(dict.fromkeys(self.tools, Path()), {}) + _AUDIT_POLICY.read_text()
        return hashlib.sha256(wanted.encode()).hexdigest()[:12]

    def create(self) -> None:
        """Start all components and wait until pods could be created; a port lost to somebody else is tried again."""
        binaries = obtain(self.tools)
        for attempt in (1, 2):
            try:
                self._create_once(binaries)
            except CommandError as failure:
                words = self._last_words()
                self.delete()
                if attempt == 2 or "address already in use" not in words:
                    raise StartError(f"kwok: {failure}\n{words}") from failure
            else:
                return

    def healthy(self) -> bool:
        """Every process runs and the API server says it is ready."""
        if not all(self._process(component).pid for component in COMPONENTS):
            return False
        return api_server_ready(obtain(["kubectl"])["kubectl"], self.kubeconfig)

    @contextmanager
    def api_server_down(self) -> Iterator[None]:
        """Stop the process, and afterwards start it with the same flags.

        The controllers and the scheduler are started anew, as the leader election of a larger control plane
        would do it: left alone they try again so seldom that nothing is done for a minute. So is kwok, which plays the nodes, and
        which would wait until the leases that it held under its earlier name have run out.
        """
        binaries = obtain(self.tools)
        self._process("kube-apiserver").stop(grace=1.0)
        try:
            yield
        finally:
            for component in ("kube-controller-manager", "kube-scheduler", "kwok-controller"):
                self._process(component).stop()
            self._kwokctl(binaries, "start", "cluster")
            wait_until(self.healthy, READY_SECONDS, self._not_ready_again)
            leases = ["delete", "leases", "--all", "--namespace=kube-node-lease", "--wait=false"]
            run([*kubectl_on(binaries["kubectl"], self.kubeconfig), *leases])

    def delete(self) -> None:
        """End the processes and forget everything; needs no tool, so that it never has to build one."""
        for component in reversed(COMPONENTS):
            self._process(component).stop()
        shutil.rmtree(self._home, ignore_errors=True)

    @property
    def _home(self) -> Path:
        return cluster_folder(self.name) / "kwok"

    @property
    def _folder(self) -> Path:
        return self._home / "clusters" / self.name

    def _process(self, component: str) -> KnownProcess:
        return KnownProcess(self._folder / "pids" / f"{component}.pid", mark=str(self._folder))

    def _create_once(self, binaries: Mapping[str, Path]) -> None:
        self._home.mkdir(parents=True, exist_ok=True)
        configuration = self._home / "kwokctl.yaml"
        configuration.write_text(self._configuration(binaries, free_ports()))
        # An empty --kubeconfig: kwokctl would otherwise write into the person's own.
        self._kwokctl(binaries, "create", "cluster", "--config", str(configuration), "--kubeconfig", "")
        service_account = ["wait", "--for=create", "serviceaccount/default", "--namespace=default"]
        run([*kubectl_on(binaries["kubectl"], self.kubeconfig), *service_account, "--timeout=60s"])

    def _configuration(self, binaries: Mapping[str, Path], ports: Mapping[str, int]) -> str:
        version = KUBERNETES.version(KUBERNETES.tools[0])
        policy = _AUDIT_POLICY if self.audit else None
        return kwokctl_configuration(binaries, ports, version=version, audit_policy=policy)

    def _kwokctl(self, binaries: Mapping[str, Path], *arguments: str) -> None:
        environment = {**os.environ, "KWOK_WORKDIR": str(self._home)}
        run([binaries["kwokctl"], "--name", self.name, *arguments], env=environment)

    def _not_ready_again(self) -> str:
        return f"the API server is not ready again\n{self._last_words()}"

    def _last_words(self) -> str:
        logs = sorted((self._folder / "logs").glob("*.log"))
        tails = [
            (log.name, log.read_text(errors="replace").splitlines()[-5:])
            for log in logs
            if log != self.audit_log
        ]
        return "\n".join(f"{name}: {line}" for name, lines in tails for line in lines)


_AUDIT_POLICY = HERE / "audit-policy.yaml"
