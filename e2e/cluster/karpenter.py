"""The real Karpenter on a local control plane: unmodified, with the provider that makes fake Nodes of any instance types one likes.

It runs as a process beside the control plane, with the administrator's rights. Its two ports are drawn anew; it has no option to bind
them to one address, so they are open on all. No webhooks, no certificates.
"""

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from e2e.cluster.cluster import Cluster
from e2e.cluster.commands import run
from e2e.cluster.errors import StartError
from e2e.cluster.folders import locked
from e2e.cluster.kwok_config import free_ports
from e2e.cluster.tools import obtain, toolset_folder
from e2e.cluster.toolsets import KARPENTER, this_platform

_CRDS = ("pkg/apis/crds", "kwok/apis/crds")
_READY_SECONDS = 60.0
_LINE = 300
#: Alpha features that are tested. Reserved offerings are taken like any other: with ReservedCapacity Karpenter counts them by an id, for
#: which this provider has no label. All others as Karpenter's own default has them.
_GATES = "NodeOverlay=true,StaticCapacity=true,ReservedCapacity=false"


def instance_type(
    name: str, prices: Mapping[str, float], resources: Mapping[str, str], *, zone: str = "zone-a"
) -> dict[str, Any]:
    """One machine type with an offering for each capacity type; a node has these resources, and cpu and memory of a large machine."""
    return {
        "name": name,
        "architecture": "amd64",
        "operatingSystems": ["linux"],
        "resources": {
            "cpu": "192",
            "memory": "2048Gi",
            "ephemeral-storage": "1000Gi",
            "pods": "110",
            **resources,
        },
        "offerings": [
            {
                "Price": price,
                "Available": True,
                "Requirements": [
                    {"key": key, "operator": "In", "values": [value]}
                    for key, value in (
                        ("karpenter.sh/capacity-type", capacity_type),
                        ("topology.kubernetes.io/zone", zone),
                    )
                ],
            }
            for capacity_type, price in prices.items()
        ],
    }


class Karpenter:
    """One process. As a context manager it is ready inside the block, and stopped after it; the log is kept in `folder`."""

    def __init__(self, cluster: Cluster, instance_types: Sequence[Mapping[str, Any]], folder: Path) -> None:
        self.log_path = folder / "karpenter.log"
        self._cluster, self._folder = cluster, folder
        self._instance_types = instance_types
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Apply its kinds, start it and wait until it says that it is ready. Raises ClusterError."""
        started = time.monotonic()
        program = obtain(["karpenter"])["karpenter"]
        self._apply_kinds()
        self._folder.mkdir(parents=True, exist_ok=True)
        types = self._folder / "instance-types.json"
        types.write_text(json.dumps(self._instance_types, indent=1))
        metrics, health, *_ = free_ports().values()
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [program],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**self._cluster.environment, **_settings(types, metrics, health)},
                start_new_session=True,
            )
        self._wait_until_ready(health)
        print(f"karpenter: ready in {time.monotonic() - started:.1f} s, log in {self.log_path}", flush=True)

    def stop(self, grace: float = 5.0) -> None:
        """SIGTERM, and SIGKILL after `grace` seconds."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(10.0)

    def log_tail(self, lines: int = 20) -> str:
        """Its last words, each line cut where it gets long."""
        said = self.log_path.read_text(errors="replace").splitlines()[-lines:]
        return "\n".join(line[:_LINE] for line in said)

    def _apply_kinds(self) -> None:
        where = [word for folder in crd_folders() for word in ("-f", str(folder))]
        self._cluster.run_kubectl("apply", "--server-side", "--force-conflicts", *where)
        self._cluster.run_kubectl("wait", "--for=condition=Established", "--timeout=30s", *where)

    def _wait_until_ready(self, port: int) -> None:
        assert self._process is not None
        deadline = time.monotonic() + _READY_SECONDS
        while not _answers(port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise StartError(f"karpenter is not ready\n{self.log_tail()}")
            time.sleep(0.1)


def crd_folders() -> list[Path]:
    """Its CustomResourceDefinitions as the module has them, beside the program in the cache."""
    kept = toolset_folder(KARPENTER, this_platform()) / "crds"
    with locked(kept.with_suffix(".lock"), "karpenter: kinds"):
        if not kept.exists():
            module = json.loads(
                run(["go", "-C", KARPENTER.folder, "mod", "download", "-json", KARPENTER.tools[0].module])
            )
            making = kept.with_name(".making-crds")
            shutil.rmtree(making, ignore_errors=True)
            for part in _CRDS:
                shutil.copytree(Path(module["Dir"]) / part, making / part)
            for path in (making, *making.rglob("*")):  # the module cache is read-only
                path.chmod(0o755 if path.is_dir() else 0o644)
            making.rename(kept)
    return [kept / part for part in _CRDS]


def _settings(types: Path, metrics: int, health: int) -> dict[str, str]:
    return {
        "DISABLE_LEADER_ELECTION": "true",
        "INSTANCE_TYPES_FILE_PATH": str(types),
        "FEATURE_GATES": _GATES,
        "LOG_LEVEL": os.environ.get("KARPENTER_LOG_LEVEL", "debug"),
        "METRICS_PORT": str(metrics),
        "HEALTH_PROBE_PORT": str(health),
    }


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    with contextlib.closing(connection):
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False
