"""What a figure is worth, in the words that plans use: by what of a case was measured, and how far from it that was."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chipwise.performance.estimator.bands import CONFIGURATION, OWN, Support, loads
from chipwise.performance.estimator.cases import Floats, Table
from chipwise.performance.estimator.sharing import VARIANT, Shared
from chipwise.performance.trust import FAR
from chipwise.performance.types import Provenance

_SLACK = 1e-9

_OTHER = (Support.SHAPE, Support.VARIANT)


def provenance(asked: Table, seen: Table, support: NDArray[np.str_]) -> NDArray[np.str_]:
    """Values of Provenance for every case; shape (len(asked),). ``support`` is what each leans on in ``seen``.

    Measured: the configuration was, from half the smallest to the largest concurrency asked about. Scaled: it was with another release or
    setting, at such a concurrency; or its model, chip, engine and precision were, at another shape or parallelism, within a factor of 9 of
    the lengths. Extrapolated: the same, farther away. Everything else is Estimated.
    """
    told = np.full(len(asked), Provenance.ESTIMATED.value, dtype="U16")
    own = np.isin(support, OWN)
    told[own] = np.where(
        _near(asked, *loads(asked, seen))[own], Provenance.MEASURED.value, Provenance.EXTRAPOLATED.value
    )
    released = support == Support.RELEASE.value
    of_any = Shared(asked, seen).extent(CONFIGURATION, seen.concurrency)
    told[released] = np.where(
        _near(asked, *of_any)[released], Provenance.SCALED.value, Provenance.EXTRAPOLATED.value
    )
    other = np.flatnonzero(np.isin(support, _OTHER))
    near = _farthest(asked.take(other), seen) <= FAR
    told[other] = np.where(near, Provenance.SCALED.value, Provenance.EXTRAPOLATED.value)
    return told


def _near(asked: Table, low: Floats, high: Floats) -> NDArray[np.bool_]:
    """Whether the concurrency is from half the least to the most."""
    return (asked.concurrency >= low / 2 * (1 - _SLACK)) & (asked.concurrency <= high * (1 + _SLACK))


def _farthest(asked: Table, seen: Table) -> Floats:
    """How far the lengths of each case are from the range of those measured of its variant, in logarithms, input and output together."""
    total, shared = np.zeros(len(asked)), Shared(asked, seen)
    for column in ("input", "output"):
        low, high = shared.extent(VARIANT, np.log(getattr(seen, column)))
        at = np.log(getattr(asked, column))
        total += np.maximum(np.maximum(low - at, at - high), 0.0)
    return total
