"""Waiting behind a queue whose length is geometric: a mixture of Erlang distributions in closed form."""

from __future__ import annotations

import math

_TINY = 1e-300
_PRECISION = 1e-13


def waits_longer(rate: float, load: float, places: int, wait: float) -> float:
    """P(a request that must queue waits longer than ``wait``).

    It finds i others queued, i = 0 .. places - 1, with probability proportional to ``load**i``, and i + 1 departures at ``rate`` let it
    in. Swapping the sum over i with the Poisson sum of each Erlang tail leaves two incomplete gamma functions. Requires 0 < load < 1;
    ``rate`` and ``wait`` share a unit of time.
    """
    if wait <= 0:
        return 1.0
    x = rate * wait
    power = math.exp(places * math.log(load))
    tail = math.exp(-x * (1 - load)) * poisson_below(places, load * x) - power * poisson_below(places, x)
    return min(max(tail / (1 - power), 0.0), 1.0)


def poisson_below(count: int, mean: float) -> float:
    """P(a Poisson variable of this mean is less than ``count``): the regularised upper incomplete gamma function Q(count, mean)."""
    if mean <= 0:
        return 1.0
    front = math.exp(count * math.log(mean) - mean - math.lgamma(count))
    if front < _TINY:
        return 1.0 if mean < count else 0.0
    if mean < count + 1:
        return 1.0 - front * _series(count, mean)
    return front * _continued_fraction(count, mean)


def _series(count: int, x: float) -> float:
    """Sum of x**k / (count * (count + 1) ... (count + k))."""
    term = total = 1 / count
    denominator = float(count)
    while term > total * _PRECISION:
        denominator += 1
        term *= x / denominator
        total += term
    return total


def _continued_fraction(count: int, x: float) -> float:
    """Lentz's evaluation of the continued fraction of the upper incomplete gamma function."""
    b = x + 1 - count
    c, d = 1 / _TINY, 1 / b
    value, step, k = d, 0.0, 0
    while abs(step - 1) > _PRECISION and k < 100_000:
        k += 1
        a = -k * (k - count)
        b += 2
        d = a * d + b
        d = 1 / (d if abs(d) > _TINY else _TINY)
        c = b + a / c
        c = c if abs(c) > _TINY else _TINY
        step = c * d
        value *= step
    return value
