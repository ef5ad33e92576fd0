"""Price lists that people already have, as rows: a page of Azure's retail price API (JSON), or SkyPilot's catalogue (CSV)."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

SKYPILOT = (
    *("InstanceType", "vCPUs", "MemoryGiB", "AcceleratorName", "AcceleratorCount", "GpuInfo"),
    *("Region", "AvailabilityZone", "Price", "SpotPrice"),
)
AZURE = (*("retailPrice", "unitOfMeasure", "armSkuName", "armRegionName", "type", "meterName"),)
_SPOT = ("Spot", "Low Priority")


class UnreadablePrices(Exception):  # noqa: N818 - it is what is wrong
    """Neither of the formats; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class PriceRow:
    """What one row says, in the words of the file: an empty text is a blank.

    ``row`` is the line of a CSV file, or the place among ``Items``, both from 1 on. ``spot`` is None where the row is about on-demand only,
    ``chips`` and ``cpus`` where the format does not tell them.
    """

    row: int
    instance: str
    region: str
    on_demand: str
    spot: str | None = None
    chip: str = ""
    chips: str | None = None
    cpus: str | None = None
    unit: str = "1 Hour"
    currency: str = "USD"


def read_rows(text: str) -> tuple[PriceRow, ...]:
    """The rows of either format that are about machines on demand or spot. Raises UnreadablePrices."""
    if text.lstrip().startswith("{"):
        return tuple(_azure(text))
    return tuple(_skypilot(text))


def _skypilot(text: str) -> Iterator[PriceRow]:
    reader = csv.DictReader(text.splitlines())
    missing = [name for name in SKYPILOT if name not in (reader.fieldnames or ())]
    if missing:
        raise UnreadablePrices(
            f"line 1: the column {missing[0]} is missing; a SkyPilot catalogue has {', '.join(SKYPILOT)}"
        )
    for fields in reader:
        if None in fields or None in fields.values():
            raise UnreadablePrices(
                f"line {reader.line_num}: {len(reader.fieldnames or ())} columns are needed"
            )
        yield PriceRow(
            row=reader.line_num,
            instance=fields["InstanceType"],
            region=fields["Region"],
            on_demand=fields["Price"],
            spot=fields["SpotPrice"],
            chip=fields["AcceleratorName"],
            chips=fields["AcceleratorCount"],
            cpus=fields["vCPUs"],
        )


def _azure(text: str) -> Iterator[PriceRow]:
    """On-demand rows with the spot price of the same size and region beside them; Windows and reservations are other products."""
    machines = [(number, item) for number, item in _items(text) if _is_machine(item)]
    spots: dict[tuple[str, str], list[tuple[int, dict[str, Any]]]] = {}
    for number, item in machines:
        if _is_spot(item):
            spots.setdefault(_place(item), []).append((number, item))
    for number, item in machines:
        if _is_spot(item):
            continue
        beside: list[str | None] = [_amount(spot) for _, spot in spots.pop(_place(item), [])]
        for spot in beside or [None]:
            yield _azure_row(number, item, _amount(item), spot)
    for alone in spots.values():
        for number, item in alone:
            yield _azure_row(number, item, "", _amount(item))


def _items(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadablePrices(f"line {error.lineno}: not JSON: {error.msg}") from error
    items = document.get("Items") if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise UnreadablePrices("a page of Azure's retail price API has a list Items")
    for number, item in enumerate(items, start=1):
        missing = [name for name in AZURE if not isinstance(item, dict) or name not in item]
        if missing:
            raise UnreadablePrices(f"Items[{number - 1}]: {missing[0]} is missing")
        yield number, item


def _is_machine(item: Mapping[str, Any]) -> bool:
    return item["type"] == "Consumption" and "Windows" not in str(item.get("productName", ""))


def _is_spot(item: Mapping[str, Any]) -> bool:
    return any(word in str(item["meterName"]) for word in _SPOT)


def _place(item: Mapping[str, Any]) -> tuple[str, str]:
    return str(item["armSkuName"]), str(item["armRegionName"])


def _amount(item: Mapping[str, Any]) -> str:
    return "" if item["retailPrice"] is None else str(item["retailPrice"])


def _azure_row(number: int, item: Mapping[str, Any], on_demand: str, spot: str | None) -> PriceRow:
    instance, region = _place(item)
    unit, currency = str(item["unitOfMeasure"]), str(item.get("currencyCode", "USD"))
    return PriceRow(number, instance, region, on_demand, spot, unit=unit, currency=currency)
