"""What the five kinds have in common: the envelope of an object, and how the API server lists it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from chipwise.api.metadata import Metadata
from chipwise.api.model import Model

GROUP = "chipwise.dev"
VERSION = "v1alpha1"
API_VERSION: Final = "chipwise.dev/v1alpha1"
CATEGORY = "chipwise"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of ``kubectl get``; ``wide`` ones only appear with ``-o wide``."""

    name: str
    path: str
    description: str
    type: Literal["string", "integer", "boolean", "date"] = "string"
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Definition:
    """The names under which a kind is served, its scope and its columns."""

    plural: str
    short_name: str
    namespaced: bool
    columns: tuple[Column, ...]


READY = Column(
    "Ready",
    '.status.conditions[?(@.type=="Ready")].status',
    "Whether chipwise can use this object; the condition's message says why not.",
)
WHY_NOT_READY = Column(
    "Why", '.status.conditions[?(@.type=="Ready")].reason', "The reason of the condition Ready."
)
AGE = Column("Age", ".metadata.creationTimestamp", "Time since the object was created.", "date")


class CustomObject(Model):
    """The envelope. Each kind narrows ``kind`` and adds ``spec`` and ``status``."""

    definition: ClassVar[Definition]

    api_version: Literal["chipwise.dev/v1alpha1"] = API_VERSION
    """The group and version of this representation, chipwise.dev/v1alpha1."""
    kind: str
    """The kind of this object, in CamelCase."""
    metadata: Metadata
    """Standard object metadata."""
