"""How wide a band must be to hold 90 % of the rows, by how much of the case was measured before.

A deviation that the covariance foretells is only as good as its assumptions, so it is held against rows that were left out: of
the same configuration, of whole configurations, of whole models, of whole chips. The 90th percentile of |error| / deviation over
those is what the deviation is multiplied by (Papadopoulos et al., normalised conformal prediction, ECML 2002).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from chipwise.performance.estimator.cases import Floats, Table
from chipwise.performance.estimator.serving import set_otherwise
from chipwise.performance.estimator.sharing import PARALLEL, VARIANT, Shared
from chipwise.performance.types import COVERED


class Support(StrEnum):
    """What was measured that a case can lean on, from the nearest on."""

    CONFIGURATION = "Configuration"  # this configuration at this concurrency, or at others on both sides
    EDGE = "Edge"  # this configuration, at higher concurrencies only
    BEYOND = "Beyond"  # this configuration, at lower concurrencies only
    RELEASE = "Release"  # this configuration, with another or no known release of the engine, or another setting of the server
    SHAPE = "Shape"  # model, chip, engine, precision and number of chips, at other tokens or parallelism
    VARIANT = "Variant"  # model, chip, engine and precision, on another number of chips
    PAIR = "Pair"  # model and chip, with another engine or precision
    MODEL = "Model"  # the model on other chips
    CHIP = "Chip"  # other models on the chip
    NONE = "None"


CONFIGURATION = (*PARALLEL, "prefix", "input", "output")
_RELEASED = (*CONFIGURATION, "version")
_SHARED = {
    Support.CHIP: ("accelerator",),
    Support.MODEL: ("model",),
    Support.PAIR: ("model", "accelerator"),
    Support.VARIANT: VARIANT,
    Support.SHAPE: (*VARIANT, "chips"),
    Support.RELEASE: CONFIGURATION,
}
OWN = (Support.CONFIGURATION, Support.EDGE, Support.BEYOND)
"""The configuration itself, release and settings of the server included, at whatever concurrency."""


def support(asked: Table, seen: Table) -> NDArray[np.str_]:
    """What each case can lean on in what was seen: values of Support; shape (len(asked),).

    A case without an engine version can lean on what was measured with any.
    """
    found = np.full(len(asked), Support.NONE.value, dtype="U16")
    shared = Shared(asked, seen)
    for level, share in _SHARED.items():
        found[shared.codes(share)[0] >= 0] = level.value
    low, high = loads(asked, seen)
    found[low <= high] = Support.CONFIGURATION.value
    found[np.isfinite(low) & (asked.concurrency < low)] = Support.EDGE.value
    found[np.isfinite(high) & (high < asked.concurrency)] = Support.BEYOND.value
    found[np.isin(found, OWN) & set_otherwise(asked, seen)] = Support.RELEASE.value
    return found


def loads(asked: Table, seen: Table) -> tuple[Floats, Floats]:
    """The least and the most concurrency that was measured of each case's configuration and, where it is stated, release; inf and -inf of none."""
    shared, stated = Shared(asked, seen), asked.version != ""
    of_any, of_release = (shared.extent(share, seen.concurrency) for share in (CONFIGURATION, _RELEASED))
    low, high = (np.where(stated, of, any_) for of, any_ in zip(of_release, of_any, strict=True))
    return low, high


def least(found: NDArray[np.str_]) -> str:
    """What all of them can lean on."""
    order = [level.value for level in Support]
    return order[max(map(order.index, found.tolist()))]


@dataclass(frozen=True, slots=True)
class Bands:
    """``factors`` multiply a deviation of the logarithm so that the band holds COVERED of the rows, by support."""

    factors: dict[Support, float]

    def half_widths(self, levels: NDArray[np.str_], deviations: Floats) -> Floats:
        """Half the band of the logarithm for every case, by what it leans on (``support``) and its deviation."""
        factor = np.zeros(len(levels))
        for level, value in self.factors.items():
            factor[levels == level.value] = value
        return factor * deviations


def held_against(errors: Floats, deviations: Floats, groups: int | None = None) -> float:
    """The factor that makes the deviations hold COVERED of these errors.

    Where they are of so many groups, each left out as a whole, the factor is to hold for one group more, which takes a share larger by
    1 / groups (Lei et al., Distribution-Free Predictive Inference for Regression, JASA 2018, section 2.1, a group for each of their points).
    """
    share = COVERED if groups is None else min(COVERED * (1 + 1 / groups), 1.0)
    return float(np.quantile(np.abs(errors) / deviations, share))
