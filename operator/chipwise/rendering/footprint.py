"""What one pod of a template takes of a node, resource by resource, and which of its volumes tie it down.

Requests are counted as the scheduler counts them (k8s.io/component-helpers/resource ``PodRequests``): all containers and sidecars
together, or the largest init container with the sidecars started before it, whichever is more; what is stated for the whole pod goes
before that; the runtime's overhead comes on top. Limits are counted the same way, for quotas.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from chipwise.rendering.quantity import milli, whole

#: By resource name: CPU in millicores, everything else in units (bytes, chips, pods).
Amounts = dict[str, int]
_Read = Callable[[Mapping[str, Any]], Amounts]


@dataclass(frozen=True, slots=True, order=True)
class PodFootprint:
    """Requests of one pod as the scheduler counts them: millicores and bytes."""

    cpu_milli: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class TemplateVolumes:
    """``host_paths`` are paths on the node; ``claims`` are names of PersistentVolumeClaims in the namespace."""

    host_paths: tuple[str, ...]
    claims: tuple[str, ...]


def pod_footprint(template: Mapping[str, Any]) -> PodFootprint:
    """CPU and memory among ``pod_requests``."""
    asked = pod_requests(template["spec"])
    return PodFootprint(asked.get("cpu", 0), asked.get("memory", 0))


def pod_requests(spec: Mapping[str, Any]) -> Amounts:
    """What the scheduler sets aside for one pod."""
    total = _total(spec, _requests)
    _add(total, _read(spec.get("overhead") or {}))
    return total


def pod_limits(spec: Mapping[str, Any]) -> Amounts:
    """What one pod may take at most, as quotas count it: a resource that no container limits is missing."""
    total = _total(spec, _limits)
    _add(total, {name: n for name, n in _read(spec.get("overhead") or {}).items() if name in total})
    return total


def amount(name: str, quantity: Any) -> int:
    """One quantity in the unit of ``Amounts``."""
    return _amount(str(quantity), in_milli=name == "cpu" or name.endswith(".cpu"))


def template_volumes(template: Mapping[str, Any]) -> TemplateVolumes:
    """List what ties a pod to a node or to a disk, sorted."""
    volumes = template["spec"].get("volumes") or []
    return TemplateVolumes(
        host_paths=tuple(sorted({v["hostPath"]["path"] for v in volumes if "hostPath" in v})),
        claims=tuple(
            sorted({v["persistentVolumeClaim"]["claimName"] for v in volumes if "persistentVolumeClaim" in v})
        ),
    )


def _total(spec: Mapping[str, Any], read: _Read) -> Amounts:
    running: Amounts = {}
    for container in spec.get("containers") or ():
        _add(running, read(container))
    sidecars: Amounts = {}
    starting: Amounts = {}
    for container in spec.get("initContainers") or ():
        own = read(container)
        if container.get("restartPolicy") == "Always":
            _add(sidecars, own)
            _raise(starting, sidecars)
        else:
            _add(own, sidecars)
            _raise(starting, own)
    _add(running, sidecars)
    _raise(running, starting)
    running.update(read(spec))
    return running


def _add(total: Amounts, more: Mapping[str, int]) -> None:
    for name, count in more.items():
        total[name] = total.get(name, 0) + count


def _raise(total: Amounts, other: Mapping[str, int]) -> None:
    for name, count in other.items():
        total[name] = max(total.get(name, 0), count)


def _requests(holder: Mapping[str, Any]) -> Amounts:
    """Requests, which a pod takes from its limits where they are not stated."""
    resources = holder.get("resources") or {}
    return _read({**(resources.get("limits") or {}), **(resources.get("requests") or {})})


def _limits(holder: Mapping[str, Any]) -> Amounts:
    return _read((holder.get("resources") or {}).get("limits") or {})


def _read(quantities: Mapping[str, Any]) -> Amounts:
    return {name: amount(name, quantity) for name, quantity in quantities.items()}


@lru_cache(maxsize=4096)
def _amount(text: str, *, in_milli: bool) -> int:
    return milli(text) if in_milli else whole(text)
