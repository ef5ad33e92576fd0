"""Quantities: the values that Kubernetes gives them."""

from decimal import ROUND_CEILING, Decimal

import pytest
from chipwise.api import to_integer, to_milli
from hypothesis import given
from hypothesis import strategies as st

SCALES: dict[str, Decimal | int] = {
    "": 1,
    "m": Decimal("0.001"),
    "k": 1000,
    "M": 1000**2,
    "G": 1000**3,
    "T": 1000**4,
    "Ki": 1024,
    "Mi": 1024**2,
    "Gi": 1024**3,
}
AMOUNTS = st.decimals(min_value=Decimal("0.001"), max_value=100_000, places=3)


@given(AMOUNTS, st.sampled_from(sorted(SCALES)))
def test_quantities_are_read_exactly_and_rounded_up(amount: Decimal, suffix: str) -> None:
    """As resource.Quantity does, which never gives away less than was asked for."""
    value = amount * SCALES[suffix]
    assert to_integer(f"{amount}{suffix}") == int(value.to_integral_value(ROUND_CEILING))
    assert to_milli(f"{amount}{suffix}") == int((value * 1000).to_integral_value(ROUND_CEILING))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("80Gi", 80 * 2**30), ("192G", 192 * 10**9), ("96", 96), ("500m", 1), ("1Pi", 2**50), ("1E", 10**18)],
)
def test_known_quantities(text: str, expected: int) -> None:
    """Binary suffixes are powers of 1024, decimal ones of 1000."""
    assert to_integer(text) == expected


@pytest.mark.parametrize("text", ["", "0", "-1", "1GB", "1 Gi", "1e9", "1gi", "1Ki\n", "1n"])
def test_no_quantity(text: str) -> None:
    """Zero, signs, exponents and other suffixes are refused."""
    with pytest.raises(ValueError, match="is not a quantity"):
        to_integer(text)
