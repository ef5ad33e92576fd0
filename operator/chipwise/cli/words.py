"""The document's figures as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def unit(currency: str) -> str:
    """The sign of dollars, the code of any other currency."""
    return "$" if currency == "USD" else currency


def cents(amount: str | None) -> str:
    """To the cent, or finer where that would show nothing."""
    if amount is None:
        return "-"
    value = float(amount)
    return f"{value:.4f}" if 0 < abs(value) < 0.01 else f"{value:.2f}"


def per_hour(amount: str | float, currency: str) -> str:
    """Money per hour to the cent."""
    return f"{float(amount):.2f} {unit(currency)}/h"


def latency(milliseconds: float | None) -> str:
    """Three figures."""
    if milliseconds is None:
        return "-"
    return f"{milliseconds:.0f} ms" if milliseconds >= 100 else f"{milliseconds:.1f} ms"


def served(where: Mapping[str, Any] | None) -> str:
    """Where something runs, and how much of it."""
    if where is None:
        return "-"
    if where["pool"] is None:
        return f"{where['replicas']} replicas elsewhere"
    return f"{where['pool']}: {where['replicas']} x {where['variant'] or 'own chips'}"
