"""Pools: the AcceleratorPools with shape, size and price."""

from __future__ import annotations

from chipwise.cli.catalogue.section import Document, Section, usable, use
from chipwise.cli.figures import money
from chipwise.cli.sheet import Column, Sheet
from chipwise.cli.words import cents, unit
from chipwise.cluster.pools import PoolView, view_pools
from chipwise.cluster.snapshot import Snapshot


def documents(snapshot: Snapshot) -> list[Document]:
    """As declared: nodes that exist are the operator's business and in the pool's status."""
    return [_document(view, snapshot) for _, view in sorted(view_pools(snapshot).items())]


def _document(view: PoolView, snapshot: Snapshot) -> Document:
    spec, price = snapshot.pools[view.name].spec, view.price
    known, room = bool(view.shape_source), view.room
    return {
        "name": view.name,
        "acceleratorClass": view.class_name,
        "chipsPerNode": room.chips if known else None,
        "cpu": spec.shape.cpu if spec.shape else f"{room.cpu_milli}m" if known else None,
        "memory": spec.shape.memory if spec.shape else str(room.memory_bytes) if known else None,
        "nodesMin": view.minimum,
        "nodesMax": view.maximum,
        "committedNodes": spec.committed_nodes,
        "capacityType": str(spec.capacity_type),
        "zones": list(spec.zones),
        "currency": price.currency if price else None,
        "pricePerHour": money(float(price.amount)) if price else None,
        "priceUnit": price.unit if price else None,
        "chipPricePerHour": money(view.chip_price_per_hour) if price else None,
        **use(view.hindrance),
        "source": price.source if price and price.source != "spec.price" else None,
    }


def _price(entry: Document) -> str:
    if entry["pricePerHour"] is None:
        return "no price"
    return f"{cents(entry['pricePerHour'])} {unit(entry['currency'])}/{entry['priceUnit'].lower()}"


def sheet(entries: list[Document]) -> Sheet:
    """A row each; prices per hour."""
    columns = (
        Column("NAME"),
        Column("CLASS"),
        Column("CHIPS/NODE", right=True),
        Column("NODES", right=True),
        Column("PRICE", right=True),
        Column("A CHIP", right=True, spare=2),
        Column("CAPACITY", spare=3),
        Column("ZONES", spare=4),
        Column("USABLE", spare=1),
        Column("SOURCE", spare=5),
    )
    return Sheet("", columns, tuple(_row(entry) for entry in entries))


def _row(entry: Document) -> tuple[str, ...]:
    return (
        entry["name"],
        entry["acceleratorClass"],
        str(entry["chipsPerNode"] or "-"),
        f"{entry['nodesMin']} to {entry['nodesMax']}",
        _price(entry),
        cents(entry["chipPricePerHour"]),
        entry["capacityType"],
        ", ".join(entry["zones"]) or "-",
        usable(entry),
        entry["source"] or "not stated",
    )


def lines(entry: Document) -> list[tuple[str, str]]:
    """Everything that is declared."""
    node = f"{entry['chipsPerNode']} chips, {entry['cpu']} CPU, {entry['memory']} memory"
    node = node if entry["chipsPerNode"] else "not known"
    committed = f", {entry['committedNodes']} of them committed" if entry["committedNodes"] else ""
    return [
        ("class", entry["acceleratorClass"]),
        ("a node", node),
        ("nodes", f"{entry['nodesMin']} to {entry['nodesMax']}{committed}"),
        ("capacity", entry["capacityType"]),
        ("zones", ", ".join(entry["zones"]) or "not stated"),
        ("price per hour", _price(entry)),
        ("a chip of a full node", cents(entry["chipPricePerHour"])),
        ("usable", usable(entry)),
        ("source of the price", entry["source"] or "not stated"),
    ]


SECTION: Section[Snapshot] = Section("AcceleratorPool", documents, sheet, lines)
