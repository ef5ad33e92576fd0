"""What a pod asks of its node beyond chips, CPU and memory, and what it keeps away from it: all that scheduler and quotas look at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from chipwise.cluster.facts.reading import Document, Pairs, extended, pairs
from chipwise.rendering.affinity import REQUIRED
from chipwise.rendering.footprint import Amounts, pod_limits

Counts = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Repulsion:
    """One required anti-affinity term. ``selector`` is JSON. Without ``namespaces`` it means the pod's own, None means any."""

    topology_key: str
    selector: str
    namespaces: tuple[str, ...] | None = ()


@dataclass(frozen=True, slots=True)
class Needs:
    """``others`` are requests of resources that are neither chips, CPU nor memory; ``ports`` those of the host, as ``TCP/8080``.

    ``ways`` is JSON of required node affinity and tolerations, kept only while the pod is unbound. ``gated``: no scheduler looks at it
    yet.
    """

    others: Counts = ()
    limits: Counts = ()
    labels: Pairs = ()
    ports: tuple[str, ...] = ()
    repels: tuple[Repulsion, ...] = ()
    ways: str = ""
    gated: bool = False
    priority_class: str = ""
    best_effort: bool = False


NOTHING = Needs()


def pod_needs(raw: Document, asked: Amounts) -> Needs:
    """``asked`` are the pod's requests. Pods alike share one fact."""
    spec = raw["spec"]
    return _shared(
        Needs(
            others=beside_chips(asked),
            limits=tuple(sorted(pod_limits(spec).items())),
            labels=pairs(raw["metadata"].get("labels")),
            ports=host_ports(spec),
            repels=_repels(spec),
            ways="" if spec.get("nodeName") else _ways(spec),
            gated=bool(spec.get("schedulingGates")),
            priority_class=spec.get("priorityClassName") or "",
            best_effort=is_best_effort(spec),
        )
    )


def beside_chips(amounts: Mapping[str, Any]) -> Counts:
    """Resources that a node counts and that are neither CPU, memory, pods nor extended: local storage and huge pages."""
    chips = dict(extended(amounts))
    return tuple(
        sorted(
            (name, int(count))
            for name, count in amounts.items()
            if count and name not in ("cpu", "memory", "pods") and name not in chips
        )
    )


def host_ports(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """Ports of the node that a pod takes; the API server fills them in for pods on the host's network."""
    return tuple(
        sorted(
            {
                f"{port.get('protocol') or 'TCP'}/{port['hostPort']}"
                for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ()))
                for port in container.get("ports") or ()
                if port.get("hostPort")
            }
        )
    )


def is_best_effort(spec: Mapping[str, Any]) -> bool:
    """No container and not the pod asks for CPU or memory (the QoS class BestEffort; chips do not count)."""
    holders = (spec, *(spec.get("containers") or ()), *(spec.get("initContainers") or ()))
    stated = (
        (holder.get("resources") or {}).get(kind) or {}
        for holder in holders
        for kind in ("requests", "limits")
    )
    return not any(str(each.get(name, "0")) != "0" for each in stated for name in ("cpu", "memory"))


def _repels(spec: Mapping[str, Any]) -> tuple[Repulsion, ...]:
    terms = ((spec.get("affinity") or {}).get("podAntiAffinity") or {}).get(REQUIRED) or ()
    return tuple(
        Repulsion(
            term["topologyKey"],
            json.dumps(term.get("labelSelector"), sort_keys=True),
            None if "namespaceSelector" in term else tuple(sorted(term.get("namespaces") or ())),
        )
        for term in terms
    )


def _ways(spec: Mapping[str, Any]) -> str:
    affinity = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(REQUIRED)
    tolerations = spec.get("tolerations") or ()
    if not affinity and not tolerations:
        return ""
    return json.dumps({"affinity": affinity, "tolerations": tolerations}, sort_keys=True)


@lru_cache(maxsize=4096)
def _shared(needs: Needs) -> Needs:
    return needs
