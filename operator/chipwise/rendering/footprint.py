"""What one pod of a template takes of a node beside its chips, and which of its volumes tie it down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chipwise.rendering.quantity import milli, whole


@dataclass(frozen=True, slots=True, order=True)
class PodFootprint:
    """Requests of one pod as the scheduler counts them: millicores and bytes."""

    cpu_milli: int
    memory_bytes: int

    def __add__(self, other: PodFootprint) -> PodFootprint:
        return PodFootprint(self.cpu_milli + other.cpu_milli, self.memory_bytes + other.memory_bytes)

    def or_more(self, other: PodFootprint) -> PodFootprint:
        """Take the larger of each."""
        return PodFootprint(max(self.cpu_milli, other.cpu_milli), max(self.memory_bytes, other.memory_bytes))


@dataclass(frozen=True, slots=True)
class TemplateVolumes:
    """``host_paths`` are paths on the node; ``claims`` are names of PersistentVolumeClaims in the namespace."""

    host_paths: tuple[str, ...]
    claims: tuple[str, ...]


_NOTHING = PodFootprint(0, 0)


def pod_footprint(template: Mapping[str, Any]) -> PodFootprint:
    """Add up a pod as the scheduler does (k8s.io/component-helpers/resource ``PodRequests``).

    All containers and sidecars together, or the largest init container with the sidecars started before it, whichever is more; a
    request stated for the whole pod goes before that; the runtime's overhead comes on top.
    """
    spec = template["spec"]
    running = _NOTHING
    for container in spec.get("containers") or []:
        running += _requests(container)
    sidecars = starting = _NOTHING
    for container in spec.get("initContainers") or []:
        if container.get("restartPolicy") == "Always":
            sidecars += _requests(container)
            starting = starting.or_more(sidecars)
        else:
            starting = starting.or_more(sidecars + _requests(container))
    total = (running + sidecars).or_more(starting)
    stated = _stated(spec.get("resources") or {})
    total = PodFootprint(
        milli(stated["cpu"]) if "cpu" in stated else total.cpu_milli,
        whole(stated["memory"]) if "memory" in stated else total.memory_bytes,
    )
    return total + _read(spec.get("overhead") or {})


def template_volumes(template: Mapping[str, Any]) -> TemplateVolumes:
    """List what ties a pod to a node or to a disk, sorted."""
    volumes = template["spec"].get("volumes") or []
    return TemplateVolumes(
        host_paths=tuple(sorted({v["hostPath"]["path"] for v in volumes if "hostPath" in v})),
        claims=tuple(
            sorted({v["persistentVolumeClaim"]["claimName"] for v in volumes if "persistentVolumeClaim" in v})
        ),
    )


def _requests(container: Mapping[str, Any]) -> PodFootprint:
    return _read(_stated(container.get("resources") or {}))


def _stated(resources: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read requests, which a pod takes from its limits where they are not stated."""
    return {**(resources.get("limits") or {}), **(resources.get("requests") or {})}


def _read(quantities: Mapping[str, Any]) -> PodFootprint:
    return PodFootprint(milli(quantities.get("cpu", 0)), whole(quantities.get("memory", 0)))
