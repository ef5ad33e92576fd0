"""Chips: every figure with its sources, or null with a note that says why nobody can be quoted for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

from chipwise.catalog.records import BrokenCatalogue, Record, entries, sourced
from chipwise.performance import Chip
from chipwise.rendering.quantity import whole

PRECISIONS = ("bf16", "fp16", "fp8", "int8", "fp4")
_FIELDS = (
    *("name", "aliases", "vendor", "chip", "memory", "memoryBandwidthGBps", "tflops", "interconnectGBps"),
    *(
        "largestDomain",
        "chipsPerServer",
        "watts",
        "architecture",
        "resourceName",
        "discovery",
        "tolerations",
        "note",
    ),
)

V = TypeVar("V", int, str)


@dataclass(frozen=True, slots=True)
class Figure(Generic[V]):
    """``value`` is None where nothing can be quoted; ``note`` then says why. ``sources`` are keys of the file's sources."""

    value: V | None
    sources: tuple[str, ...] = ()
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Discovery:
    """A node label, and the values by which it shows the chip."""

    label: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChipEntry:
    """One chip. Memory is a quantity; bandwidths are GB/s (10^9 bytes), the interconnect per chip in one direction; TFLOPS dense."""

    name: str
    aliases: tuple[str, ...]
    vendor: str
    chip: str
    memory: Figure[str]
    bandwidth: Figure[int]
    tflops: Mapping[str, Figure[int]]
    interconnect: Figure[int]
    largest_domain: Figure[int]
    chips_per_server: Figure[int]
    watts: Figure[int]
    architecture: Figure[str]
    resource_name: Figure[str]
    discovery: Discovery | None
    tolerations: tuple[Mapping[str, str], ...]
    note: str | None
    sources: Mapping[str, str]

    def figures(self) -> dict[str, Figure[int] | Figure[str]]:
        """Every figure by the name of its field."""
        return {
            "memory": self.memory,
            "memoryBandwidthGBps": self.bandwidth,
            **{f"tflops.{precision}": figure for precision, figure in self.tflops.items()},
            "interconnectGBps": self.interconnect,
            "largestDomain": self.largest_domain,
            "chipsPerServer": self.chips_per_server,
            "watts": self.watts,
            "architecture": self.architecture,
            "resourceName": self.resource_name,
        }

    @property
    def dense(self) -> dict[str, int]:
        """Published dense TFLOPS by precision."""
        return {name: figure.value for name, figure in self.tflops.items() if figure.value is not None}

    @property
    def memory_bytes(self) -> int:
        """Memory of one chip."""
        return _bytes(str(self.memory.value))

    def at(self, precision: str) -> Chip:
        """The chip as the performance model takes it, ``flops`` None where none are published at this precision."""
        dense = self.dense.get(precision)
        link = self.interconnect.value
        return Chip(
            memory_bytes=self.memory_bytes,
            bandwidth_bytes_per_second=(self.bandwidth.value or 0) * 1e9,
            flops=None if dense is None else dense * 1e12,
            interconnect_bytes_per_second=None if link is None else link * 1e9,
        )


@lru_cache(maxsize=256)
def _bytes(quantity: str) -> int:
    """Asked again for every case of a table."""
    return whole(quantity)


def read(document: Any) -> tuple[ChipEntry, ...]:
    """The chips of ``chips.yaml``, in its order. Raises BrokenCatalogue."""
    sources = document.get("sources", {}) if isinstance(document, dict) else {}
    return entries(document, "chips", "chips.yaml", lambda record: _chip(record, sources))


def _chip(record: Record, sources: Mapping[str, str]) -> ChipEntry:
    record.only(_FIELDS)

    def number(name: str, within: Record = record) -> Figure[int]:
        return _figure(within, name, sources, int)

    def word(name: str) -> Figure[str]:
        return _figure(record, name, sources, str)

    tflops = record.under("tflops").only(PRECISIONS)
    entry = ChipEntry(
        name=record.text("name"),
        aliases=record.texts("aliases"),
        vendor=record.text("vendor"),
        chip=record.text("chip"),
        memory=word("memory"),
        bandwidth=number("memoryBandwidthGBps"),
        tflops={precision: number(precision, tflops) for precision in tflops.fields},
        interconnect=number("interconnectGBps"),
        largest_domain=number("largestDomain"),
        chips_per_server=number("chipsPerServer"),
        watts=number("watts"),
        architecture=word("architecture"),
        resource_name=word("resourceName"),
        discovery=_discovery(record, sources),
        tolerations=tuple(record.fields.get("tolerations", ())),
        note=record.some_text("note"),
        sources=sources,
    )
    if entry.memory.value is None or entry.bandwidth.value is None:
        raise BrokenCatalogue(f"{record.where}: without memory and its bandwidth a chip is of no use here")
    return entry


def _figure(record: Record, name: str, sources: Mapping[str, str], kind: type[V]) -> Figure[V]:
    fields = record.under(name).only(("value", "sources", "note"))
    value, note = fields.fields.get("value"), fields.some_text("note")
    named = sourced(fields.texts("sources"), sources, fields.where)
    if value is None:
        if note is None:
            raise BrokenCatalogue(f"{fields.where}: null needs a note that says why")
        return Figure(None, named, note)
    if not isinstance(value, kind) or isinstance(value, bool) or not value:
        raise BrokenCatalogue(f"{fields.where}: the value must be of type {kind.__name__}, not {value!r}")
    if not named:
        raise BrokenCatalogue(f"{fields.where}: a value needs a source")
    return Figure(value, named, note)


def _discovery(record: Record, sources: Mapping[str, str]) -> Discovery | None:
    if record.fields.get("discovery") is None:
        return None
    found = record.under("discovery").only(("label", "values", "sources"))
    sourced(found.texts("sources", least=1), sources, found.where)
    return Discovery(found.text("label"), found.texts("values", least=1))
