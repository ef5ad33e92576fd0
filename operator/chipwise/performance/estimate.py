"""The curve of a variant that nobody measured: the estimator asked over the concurrencies of one replica.

Times are read as those of a benchmark that holds n requests in service, as measured points are: TTFT includes the share of the other
requests' prefills that a first token waits for at that concurrency, and none of the wait for a place, which the queue adds. The
estimator's own wait for a place in the KV cache is 0 here or nearly so, for the batch cap is what the cache holds.

All chips of a replica are taken as one tensor-parallel group. Numpy is loaded with the first estimate, for the command line must start
fast without it.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from chipwise.performance.curve import MAX_IN_SERVICE, Curve, Origin, trace
from chipwise.performance.isotonic import non_decreasing
from chipwise.performance.iteration import fresh_tokens
from chipwise.performance.memory import requests_that_fit
from chipwise.performance.types import Hardware, Provenance, Shape, Unmeasured
from chipwise.reasons import Reason, Refusal

if TYPE_CHECKING:
    from chipwise.performance.estimator import Case

DEFAULT_CONCURRENCY = 256
"""Requests in one batch if nothing says otherwise: the long-standing default of vLLM's ``max_num_seqs``."""

LEVELS_PER_DOUBLING = 2
"""Concurrencies that are asked for. Between them times are linear, as a step is in the requests but for the experts they touch."""

REMEMBERED = 1000
"""Answers of about 4 KB each: a question costs the estimator some 10 ms, and every decision asks anew."""

_LEANING = {"Configuration": Provenance.SCALED, "Variant": Provenance.SCALED}
"""By what was measured before; anything else is an estimate."""


def estimated_curve(knowledge: Unmeasured, shape: Shape, max_concurrency: int | None) -> Curve | Refusal:
    """Estimate the times of one replica; concurrency is bounded by the KV cache.

    Refused as CONTEXT_EXCEEDED if the mean request is longer than the model allows, as MEMORY_EXCEEDED if it does not fit, as
    NO_PERFORMANCE if the class declares no FLOP/s at the variant's precision.
    """
    fitting = _fitting(knowledge.hardware, shape)
    if isinstance(fitting, Refusal):
        return fitting
    wanted = DEFAULT_CONCURRENCY if max_concurrency is None else max_concurrency
    cap = min(fitting, wanted, MAX_IN_SERVICE)
    levels = levels_up_to(cap)
    first, token, origin = _answer(knowledge, shape, levels)
    first_ms, token_ms = _between(levels, first), _between(levels, token)
    return trace(cap, lambda n: first_ms[n - 1], lambda n: token_ms[n - 1], shape.output_tokens, origin)


def leans_on(knowledge: Unmeasured, shape: Shape) -> str:
    """Name what was measured that an estimate at this shape leans on: a value of ``estimator.Support``."""
    from chipwise.performance.estimator import table  # noqa: PLC0415  see the module docstring
    from chipwise.performance.estimator.bands import support  # noqa: PLC0415

    return str(support(table([_case(knowledge, shape, 1)]), knowledge.estimator.tpot.seen)[0])


def levels_up_to(cap: int) -> tuple[int, ...]:
    """The concurrencies to ask for, 1 and the cap among them; in equal steps of the logarithm."""
    steps = range(math.ceil(LEVELS_PER_DOUBLING * math.log2(cap)))
    return tuple(sorted({min(round(2 ** (step / LEVELS_PER_DOUBLING)), cap) for step in steps} | {1, cap}))


def _fitting(hardware: Hardware, shape: Shape) -> int | Refusal:
    """Count the requests that a replica holds at once, or why it serves none."""
    longest = hardware.architecture.max_context_tokens
    tokens = shape.input_tokens + shape.output_tokens
    if longest is not None and tokens > longest:
        return Refusal(
            Reason.CONTEXT_EXCEEDED,
            f"The mean request has {tokens:.0f} tokens; the model's context is {longest}.",
        )
    fitting = requests_that_fit(hardware, shape)
    if isinstance(fitting, int) and not hardware.chip.flops:
        return Refusal(
            Reason.NO_PERFORMANCE,
            "The chip declares no dense FLOP/s at this precision, so prefill is unknown.",
        )
    return fitting


@lru_cache(maxsize=REMEMBERED)
def _answer(
    knowledge: Unmeasured, shape: Shape, levels: tuple[int, ...]
) -> tuple[tuple[float, ...], tuple[float, ...], Origin]:
    """TTFT and TPOT in milliseconds at these concurrencies, neither ever falling, and what they are worth."""
    from chipwise.performance.estimator import table  # noqa: PLC0415  see the module docstring

    told = knowledge.estimator.estimate(table([_case(knowledge, shape, n) for n in levels]))
    bands = zip(
        (told.tpot.high / told.tpot.value - 1).tolist(),
        (told.ttft.high / told.ttft.value - 1).tolist(),
        strict=True,
    )
    provenance = _LEANING.get(str(told.support[0]), Provenance.ESTIMATED)
    return (
        non_decreasing(told.ttft.value.tolist()),
        non_decreasing(told.tpot.value.tolist()),
        _origin(provenance, levels, tuple(bands)),
    )


def _case(knowledge: Unmeasured, shape: Shape, concurrency: int) -> Case:
    from chipwise.performance.estimator import Case  # noqa: PLC0415  see the module docstring

    hardware, names = knowledge.hardware, knowledge.names
    return Case(
        model=names.model,
        architecture=hardware.architecture,
        accelerator=names.accelerator,
        chip=hardware.chip,
        precision=names.precision,
        weight_bits=hardware.weight_bits,
        input_tokens=shape.input_tokens,
        output_tokens=shape.output_tokens,
        concurrency=concurrency,
        prefix_tokens=shape.input_tokens - fresh_tokens(shape),
        tensor=hardware.chips,
        engine=names.engine,
        engine_version=names.engine_version,
    )


def _origin(
    provenance: Provenance, levels: tuple[int, ...], bands: tuple[tuple[float, float], ...]
) -> Origin:
    """Bands of TPOT and TTFT at each level; between two levels the wider of theirs."""
    last = Origin(provenance, *bands[-1], cautious=True)
    below = tuple(
        (
            float(level),
            Origin(provenance, max(left[0], right[0]), max(left[1], right[1]), cautious=True),
        )
        for level, (left, right) in zip(levels[1:], pairwise(bands), strict=True)
    )
    return replace(last, below=below)


def _between(levels: tuple[int, ...], values: tuple[float, ...]) -> list[float]:
    """Values at 1, 2 .. the last level, linear between the levels."""
    found = [values[0]]
    for (left, right), (low, high) in zip(pairwise(levels), pairwise(values), strict=True):
        found += [low + (high - low) * (n - left) / (right - left) for n in range(left + 1, right + 1)]
    return found
