"""How slow a variant may be with a given probability, when its figures are known within a band.

The logarithm of the error is taken as logistic about none, with COVERED of it inside the band (`docs/accuracy.md` has how often bands
hold). A batch that is less full is never slower, so a figure is never judged worse than that of a fuller batch that is known better.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import accumulate

from chipwise.performance.curve import Curve, trace
from chipwise.performance.types import COVERED, EVEN
from chipwise.reasons import Refusal


def margin(band: float, confidence: float) -> float:
    """What a figure is multiplied by so that the truth is below with this probability, from EVEN to below 1.

    ``band`` is the relative error to allow for, 0.05 for five per cent. The margin is 1 at EVEN, and 1 + ``band`` at (1 + COVERED) / 2,
    where the upper end of the band is.
    """
    return math.exp(math.log1p(band) * math.atanh(2 * confidence - 1) / math.atanh(COVERED))


def raised(curve: Curve, confidence: float) -> Curve | Refusal:
    """The curve that the variant is below with this probability; refused as NO_PERFORMANCE where that would be no server any more.

    Its percentiles are raised like its means, and count as they are.
    """
    if confidence <= EVEN:
        return curve
    origins = [curve.origin.at(n) for n in range(1, curve.cap + 1)]
    token = _never_worse(
        t * margin(o.tpot_band, confidence) for t, o in zip(curve.token_ms, origins, strict=True)
    )
    first = _never_worse(
        f * margin(o.ttft_band, confidence) for f, o in zip(curve.first_ms, origins, strict=True)
    )
    judged = replace(curve.origin, cautious=False)
    return trace(curve.cap, lambda n: first[n - 1], lambda n: token[n - 1], curve.output_tokens, judged)


def words(confidence: float) -> str:
    """What is said behind an objective or a figure; nothing at EVEN."""
    return f" with a confidence of {confidence:.0%}" if confidence > EVEN else ""


def _never_worse(figures: Iterable[float]) -> tuple[float, ...]:
    """Each at most what any fuller batch has."""
    return tuple(accumulate(reversed(list(figures)), min))[::-1]
