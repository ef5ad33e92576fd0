"""The dated on-demand prices that ship, of nodes and of a chip on a full one."""

from __future__ import annotations

from chipwise import catalog
from chipwise.catalog import Instance, Quote
from chipwise.cli.catalogue.asked import Asked, granted
from chipwise.cli.catalogue.section import Document, Section
from chipwise.cli.errors import BadInput
from chipwise.cli.sheet import Column, Sheet
from chipwise.reasons import Reason


def documents(asked: Asked) -> list[Document]:
    """In order of cloud, instance type and region. Raises BadInput for a region that no list has."""
    machines = {each.name: each for each in catalog.instances()}
    if asked.name is not None:
        machine = granted(catalog.instance(asked.name))
        found = [quote for quote in catalog.quotes(machine.cloud) if quote.instance == machine.name]
        if asked.region is not None:
            found = [granted(catalog.price(machine, asked.region))]
        return [_document(quote, machine) for quote in found]
    found = list(catalog.quotes(asked.cloud, asked.region))
    if not found:
        raise BadInput(f"{Reason.PRICE_UNKNOWN.value}: {_no_list_has(asked)}")
    return [_document(quote, machines[quote.instance]) for quote in found]


def _no_list_has(asked: Asked) -> str:
    lists = [each for each in catalog.price_lists() if asked.cloud in (None, each.cloud)]
    known = "; ".join(f"{each.cloud}: {', '.join(each.regions)}" for each in lists)
    where = f"{asked.cloud or 'any cloud'} in {asked.region}" if asked.region else str(asked.cloud)
    return f"no list has prices of {where}; there are {known or 'none of this cloud'}"


def _document(quote: Quote, machine: Instance) -> Document:
    return {
        "name": quote.instance,
        "cloud": quote.cloud,
        "region": quote.region,
        "chip": machine.chip,
        "chipsPerNode": machine.chips,
        "pricePerHour": format(quote.amount, "f"),
        "chipPricePerHour": f"{quote.amount / machine.chips:.4f}",
        "currency": quote.currency,
        "capacityType": "OnDemand",
        "date": quote.date,
        "source": quote.source,
    }


def sheet(entries: list[Document]) -> Sheet:
    """A row each; prices per hour."""
    columns = (
        Column("NAME"),
        Column("CLOUD", spare=4),
        Column("REGION"),
        Column("CHIP"),
        Column("CHIPS/NODE", right=True, spare=3),
        Column("A NODE", right=True),
        Column("A CHIP", right=True),
        Column("CURRENCY", spare=2),
        Column("AS OF", spare=1),
    )
    return Sheet("", columns, tuple(_row(entry) for entry in entries))


def _row(entry: Document) -> tuple[str, ...]:
    return (
        entry["name"],
        entry["cloud"],
        entry["region"],
        entry["chip"],
        str(entry["chipsPerNode"]),
        entry["pricePerHour"],
        entry["chipPricePerHour"],
        entry["currency"],
        entry["date"],
    )


def lines(entry: Document) -> list[tuple[str, str]]:
    """Everything that is known."""
    return [
        ("cloud", entry["cloud"]),
        ("region", entry["region"]),
        ("chips", f"{entry['chipsPerNode']} x {entry['chip']}"),
        ("a node", f"{entry['pricePerHour']} {entry['currency']} an hour on demand"),
        ("a chip", f"{entry['chipPricePerHour']} {entry['currency']} an hour, of a full node"),
        ("as of", entry["date"]),
        ("source", entry["source"]),
    ]


SECTION: Section[Asked] = Section("price", documents, sheet, lines)
