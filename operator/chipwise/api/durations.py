"""Durations as strings: latencies such as ``38ms`` and ``1.5s``, and spans such as ``10m`` and ``24h``."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from chipwise.api.decimals import ABOVE_ZERO
from chipwise.api.text import Form

LATENCY = Form(
    f"^{ABOVE_ZERO}(ms|s)$", 16, "must be a duration greater than zero in ms or s, such as 38ms or 1.5s"
)
SPAN = Form("^([0-9]{1,9}[hms]){1,3}$", 32, "must be a duration in h, m and s, such as 10m, 24h or 1h30m")
POSITIVE_SPAN = Form(
    "^([0-9]{1,9}[hms]){0,2}[0-9]{0,8}[1-9][0-9]{0,8}[hms]([0-9]{1,9}[hms]){0,2}$",
    32,
    "must be a duration greater than zero in h, m and s, such as 10m, 24h or 1h30m",
)

Latency = Annotated[str, LATENCY]
Span = Annotated[str, SPAN]
PositiveSpan = Annotated[str, POSITIVE_SPAN]

_SECONDS = {"h": 3600, "m": 60, "s": 1}


def to_milliseconds(text: str) -> float:
    """Read a latency in milliseconds. Raises ValueError for what is none, zero included."""
    if not LATENCY.matches(text):
        raise ValueError(f"{text!r} is not a latency such as 38ms or 1.5s")
    number, scale = (text[:-2], 1) if text.endswith("ms") else (text[:-1], 1000)
    return float(Decimal(number) * scale)


def to_seconds(text: str) -> int:
    """Read a span in seconds. Raises ValueError for what is none."""
    if not SPAN.matches(text):
        raise ValueError(f"{text!r} is not a duration such as 10m, 24h or 1h30m")
    return sum(int(count) * _SECONDS[unit] for count, unit in re.findall("([0-9]+)([hms])", text))
