"""Where the server is found, and when credentials are read again."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import pytest
import yaml
from chipwise.kube.connection import Connection, Endpoint, connect
from chipwise.kube.errors import Misconfigured


def kubeconfig(tmp_path: Any, **user: Any) -> str:
    contexts = {"one": "https://one:6443", "two": "https://two:6443"}
    document = {
        "current-context": "one",
        "contexts": [{"name": name, "context": {"cluster": name, "user": "me"}} for name in contexts],
        "clusters": [
            {"name": name, "cluster": {"server": server, "insecure-skip-tls-verify": True}}
            for name, server in contexts.items()
        ],
        "users": [{"name": "me", "user": user}],
    }
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(document))
    return str(path)


async def test_a_kubeconfig_gives_server_and_token(tmp_path):
    """Of its current context."""
    endpoint = await connect(kubeconfig=kubeconfig(tmp_path, token="abc")).endpoint()  # noqa: S106
    assert (endpoint.server, endpoint.authorization, endpoint.insecure) == (
        "https://one:6443",
        "Bearer abc",
        True,
    )


async def test_a_context_can_be_named(tmp_path):
    """As with kubectl --context."""
    endpoint = await connect(kubeconfig=kubeconfig(tmp_path), context="two").endpoint()
    assert endpoint.server == "https://two:6443"


async def test_the_environment_names_the_file(tmp_path, monkeypatch):
    """KUBECONFIG counts before the service account of a pod."""
    monkeypatch.setenv("KUBECONFIG", kubeconfig(tmp_path))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    assert (await connect().endpoint()).server == "https://one:6443"


@pytest.mark.parametrize("context", [None, "three"])
async def test_what_cannot_be_used_is_said(tmp_path, context):
    """No file, or no such context: an error for a person, before any request."""
    path = kubeconfig(tmp_path) if context else str(tmp_path / "missing")
    with pytest.raises(Misconfigured, match="kubeconfig"):
        await connect(kubeconfig=path, context=context).endpoint()


async def test_outside_a_cluster_without_a_file_nothing_is_found(tmp_path, monkeypatch):
    """The message names where it looked."""
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(Misconfigured, match=r"\.kube/config"):
        await connect().endpoint()


async def test_a_certificate_that_cannot_be_read_is_said(tmp_path):
    """By name of the server, not as a traceback of the TLS library."""
    with pytest.raises(Misconfigured, match="certificates for https://x"):
        Endpoint("https://x", ca_path=str(tmp_path / "none.pem")).ssl_context()


def source(*tokens: str):
    """Credentials that change with each read; the last one stays."""
    left = list(tokens)

    async def read() -> Endpoint:
        return Endpoint("https://x", authorization=left.pop(0) if len(left) > 1 else left[0])

    return read


@pytest.mark.looptime
async def test_a_pods_token_is_read_again_every_minute():
    """The kubelet rotates it in place."""
    connection = Connection(source("one", "two"), max_age=60.0)
    assert (await connection.endpoint()).authorization == "one"
    await asyncio.sleep(59)
    assert (await connection.endpoint()).authorization == "one"
    await asyncio.sleep(1)
    assert (await connection.endpoint()).authorization == "two"


async def test_many_refusals_cause_one_read():
    """A storm of 401 must not run an exec plug-in a hundred times."""
    connection = Connection(source("one", "two", "three"))
    refused = await connection.endpoint()
    renewed = await asyncio.gather(*(connection.renew(refused) for _ in range(10)))
    assert {endpoint.authorization for endpoint in renewed} == {"two"}


async def test_credentials_survive_a_file_half_written():
    """What worked is kept until something better can be read."""
    reads = 0

    async def read() -> Endpoint:
        nonlocal reads
        reads += 1
        if reads > 1:
            raise Misconfigured("empty")
        return Endpoint("https://x", authorization="one")

    connection = Connection(read, max_age=0.0)
    await connection.endpoint()
    assert (await connection.endpoint()).authorization == "one"
    assert reads == 2


def test_importing_the_client_does_not_import_kubernetes():
    """The command line without a cluster must stay quick."""
    code = "import sys, chipwise.kube.client; sys.exit('kubernetes' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
