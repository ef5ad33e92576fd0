"""What is wrong with a row of a price list, each as a typed reason: the traps that real catalogues have.

A row that passes is a price of one whole machine for an hour. Nothing is mended: whoever keeps the list must.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from chipwise.catalog.machines import Instance
from chipwise.catalog.price_rows import PriceRow
from chipwise.reasons import Reason, Refusal

PLACEHOLDERS = (Decimal(700),)
"""Amounts that stand for "not for sale": 700.0 on zones of TPUs that are not sold, in SkyPilot's catalogue of GCP."""

ABSURD = Decimal(500)
"""US dollars for one chip and hour that nobody asks: the dearest in the shipped lists is a GB200 at 54."""

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
    most: dict[str, int] = {}
    for each in instances.values():
        most[each.chip] = max(each.chips, most.get(each.chip, 0))
    return tuple(_checked(row, instances.get(row.instance.lower()), most) for row in rows)


def _checked(row: PriceRow, instance: Instance | None, most: dict[str, int]) -> Checked:
    on_demand, spot = _decimal(row.on_demand), _decimal(row.spot or "")
    refusals = (*_amounts(row, on_demand, spot, instance), *_what_is_bought(row, instance, most))
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


def _what_is_bought(row: PriceRow, instance: Instance | None, most: dict[str, int]) -> Iterator[Refusal]:
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
    yield from _count(row, instance, most)


def _count(row: PriceRow, instance: Instance | None, most: dict[str, int]) -> Iterator[Refusal]:
    if not row.chips.strip():
        return
    count = _decimal(row.chips)
    if count is None or count <= 0:
        yield Refusal(Reason.CHIP_COUNT_WRONG, f"AcceleratorCount {row.chips!r} is no number of chips")
    elif instance is not None and count != instance.chips:
        yield Refusal(
            Reason.CHIP_COUNT_WRONG,
            f"{row.instance} has {instance.chips} chips, and is listed with {row.chips}",
        )
    elif instance is None and count > (limit := _most(row.chip, most)):
        yield Refusal(
            Reason.CHIP_COUNT_WRONG,
            f"{row.instance or row.chip} is listed with {row.chips} chips; no machine that is known has more than {limit} of {row.chip}",
        )


def _most(chip: str, most: dict[str, int]) -> int:
    """The most chips of a machine with a chip of a like name; of an unknown chip, the most of any machine."""
    folded = chip.lower().replace("_", "-")
    like = [
        count
        for name, count in most.items()
        if name.startswith(folded) or folded.startswith(name.split("-")[0])
    ]
    return max(like, default=max(most.values(), default=0)) if folded else max(most.values(), default=0)


def _chips(row: PriceRow, instance: Instance | None) -> Decimal:
    count = Decimal(instance.chips) if instance else _decimal(row.chips)
    return max(count or Decimal(1), Decimal(1))


def _decimal(text: str) -> Decimal | None:
    try:
        found = Decimal(text.strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() else None
