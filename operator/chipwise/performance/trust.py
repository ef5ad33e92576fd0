"""How far measured points can be trusted at a shape and a concurrency: provenance and bands by the distance from what was measured.

A band is the 90th percentile of |measured / told - 1| when rows are left out of aiconfigurator's silicon sample (1,066 of its rows state
a concurrency; pairs within one configuration, so one row counts several times). TPOT, TTFT:

| shape | concurrency | pairs | TPOT | TTFT |
| --- | --- | --- | --- | --- |
| its own | between measured ones | 289 | 13 % | 47 % |
| up to NEARBY | within the measured | 666 | 19 % | 46 % |
| up to FAR | within the measured | 1,972 | 31 % | 91 % |
| farther | within the measured | 662 | 52 % | 124 % |
| its own | down to half the smallest | 213 | 15 % | 59 % |
| its own | down to a quarter | 140 | 30 % | 54 % |
| its own | lower | 116 | 68 % | 85 % |
| its own | down to half a lone one | 166 | 42 % | 57 % |
| its own | down to a quarter | 137 | 61 % | 74 % |
| its own | lower | 273 | 79 % | 90 % |

A lone concurrency is continued flat, so below it figures are too high rather than too low: nothing is known that would make them fall.
Above the largest concurrency nothing is told. Both distances at once add up as independent errors do.
``tests/performance/test_trust.py`` repeats the table.
"""

from __future__ import annotations

import math
from dataclasses import replace

from chipwise.performance.curve import Origin
from chipwise.performance.types import Provenance, Statistic

SAME_SHAPE = math.log(1.05)
"""Lengths that differ by less than 5 % together count as the measured shape."""

NEARBY = 0.8
"""A factor of 2.2 in input and output length together."""

FAR = 2.2
"""A factor of 9 together: farther away a figure is extrapolated."""

SHAPES = (
    (SAME_SHAPE, Provenance.MEASURED, 0.12, 0.45),
    (NEARBY, Provenance.SCALED, 0.25, 0.7),
    (FAR, Provenance.SCALED, 0.4, 0.95),
    (math.inf, Provenance.EXTRAPOLATED, 0.55, 1.25),
)
"""Up to which distance, what it is called, and the bands of TPOT and TTFT."""

BELOW = ((2.0, False, 0.15, 0.6), (4.0, True, 0.3, 0.6), (math.inf, True, 0.7, 0.9))
"""Down to which part of the smallest of several concurrencies, whether that is extrapolated, and what it adds to the bands."""

BELOW_A_LONE_ONE = ((2.0, True, 0.42, 0.6), (4.0, True, 0.61, 0.75), (math.inf, True, 0.8, 0.9))
"""The same where only one concurrency was measured."""


def origin_at(distance: float, concurrencies: tuple[int, ...], statistic: Statistic) -> Origin:
    """Say what figures are worth at a shape so far from the measured one, and below the smallest of these concurrencies, ascending."""
    _, provenance, tpot, ttft = next(row for row in SHAPES if distance <= row[0])
    within = Origin(provenance, tpot, ttft, statistic)
    smallest, steps = concurrencies[0], BELOW if len(concurrencies) > 1 else BELOW_A_LONE_ONE
    limits = [smallest, *(smallest / part for part, *_ in steps[:-1])]
    below = tuple(
        (
            limit,
            Origin(
                Provenance.EXTRAPOLATED if beyond else provenance,
                math.hypot(tpot, more_tpot),
                math.hypot(ttft, more_ttft),
                statistic,
            ),
        )
        for limit, (_, beyond, more_tpot, more_ttft) in zip(limits, steps, strict=True)
        if limit > 1
    )
    return replace(within, below=below[::-1])
