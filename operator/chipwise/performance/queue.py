"""One replica as a birth-death chain: Poisson arrivals, a service rate that depends on the number in service, a bounded queue.

State j is the number of requests in the replica, at most cap + 10 * cap (the queue cap of llm-inferno). Beyond the batch cap the rate is
constant, so the queue's part is a geometric sum in closed form; within it only states of relevant weight are visited, outwards from
the likeliest, so the cost follows the spread of the load and not the size of the batch.

By PASTA an arriving request sees the state probabilities. One that finds j others is served at level min(j + 1, cap). Percentiles are
those of this state: a TPOT percentile is the token time at that percentile of the level, a TTFT percentile that of the mixture of
the first-token time at the level and, where the batch is full, an Erlang wait. The spread of request lengths is not modelled: every
request has the mean shape.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from operator import mul

from chipwise.performance.curve import Curve, MeanRule
from chipwise.performance.erlang import waits_longer

QUEUE_PER_SLOT = 10
"""Places in the queue for each place in the batch: what the published release uses. Arrivals beyond are turned away."""

SATURATION = 0.999
"""The share of the full batch's rate up to which the chain is evaluated, as published."""

_NEGLIGIBLE = 1e-14
"""Against the likeliest state: what is cut off moves no probability by more than 1e-12."""


@dataclass(frozen=True, slots=True)
class Steady:
    """The replica in equilibrium at one arrival rate (requests per millisecond).

    ``seen`` holds, for the levels from ``lowest`` on, the probability that an accepted request starts at that level without waiting;
    ``queued`` is the probability that it must wait first.
    """

    curve: Curve
    rate: float
    lowest: int
    seen: tuple[float, ...]
    queued: float
    mean_wait_ms: float
    mean_in_service: float
    throughput: float

    @property
    def utilisation(self) -> float:
        """Mean share of the batch in use, in (0, 1)."""
        return self.mean_in_service / self.curve.cap

    @property
    def mean_tpot_ms(self) -> float:
        """Mean time per output token after the first; see MeanRule."""
        if self.curve.origin.rule is MeanRule.COMPLETIONS:
            return self._over_levels(self.curve.token_ms)
        service = self.mean_in_service / self.throughput
        return (service - self._published_prefill_ms()) / self.curve.output_tokens

    @property
    def mean_ttft_ms(self) -> float:
        """Mean wait plus mean prefill plus one token."""
        if self.curve.origin.rule is MeanRule.COMPLETIONS:
            return self.mean_wait_ms + self._over_levels(self.curve.first_ms)
        return self.mean_wait_ms + self._published_prefill_ms() + self.mean_tpot_ms

    def tpot_beyond(self, threshold_ms: float) -> float:
        """P(TPOT > threshold)."""
        return self._above(bisect_right(self.curve.token_ms, threshold_ms))

    def ttft_beyond(self, threshold_ms: float) -> float:
        """P(TTFT > threshold)."""
        level = bisect_right(self.curve.first_ms, threshold_ms)
        if level < self.curve.cap:
            return self._above(level)
        return self.queued * self._waits_longer(threshold_ms - self.curve.first_ms[-1])

    def tpot_percentile(self, quantile: float) -> float:
        """Find the smallest token time that a share ``quantile`` of requests does not exceed, in milliseconds."""
        return self.curve.token_ms[self._percentile_level(quantile) - 1]

    def ttft_percentile(self, quantile: float) -> float:
        """Find the time to first token that a share ``quantile`` of requests does not exceed, in milliseconds."""
        level = self._percentile_level(quantile)
        low = self.curve.first_ms[level - 1]
        if self.ttft_beyond(low) <= 1 - quantile:
            return low
        low, high = self.curve.first_ms[-1], self.curve.first_ms[-1] + 1 / self.curve.rates[-1]
        while self.ttft_beyond(high) > 1 - quantile:
            low, high = high, 2 * high
        while high - low > 1e-12 * high:
            middle = (low + high) / 2
            if not low < middle < high:
                break
            low, high = (low, middle) if self.ttft_beyond(middle) <= 1 - quantile else (middle, high)
        return high

    def _percentile_level(self, quantile: float) -> int:
        """Find the lowest level that at most a share 1 - quantile of requests is served above."""
        above = self.queued
        for level in range(self.lowest + len(self.seen) - 1, self.lowest - 1, -1):
            if above > 1 - quantile:
                return min(level + 1, self.curve.cap)
            above += self.seen[level - self.lowest]
        return self.lowest

    def _published_prefill_ms(self) -> float:
        """prefill(m), with m at least 1: a request in service sees itself, which the published form forgets at low load."""
        return self.curve.prefill_ms(max(self.mean_in_service, 1.0))

    def _over_levels(self, times: tuple[float, ...]) -> float:
        served = times[self.lowest - 1 : self.lowest - 1 + len(self.seen)]
        mean: float = sum(map(mul, self.seen, served)) + self.queued * times[-1]
        return min(max(mean, times[0]), times[-1])

    def _above(self, level: int) -> float:
        """P(a request is served above this level), waiting included."""
        if level >= self.curve.cap:
            return 0.0
        return min(sum(self.seen[max(level - self.lowest + 1, 0) :]) + self.queued, 1.0)

    def _waits_longer(self, wait_ms: float) -> float:
        full = self.curve.rates[-1]
        return waits_longer(full, self.rate / full, QUEUE_PER_SLOT * self.curve.cap, wait_ms)


def highest_rate(curve: Curve) -> float:
    """Give the largest arrival rate, in requests per millisecond, for which ``steady`` answers."""
    return SATURATION * curve.rates[-1]


def lowest_rate(curve: Curve) -> float:
    """Give a rate at which requests hardly ever meet, in requests per millisecond."""
    return (1 - SATURATION) * min(curve.rates[0], curve.rates[-1])


def steady(curve: Curve, rate: float) -> Steady:
    """Solve the chain for 0 < rate <= highest_rate(curve), in requests per millisecond."""
    cap, full = curve.cap, curve.rates[-1]
    start, weights = _weights(curve, rate) if curve.rising else (0, _all_weights(curve, rate))
    load, places = rate / full, QUEUE_PER_SLOT * cap
    at_cap = weights.pop() if start + len(weights) == cap + 1 else 0.0
    power = math.exp(places * math.log(load))
    waiting = at_cap * (1 - power) / (1 - load)
    depth = at_cap * (1 - (places + 1) * power + places * power * load) / (1 - load) ** 2
    accepted = sum(weights) + waiting
    everything = accepted + at_cap * power
    in_service: float = sum(map(mul, weights, range(start, start + len(weights))))
    return Steady(
        curve=curve,
        rate=rate,
        lowest=start + 1,
        seen=tuple([w / accepted for w in weights]),
        queued=waiting / accepted,
        mean_wait_ms=depth / accepted / full,
        mean_in_service=(in_service + cap * (waiting + at_cap * power)) / everything,
        throughput=rate * accepted / everything,
    )


def _weights(curve: Curve, rate: float) -> tuple[int, list[float]]:
    """Weights of states start .. end <= cap relative to the likeliest, where rates never fall: one peak, so walk out from it."""
    rates, cap = curve.rates, curve.cap
    peak = bisect_right(rates, rate)
    below: list[float] = []
    weight = 1.0
    for j in range(peak, 0, -1):
        weight *= rates[j - 1] / rate
        if weight < _NEGLIGIBLE:
            break
        below.append(weight)
    start = peak - len(below)
    below.reverse()
    below.append(1.0)
    weight = 1.0
    for j in range(peak, cap):
        weight *= rate / rates[j]
        if weight < _NEGLIGIBLE:
            break
        below.append(weight)
    return start, below


def _all_weights(curve: Curve, rate: float) -> list[float]:
    """Weights of states 0 .. cap relative to the likeliest, in log space: throughput that falls with n can give two peaks."""
    logs = list(accumulate((math.log(rate / r) for r in curve.rates), initial=0.0))
    top = max(logs)
    return [math.exp(value - top) for value in logs]
