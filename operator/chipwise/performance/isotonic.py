"""The nearest sequence that never falls: a fuller batch is not faster, so what says otherwise is noise."""

from __future__ import annotations

from collections.abc import Iterable


def non_decreasing(values: Iterable[float]) -> tuple[float, ...]:
    """Isotonic regression by least squares, each value counting alike (pool adjacent violators)."""
    pooled: list[tuple[float, int]] = []
    for value in values:
        mean, size = value, 1
        while pooled and pooled[-1][0] > mean:
            before, count = pooled.pop()
            mean, size = (before * count + mean * size) / (count + size), count + size
        pooled.append((mean, size))
    return tuple(mean for mean, size in pooled for _ in range(size))
