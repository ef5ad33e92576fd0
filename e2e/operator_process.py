"""The operator as a process outside the cluster: the chart by real Helm, the ServiceAccount's own token, start and stop.

It runs with the rights that the chart grants and no others: the administrator's kubeconfig never reaches its environment.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from e2e.cluster import Cluster
from e2e.cluster.commands import kubectl_on, run
from e2e.rendered import CHART, NAMESPACE, ROOT, Chart, container

_CHIPWISE = Path(sys.executable).with_name("chipwise")
#: What would let the operator be someone else, or elsewhere, than the chart says.
_FOREIGN = ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "POD_NAMESPACE")


def install_chart(
    cluster: Cluster, *, values: Mapping[str, str] | None = None, namespace: str = NAMESPACE
) -> None:
    """Install or upgrade the chart with Helm: kinds, ServiceAccount and RBAC, without the operator's own Deployment.

    `values` are those of `--set`. Raises CommandError with Helm's words.
    """
    settings = {"operator.enabled": "false", **(values or {})}
    flags = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    where = ["--namespace", namespace, "--create-namespace", "--wait", "--timeout", "60s"]
    run([cluster.helm, "upgrade", "--install", "chipwise", CHART, *where, *flags], env=cluster.environment)
    kubectl = kubectl_on(cluster.kubectl, cluster.kubeconfig)
    run([*kubectl, "wait", "--for=condition=Established", "--timeout=30s", "-f", ROOT / "crds"])


def chart_arguments(cluster: Cluster, **values: Any) -> list[str]:
    """What the chart's own Deployment says after `chipwise run` under these values, dotted path to value."""
    name, *arguments = container(Chart(cluster.helm).documents(values))["args"]
    assert name == "run"
    return [str(argument) for argument in arguments]


def service_account_kubeconfig(
    cluster: Cluster, path: Path, *, namespace: str = NAMESPACE, name: str = "chipwise"
) -> Path:
    """Write a kubeconfig that holds a day's token of this ServiceAccount and nothing else; readable by its owner only."""
    token = cluster.run_kubectl("create", "token", name, "--namespace", namespace, "--duration", "24h")
    server = {"server": cluster.server, "certificate-authority": str(cluster.ca_file)}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": server}],
        "users": [{"name": name, "user": {"token": token.strip()}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": namespace}}],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(config, indent=1))
    return path


class OperatorProcess:
    """`chipwise run` with this kubeconfig. Its log is appended to `log_path`, over any number of starts.

    As a context manager it is started, and stopped however the block ends.
    """

    def __init__(self, kubeconfig: Path, log_path: Path, *extra_args: str) -> None:
        self.kubeconfig = kubeconfig
        self.log_path = log_path
        self.extra_args = extra_args
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it; RuntimeError if it runs already. A Ctrl-C at the terminal does not reach it: stop() does."""
        if self.is_alive:
            raise RuntimeError("the operator runs already")
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment(),
                start_new_session=True,
            )

    def environment(self) -> dict[str, str]:
        """That of this process without what would lead elsewhere."""
        return {name: value for name, value in os.environ.items() if name not in _FOREIGN}

    def command(self) -> list[str]:
        """What is run."""
        return [
            str(_CHIPWISE),
            "run",
            "--listen",
            "127.0.0.1:0",
            "--kubeconfig",
            str(self.kubeconfig),
            *self.extra_args,
        ]

    def stop(self, grace: float = 10.0) -> int | None:
        """SIGTERM, and SIGKILL after `grace` seconds. The exit code, None if it was never started."""
        if self._process is None:
            return None
        if self._process.poll() is None:
            self._process.terminate()
        try:
            return self._process.wait(grace)
        except subprocess.TimeoutExpired:
            return self.kill()

    def ended(self, seconds: float) -> int:
        """The exit code of one that ends by itself within so many seconds; it is killed if it does not, and that is an error."""
        assert self._process is not None
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> int | None:
        """SIGKILL, as a node that dies; nothing is handed back or finished. The exit code, None if never started."""
        if self._process is None:
            return None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        return self._process.wait(10.0)

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The number of the process last started."""
        return None if self._process is None else self._process.pid

    @property
    def log(self) -> str:
        """All that was logged so far."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of the log, for the message of a failure."""
        return "\n".join(self.log.splitlines()[-lines:])
