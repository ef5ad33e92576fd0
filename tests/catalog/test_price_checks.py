"""Price lists that people have: both formats read, and every trap told by row and reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from chipwise import catalog
from chipwise.catalog.price_checks import Checked, check
from chipwise.catalog.price_rows import SKYPILOT, PriceRow, UnreadablePrices, read_rows
from chipwise.reasons import Reason
from hypothesis import given
from hypothesis import strategies as st

SAMPLES = Path(__file__).parent.parent / "data" / "prices"
HEADER = ",".join(SKYPILOT)


def reasons(checked: Checked) -> list[Reason]:
    return [one.reason for one in checked.refusals]


def skypilot(*rows: str) -> tuple[Checked, ...]:
    return check(read_rows("\n".join((HEADER, *rows))), catalog.instances())


def item(**fields: Any) -> dict[str, Any]:
    return {
        "retailPrice": 98.32,
        "unitOfMeasure": "1 Hour",
        "armSkuName": "Standard_ND96isr_H100_v5",
        "armRegionName": "westus3",
        "type": "Consumption",
        "meterName": "ND96isr H100 v5",
        "productName": "Virtual Machines NDsrH100v5 Series",
    } | fields


def azure(*items: dict[str, Any]) -> tuple[Checked, ...]:
    return check(read_rows(json.dumps({"Items": items})), catalog.instances())


SPOT = {"meterName": "ND96isr H100 v5 Spot"}
TRAPS = [
    pytest.param("p5.48xlarge,192,2048,H100,8,,us-west-2,a,0.0,", Reason.PRICE_ABSENT, id="zero"),
    pytest.param("p5.48xlarge,192,2048,H100,8,,us-west-2,a,,", Reason.PRICE_ABSENT, id="blank"),
    pytest.param("p5.48xlarge,192,2048,H100,8,,us-west-2,a,,20", Reason.PRICE_ABSENT, id="spot alone"),
    pytest.param("p5.48xlarge,192,2048,H100,8,,us-west-2,a,60.5,0.0", Reason.PRICE_ABSENT, id="spot of zero"),
    pytest.param("TPU-VM,,,tpu-v6e-8,1,,europe-west4,a,700.0,", Reason.PRICE_PLACEHOLDER, id="placeholder"),
    pytest.param(
        "p5.48xlarge,192,2048,H100,8,,us-west-2,a,60.5,61", Reason.SPOT_ABOVE_ON_DEMAND, id="dear spot"
    ),
    pytest.param(
        "Standard_ND96isr_H100_v5,96,1900,H100,12,,westus3,1,98.32,",
        Reason.CHIP_COUNT_WRONG,
        id="12 that are 8",
    ),
    pytest.param(
        "Standard_ND96unknown_H100_v9,96,1900,H100,12,,westus3,1,98.32,",
        Reason.CHIP_COUNT_WRONG,
        id="12 of a new size",
    ),
    pytest.param(
        "a2-highgpu-1g,12,85,,,,us-central1,a,0.749,", Reason.CHIP_COUNT_WRONG, id="a host without its chips"
    ),
    pytest.param(
        "Standard_ND48_V100,48,448,V100,12,,westus3,1,20,",
        Reason.CHIP_COUNT_WRONG,
        id="12 of an unknown chip",
    ),
    pytest.param(
        "Standard_NV6ads_A10_v5,6,55,A10,0.167,,westus3,1,0.45,", Reason.CHIP_COUNT_WRONG, id="part of a chip"
    ),
    pytest.param(",,,H200,8,,us-central1,b,74.49392,40.972", Reason.HOST_EXCLUDED, id="without its host"),
    pytest.param("TPU-VM,,,tpu-v5p-8,1,,us-east5,a,16.8,", Reason.CORES_COUNTED, id="cores"),
    pytest.param("p5.48xlarge,192,2048,H100,8,,us-west-2,a,free,", Reason.PRICE_MALFORMED, id="text"),
    pytest.param("p5.48xlarge,192,2048,H100,8,,us-west-2,a,-60,", Reason.PRICE_MALFORMED, id="negative"),
    pytest.param("p5.48xlarge,192,2048,H100,8,,us-west-2,a,nan,", Reason.PRICE_MALFORMED, id="not a number"),
    pytest.param("p5.48xlarge,192,2048,H100,8,,us-west-2,a,6054000,", Reason.PRICE_MALFORMED, id="absurd"),
    pytest.param("p5.48xlarge,192,2048,H100,none,,us-west-2,a,60.5,", Reason.CHIP_COUNT_WRONG, id="no count"),
]


@pytest.mark.parametrize(("row", "reason"), TRAPS)
def test_a_trap_is_told_by_row_and_reason(row: str, reason: Reason):
    """Between two good rows, which are not held against it."""
    good = "g6.xlarge,4,16,L4,1,,us-west-2,b,0.8048,0.3"
    before, found, after = skypilot(good, row, good)
    assert (reasons(before), reasons(after)) == ([], [])
    assert reasons(found) == [reason]
    assert found.row.row == 3
    assert found.refusals[0].message


def test_a_row_that_is_wrong_in_several_ways_says_all():
    (found,) = skypilot(",,,H200,12,,us-central1,b,0.0,40.9")
    assert set(reasons(found)) == {Reason.PRICE_ABSENT, Reason.HOST_EXCLUDED, Reason.CHIP_COUNT_WRONG}


def test_cores_are_told_as_chips():
    (found,) = skypilot("TPU-VM,,,tpu-v5p-16,1,,us-east5,a,33.6,")
    assert "8 chips" in found.refusals[0].message


@pytest.mark.parametrize(
    "row",
    [
        "a3-highgpu-2g,52,468,H100,2,,us-central1,a,22.1,",
        "Standard_ND40rs_v2,40,672,V100-32GB,8,,westus3,1,22.03,",
        "inf2.new,96,384,Inferentia2,6,,us-east-1,a,6.49,",
        "m5.large,2,8,,,,us-west-2,a,0.096,0.03",
    ],
)
def test_a_machine_that_is_not_known_may_have_what_machines_have(row: str):
    (found,) = skypilot(row)
    assert reasons(found) == []


@pytest.mark.parametrize("name", ["tpu-v5litepod-8", "tpu-v6e-8", "tpu7x-8"])
def test_names_of_other_generations_count_chips(name: str):
    (found,) = skypilot(f"TPU-VM,,,{name},1,,us-east5,a,33.6,")
    assert reasons(found) == []


@pytest.mark.parametrize(
    ("items", "reason", "row"),
    [
        ((item(retailPrice=0.0),), Reason.PRICE_ABSENT, 1),
        ((item(retailPrice=None),), Reason.PRICE_ABSENT, 1),
        ((item(retailPrice=700.0),), Reason.PRICE_PLACEHOLDER, 1),
        ((item(), item(**SPOT, retailPrice=120.0)), Reason.SPOT_ABOVE_ON_DEMAND, 1),
        ((item(**SPOT, retailPrice=120.0), item()), Reason.SPOT_ABOVE_ON_DEMAND, 2),
        ((item(**SPOT, retailPrice=20.0),), Reason.PRICE_ABSENT, 1),
        ((item(unitOfMeasure="1 Month"),), Reason.PRICE_MALFORMED, 1),
    ],
)
def test_the_same_traps_of_azures_api(items: tuple[dict[str, Any], ...], reason: Reason, row: int):
    (found,) = azure(*items)
    assert reasons(found) == [reason]
    assert found.row.row == row


def test_reservations_and_windows_are_other_products():
    found = azure(item(), item(type="Reservation"), item(productName="Virtual Machines Windows"))
    assert [(each.row.row, reasons(each)) for each in found] == [(1, [])]


def test_every_spot_price_is_held_against_the_one_on_demand():
    found = azure(item(), item(**SPOT, retailPrice=20), item(meterName="x Low Priority", retailPrice=0))
    assert [reasons(each) for each in found] == [[], [Reason.PRICE_ABSENT]]


def test_the_currency_is_the_files():
    (found,) = azure(item(currencyCode="EUR"))
    assert found.row.currency == "EUR"


def test_low_priority_is_spot():
    (found,) = azure(item(), item(meterName="ND96isr H100 v5 Low Priority", retailPrice=19.7))
    assert str(found.spot) == "19.7"


@pytest.mark.parametrize("name", ["skypilot.csv", "azure_retail.json"])
def test_the_samples_are_good(name: str):
    rows = check(read_rows((SAMPLES / name).read_text()), catalog.instances())
    assert rows
    assert not [each for each in rows if each.refusals]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: the column InstanceType is missing"),
        ("InstanceType,Price\n", "line 1: the column vCPUs is missing"),
        (HEADER.replace(",SpotPrice", "") + "\n", "line 1: the column SpotPrice is missing"),
        (f"{HEADER}\np5.48xlarge,192\n", "line 2: 10 columns are needed"),
        (f"{HEADER}\n{',' * 12}\n", "line 2: 10 columns are needed"),
        ("{", "line 1: not JSON"),
        ("{}", "has a list Items"),
        ('{"Items": [1]}', "Items[0]: retailPrice is missing"),
        (json.dumps({"Items": [item(), {"retailPrice": 1}]}), "Items[1]: unitOfMeasure is missing"),
    ],
)
def test_what_is_in_neither_format_says_what_is_missing(text: str, says: str):
    with pytest.raises(UnreadablePrices) as error:
        read_rows(text)
    assert says in str(error.value)


AMOUNTS = st.decimals(min_value="0.01", max_value="400", places=4)


@given(st.sampled_from(catalog.instances()), AMOUNTS, AMOUNTS)
def test_an_honest_row_passes_and_a_dearer_spot_never_does(each: catalog.Instance, one: Any, other: Any):
    low, high = min(one, other), max(one, other)
    honest = PriceRow(2, each.name, "x", str(high), str(low), each.chip, str(each.chips), "8")
    (found,) = check((honest,), catalog.instances())
    assert reasons(found) == []
    if low < high:
        (found,) = check(
            (PriceRow(2, each.name, "x", str(low), str(high), each.chip, str(each.chips), "8"),),
            catalog.instances(),
        )
        assert reasons(found) == [Reason.SPOT_ABOVE_ON_DEMAND]


@given(
    st.lists(
        st.text(alphabet=st.characters(exclude_characters='",\r\n'), max_size=12), min_size=10, max_size=10
    )
)
def test_any_row_is_answered(fields: list[str]):
    """Nothing that a cell may hold is an error of ours."""
    for each in skypilot(",".join(f'"{field}"' for field in fields)):
        assert all(one.message for one in each.refusals)


@given(st.sampled_from(catalog.instances()), st.integers(0, 64))
def test_a_count_that_is_not_the_machines_is_refused(each: catalog.Instance, count: int):
    row = PriceRow(2, each.name, "x", "1", "", each.chip, str(count), "8")
    (found,) = check((row,), catalog.instances())
    assert (Reason.CHIP_COUNT_WRONG in reasons(found)) == (count != each.chips)
