"""The instance types that ship: their chips, and what one node offers."""

from __future__ import annotations

from chipwise import catalog
from chipwise.catalog import Instance
from chipwise.cli.catalogue.asked import Asked, granted
from chipwise.cli.catalogue.section import Document, Section
from chipwise.cli.sheet import Block, Column, Sheet

_UNREAD = "not read"


def documents(asked: Asked) -> list[Document]:
    """In order of cloud and name."""
    found = catalog.instances() if asked.name is None else (granted(catalog.instance(asked.name)),)
    wanted = [each for each in found if asked.cloud in (None, each.cloud)]
    return [_document(each) for each in sorted(wanted, key=lambda each: (each.cloud, each.name))]


def _document(each: Instance) -> Document:
    return {
        "name": each.name,
        "cloud": each.cloud,
        "chip": each.chip,
        "chipsPerNode": each.chips,
        "cpus": each.cpus,
        "memory": each.memory,
        "allocatableCpu": each.allocatable_cpu,
        "allocatableMemory": each.allocatable_memory,
        "pods": each.pods,
        "pricedRegions": sorted(
            quote.region for quote in catalog.quotes(each.cloud) if quote.instance == each.name
        ),
        "sources": dict(each.sources),
    }


def sheet(entries: list[Document]) -> Sheet:
    """A row each."""
    columns = (
        Column("NAME"),
        Column("CLOUD"),
        Column("CHIP"),
        Column("CHIPS/NODE", right=True),
        Column("CPUS", right=True),
        Column("MEMORY", right=True),
        Column("PODS GET", spare=2),
        Column("PRICED IN", right=True, spare=1),
    )
    return Sheet("", columns, tuple(_row(entry) for entry in entries))


def _row(entry: Document) -> tuple[str, ...]:
    return (
        entry["name"],
        entry["cloud"],
        entry["chip"],
        str(entry["chipsPerNode"]),
        str(entry["cpus"] or _UNREAD),
        entry["memory"] or _UNREAD,
        _allocatable(entry),
        f"{len(entry['pricedRegions'])} regions",
    )


def _allocatable(entry: Document) -> str:
    if entry["allocatableCpu"] is None:
        return _UNREAD
    return f"{entry['allocatableCpu']}, {entry['allocatableMemory']}, {entry['pods']} pods"


def lines(entry: Document) -> list[tuple[str, str]]:
    """Everything that is known."""
    return [
        ("cloud", entry["cloud"]),
        ("chips", f"{entry['chipsPerNode']} x {entry['chip']}"),
        ("CPUs", str(entry["cpus"] or _UNREAD)),
        ("memory", entry["memory"] or _UNREAD),
        ("pods get", _allocatable(entry)),
        ("priced in", ", ".join(entry["pricedRegions"]) or "no region"),
    ]


def more(entry: Document) -> tuple[Block, ...]:
    """Where it was read."""
    return (Sheet("Sources", (Column("KEY"), Column("SOURCE")), tuple(entry["sources"].items())),)


SECTION: Section[Asked] = Section("instance type", documents, sheet, lines, more)
