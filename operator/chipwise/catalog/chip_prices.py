"""What one chip costs for an hour on demand, as its part of a machine that has enough of them: the cheapest of the regions asked about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chipwise.catalog import shelf
from chipwise.reasons import Reason, Refusal


@dataclass(frozen=True, slots=True)
class ChipPrice:
    """``amount`` US dollars for a chip and hour. Of a machine of a price list, with the list's date; or stated, and the rest is empty."""

    amount: float
    instance: str = ""
    cloud: str = ""
    region: str = ""
    date: str = ""

    @property
    def words(self) -> str:
        """Where it comes from."""
        return f"{self.instance}, {self.cloud} {self.region}, {self.date}" if self.instance else "as stated"


@dataclass(frozen=True, slots=True)
class Market:
    """Where prices are looked for. ``stated`` are dollars by the catalogue's name of a chip, and go before any list.

    Without ``regions`` those lists count that know one region only: no region is chosen for anybody.
    """

    cloud: str | None = None
    regions: tuple[str, ...] = ()
    stated: Mapping[str, float] = field(default_factory=dict)

    @property
    def looked_in(self) -> tuple[tuple[str, str], ...]:
        """Cloud and region of every list that counts."""
        return tuple(
            (each.cloud, region)
            for each in shelf.price_lists()
            if self.cloud in (None, each.cloud)
            for region in each.regions
            if region in self.regions or (not self.regions and len(each.regions) == 1)
        )

    def price(self, chip: str, chips: int) -> ChipPrice | Refusal:
        """Of one of ``chips`` chips in one machine. Refused as PRICE_UNKNOWN, with the regions that are known."""
        if chip in self.stated:
            return ChipPrice(self.stated[chip])
        machines = {each.name: each for each in shelf.instances() if each.chip == chip}
        quotes = [quote for quote in shelf.quotes(self.cloud) if quote.instance in machines]
        there = self.looked_in
        found = [
            ChipPrice(float(q.amount) / machines[q.instance].chips, q.instance, q.cloud, q.region, q.date)
            for q in quotes
            if (q.cloud, q.region) in there and machines[q.instance].chips >= chips and q.currency == "USD"
        ]
        if found:
            return min(found, key=lambda each: (each.amount, each.cloud, each.region, each.instance))
        enough = sorted({(q.cloud, q.region) for q in quotes if machines[q.instance].chips >= chips})
        return Refusal(
            Reason.PRICE_UNKNOWN, f"{_told(chip, chips, enough)}; or state it: --price {chip}=AMOUNT"
        )


def _told(chip: str, chips: int, known: list[tuple[str, str]]) -> str:
    several = f"a machine with {chips} {chip}" if chips > 1 else chip
    if not known:
        return f"no list has a price of {several}"
    clouds = {cloud: [region for of, region in known if of == cloud] for cloud, _ in known}
    where = "; ".join(
        f"{cloud} in {', '.join(regions[:4])}{f' and {len(regions) - 4} more' if len(regions) > 4 else ''}"
        for cloud, regions in clouds.items()
    )
    return f"no price of {several} in the regions asked about. Prices differ by region: --region with one of {where}"
