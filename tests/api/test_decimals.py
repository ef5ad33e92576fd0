"""Decimal strings: which there are, and that they are read exactly."""

from decimal import Decimal

import pytest
from chipwise.api import to_decimal
from chipwise.api.decimals import NOT_NEGATIVE, POSITIVE, RATIO
from hypothesis import given
from hypothesis import strategies as st

DIGITS = st.text("0123456789", min_size=1, max_size=8)
PLAIN = st.one_of(DIGITS, st.builds("{}.{}".format, DIGITS, DIGITS))


@given(PLAIN)
def test_plain_decimals_are_read_exactly(text: str) -> None:
    """Every plain decimal is at least zero, and positive unless all its digits are zero."""
    assert to_decimal(text) == Decimal(text)
    assert NOT_NEGATIVE.matches(text)
    assert POSITIVE.matches(text) == (Decimal(text) > 0)
    assert RATIO.matches(text) == (Decimal(text) <= 1 and text[0] == text.split(".", maxsplit=1)[0])


@given(st.text("0123456789.+-eE, \n_٣", max_size=6))
def test_nothing_else_is_a_decimal(text: str) -> None:
    """What has another form is refused rather than guessed at."""
    plain = text.replace(".", "", 1)
    is_plain = plain.isascii() and plain.isdigit() and text[0] != "." and text[-1] != "."
    assert NOT_NEGATIVE.matches(text) == is_plain


@pytest.mark.parametrize("text", ["", " ", "1e3", "NaN", "Infinity", "1_000", "--1", "1\n"])
def test_to_decimal_refuses_what_python_would_take(text: str) -> None:
    """Decimal() knows more spellings than the schema does."""
    with pytest.raises(ValueError, match="is not a decimal number"):
        to_decimal(text)
