"""Where a Deployment is to run: chips and resource name, the pools' terms and tolerations, and how its container changes.

Quantities are strings as in Kubernetes; probes and init containers are documents and may leave defaults out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chipwise.rendering.vocabulary import ChipVocabulary


@dataclass(frozen=True, slots=True)
class ArgsPatch:
    """Changes to the engine's flags. ``replace`` puts a whole list in place of the author's, and the rest is then not read.

    ``set`` pairs a flag with its value, None for a bare flag. ``remove`` drops a flag with its value. ``append`` goes last, verbatim.
    """

    set: tuple[tuple[str, str | None], ...] = ()
    remove: tuple[str, ...] = ()
    append: tuple[str, ...] = ()
    replace: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ScratchVolume:
    """An emptyDir, mounted into the serving container and into the variant's init containers."""

    name: str
    mount_path: str
    medium: str | None = None
    size_limit: str | None = None


@dataclass(frozen=True, slots=True)
class ContainerPatch:
    """What a variant changes of the serving container and its pod. None and empty leave the author's.

    ``cpu`` and ``memory`` are requests; a lower limit of the author's is raised to them. ``shared_memory`` sizes /dev/shm.
    ``runtime_class_name`` "" removes the author's; None removes it only where it is another vendor's.
    """

    image: str | None = None
    command: tuple[str, ...] | None = None
    args: ArgsPatch | None = None
    env: tuple[tuple[str, str], ...] = ()
    remove_env: tuple[str, ...] = ()
    startup_probe: Mapping[str, Any] | None = None
    readiness_probe: Mapping[str, Any] | None = None
    liveness_probe: Mapping[str, Any] | None = None
    cpu: str | None = None
    memory: str | None = None
    shared_memory: str | None = None
    runtime_class_name: str | None = None
    init_containers: tuple[Mapping[str, Any], ...] = ()
    volumes: tuple[ScratchVolume, ...] = ()


@dataclass(frozen=True, slots=True)
class PoolTerm:
    """The labels of one pool's nodes. At least one: Kubernetes reads a term without labels as matching no node."""

    labels: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        """Refuse an empty term, which would strand the pods."""
        if not self.labels:
            raise ValueError("a pool term needs at least one label")


@dataclass(frozen=True, slots=True)
class Target:
    """One variant on one or more pools. ``terms`` are in cost order: Karpenter tries them in this order.

    ``chips`` is per replica. ``max_surge`` is how many replicas beyond the desired may exist during the move, at least 1.
    """

    container: str
    resource_name: str
    chips: int
    vocabulary: ChipVocabulary
    terms: tuple[PoolTerm, ...]
    tolerations: tuple[Mapping[str, Any], ...] = ()
    patch: ContainerPatch = field(default_factory=ContainerPatch)
    max_surge: int = 1

    def __post_init__(self) -> None:
        """Refuse what the API server would: maxUnavailable is 0 in every rendering, so maxSurge may not be."""
        if self.chips < 1 or self.max_surge < 1:
            raise ValueError("chips and max_surge are at least 1")
