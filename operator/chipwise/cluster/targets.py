"""A variant of our API on pools of this cluster, as the target that rendering lays over an author's Deployment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chipwise.api import ContainerPatch as PatchSpec
from chipwise.api import Variant
from chipwise.cluster.karpenter import selector_of
from chipwise.cluster.pools import PoolView
from chipwise.cluster.snapshot import Snapshot
from chipwise.rendering.target import ArgsPatch, ContainerPatch, PoolTerm, ScratchVolume, Target
from chipwise.rendering.vocabulary import ChipVocabulary


def vocabulary(snapshot: Snapshot) -> ChipVocabulary:
    """Every resource name and node label by which this cluster's classes and pools know chips."""
    classes = [c.spec for c in snapshot.classes.values()]
    keys = {key for pool in snapshot.pools.values() for key, _ in selector_of(pool)}
    keys |= {label.key for spec in classes if spec.discovery for label in spec.discovery.node_labels}
    return ChipVocabulary(
        resource_names=frozenset(spec.resource_name for spec in classes if spec.resource_name),
        label_keys=frozenset(keys),
    )


def target(
    variant: Variant, pools: Sequence[PoolView], container: str, words: ChipVocabulary, *, surge: int
) -> Target:
    """``pools`` in cost order, all of the variant's class. ``surge`` is how many replicas may start beside those that run."""
    tolerations: list[Mapping[str, Any]] = []
    for pool in pools:
        tolerations += [t for t in pool.tolerations if t not in tolerations]
    return Target(
        container=container,
        resource_name=pools[0].resource_name,
        chips=variant.chips,
        vocabulary=words,
        terms=tuple(PoolTerm(pool.selector) for pool in pools),
        tolerations=tuple(tolerations),
        patch=_patch(variant.container) if variant.container else ContainerPatch(),
        max_surge=max(1, surge),
    )


def _patch(spec: PatchSpec) -> ContainerPatch:
    probes, resources = spec.probes, spec.resources
    return ContainerPatch(
        image=spec.image,
        command=tuple(spec.command) or None,
        args=_args(spec),
        env=tuple((variable.name, variable.value) for variable in spec.env),
        remove_env=tuple(spec.remove_env),
        startup_probe=_document(probes.startup) if probes else None,
        readiness_probe=_document(probes.readiness) if probes else None,
        liveness_probe=_document(probes.liveness) if probes else None,
        cpu=resources.cpu if resources else None,
        memory=resources.memory if resources else None,
        shared_memory=spec.shared_memory,
        runtime_class_name=spec.runtime_class_name,
        init_containers=tuple(_document(c) or {} for c in spec.init_containers),
        volumes=tuple(
            ScratchVolume(
                v.name,
                v.mount_path,
                v.empty_dir.medium.value or None if v.empty_dir and v.empty_dir.medium else None,
                v.empty_dir.size_limit if v.empty_dir else None,
            )
            for v in spec.volumes
        ),
    )


def _args(spec: PatchSpec) -> ArgsPatch | None:
    args = spec.args
    if args is None:
        return None
    if str(args.mode) == "Replace":
        return ArgsPatch(replace=tuple(args.list))
    return ArgsPatch(
        set=tuple((flag.flag, flag.value) for flag in args.set),
        remove=tuple(args.remove),
        append=tuple(args.append),
    )


def _document(model: Any) -> dict[str, Any] | None:
    if model is None:
        return None
    found: dict[str, Any] = model.model_dump(
        by_alias=True, exclude_none=True, exclude_unset=True, mode="json"
    )
    return found
