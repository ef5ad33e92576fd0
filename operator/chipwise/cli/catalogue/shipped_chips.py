"""The chips that ship, each figure with its sources, or why there is none."""

from __future__ import annotations

from collections.abc import Iterator

from chipwise import catalog
from chipwise.catalog import ChipEntry
from chipwise.cli.catalogue.asked import Asked, granted
from chipwise.cli.catalogue.section import UNPUBLISHED, Document, Section, published
from chipwise.cli.sheet import Block, Column, Sheet

UNVERIFIED = "unverified"
"""Said of a figure that is told everywhere and stands in no document that could be read: it does not ship."""


def documents(asked: Asked) -> list[Document]:
    """In order of name."""
    found = catalog.chips() if asked.name is None else (granted(catalog.chip(asked.name)),)
    return [_document(chip) for chip in sorted(found, key=lambda chip: chip.name)]


def _document(chip: ChipEntry) -> Document:
    return {
        "name": chip.name,
        "aliases": list(chip.aliases),
        "vendor": chip.vendor,
        "chip": chip.chip,
        "memory": chip.memory.value,
        "memoryBytes": chip.memory_bytes,
        "memoryBandwidthGBps": chip.bandwidth.value,
        "tflops": chip.dense,
        "interconnectGBps": chip.interconnect.value,
        "largestDomain": chip.largest_domain.value,
        "chipsPerServer": chip.chips_per_server.value,
        "watts": chip.watts.value,
        "architecture": chip.architecture.value,
        "resourceName": chip.resource_name.value,
        "instances": sorted(each.name for each in catalog.instances() if each.chip == chip.name),
        "figures": {
            name: {"sources": {key: chip.sources[key] for key in figure.sources}, "note": figure.note}
            for name, figure in chip.figures().items()
        },
        "note": chip.note,
    }


def _tflops(entry: Document) -> str:
    figures = ", ".join(f"{precision} {dense}" for precision, dense in entry["tflops"].items())
    notes = {figure["note"] for name, figure in entry["figures"].items() if name.startswith("tflops.")}
    return figures or (UNVERIFIED if notes == {UNVERIFIED} else published(None))


def _said(entry: Document, name: str, unit: str = "") -> str:
    """The figure; where there is none, whether nobody published it or nobody could be quoted."""
    value, note = entry[name], entry["figures"][name]["note"]
    return UNVERIFIED if value is None and note == UNVERIFIED else published(value, unit)


def sheet(entries: list[Document]) -> Sheet:
    """A row each. TFLOPS are dense, the interconnect is in one direction."""
    columns = (
        Column("NAME"),
        Column("VENDOR", spare=6),
        Column("CHIP", spare=2),
        Column("MEMORY", right=True),
        Column("GB/S", right=True),
        Column("DENSE TFLOPS"),
        Column("LINK GB/S", right=True, spare=4),
        Column("A SERVER", right=True, spare=5),
        Column("WATTS", right=True, spare=3),
        Column("RESOURCE", spare=1),
    )
    return Sheet("", columns, tuple(_row(entry) for entry in entries))


def _row(entry: Document) -> tuple[str, ...]:
    return (
        entry["name"],
        entry["vendor"],
        entry["chip"],
        entry["memory"],
        str(entry["memoryBandwidthGBps"]),
        _tflops(entry),
        _said(entry, "interconnectGBps"),
        _said(entry, "chipsPerServer"),
        _said(entry, "watts"),
        _said(entry, "resourceName"),
    )


def lines(entry: Document) -> list[tuple[str, str]]:
    """What it is; the figures follow with their sources."""
    return [
        ("vendor", entry["vendor"]),
        ("chip", entry["chip"]),
        ("also called", ", ".join(entry["aliases"]) or "nothing else"),
        ("instances", ", ".join(entry["instances"]) or "none is known"),
        *([("note", entry["note"])] if entry["note"] else []),
    ]


_UNITS = {
    "memoryBandwidthGBps": "GB/s",
    "interconnectGBps": "GB/s in one direction",
    "watts": "W",
    "largestDomain": "chips",
    "chipsPerServer": "chips",
}


def more(entry: Document) -> tuple[Block, ...]:
    """Every figure, and then every source in full."""
    sources: dict[str, str] = {}
    for figure in entry["figures"].values():
        sources |= figure["sources"]
    figures = Sheet(
        "Figures",
        (Column("FIGURE"), Column("VALUE"), Column("SOURCES"), Column("NOTE")),
        tuple(_figures(entry)),
    )
    return figures, Sheet("Sources", (Column("KEY"), Column("SOURCE")), tuple(sorted(sources.items())))


def _figures(entry: Document) -> Iterator[tuple[str, ...]]:
    for name, figure in entry["figures"].items():
        head, _, precision = name.partition(".")
        value = entry[head].get(precision) if precision else entry[head]
        unit = "TFLOPS" if precision else _UNITS.get(name, "")
        note = figure["note"] or ""
        said = note if value is None and note in (UNVERIFIED, UNPUBLISHED) else published(value, unit)
        yield name, said, " ".join(figure["sources"]) or "-", "" if said == note else note


SECTION: Section[Asked] = Section("chip", documents, sheet, lines, more)
