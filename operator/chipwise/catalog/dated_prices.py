"""Dated price lists: what one node of an instance type costs for an hour on demand, by region. A region that is not in a list has no price."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from chipwise.catalog.records import BrokenCatalogue, Record, entries

_COLUMNS = ["region", "instance", "usd_per_hour"]


@dataclass(frozen=True, slots=True)
class PriceList:
    """The prices of one cloud as of ``date`` (YYYY-MM-DD), by (region, instance type)."""

    cloud: str
    date: str
    currency: str
    source: str
    prices: Mapping[tuple[str, str], Decimal]

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions that it knows, in order of name."""
        return tuple(sorted({region for region, _ in self.prices}))


@dataclass(frozen=True, slots=True)
class Quote:
    """What one node costs for an hour in one region, with the list that says so."""

    cloud: str
    region: str
    instance: str
    amount: Decimal
    currency: str
    date: str
    source: str


def read(document: Any, text_of: Callable[[str], str]) -> tuple[PriceList, ...]:
    """The lists of ``lists.yaml``, each with the rows of its file. Raises BrokenCatalogue."""
    return entries(document, "lists", "lists.yaml", lambda record: _list(record, text_of))


def _list(record: Record, text_of: Callable[[str], str]) -> PriceList:
    record.only(("cloud", "file", "date", "currency", "source"))
    file = record.text("file")
    return PriceList(
        cloud=record.text("cloud"),
        date=str(record.fields.get("date")),
        currency=record.text("currency"),
        source=record.text("source"),
        prices=_rows(file, text_of(file)),
    )


def _rows(file: str, text: str) -> dict[tuple[str, str], Decimal]:
    rows = csv.reader(text.splitlines())
    if next(rows, None) != _COLUMNS:
        raise BrokenCatalogue(f"{file}: the columns must be {', '.join(_COLUMNS)}")
    found: dict[tuple[str, str], Decimal] = {}
    for number, row in enumerate(rows, start=2):
        if len(row) != len(_COLUMNS):
            raise BrokenCatalogue(f"{file}, line {number}: {len(_COLUMNS)} columns are needed")
        region, instance, amount = row
        try:
            price = Decimal(amount)
        except InvalidOperation:
            price = Decimal(0)
        if not price.is_finite() or price <= 0 or (region, instance) in found:
            raise BrokenCatalogue(f"{file}, line {number}: {amount!r} is no price, or the row is there twice")
        found[region, instance] = price
    return found
