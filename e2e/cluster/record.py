"""What is remembered of a cluster between two commands: one small file in the cluster's folder."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from e2e.cluster.choice import Backend
from e2e.cluster.folders import cluster_folder, clusters_folder


@dataclass(frozen=True, slots=True)
class Record:
    """Which kind of control plane was made, and how."""

    name: str
    backend: Backend
    audit: bool
    fingerprint: str

    def save(self) -> None:
        """Write it down, before anything is started, so that a half-made cluster can be removed."""
        path = _path(self.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")


def load(name: str) -> Record | None:
    """The record of a cluster, if there is one that can be read."""
    try:
        fields = json.loads(_path(name).read_text())
        return Record(fields["name"], Backend(fields["backend"]), fields["audit"], fields["fingerprint"])
    except (OSError, ValueError, KeyError):
        return None


def names() -> list[str]:
    """The clusters of this clone."""
    return sorted(path.parent.name for path in clusters_folder().glob("*/record.json"))


def _path(name: str) -> Path:
    return cluster_folder(name) / "record.json"
