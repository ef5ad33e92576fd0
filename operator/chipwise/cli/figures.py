"""Figures as the documents of the command line write them: money as strings of four decimals, latencies as numbers."""

from __future__ import annotations

from collections.abc import Sequence

from chipwise.placement.explain import cost_per_million_tokens


def money(amount: float | None) -> str | None:
    """An amount of the plan's currency, to a hundredth of a cent; None stays None."""
    if amount is None:
        return None
    text = f"{amount:.4f}"
    return text.removeprefix("-") if float(text) == 0 else text


def per_million(cost_per_hour: float | None, tokens_per_second: float) -> str | None:
    """What a million output tokens cost at the mean rate."""
    return None if cost_per_hour is None else money(cost_per_million_tokens(cost_per_hour, tokens_per_second))


def milliseconds(latency: float) -> float:
    """To the microsecond."""
    return round(latency, 3)


def band(latencies: Sequence[float]) -> dict[str, float]:
    """Value, low and high, each to the microsecond."""
    return dict(zip(("value", "low", "high"), map(milliseconds, latencies), strict=True))


def count(figure: float) -> int | float:
    """A whole number as one."""
    return int(figure) if figure == int(figure) else figure
