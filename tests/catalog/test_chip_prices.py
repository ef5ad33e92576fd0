"""What a chip costs: of the regions asked about, of a machine that has enough of them, or not at all."""

from __future__ import annotations

import pytest
from chipwise import catalog
from chipwise.catalog.chip_prices import ChipPrice, Market
from chipwise.reasons import Reason, Refusal


def told(market: Market, chip: str, chips: int = 1) -> ChipPrice:
    found = market.price(chip, chips)
    assert isinstance(found, ChipPrice)
    return found


def test_it_is_the_chips_part_of_the_cheapest_machine_with_enough_of_them():
    one, four = told(Market(), "l4", 1), told(Market(), "l4", 4)
    assert one.instance == "g6.xlarge"
    assert one.amount == pytest.approx(0.8048)
    assert four.instance == "g6.12xlarge"
    assert four.amount == pytest.approx(4.6016 / 4)


def test_without_a_region_only_lists_with_one_region_count():
    assert Market().looked_in == (("aws", "us-east-1"),)
    found = Market().price("mi300x", 8)
    assert isinstance(found, Refusal)
    assert found.reason is Reason.PRICE_UNKNOWN
    assert "azure" in found.message


def test_of_several_regions_the_cheapest_is_taken_and_named():
    markets = {region: told(Market(regions=(region,)), "h100-sxm", 8) for region in ("us-east-1", "westus3")}
    both = told(Market(regions=tuple(markets)), "h100-sxm", 8)
    assert both == min(markets.values(), key=lambda price: price.amount)
    assert {price.region for price in markets.values()} == set(markets)


def test_a_price_is_only_of_a_region_that_was_asked_about():
    for region in {quote.region for quote in catalog.quotes()}:
        for chip in catalog.chips():
            found = Market(regions=(region,)).price(chip.name, 1)
            assert isinstance(found, Refusal) or found.region == region


def test_a_stated_price_goes_before_any_list():
    market = Market(stated={"h100-sxm": 1.5, "maia-200": 2.0})
    assert told(market, "h100-sxm").amount == 1.5
    assert told(market, "maia-200").words == "as stated"


def test_nobody_sells_that_many_in_one_machine():
    found = Market().price("h100-sxm", 64)
    assert isinstance(found, Refusal)
    assert "no list has a price of a machine with 64 h100-sxm" in found.message
