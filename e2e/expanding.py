"""The expander as a process with its own ServiceAccount, and Cluster Autoscaler's side of the wire from the published definitions."""

from __future__ import annotations

import base64
import http.client
from pathlib import Path

import grpc

from e2e.admin import Admin
from e2e.operator_process import OperatorProcess
from e2e.rendered import NAMESPACE
from tests.expander import published

NAME = "chipwise-expander"
_PREFIX = b"k8s\x00"


class ExpanderProcess(OperatorProcess):
    """`chipwise expander` with this kubeconfig; its addresses are read from its log."""

    def command(self) -> list[str]:
        """What is run."""
        chipwise = super().command()[0]
        addresses = ["--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"]
        return [chipwise, "expander", *addresses, "--kubeconfig", str(self.kubeconfig), *self.extra_args]

    def address(self, words: str) -> str:
        """What stands behind these words in the log; empty before it is there."""
        return next(
            (line.partition(words)[2].split()[0] for line in self.log.splitlines() if words in line), ""
        )

    def probe(self, path: str) -> tuple[int, str]:
        """Status and text of one of /livez, /readyz and /metrics."""
        host, _, port = self.address("listening on http://").rpartition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


def certificate(admin: Admin, folder: Path) -> tuple[bytes, Path, Path]:
    """The CA that the chart made, and the certificate and key that it signed, as files."""
    data = admin.get(f"/api/v1/namespaces/{NAMESPACE}/secrets/{NAME}-tls")["data"]
    content = {name: base64.b64decode(data[name]) for name in ("ca.crt", "tls.crt", "tls.key")}
    for name in ("tls.crt", "tls.key"):
        (folder / name).write_bytes(content[name])
    return content["ca.crt"], folder / "tls.crt", folder / "tls.key"


def pod_as_protobuf(port: int, namespace: str, name: str) -> bytes:
    """A pod as the API server serializes it, less the envelope: what Cluster Autoscaler sends."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        headers = {"Accept": "application/vnd.kubernetes.protobuf"}
        connection.request("GET", f"/api/v1/namespaces/{namespace}/pods/{name}", headers=headers)
        content = connection.getresponse().read()
    finally:
        connection.close()
    assert content.startswith(_PREFIX)
    return _raw(content[len(_PREFIX) :])


def _raw(envelope: bytes) -> bytes:
    """Field 2, ``raw``, of runtime.Unknown (k8s.io/apimachinery/pkg/runtime/generated.proto); field 1 is the type."""
    at = 0
    while at < len(envelope):
        tag = envelope[at]
        length, at = _varint(envelope, at + 1)
        if tag == 0x12:
            return envelope[at : at + length]
        at += length
    raise AssertionError("no pod in the answer")


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (content[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not content[at - 1] & 0x80:
            return value, at


def ask(address: str, authority: bytes, offers: dict[str, list[bytes]]) -> list[str]:
    """The groups that are answered with, as Cluster Autoscaler asks: by the Service's name, over TLS, within five seconds."""
    named = (("grpc.ssl_target_name_override", f"{NAME}.{NAMESPACE}.svc"),)
    trust = grpc.ssl_channel_credentials(root_certificates=authority)
    with grpc.secure_channel(address, trust, options=named) as channel:
        call = channel.unary_unary(
            published.METHOD,
            request_serializer=published.BestOptionsRequest.SerializeToString,
            response_deserializer=published.BestOptionsResponse.FromString,
        )
        answer = call(published.request(offers), timeout=5)
    return [option.nodeGroupId for option in answer.options]
