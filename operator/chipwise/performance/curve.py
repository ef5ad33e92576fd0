"""The one shape every kind of knowledge is brought to: times of one replica with n requests in service, n = 1 .. cap.

``first_ms`` is prefill and first token without any wait, ``token_ms`` each token after it. A request with n in service then takes
``first_ms + (out - 1) * token_ms``, and the replica finishes ``n`` divided by that per millisecond.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from chipwise.performance.types import Metric, Provenance, Statistic
from chipwise.reasons import Reason, Refusal

MAX_IN_SERVICE = 4096
"""No engine default admits more sequences to one batch (vLLM 256 to 1024, SGLang up to 4096). Bounds the work, errs to less throughput."""

SHORTEST_MS, LONGEST_MS = 1e-6, 1e12
"""A request served in less than a nanosecond or more than thirty years is an input error, not a figure."""


class MeanRule(StrEnum):
    """How means follow from the state probabilities.

    PUBLISHED is llm-inferno's: TPOT is (mean service time - prefill(m)) / out at the mean number in service m. It supposes times
    linear in n. COMPLETIONS weighs the times by the requests that complete at each n, which holds for any non-decreasing curve.
    """

    PUBLISHED = "Published"
    COMPLETIONS = "Completions"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a curve comes from, and the relative errors to allow for.

    ``below`` has figures of another worth: pairs of a concurrency, ascending, and the origin of figures below it.
    ``cautious`` percentiles count as if every request were as slow as the upper end of the widest band.
    """

    provenance: Provenance
    tpot_band: float
    ttft_band: float
    statistic: Statistic = Statistic.MEAN
    rule: MeanRule = MeanRule.COMPLETIONS
    below: tuple[tuple[float, Origin], ...] = ()
    cautious: bool = False

    def margin(self, metric: Metric) -> float:
        """What a percentile of the metric is multiplied by before it meets an objective; 1 unless cautious."""
        if not self.cautious:
            return 1.0
        all_of_it = (self, *(origin for _, origin in self.below))
        return 1.0 + max(o.ttft_band if metric is Metric.TTFT else o.tpot_band for o in all_of_it)

    def at(self, concurrency: float) -> Origin:
        """Say where a figure at this number in service comes from; fewer than one is one, for a request counts itself."""
        counted = max(concurrency, 1.0)
        return next((origin for limit, origin in self.below if counted < limit), self)


@dataclass(frozen=True, slots=True)
class Curve:
    """Times in milliseconds at n = 1 .. cap (index n - 1), non-decreasing; ``rates`` in requests per millisecond."""

    first_ms: tuple[float, ...]
    token_ms: tuple[float, ...]
    rates: tuple[float, ...]
    rising: bool
    output_tokens: float
    origin: Origin

    @property
    def cap(self) -> int:
        """The most requests in service at once."""
        return len(self.rates)

    def prefill_ms(self, concurrency: float) -> float:
        """Time before the first decode iteration at a fractional number in service, between 1 and the cap."""
        low = min(max(int(concurrency), 1), self.cap)
        high = min(low + 1, self.cap)
        share = min(max(concurrency - low, 0.0), 1.0)
        at_low = self.first_ms[low - 1] - self.token_ms[low - 1]
        return at_low + share * (self.first_ms[high - 1] - self.token_ms[high - 1] - at_low)


def trace(
    cap: int,
    first: Callable[[int], float],
    token: Callable[[int], float],
    output_tokens: float,
    origin: Origin,
) -> Curve | Refusal:
    """Tabulate both times over n = 1 .. cap.

    Refuses as NO_PERFORMANCE what cannot be a server: times that are not finite, not positive, or fall as the batch fills.
    """
    levels = range(1, min(cap, MAX_IN_SERVICE) + 1)
    first_ms = tuple(first(n) for n in levels)
    token_ms = tuple(token(n) for n in levels)
    service = [f + (output_tokens - 1) * t for f, t in zip(first_ms, token_ms, strict=True)]
    if not all(SHORTEST_MS <= s <= LONGEST_MS for s in service):
        return Refusal(
            Reason.NO_PERFORMANCE, f"The figures give a request time of {service[0]:g} to {service[-1]:g} ms."
        )
    if not (_never_falls(first_ms) and _never_falls(token_ms)):
        return Refusal(Reason.NO_PERFORMANCE, "The figures make a fuller batch faster than an emptier one.")
    rates = tuple(n / s for n, s in zip(levels, service, strict=True))
    return Curve(first_ms, token_ms, rates, _never_falls(rates), output_tokens, origin)


def _never_falls(values: tuple[float, ...]) -> bool:
    """Say whether values only rise or stay, up to rounding."""
    return all(b >= a - 1e-12 * abs(a) for a, b in pairwise(values)) and not any(
        math.isnan(v) for v in values
    )
