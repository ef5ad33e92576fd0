"""Fitting constants to measurements of which some are wrong: the most probable logarithms under a soft-L1 loss and what is supposed.

Minimises sum(2 * (sqrt(1 + (r / scale)**2) - 1)) + sum(((x - supposed) / scatter)**2) over x by damped Gauss-Newton steps on the
reweighted squares (Holland and Welsch, 1977). Soft L1 counts small residuals squared and large ones by their size, so a row that is
off by a factor of ten does not move the rest.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from chipwise.performance.estimator.cases import Floats

STEPS, HALVINGS, CLOSE = 60, 12, 1e-7
_SLOPE = 1e-4


def most_probable(
    model: Callable[[Floats], Floats], observed: Floats, supposed: Floats, scatter: Floats, scale: float
) -> Floats:
    """The logarithms at which ``model`` (of the same shape as ``observed``, both logarithms) fits best; starts at ``supposed``."""

    def cost(x: Floats) -> float:
        z = ((model(x) - observed) / scale) ** 2
        return float(np.sum(2 * (np.sqrt(1 + z) - 1)) + np.sum(((x - supposed) / scatter) ** 2))

    x, now = supposed.copy(), cost(supposed)
    for _ in range(STEPS):
        told, slopes = model(x), jacobian(model, x)
        residual = (told - observed) / scale
        weight = 1 / np.sqrt(1 + residual**2)
        weighted = slopes / scale * weight[:, None]
        curvature = weighted.T @ (slopes / scale) + np.diag(scatter**-2.0)
        step = -np.linalg.solve(curvature, weighted.T @ residual + (x - supposed) / scatter**2)
        part, after = 1.0, cost(x + step)
        for _ in range(HALVINGS):
            if after <= now:
                break
            part /= 2
            after = cost(x + part * step)
        if after > now:
            break
        x, gained, now = x + part * step, now - after, after
        if gained < CLOSE * max(now, 1.0):
            break
    return x


def jacobian(model: Callable[[Floats], Floats], x: Floats) -> Floats:
    """Slopes of every figure along every constant, by differences; shape (rows, constants)."""
    base = model(x)
    return np.stack([(model(x + _SLOPE * unit) - base) / _SLOPE for unit in np.eye(len(x))], axis=1)
