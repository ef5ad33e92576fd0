"""The iteration-time model of llm-inferno: times linear in the number in service, from three fitted coefficients.

With n requests in service, ``in`` input tokens of which ``fresh`` are not in the prefix cache, and ``out`` output tokens:

    T(n)       = alpha + n * (beta * (fresh + out) / (out + 1) + gamma * (in + out / 2))
    prefill(n) = T(n) + beta * fresh + gamma * in
    decode(n)  = T(n) + beta + gamma * (in + out / 2)

beta is compute, which a prefix hit saves; gamma is reading the KV cache, which it does not. Checked against the allocation that
llm-inferno publishes for its own sample (tests/data/inferno-small): within 5e-5 in TTFT, 2e-7 in TPOT.
"""

from __future__ import annotations

from chipwise.performance.curve import Curve, MeanRule, Origin, trace
from chipwise.performance.types import Coefficients, Provenance, Shape
from chipwise.reasons import Refusal

FITTED = Origin(Provenance.FITTED, tpot_band=0.12, ttft_band=0.45, rule=MeanRule.PUBLISHED)
"""Straight lines fitted over concurrency to published measurements miss the rows they were fitted to by 4.5 % of TPOT in the median
and 11.6 % at the 90th percentile. That is at their own shape; TTFT is taken to scatter as in ``measured``."""


def batch_cap(coefficients: Coefficients, shape: Shape, max_concurrency: int | None) -> int:
    """Bound the requests in service at once: ``max_batch`` at ``at_tokens`` output tokens, fewer when outputs are longer, at least one."""
    cap = max(int(coefficients.max_batch * coefficients.at_tokens / shape.output_tokens), 1)
    return cap if max_concurrency is None else min(cap, max_concurrency)


def fresh_tokens(shape: Shape) -> float:
    """Count the input tokens to prefill: those not in the prefix cache, at least one, for the last token is always computed."""
    return max(shape.input_tokens * (1 - shape.prefix_hit_ratio), min(1.0, shape.input_tokens))


def iteration_curve(coefficients: Coefficients, shape: Shape, max_concurrency: int | None) -> Curve | Refusal:
    """Tabulate the model. Refused as NO_PERFORMANCE if the coefficients give times that no server has."""
    alpha, beta, gamma = coefficients.alpha, coefficients.beta, coefficients.gamma
    inputs, outputs, fresh = shape.input_tokens, shape.output_tokens, fresh_tokens(shape)
    context = inputs + outputs / 2
    slope = beta * (fresh + outputs) / (outputs + 1) + gamma * context
    prefill = alpha + beta * fresh + gamma * inputs
    decode = alpha + beta + gamma * context
    return trace(
        batch_cap(coefficients, shape, max_concurrency),
        lambda n: prefill + decode + 2 * n * slope,
        lambda n: decode + n * slope,
        outputs,
        FITTED,
    )
