"""What a measured point may say at all: outside of it is a slip of the unit, nearly always.

One set for every way in: imports, and rows that an estimator learns from. Latencies in milliseconds. TPOT is the time per token after the
first, so a request has two output tokens at least.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

BOUNDS: Mapping[str, tuple[Decimal, Decimal]] = {
    "concurrency": (Decimal(1), Decimal(1_000_000)),
    "input_tokens": (Decimal(1), Decimal(10_000_000)),
    "output_tokens": (Decimal(2), Decimal(10_000_000)),
    "ttft": (Decimal("0.1"), Decimal(3_600_000)),
    "tpot": (Decimal("0.05"), Decimal(60_000)),
}
