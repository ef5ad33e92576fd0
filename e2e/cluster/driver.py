"""What each kind of control plane has to be able to do, and how one is reached once it runs."""

import base64
import json
import ssl
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from e2e.cluster.commands import kubectl_on, run
from e2e.cluster.errors import CommandError, StartError


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach an API server as its administrator, or with a token of one's own."""

    kubeconfig: Path
    server: str
    ca_file: Path


class Driver(Protocol):
    """One control plane of one kind, running or not."""

    @property
    def tools(self) -> tuple[str, ...]:
        """The programs it needs."""

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig; it is there once the control plane was created."""

    @property
    def audit_log(self) -> Path | None:
        """The audit log of the API server, if one is written."""

    @property
    def fingerprint(self) -> str:
        """Changes when a control plane made earlier would no longer be made the same way."""

    def create(self) -> None:
        """Start it and return once the API server serves; raises ClusterError."""

    def healthy(self) -> bool:
        """Whether every part of it runs."""

    def api_server_down(self) -> AbstractContextManager[None]:
        """The API server is gone while the block runs; after it everything is ready again."""

    def delete(self) -> None:
        """Remove it; removing what is not there is fine."""


_WHOLE = ("--raw", "--flatten", "--minify")


def connect(kubectl: Path, kubeconfig: Path) -> Connection:
    """Read the address and the CA out of a kubeconfig; the CA becomes a file beside it."""
    command = [*kubectl_on(kubectl, kubeconfig), "config", "view", *_WHOLE, "-o", "json"]
    clusters = json.loads(run(command))["clusters"]
    if not clusters:
        raise StartError(f"{kubeconfig} names no cluster")
    cluster = clusters[0]["cluster"]
    encoded = cluster.get("certificate-authority-data")
    if encoded is None:
        paths = ssl.get_default_verify_paths()
        return Connection(kubeconfig, cluster["server"], Path(paths.cafile or paths.openssl_cafile))
    ca_file = kubeconfig.with_name("ca.crt")
    ca_file.write_bytes(base64.b64decode(encoded))
    return Connection(kubeconfig, cluster["server"], ca_file)


def api_server_ready(kubectl: Path, kubeconfig: Path) -> bool:
    """Ask the API server whether it is ready."""
    command = [*kubectl_on(kubectl, kubeconfig), "--request-timeout=5s", "get", "--raw=/readyz"]
    try:
        return run(command, timeout=10).strip() == "ok"
    except CommandError:
        return False


def wait_until(holds: Callable[[], bool], seconds: float, otherwise: Callable[[], str]) -> None:
    """Ask until it holds; StartError, in the words of `otherwise`, when it does not within so many seconds."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise StartError(otherwise())
        time.sleep(0.1)
