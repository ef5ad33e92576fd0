"""Released programs from the projects' own sites, each held against the checksum that the project publishes.

Nothing is kept that was not verified. kwok publishes no checksums, so it is never downloaded.
"""

import hashlib
import tarfile
import urllib.request
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from urllib.parse import urljoin

from e2e.cluster.errors import ToolError
from e2e.cluster.toolsets import Platform, Tool

PROBE_SECONDS = (
    3.0  # a closed network must not be felt: the checksum is asked for first, and with little patience
)
READ_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Release:
    """Where a released program is; `member` is its path if it comes inside an archive."""

    url: str
    checksum_url: str
    member: str | None = None

    @property
    def file(self) -> str:
        """The name that a list of checksums gives to the download."""
        return PurePosixPath(self.url).name


def release_of(tool: Tool, version: str, target: Platform) -> Release | None:
    """The release of a tool for a platform, or None where the project offers no verifiable one."""
    if target.system != "linux" and tool.name in _LINUX_ONLY:
        return None
    name = "kubernetes" if tool.module == "k8s.io/kubernetes" else tool.name
    pattern = _PATTERNS.get(name)
    if pattern is None:
        return None
    words = {"name": tool.name, "version": version, "system": target.system, "machine": target.machine}
    url, checksums, member = (part.format(**words) for part in pattern)
    return Release(url, urljoin(url, checksums), member or None)


# The download, the checksums relative to it, and the place of the program in an archive.
_PATTERNS = {
    "kubernetes": (
        "https://dl.k8s.io/release/{version}/bin/{system}/{machine}/{name}",
        "{name}.sha256",
        "",
    ),
    "etcd": (
        "https://github.com/etcd-io/etcd/releases/download/{version}/etcd-{version}-{system}-{machine}.tar.gz",
        "SHA256SUMS",
        "etcd-{version}-{system}-{machine}/etcd",
    ),
    "helm": (
        "https://get.helm.sh/helm-{version}-{system}-{machine}.tar.gz",
        "helm-{version}-{system}-{machine}.tar.gz.sha256sum",
        "{system}-{machine}/helm",
    ),
    "kind": (
        "https://github.com/kubernetes-sigs/kind/releases/download/{version}/kind-{system}-{machine}",
        "kind-{system}-{machine}.sha256sum",
        "",
    ),
}
_LINUX_ONLY = frozenset({"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"})


def download(release: Release, target: Path) -> None:
    """Fetch, verify and unpack one program; ToolError if any of these fails."""
    try:
        listing = _fetch(release.checksum_url, PROBE_SECONDS).decode()
        content = _fetch(release.url, READ_SECONDS)
    except (OSError, ValueError) as unreachable:
        raise ToolError(str(unreachable)) from unreachable
    verify(content, published_checksum(listing, release.file), release.url)
    target.write_bytes(_unpack(content, release.member) if release.member else content)
    target.chmod(0o755)


def published_checksum(listing: str, file: str) -> str:
    """The checksum of one file: the whole listing may be a single checksum, or a line for each file."""
    rows = [line.split() for line in listing.splitlines() if line.strip()]
    if len(rows) == 1 and len(rows[0]) == 1:
        return rows[0][0]
    for row in rows:
        if len(row) == 2 and row[1].lstrip("*") == file:
            return row[0]
    raise ToolError(f"no checksum is published for {file}")


def verify(content: bytes, checksum: str, source: str) -> None:
    """Refuse content that does not have the published SHA-256 or SHA-512."""
    algorithm = {64: hashlib.sha256, 128: hashlib.sha512}.get(len(checksum))
    if algorithm is None or algorithm(content).hexdigest() != checksum.lower():
        raise ToolError(f"{source} does not have its published checksum")


def _fetch(url: str, seconds: float) -> bytes:
    with urllib.request.urlopen(url, timeout=seconds) as answer:  # noqa: S310 - the addresses above are all https
        return bytes(answer.read())


def _unpack(archive: bytes, member: str) -> bytes:
    try:
        with tarfile.open(fileobj=BytesIO(archive)) as content:
            entry = content.extractfile(member)
            return entry.read() if entry is not None else b""
    except (tarfile.TarError, KeyError) as broken:
        raise ToolError(f"the archive holds no {member}") from broken
