"""The author's base and a target, to the manifest that runs there.

What the author wrote and the target does not speak of stays as it is, in its order. What speaks of chips goes, all of it, in this one
write: a leftover selector or resource of the losing vendor makes the new pods pend for ever. Replicas are not part of a manifest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from chipwise.reasons import Reason, Refusal
from chipwise.rendering.affinity import REQUIRED, Terms, crossed, term_without_chips, without_chips
from chipwise.rendering.container import lay_container, mount, mount_at, put
from chipwise.rendering.defaults import complete_container, complete_volume
from chipwise.rendering.manifest import Document, Manifest, RenderingRefused
from chipwise.rendering.target import ContainerPatch, Target
from chipwise.rendering.vocabulary import ChipVocabulary, runtime_class_fits

SHARED_MEMORY_PATH = "/dev/shm"  # noqa: S108  the mount point that engines expect, not a temporary file of ours
SHARED_MEMORY_VOLUME = "chipwise-shm"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def render(base: Manifest, target: Target) -> Manifest:
    """Return the manifest to write, complete as the API server stores it. Raises RenderingRefused; leaves its inputs alone."""
    template = deepcopy(base.template)
    spec: Document = template["spec"]
    container = _serving(spec, target.container)
    _refuse_devices(spec, target)
    lay_container(container, target)
    _lay_init_containers(spec, target.patch)
    _refuse_other_chips(spec, target)
    _lay_shared_memory(spec, container, target.patch)
    _lay_volumes(spec, container, target.patch)
    _lay_runtime_class(spec, target)
    _lay_placement(spec, target)
    strategy: Document = {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 0, "maxSurge": target.max_surge},
    }
    return Manifest(template=template, strategy=strategy)


def obstacle(base: Manifest, target: Target) -> Refusal | None:
    """Say why the base cannot be rendered for the target; None where it can."""
    try:
        render(base, target)
    except RenderingRefused as refused:
        return refused.refusal
    return None


def _serving(spec: Document, name: str) -> Document:
    for container in spec["containers"]:
        if container["name"] == name:
            found: Document = container
            return found
    raise RenderingRefused(Reason.CONTAINER_MISSING, f"the Deployment has no container {name}")


def _refuse_devices(spec: Document, target: Target) -> None:
    if spec.get("nodeName"):
        raise RenderingRefused(Reason.NODE_PINNED, f"spec.nodeName pins the pods to node {spec['nodeName']}")
    for container in [*spec["containers"], *spec.get("initContainers", [])]:
        if container.get("resources", {}).get("claims"):
            raise RenderingRefused(
                Reason.DEVICE_CLAIMED,
                f"container {container['name']} takes devices through ResourceClaims, "
                f"which cannot be exchanged for {target.resource_name}",
            )


def _refuse_other_chips(spec: Document, target: Target) -> None:
    vocabulary = target.vocabulary.including(target.resource_name)
    for container in [*spec["containers"], *spec.get("initContainers", [])]:
        resources = container.get("resources", {})
        asked = sorted({*resources.get("limits", {}), *resources.get("requests", {})})
        chips = [name for name in asked if vocabulary.is_chip_resource(name)]
        if chips and container["name"] != target.container:
            raise RenderingRefused(
                Reason.SIDECAR_WANTS_CHIPS,
                f"container {container['name']} asks for {', '.join(chips)} beside the serving container {target.container}",
            )


def _lay_init_containers(spec: Document, patch: ContainerPatch) -> None:
    result = list(spec.get("initContainers") or [])
    for wanted in patch.init_containers:
        done = complete_container(wanted)
        for volume in patch.volumes:
            mount(done, volume.name, volume.mount_path)
        at = next((i for i, present in enumerate(result) if present["name"] == done["name"]), None)
        if at is None:
            result.append(done)
        else:
            result[at] = done
    put(spec, "initContainers", result)


def _lay_shared_memory(spec: Document, container: Document, patch: ContainerPatch) -> None:
    """Resize an author's emptyDir at /dev/shm, for a sidecar may share it; mount ours in place of anything else."""
    if patch.shared_memory is None:
        return
    name = SHARED_MEMORY_VOLUME
    at = mount_at(container, SHARED_MEMORY_PATH)
    before = container["volumeMounts"][at] if at is not None else None
    volumes = {volume["name"]: volume for volume in spec.get("volumes") or []}
    if before is not None and "emptyDir" in volumes.get(before["name"], {}) and "subPath" not in before:
        name = before["name"]
    else:
        mount(container, name, SHARED_MEMORY_PATH)
    _put_scratch(spec, name, "Memory", patch.shared_memory)
    if before is not None and before["name"] != name:
        _drop_unused(spec, before["name"])


def _lay_volumes(spec: Document, container: Document, patch: ContainerPatch) -> None:
    for volume in patch.volumes:
        _put_scratch(spec, volume.name, volume.medium, volume.size_limit)
        mount(container, volume.name, volume.mount_path)


def _put_scratch(spec: Document, name: str, medium: str | None, size_limit: str | None) -> None:
    source = {"medium": medium, "sizeLimit": size_limit}
    new = complete_volume({"name": name, "emptyDir": {key: value for key, value in source.items() if value}})
    volumes = list(spec.get("volumes") or [])
    at = next((i for i, volume in enumerate(volumes) if volume["name"] == name), None)
    if at is None:
        volumes.append(new)
    elif "emptyDir" in volumes[at]:
        volumes[at] = new
    else:
        raise RenderingRefused(
            Reason.VOLUME_CONFLICT,
            f"the variant's volume {name} has the name of a volume of the author's that is no emptyDir",
        )
    spec["volumes"] = volumes


def _drop_unused(spec: Document, name: str) -> None:
    """Drop a volume that nothing mounts any more: it would still have to attach, and may not on the new node."""
    for container in [*spec["containers"], *spec.get("initContainers", [])]:
        used = [*container.get("volumeMounts", []), *container.get("volumeDevices", [])]
        if any(entry["name"] == name for entry in used):
            return
    put(spec, "volumes", [volume for volume in spec.get("volumes", []) if volume["name"] != name])


def _lay_runtime_class(spec: Document, target: Target) -> None:
    wanted = target.patch.runtime_class_name
    if wanted is None and runtime_class_fits(spec.get("runtimeClassName", ""), target.resource_name):
        return
    put(spec, "runtimeClassName", wanted)


def _lay_placement(spec: Document, target: Target) -> None:
    vocabulary = target.vocabulary.including(target.resource_name)
    selector = {k: v for k, v in (spec.get("nodeSelector") or {}).items() if not vocabulary.is_chip_key(k)}
    put(spec, "nodeSelector", selector)
    put(spec, "affinity", _affinity(spec.get("affinity") or {}, target, vocabulary))
    put(spec, "tolerations", _tolerations(spec.get("tolerations") or [], target.tolerations, vocabulary))
    spread = spec.get("topologySpreadConstraints") or []
    kept = [constraint for constraint in spread if not vocabulary.is_chip_key(constraint["topologyKey"])]
    put(spec, "topologySpreadConstraints", kept)


def _affinity(author: Document, target: Target, vocabulary: ChipVocabulary) -> Document:
    """Cross node affinity with the pools. Pod affinity within one chip's topology has no meaning on another, and goes."""
    result = dict(author)
    put(result, "nodeAffinity", _node_affinity(author.get("nodeAffinity") or {}, target, vocabulary))
    for kind in ("podAffinity", "podAntiAffinity"):
        if kind in author:
            put(result, kind, _pod_affinity(author[kind], vocabulary))
    return result


def _node_affinity(author: Document, target: Target, vocabulary: ChipVocabulary) -> Document:
    result: Document = {}
    stated = (author.get(REQUIRED) or {}).get("nodeSelectorTerms")
    remaining: Terms | None = None if stated is None else without_chips(stated, vocabulary)
    if remaining == ():
        raise RenderingRefused(
            Reason.SELECTOR_UNSATISFIED,
            "the author's node affinity has only empty terms, which match no node",
        )
    terms = crossed(remaining, target.terms) if target.terms else list(remaining or ())
    if terms:
        result[REQUIRED] = {"nodeSelectorTerms": terms}
    preferred = [_preference(entry, vocabulary) for entry in author.get(_PREFERRED) or []]
    put(result, _PREFERRED, [entry for entry in preferred if entry is not None])
    return result


def _preference(entry: Document, vocabulary: ChipVocabulary) -> Document | None:
    if not entry["preference"]:
        return entry
    rest = term_without_chips(entry["preference"], vocabulary)
    return {**entry, "preference": rest} if rest else None


def _pod_affinity(author: Document, vocabulary: ChipVocabulary) -> Document:
    result: Document = {}
    required = [t for t in author.get(REQUIRED) or [] if not vocabulary.is_chip_key(t["topologyKey"])]
    preferred = [
        t
        for t in author.get(_PREFERRED) or []
        if not vocabulary.is_chip_key(t["podAffinityTerm"]["topologyKey"])
    ]
    put(result, REQUIRED, required)
    put(result, _PREFERRED, preferred)
    return result


def _tolerations(
    author: Iterable[Document],
    added: Iterable[Mapping[str, Any]],
    vocabulary: ChipVocabulary,
) -> list[Document]:
    result = [toleration for toleration in author if not vocabulary.is_chip_key(toleration.get("key", ""))]
    present = [_meaning(toleration) for toleration in result]
    for toleration in added:
        if _meaning(toleration) not in present:
            result.append({key: value for key, value in toleration.items() if value not in ("", None)})
            present.append(_meaning(toleration))
    return result


def _meaning(toleration: Mapping[str, Any]) -> Document:
    meaning = {key: value for key, value in toleration.items() if value not in ("", None)}
    return {"operator": "Equal", **meaning}
