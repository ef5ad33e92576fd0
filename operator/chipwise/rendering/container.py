"""A variant's patch laid over the serving container: image, command line, environment, probes, resources, mounts.

Every function changes the container it is given, which is a private copy of the author's, and leaves it as the API server stores it.
"""

from __future__ import annotations

from typing import Any

from chipwise.rendering.arguments import patched
from chipwise.rendering.defaults import complete_probe
from chipwise.rendering.manifest import Document
from chipwise.rendering.quantity import canonical, parse
from chipwise.rendering.target import ArgsPatch, ContainerPatch, Target
from chipwise.rendering.vocabulary import ChipVocabulary


def lay_container(container: Document, target: Target) -> None:
    """Lay everything of the patch that lives inside the container, but for mounts."""
    patch = target.patch
    if patch.image is not None:
        container["image"] = patch.image
    _lay_command_line(container, patch)
    _lay_environment(container, patch)
    for key, probe in (
        ("startupProbe", patch.startup_probe),
        ("readinessProbe", patch.readiness_probe),
        ("livenessProbe", patch.liveness_probe),
    ):
        if probe is not None:
            container[key] = complete_probe(probe)
    _lay_resources(container, target)


def mount(container: Document, name: str, path: str) -> None:
    """Mount a volume, in the place of whatever is mounted at that path."""
    mounts = container.get("volumeMounts") or []
    new = {"name": name, "mountPath": path}
    at = mount_at(container, path)
    if at is None:
        container["volumeMounts"] = [*mounts, new]
        return
    kept = mounts[at]
    new["mountPath"] = kept["mountPath"]
    container["volumeMounts"] = [new if entry is kept else entry for entry in mounts]


def mount_at(container: Document, path: str) -> int | None:
    """Find the entry of volumeMounts that mounts something at the path."""
    mounts = container.get("volumeMounts") or []
    return next(
        (at for at, entry in enumerate(mounts) if entry["mountPath"].rstrip("/") == path.rstrip("/")), None
    )


def put(container: Document, key: str, value: Any) -> None:
    """Set a field, or drop it where the value is empty: empty lists and maps are not stored."""
    if value:
        container[key] = value
    else:
        container.pop(key, None)


def _lay_command_line(container: Document, patch: ContainerPatch) -> None:
    command, args = patched(
        container.get("command") or [],
        container.get("args") or [],
        patch.args or ArgsPatch(),
        None if patch.command is None else list(patch.command),
    )
    put(container, "command", command)
    put(container, "args", args)


def _lay_environment(container: Document, patch: ContainerPatch) -> None:
    """Keep the author's order, for ``$(NAME)`` reads only what stands before it."""
    values = dict(patch.env)
    dropped = set(patch.remove_env) - set(values)
    result: list[Document] = []
    for entry in container.get("env") or []:
        name = entry["name"]
        if name in dropped:
            continue
        if name not in values:
            result.append(entry)
        elif all(name != done["name"] for done in result):
            result.append(_variable(name, values[name]))
    present = {entry["name"] for entry in result}
    result.extend(_variable(name, value) for name, value in values.items() if name not in present)
    put(container, "env", result)


def _variable(name: str, value: str) -> Document:
    return {"name": name, "value": value} if value else {"name": name}


def _lay_resources(container: Document, target: Target) -> None:
    resources = container.setdefault("resources", {})
    vocabulary = target.vocabulary.including(target.resource_name)
    limits = resources.get("limits") or {}
    requests = resources.get("requests") or {}
    stated = any(vocabulary.is_chip_resource(name) for name in requests)
    limits, requests = (_without_chips(limits, vocabulary), _without_chips(requests, vocabulary))
    count = canonical(target.chips, resource=True)
    limits[target.resource_name] = count
    if stated:
        requests[target.resource_name] = count
    for name, override in (("cpu", target.patch.cpu), ("memory", target.patch.memory)):
        if override is not None:
            requests[name] = canonical(override, resource=True)
            if name in limits and parse(limits[name]) < parse(override):
                limits[name] = requests[name]
    put(resources, "limits", limits)
    put(resources, "requests", requests)


def _without_chips(quantities: Document, vocabulary: ChipVocabulary) -> Document:
    return {name: value for name, value in quantities.items() if not vocabulary.is_chip_resource(name)}
