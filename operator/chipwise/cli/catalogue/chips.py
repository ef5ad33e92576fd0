"""Chips: the AcceleratorClasses with their published figures."""

from __future__ import annotations

from chipwise.api import AcceleratorClass
from chipwise.cli.catalogue.section import Document, Section, published, usable, use
from chipwise.cli.sheet import Column, Sheet
from chipwise.cluster.pools import class_refusal
from chipwise.cluster.snapshot import Snapshot
from chipwise.rendering.quantity import whole


def documents(snapshot: Snapshot) -> list[Document]:
    """None for what is not published."""
    return [_document(one, snapshot) for _, one in sorted(snapshot.classes.items())]


def _document(chip_class: AcceleratorClass, snapshot: Snapshot) -> Document:
    name, spec = chip_class.metadata.name, chip_class.spec
    return {
        "name": name,
        "vendor": spec.vendor,
        "chip": spec.chip,
        "memory": spec.memory,
        "memoryBytes": whole(spec.memory),
        "memoryBandwidthGBps": spec.memory_bandwidth_gbps,
        "tflops": {str(one.precision): one.dense for one in spec.tflops},
        "interconnectGBps": spec.interconnect_gbps,
        "watts": spec.watts,
        "architecture": str(spec.architecture),
        "resourceName": spec.resource_name,
        "pools": sorted(n for n, pool in snapshot.pools.items() if pool.spec.class_name == name),
        **use(class_refusal(chip_class)),
        "source": spec.source,
    }


def _tflops(entry: Document) -> str:
    return published(", ".join(f"{precision} {dense}" for precision, dense in entry["tflops"].items()))


def sheet(entries: list[Document]) -> Sheet:
    """A row each. TFLOPS are dense, the interconnect is in one direction."""
    columns = (
        Column("NAME"),
        Column("VENDOR", spare=6),
        Column("CHIP"),
        Column("MEMORY", right=True),
        Column("GB/S", right=True),
        Column("DENSE TFLOPS"),
        Column("LINK GB/S", right=True, spare=4),
        Column("WATTS", right=True, spare=3),
        Column("RESOURCE"),
        Column("USABLE", spare=1),
        Column("SOURCE", spare=5),
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
        published(entry["interconnectGBps"]),
        published(entry["watts"]),
        published(entry["resourceName"]),
        usable(entry),
        entry["source"] or "not stated",
    )


def lines(entry: Document) -> list[tuple[str, str]]:
    """Every figure with its unit."""
    return [
        ("vendor", entry["vendor"]),
        ("chip", entry["chip"]),
        ("memory", f"{entry['memory']} ({entry['memoryBytes'] / 1e9:.1f} GB)"),
        ("memory bandwidth", f"{entry['memoryBandwidthGBps']} GB/s"),
        ("dense TFLOPS", _tflops(entry)),
        ("interconnect", published(entry["interconnectGBps"], "GB/s in one direction")),
        ("power", published(entry["watts"], "W")),
        ("node architecture", entry["architecture"]),
        ("resource name", published(entry["resourceName"])),
        ("pools", ", ".join(entry["pools"]) or "none"),
        ("usable", usable(entry)),
        ("source", entry["source"] or "not stated"),
    ]


SECTION: Section[Snapshot] = Section("AcceleratorClass", documents, sheet, lines)
