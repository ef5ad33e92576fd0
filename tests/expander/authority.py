"""A certificate authority for tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PEM = serialization.Encoding.PEM


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(subject: str, issuer: str, key: Any) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=2))
    )


class Authority:
    """Signs certificates. ``pem`` is what clients are to trust."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder("test-ca", "test-ca", self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.pem = builder.sign(self._key, hashes.SHA256()).public_bytes(PEM)

    def issue(self, folder: Path, *, named: bool = True) -> Issued:
        """Write tls.crt and tls.key for localhost, in place of what is there; not ``named`` without a subject alternative name."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder("localhost", "test-ca", key.public_key())
        if named:
            names = x509.SubjectAlternativeName(
                [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
            )
            builder = builder.add_extension(names, critical=False)
        found = Issued(folder / "tls.crt", folder / "tls.key")
        found.key.write_bytes(
            key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        found.cert.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(PEM))
        return found


@dataclass(frozen=True)
class Issued:
    """Where a certificate and its key are."""

    cert: Path
    key: Path
