"""Durations: latencies in milliseconds, spans in seconds."""

from decimal import Decimal

import pytest
from chipwise.api import to_milliseconds, to_seconds
from chipwise.api.durations import LATENCY, POSITIVE_SPAN, SPAN
from hypothesis import given
from hypothesis import strategies as st

AMOUNTS = st.decimals(min_value=Decimal("0.001"), max_value=100_000, places=3)
TERMS = st.lists(st.tuples(st.integers(0, 9999), st.sampled_from("hms")), min_size=1, max_size=3)
SECONDS = {"h": 3600, "m": 60, "s": 1}


@given(AMOUNTS, st.sampled_from([("ms", 1), ("s", 1000)]))
def test_latencies_in_milliseconds(amount: Decimal, unit: tuple[str, int]) -> None:
    """The number times its unit, to the nearest float."""
    name, scale = unit
    assert to_milliseconds(f"{amount}{name}") == float(amount * scale)


@given(TERMS)
def test_spans_in_seconds(terms: list[tuple[int, str]]) -> None:
    """The sum of the terms; zero is a span, though not a positive one."""
    text = "".join(f"{count}{unit}" for count, unit in terms)
    total = sum(count * SECONDS[unit] for count, unit in terms)
    assert to_seconds(text) == total
    assert POSITIVE_SPAN.matches(text) == (total > 0)


@given(st.text("0123456789.hms -", max_size=6))
def test_a_positive_span_is_a_span(text: str) -> None:
    """The narrower pattern allows nothing that the wider refuses."""
    assert SPAN.matches(text) or not POSITIVE_SPAN.matches(text)


@pytest.mark.parametrize(
    "text", ["", "38", "0ms", "0.0s", "-1ms", "38 ms", "38MS", "1m", "1s500ms", "38ms\n"]
)
def test_no_latency(text: str) -> None:
    """Neither zero nor another unit is a latency."""
    assert not LATENCY.matches(text)
    with pytest.raises(ValueError, match="is not a latency"):
        to_milliseconds(text)


@pytest.mark.parametrize("text", ["", "10", "1.5h", "-10m", "10 m", "1d", "1h1h1h1h", "500ms"])
def test_no_span(text: str) -> None:
    """Fractions, days and more than three terms are no spans."""
    with pytest.raises(ValueError, match="is not a duration"):
        to_seconds(text)
