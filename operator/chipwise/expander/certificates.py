"""The server's certificate and key: read from files, checked before they are used, and read again when they change."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from pathlib import Path

import grpc

log = logging.getLogger(__name__)

#: id-ce-subjectAltName, as DER has it (RFC 5280, 4.2.1.6).
_ALTERNATIVE_NAME = bytes.fromhex("0603551d11")


class UnusableError(Exception):
    """The files are not there, or do not belong together. The message says which and why."""


def credentials(cert: Path, key: Path) -> grpc.ServerCredentials:
    """TLS for a server, for any client. A later certificate is taken over without a restart. Raises UnusableError."""
    latest = _read(cert, key)
    return grpc.dynamic_ssl_server_credentials(_configured(latest), _renewing(cert, key, latest))


def _configured(pair: tuple[bytes, bytes]) -> grpc.ServerCertificateConfiguration:
    certificate, key = pair
    return grpc.ssl_server_certificate_configuration([(key, certificate)])


def _renewing(
    cert: Path, key: Path, first: tuple[bytes, bytes]
) -> Callable[[], grpc.ServerCertificateConfiguration | None]:
    """Asked at each handshake: the new certificate, or None to go on with what there is. Files may be seen while they are replaced."""
    known = [first]

    def renewed() -> grpc.ServerCertificateConfiguration | None:
        try:
            found = _read(cert, key)
        except UnusableError as error:
            log.warning("the certificate is kept: %s", error)
            return None
        if found == known[0]:
            return None
        known[0] = found
        log.info("another certificate is in use")
        return _configured(found)

    return renewed


def _read(cert: Path, key: Path) -> tuple[bytes, bytes]:
    try:
        pair = cert.read_bytes(), key.read_bytes()
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
    except OSError as error:  # of which ssl.SSLError is one
        raise UnusableError(f"{cert} and {key}: {error}") from error
    return pair


def has_alternative_name(certificate: bytes) -> bool:
    """Whether a PEM certificate names its server as clients look for it; a common name alone is trusted by none."""
    first = certificate.decode(errors="replace").partition("-----END CERTIFICATE-----")
    try:
        return _ALTERNATIVE_NAME in ssl.PEM_cert_to_DER_cert(first[0].lstrip() + first[1] + "\n")
    except ValueError:
        return True
