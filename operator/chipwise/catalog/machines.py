"""Instance types: how many of which chip one node has, and what it offers to pods where somebody published it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chipwise.catalog.records import BrokenCatalogue, Record, entries, sourced

CLOUDS = ("aws", "azure", "gcp")
_FIELDS = (
    *("name", "cloud", "chip", "chips", "cpus", "memory", "allocatableCpu", "allocatableMemory", "pods"),
    "sources",
)


@dataclass(frozen=True, slots=True)
class Instance:
    """One size of a provider's machines. What is None was not read; ``memory`` and the ``allocatable_`` ones are quantities."""

    name: str
    cloud: str
    chip: str
    chips: int
    cpus: int | None
    memory: str | None
    allocatable_cpu: str | None
    allocatable_memory: str | None
    pods: int | None
    sources: Mapping[str, str]


def read(document: Any) -> tuple[Instance, ...]:
    """The instances of ``instances.yaml``, in its order. Raises BrokenCatalogue."""
    sources = document.get("sources", {}) if isinstance(document, dict) else {}
    return entries(document, "instances", "instances.yaml", lambda record: _instance(record, sources))


def _instance(record: Record, sources: Mapping[str, str]) -> Instance:
    record.only(_FIELDS)
    cloud = record.text("cloud")
    if cloud not in CLOUDS:
        raise BrokenCatalogue(f"{record.where}: cloud must be one of {', '.join(CLOUDS)}")
    named = sourced(record.texts("sources", least=1), sources, record.where)
    return Instance(
        name=record.text("name"),
        cloud=cloud,
        chip=record.text("chip"),
        chips=record.count("chips"),
        cpus=record.some_count("cpus"),
        memory=record.some_text("memory"),
        allocatable_cpu=record.some_text("allocatableCpu"),
        allocatable_memory=record.some_text("allocatableMemory"),
        pods=record.some_count("pods"),
        sources={name: sources[name] for name in named},
    )
