"""Which container of a pod serves the model, what it asks for, and how its pods are recognised."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from chipwise.reasons import Reason, Refusal
from chipwise.rendering.quantity import canonical, whole
from chipwise.rendering.vocabulary import ChipVocabulary


def container_of(template: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """Find a container by its name; init containers do not serve."""
    for container in template["spec"].get("containers") or []:
        if container["name"] == name:
            found: Mapping[str, Any] = container
            return found
    return None


def serving_container(
    template: Mapping[str, Any], name: str | None, vocabulary: ChipVocabulary
) -> str | Refusal:
    """Name the serving container: the one asked for, else the only one, else the only one that asks for a chip."""
    containers = template["spec"].get("containers") or []
    names = [str(container["name"]) for container in containers]
    if name is not None:
        if name in names:
            return name
        return Refusal(Reason.CONTAINER_MISSING, f"there is no container {name}, only {', '.join(names)}")
    if len(names) == 1:
        return names[0]
    asking = [str(c["name"]) for c in containers if requested_chips(c, vocabulary) is not None]
    if len(asking) == 1:
        return asking[0]
    which = f"{len(asking)} of the {len(names)} containers ask for a chip"
    return Refusal(Reason.CONTAINER_AMBIGUOUS, f"{which}: set container to one of {', '.join(names)}")


def requested_chips(container: Mapping[str, Any], vocabulary: ChipVocabulary) -> tuple[str, int] | None:
    """Return the chip resource and the count that a container asks for, None for none. Of several, the first by name."""
    resources = container.get("resources") or {}
    asked = {**(resources.get("requests") or {}), **(resources.get("limits") or {})}
    for name in sorted(asked):
        if vocabulary.is_chip_resource(name) and (count := whole(asked[name])) > 0:
            return name, count
    return None


def container_digest(container: Mapping[str, Any]) -> str:
    """Digest what a template and its pods have in common: name, image, command, args and extended resources. 16 hex digits.

    CPU and memory are left out: limit ranges and vertical autoscalers change them in the pod. Extended resources are read from
    limits, which a pod's requests repeat.
    """
    resources = container.get("resources") or {}
    asked = {**(resources.get("requests") or {}), **(resources.get("limits") or {})}
    extended = {name: canonical(count, resource=True) for name, count in asked.items() if "/" in name}
    parts = [
        container["name"],
        container.get("image", ""),
        container.get("command") or [],
        container.get("args") or [],
        extended,
    ]
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
