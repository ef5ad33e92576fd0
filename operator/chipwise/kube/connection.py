"""Where the API server is and how we prove who we are: kubeconfig or the pod's own service account.

Finding and reading both is left to ``kubernetes.aio.config`` (contexts, merged files, exec plug-ins, OIDC, token rotation), imported
only when a connection is really wanted: it takes a second. Nothing else of that package is used.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chipwise.kube.errors import Misconfigured

_TOKEN_AGE = 60.0  # seconds; the kubelet rotates a pod's token in place, long before it expires
_RENEW_INTERVAL = 5.0  # seconds; a storm of 401 reads the credentials once


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One server with one set of credentials. Paths are files in PEM; ``authorization`` is a whole header value or None."""

    server: str
    authorization: str | None = field(default=None, repr=False)
    ca_path: str | None = None
    certificate_path: str | None = None
    private_key_path: str | None = None
    insecure: bool = False
    tls_server_name: str | None = None
    proxy: str | None = None

    def ssl_context(self) -> ssl.SSLContext | None:
        """Return the TLS side of the endpoint, None for plain HTTP. Raises Misconfigured for unreadable files."""
        if not self.server.startswith("https:"):
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca_path)
            # Python 3.13 insists on extensions that many cluster authorities lack; kubectl does not.
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            if self.certificate_path:
                context.load_cert_chain(self.certificate_path, self.private_key_path)
        except OSError as error:  # ssl.SSLError is one
            raise Misconfigured(f"cannot use the certificates for {self.server}: {error}") from error
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def same_transport(self, other: Endpoint) -> bool:
        """Tell whether an open connection to one serves the other: only the Authorization header may differ."""
        return _transport(self) == _transport(other)


def _transport(end: Endpoint) -> tuple[object, ...]:
    tls = (end.ca_path, end.certificate_path, end.private_key_path, end.insecure, end.tls_server_name)
    return (end.server, end.proxy, *tls)


class Connection:
    """The current endpoint, read again when the credentials were refused and, in a pod, every minute.

    Belongs to one event loop, except :meth:`read`, which touches no state.
    """

    def __init__(self, read: Callable[[], Awaitable[Endpoint]], *, max_age: float | None = None) -> None:
        self._read = read
        self._max_age = max_age
        self._endpoint: Endpoint | None = None
        self._read_at = 0.0
        self._renewed_at = float("-inf")
        self._lock = asyncio.Lock()

    async def read(self) -> Endpoint:
        """Read configuration and credentials afresh. Raises Misconfigured."""
        return await self._read()

    async def endpoint(self) -> Endpoint:
        """Return the endpoint to use now. Raises Misconfigured only if there never was a usable one."""
        if self._endpoint is not None and not self._stale():
            return self._endpoint
        async with self._lock:
            if self._endpoint is not None and not self._stale():
                return self._endpoint
            return await self._refresh()

    async def renew(self, refused: Endpoint) -> Endpoint:
        """Return an endpoint other than ``refused`` if there is one by now; many callers cause one read."""
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if self._endpoint == refused and now - self._renewed_at >= _RENEW_INTERVAL:
                self._renewed_at = now
                await self._refresh()
        return await self.endpoint()

    def _stale(self) -> bool:
        age = asyncio.get_running_loop().time() - self._read_at
        return self._max_age is not None and age >= self._max_age

    async def _refresh(self) -> Endpoint:
        self._read_at = asyncio.get_running_loop().time()
        try:
            self._endpoint = await self._read()
        except Misconfigured:  # half-written files are normal while they are rotated
            if self._endpoint is None:
                raise
        return self._endpoint


def connect(*, kubeconfig: str | None = None, context: str | None = None) -> Connection:
    """Choose as kubectl does: the file given, else $KUBECONFIG, else the pod's service account, else ~/.kube/config.

    Nothing is read or imported until the connection is used. Several files may be joined with the path separator.
    """
    paths = kubeconfig or os.environ.get("KUBECONFIG")
    if not paths and not context and os.environ.get("KUBERNETES_SERVICE_HOST"):
        return Connection(_read_in_cluster, max_age=_TOKEN_AGE)
    file = paths or str(Path.home() / ".kube" / "config")

    async def read() -> Endpoint:
        return await _read_kubeconfig(file, context)

    return Connection(read)


async def _read_kubeconfig(paths: str, context: str | None) -> Endpoint:
    if not _any_file(paths):
        raise Misconfigured(f"no kubeconfig at {paths}")
    from kubernetes.aio import client, config  # noqa: PLC0415 - see the module docstring

    found = client.Configuration()
    try:
        await config.load_kube_config(paths, context, found, persist_config=False)
    except (config.ConfigException, OSError, ValueError, TypeError, KeyError) as error:
        raise Misconfigured(f"kubeconfig {paths}: {error}") from error
    return _endpoint(found)


def _any_file(paths: str) -> bool:
    return any(Path(path).expanduser().is_file() for path in paths.split(os.pathsep) if path)


async def _read_in_cluster() -> Endpoint:
    from kubernetes.aio import client, config  # noqa: PLC0415 - see the module docstring

    found = client.Configuration()
    try:
        config.load_incluster_config(found, try_refresh_token=False)
    except (config.ConfigException, OSError) as error:
        raise Misconfigured(f"service account: {error}") from error
    return _endpoint(found)


def _endpoint(found: Any) -> Endpoint:
    authorization = found.api_key.get("BearerToken")
    return Endpoint(
        server=found.host.rstrip("/"),
        authorization=authorization.strip() if authorization else None,
        ca_path=found.ssl_ca_cert,
        certificate_path=found.cert_file,
        private_key_path=found.key_file,
        insecure=not found.verify_ssl,
        tls_server_name=found.tls_server_name,
        proxy=found.proxy,
    )
