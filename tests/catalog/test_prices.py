"""The prices that ship: dated, of machines that are known, and of no region but those that the lists have."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from chipwise import catalog
from chipwise.catalog import Instance, Quote
from chipwise.catalog.price_checks import check
from chipwise.catalog.price_rows import PriceRow
from chipwise.reasons import Reason, Refusal
from hypothesis import given
from hypothesis import strategies as st

CLOUDS = {each.cloud: each for each in catalog.price_lists()}


def machine(name: str) -> Instance:
    found = catalog.instance(name)
    assert isinstance(found, Instance), found
    return found


def test_azure_has_many_regions_and_aws_the_one_that_was_published():
    assert set(CLOUDS) == {"azure", "aws"}
    assert CLOUDS["aws"].regions == ("us-east-1",)
    assert len(CLOUDS["azure"].regions) >= 40


def test_a_list_is_dated_and_says_where_it_is_from():
    for each in catalog.price_lists():
        assert dt.date.fromisoformat(each.date) <= dt.date(2026, 11, 26)
        assert each.source.endswith(f"generated {each.date}")
        assert each.currency == "USD"


def test_every_price_is_of_a_machine_of_that_cloud():
    for quote in catalog.quotes():
        assert machine(quote.instance).cloud == quote.cloud


def test_what_ships_passes_the_checks_that_we_hold_others_to():
    rows = [PriceRow(n, q.instance, q.region, str(q.amount)) for n, q in enumerate(catalog.quotes())]
    assert [each for each in check(rows, catalog.instances()) if each.refusals] == []


@pytest.mark.parametrize(
    ("name", "region", "amount"),
    [
        ("p5.48xlarge", "us-east-1", "55.04"),
        ("inf2.48xlarge", "us-east-1", "12.98127"),
        ("Standard_ND96isr_H100_v5", "westus3", "98.32"),
        ("Standard_ND96isr_MI300X_v5", "eastus2", "48.0"),
        ("Standard_ND128isr_NDR_GB200_v6", "eastus", "108.16"),
    ],
)
def test_a_price_is_that_of_the_list(name: str, region: str, amount: str):
    found = catalog.price(machine(name), region)
    assert isinstance(found, Quote)
    assert (found.amount, found.region) == (Decimal(amount), region)


def test_a_machine_that_is_not_priced_says_so():
    """Sold in blocks of capacity only, or too new."""
    for name in ("trn2.48xlarge", "p5e.48xlarge", "Standard_ND128isr_GB300_v6", "a3-highgpu-8g"):
        found = catalog.price(machine(name), "us-east-1")
        assert isinstance(found, Refusal)
        assert "it is known in no region" in found.message


@given(st.sampled_from(catalog.instances()), st.text(max_size=20) | st.sampled_from(CLOUDS["azure"].regions))
def test_a_price_is_of_the_region_that_was_asked_for_or_there_is_none(each: Instance, region: str):
    found = catalog.price(each, region)
    listed = {(q.instance, q.region): q.amount for q in catalog.quotes(each.cloud)}
    if (each.name, region) in listed:
        assert isinstance(found, Quote)
        assert found.amount == listed[each.name, region]
    else:
        assert isinstance(found, Refusal)
        assert found.reason is Reason.PRICE_UNKNOWN
        assert f"--price {each.name}=AMOUNT" in found.message
        for there, _ in ((r, i) for i, r in listed if i == each.name):
            assert there in found.message
