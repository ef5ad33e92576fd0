"""What the API server has of fleets (``e2e.fleets``), read of all of them at once."""

from __future__ import annotations

from e2e.admin import Admin, Document
from e2e.fleet_maker import FLEET
from e2e.fleets import Fleet

_GROUPS = {
    "Node": "/api/v1",
    "ResourceQuota": "/api/v1",
    "Pod": "/api/v1",
    "DaemonSet": "/apis/apps/v1",
    "Deployment": "/apis/apps/v1",
    "HorizontalPodAutoscaler": "/apis/autoscaling/v2",
}


def path(kind: str, namespace: str = "", name: str = "") -> str:
    """Where objects of a kind are."""
    where = f"{_GROUPS[kind]}/namespaces/{namespace}" if namespace else _GROUPS[kind]
    return "/".join(part for part in (where, f"{kind.lower()}s", name) if part)


class View:
    """All objects of some kinds at one moment, by fleet."""

    def __init__(self, admin: Admin, *kinds: str) -> None:
        self._found: dict[tuple[str, str], list[Document]] = {}
        for kind in kinds:
            for item in admin.get(path(kind))["items"]:
                metadata = item["metadata"]
                owner = metadata.get("namespace") or metadata.get("labels", {}).get(FLEET, "")
                self._found.setdefault((owner, kind), []).append({"kind": kind, **item})

    def of(self, fleet: Fleet, *kinds: str) -> list[Document]:
        """Those of one fleet."""
        return [document for kind in kinds for document in self._found.get((fleet.name, kind), ())]
