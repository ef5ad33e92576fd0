"""What is wrong with a row of a price list, each as a typed reason: the traps that real catalogues have.

A row that passes is a price of one whole machine for an hour. Nothing is mended: whoever keeps the list must.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from chipwise.catalog.machines import Instance
from chipwise.catalog.price_rows import PriceRow
from chipwise.reasons import Reason, Refusal

PLACEHOLDERS = (Decimal(700),)
"""Amounts that stand for "not for sale": 700.0 on zones of TPUs that are not sold, in SkyPilot's catalogue of GCP."""

ABSURD = Decimal(500)
"""US dollars for one chip and hour that nobody asks: the dearest in the shipped lists is a GB200 at 54."""

_BOARD = 8
"""Chips of a machine with a chip that is not in the catalogue."""

Counts = Mapping[str, Collection[int]]
"""By chip, of how many there are machines."""

_CORES = re.compile(r"^tpu-v(2|3|4|5p)-(\d+)$", re.IGNORECASE)
"""Names that count TensorCores, of which a chip of these generations has two."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A row, its prices as far as they are amounts, and what is wrong with it; a row without refusals is good."""

    row: PriceRow
    on_demand: Decimal | None
    spot: Decimal | None
    refusals: tuple[Refusal, ...]


def check(rows: Iterable[PriceRow], known: Iterable[Instance]) -> tuple[Checked, ...]:
    """Every row held against itself and against the instance types that are known."""
    instances = {each.name.lower(): each for each in known}
    counts: dict[str, set[int]] = {}
    for each in instances.values():
        counts.setdefault(each.chip, set()).add(each.chips)
    return tuple(_checked(row, instances.get(row.instance.lower()), counts) for row in rows)


def _checked(row: PriceRow, instance: Instance | None, counts: Counts) -> Checked:
    on_demand, spot = _decimal(row.on_demand), _decimal(row.spot or "")
    refusals = (*_amounts(row, on_demand, spot, instance), *_what_is_bought(row, instance, counts))
    return Checked(row, on_demand, spot, refusals)


def _amounts(
    row: PriceRow, on_demand: Decimal | None, spot: Decimal | None, instance: Instance | None
) -> Iterator[Refusal]:
    if row.unit != "1 Hour":
        yield Refusal(Reason.PRICE_MALFORMED, f"unitOfMeasure is {row.unit}, and not 1 Hour")
    yield from _amount("Price", row.on_demand, on_demand, row, instance)
    if row.spot:
        yield from _amount("SpotPrice", row.spot, spot, row, instance)
    if on_demand and spot and spot > on_demand:
        yield Refusal(
            Reason.SPOT_ABOVE_ON_DEMAND,
            f"spot at {row.spot} is dearer than on demand at {row.on_demand}: one of the two is wrong",
        )


def _amount(
    column: str, text: str, amount: Decimal | None, row: PriceRow, instance: Instance | None
) -> Iterator[Refusal]:
    if not text.strip() or amount == 0:
        said = f"{column} is {text!r}" if text.strip() else f"{column} is blank"
        yield Refusal(Reason.PRICE_ABSENT, f"{said}: none is published, and nothing costs nothing")
    elif amount is None or amount < 0:
        yield Refusal(Reason.PRICE_MALFORMED, f"{column} {text!r} is no amount of money")
    elif amount in PLACEHOLDERS:
        yield Refusal(
            Reason.PRICE_PLACEHOLDER, f"{column} {text} stands for a machine that is not for sale there"
        )
    elif amount > ABSURD * _chips(row, instance):
        yield Refusal(Reason.PRICE_MALFORMED, f"{column} {text} is more than {ABSURD} for each chip and hour")


def _what_is_bought(row: PriceRow, instance: Instance | None, counts: Counts) -> Iterator[Refusal]:
    if cores := _CORES.match(row.chip):
        count = int(cores[2])
        yield Refusal(
            Reason.CORES_COUNTED,
            f"{row.chip} counts {count} TensorCores, which are {count // 2} chips of two: price the machine by its chips",
        )
        return
    is_tpu = row.chip.lower().startswith("tpu")
    if row.chip and not is_tpu and (not row.instance.strip() or row.cpus == ""):
        yield Refusal(
            Reason.HOST_EXCLUDED,
            f"{row.chip} is priced without the machine that it is in: add the host's price, and name the instance type",
        )
    yield from _count(row, instance, counts)


def _count(row: PriceRow, instance: Instance | None, counts: Counts) -> Iterator[Refusal]:
    if row.chips is None:
        return
    count = _decimal(row.chips)
    said = _wrong_count(row, count, instance, counts)
    if said is not None:
        yield Refusal(Reason.CHIP_COUNT_WRONG, said)


def _wrong_count(
    row: PriceRow, count: Decimal | None, instance: Instance | None, counts: Counts
) -> str | None:
    if not (row.chips or "").strip():
        has = f"{row.instance} has {instance.chips} chips, and is listed without them" if instance else None
        return has or (f"{row.chip} is listed without a number of chips" if row.chip else None)
    if count is None or count <= 0:
        return f"AcceleratorCount {row.chips!r} is no number of chips"
    if instance is None:
        return _unlikely(row, count, counts)
    if count != instance.chips:
        return f"{row.instance} has {instance.chips} chips, and is listed with {row.chips}"
    return None


def _unlikely(row: PriceRow, count: Decimal, counts: Counts) -> str | None:
    """A machine that is not known has as many chips as known ones with a like chip, or 1, 2, 4 and so on up to the most of those."""
    folded, name = row.chip.lower().replace("_", "-"), row.instance or row.chip
    like = {
        each
        for chip, found in counts.items()
        if folded and (chip.startswith(folded) or folded.startswith(chip.split("-")[0]))
        for each in found
    }
    limit = max(like, default=_BOARD)
    if count != count.to_integral_value():
        return f"{name} has a part of a chip, which no pool can count"
    if count > limit:
        return f"{name} is listed with {row.chips} chips; no machine that is known has more than {limit} of {row.chip}"
    if int(count) not in like and int(count).bit_count() != 1:
        return f"{name} is listed with {row.chips} chips; machines have 1, 2, 4, 8 or 16"
    return None


def _chips(row: PriceRow, instance: Instance | None) -> Decimal:
    count = Decimal(instance.chips) if instance else _decimal(row.chips or "")
    return max(count or Decimal(1), Decimal(1))


def _decimal(text: str) -> Decimal | None:
    try:
        found = Decimal(text.strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() else None
