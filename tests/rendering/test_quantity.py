"""Quantities are exact, and spelled as the API server spells them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from chipwise.rendering.quantity import canonical, milli, parse, whole
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        *(
            ("4", "4"),
            (4, "4"),
            ("0", "0"),
            ("0Gi", "0"),
            ("1000", "1k"),
            ("1024", "1024"),
            ("1500m", "1500m"),
        ),
        *(("1000m", "1"), (0.5, "500m"), ("1.5", "1500m"), (".5", "500m"), ("1.", "1")),
        *(("1024Mi", "1Gi"), ("1536Mi", "1536Mi"), ("0.5Gi", "512Mi"), ("512", "512"), ("65536Ki", "64Mi")),
        *(
            ("100Ki", "100Ki"),
            ("0.5Ki", "512"),
            ("1e3", "1e3"),
            ("12E", "12E"),
            ("1E", "1E"),
            ("2000M", "2G"),
        ),
        *(("1n", "1n"), ("0.1n", "1n"), ("-1", "-1"), ("1.1Ki", "1126400m")),
    ],
)
def test_the_stored_spelling(written: str | float, stored: str):
    assert canonical(written) == stored


def test_resource_lists_are_rounded_up_to_a_thousandth():
    assert canonical("100u", resource=True) == "1m"
    assert canonical("100u") == "100u"


@pytest.mark.parametrize("wrong", ["", "Gi", "1 Gi", "1GiB", "1.2.3", "one", "1e", "0x1"])
def test_what_is_no_quantity_is_refused(wrong: str):
    with pytest.raises(ValueError, match="is not a quantity"):
        parse(wrong)


def test_counts_round_up():
    """A chip or a byte too few does not fit; one too many does."""
    assert parse("1500m") == Fraction(3, 2)
    assert (milli("100u"), milli("2"), whole("1500m"), whole("1Ki")) == (1, 2000, 2, 1024)


@given(
    st.decimals(0, 10**6, places=3, allow_nan=False).map(str),
    st.sampled_from(["", "m", "k", "M", "G", "Ki", "Mi", "Gi", "e3", "E6"]),
)
def test_the_stored_spelling_means_the_same_and_is_stable(digits: str, suffix: str):
    stored = canonical(digits + suffix)
    assert parse(stored) == parse(digits + suffix)
    assert canonical(stored) == stored
