"""The expander's CA as Helm makes it: trusted by a real TLS client under the Service's name, and the same ever after."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.cluster import Cluster
from e2e.cluster.commands import run
from e2e.rendered import CHART, settings

pytestmark = pytest.mark.apiserver

RELEASE, WHERE = "tls", "tls-system"
NAME = f"{RELEASE}-chipwise-expander"
SERVICE = f"{NAME}.{WHERE}.svc"
Secret = dict[str, bytes]


class Release:
    """One release with the expander, in a namespace that outlives it."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def upgrade(self, **tls: Any) -> None:
        """Install it, or upgrade it with these values of ``autoscaling.expander.tls``."""
        values = {"crds.enabled": False, "operator.enabled": False, "autoscaling.expander.enabled": True}
        flags = settings(
            {**values, **{f"autoscaling.expander.tls.{key}": value for key, value in tls.items()}}
        )
        where = ["--namespace", WHERE, "--create-namespace"]
        run(
            [self.cluster.helm, "upgrade", "--install", RELEASE, CHART, *where, *flags],
            env=self.cluster.environment,
        )

    def uninstall(self) -> None:
        """Take it away."""
        run([self.cluster.helm, "uninstall", RELEASE, "--namespace", WHERE], env=self.cluster.environment)

    def secret(self, name: str) -> Secret:
        """The data of a Secret; empty where there is none."""
        text = self.cluster.run_kubectl(
            "get", "secret", name, "--namespace", WHERE, "-o", "json", "--ignore-not-found"
        )
        data = json.loads(text)["data"] if text else {}
        return {key: base64.b64decode(value) for key, value in data.items()}

    def read_by_pods(self) -> str:
        """What a pod is told by that tells it to start anew when the certificate is another."""
        path = "{.spec.template.metadata.annotations.chipwise\\.dev/dns-names}"
        return self.cluster.run_kubectl(
            "get", "deployment", NAME, "--namespace", WHERE, "-o", f"jsonpath={path}"
        )


@pytest.fixture
def release(cluster: Cluster) -> Iterator[Release]:
    """Installed anew, without anything of an earlier one."""
    found = Release(cluster)
    cluster.run_kubectl("delete", "namespace", WHERE, "--ignore-not-found", "--timeout=60s")
    found.upgrade()
    yield found
    found.uninstall()
    cluster.run_kubectl("delete", "namespace", WHERE, "--wait=false")


def trusts(folder: Path, ca: bytes, server: Secret, name: str) -> bool:
    """Whether a TLS client with this CA and no other accepts the server under this name."""
    for key in ("tls.crt", "tls.key"):
        (folder / key).write_bytes(server[key])
    (folder / "ca.crt").write_bytes(ca)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    asking = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            serving.wrap_socket(theirs, server_side=True).close()
        except OSError:  # the client went away
            theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        asking.wrap_socket(ours, server_hostname=name).close()
    except ssl.SSLCertVerificationError:
        return False
    finally:
        ours.close()
        thread.join(10)
    return True


def test_the_certificate_is_trusted_under_the_service_name(release: Release, tmp_path: Path) -> None:
    """Under each form of it, and under no other."""
    server = release.secret(f"{NAME}-tls")
    for name in (NAME, f"{NAME}.{WHERE}", SERVICE, f"{SERVICE}.cluster.local"):
        assert trusts(tmp_path, server["ca.crt"], server, name)
    assert not trusts(tmp_path, server["ca.crt"], server, f"other.{WHERE}.svc")


def test_an_upgrade_keeps_the_ca_and_the_certificate(release: Release) -> None:
    """Cluster Autoscaler read the CA at its start, and pods need not start anew."""
    before, known = release.secret(f"{NAME}-tls"), release.read_by_pods()
    release.upgrade()
    assert release.secret(f"{NAME}-tls") == before
    assert release.read_by_pods() == known


def test_another_name_means_another_certificate_of_the_same_ca(release: Release, tmp_path: Path) -> None:
    """Whoever trusted the old one trusts the new one; pods start anew to read it."""
    before, known = release.secret(f"{NAME}-tls"), release.read_by_pods()
    release.upgrade(dnsNames=["expander.example.com"])
    after = release.secret(f"{NAME}-tls")
    assert after["ca.crt"] == before["ca.crt"]
    assert not trusts(tmp_path, before["ca.crt"], before, "expander.example.com")
    assert trusts(tmp_path, before["ca.crt"], after, "expander.example.com")
    assert release.read_by_pods() != known


def test_the_ca_outlives_the_release(release: Release, tmp_path: Path) -> None:
    """The certificate goes with it; the next one is of the same CA, also where somebody deleted the Secret by hand."""
    before, authority = release.secret(f"{NAME}-tls"), release.secret(f"{NAME}-ca")
    release.uninstall()
    assert release.secret(f"{NAME}-tls") == {}
    assert release.secret(f"{NAME}-ca") == authority
    release.upgrade()
    after = release.secret(f"{NAME}-tls")
    assert after["tls.crt"] != before["tls.crt"]
    assert trusts(tmp_path, before["ca.crt"], after, SERVICE)
    release.cluster.run_kubectl("delete", "secret", f"{NAME}-tls", "--namespace", WHERE)
    release.upgrade()
    assert trusts(tmp_path, before["ca.crt"], release.secret(f"{NAME}-tls"), SERVICE)


def test_a_secret_of_ones_own_is_taken_instead(release: Release) -> None:
    """Helm then makes neither; the CA that it once made stays."""
    authority = release.secret(f"{NAME}-ca")
    release.upgrade(existingSecret="mine")
    assert release.secret(f"{NAME}-tls") == {}
    assert release.secret(f"{NAME}-ca") == authority
