"""The curve of a variant that nobody measured: the estimator asked over the concurrencies of one replica.

Times are read as those of a benchmark that holds n requests in service, as measured points are: TTFT includes the share of the other
requests' prefills that a first token waits for at that concurrency, and none of the wait for a place, which the queue adds. The
estimator's own wait for a place in the KV cache is 0 here or nearly so, for the batch cap is what the cache holds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from chipwise.performance.asking import Answer, Question, answer, foresee
from chipwise.performance.curve import MAX_IN_SERVICE, Curve, Origin, trace
from chipwise.performance.isotonic import non_decreasing
from chipwise.performance.memory import requests_that_fit
from chipwise.performance.types import Provenance, Shape, Unmeasured
from chipwise.reasons import Reason, Refusal

DEFAULT_CONCURRENCY = 256
"""Requests in one batch if nothing says otherwise: the long-standing default of vLLM's ``max_num_seqs``."""

LEVELS_PER_DOUBLING = 2
"""Concurrencies that are asked for. Between them times are linear, as a step is in the requests but for the experts they touch."""

_LEANING = dict.fromkeys(
    ("Configuration", "Edge", "Beyond", "Release", "Shape", "Variant"), Provenance.SCALED
)
"""What figures are called by the ``Support`` they have; anything else is an estimate."""

Asked = tuple[Unmeasured, Shape, int | None]
"""The arguments of ``estimated_curve``."""


def estimated_curve(knowledge: Unmeasured, shape: Shape, max_concurrency: int | None) -> Curve | Refusal:
    """Estimate the times of one replica; concurrency is bounded by the KV cache.

    Refused as CONTEXT_EXCEEDED if the mean request is longer than the model allows, as MEMORY_EXCEEDED if it does not fit, as
    NO_PERFORMANCE if the class declares no FLOP/s at the variant's precision, nor at 16 bits.
    """
    question = _question(knowledge, shape, max_concurrency)
    if isinstance(question, Refusal):
        return question
    levels, told = question.levels, answer(question)
    first_ms = _between(levels, non_decreasing(told.ttft_ms))
    token_ms = _between(levels, non_decreasing(told.tpot_ms))
    return trace(
        levels[-1],
        lambda n: first_ms[n - 1],
        lambda n: token_ms[n - 1],
        shape.output_tokens,
        _origin(levels, told),
    )


def estimate_together(asked: Iterable[Asked]) -> None:
    """Do the work of many curves at once, so that each is at hand when it is asked for; what is refused is no work."""
    questions = (_question(*one) for one in asked)
    foresee(one for one in questions if isinstance(one, Question))


def leans_on(knowledge: Unmeasured, shape: Shape, max_concurrency: int | None = None) -> str | Refusal:
    """Name what was measured that an estimate at this shape leans on: a value of ``estimator.Support``. Refused as the curve is."""
    question = _question(knowledge, shape, max_concurrency)
    return question if isinstance(question, Refusal) else answer(question).support


def levels_up_to(cap: int) -> tuple[int, ...]:
    """The concurrencies to ask for, 1 and the cap among them; in equal steps of the logarithm."""
    steps = range(math.ceil(LEVELS_PER_DOUBLING * math.log2(cap)))
    return tuple(sorted({min(round(2 ** (step / LEVELS_PER_DOUBLING)), cap) for step in steps} | {1, cap}))


def _question(knowledge: Unmeasured, shape: Shape, max_concurrency: int | None) -> Question | Refusal:
    """What is to be estimated up to the batch cap, or why nothing is."""
    longest = knowledge.hardware.architecture.max_context_tokens
    tokens = shape.input_tokens + shape.output_tokens
    if longest is not None and tokens > longest:
        return Refusal(
            Reason.CONTEXT_EXCEEDED,
            f"The mean request has {tokens:.0f} tokens; the model's context is {longest}.",
        )
    fitting = requests_that_fit(knowledge.hardware, shape)
    if isinstance(fitting, Refusal):
        return fitting
    if not knowledge.hardware.chip.flops:
        return Refusal(
            Reason.NO_PERFORMANCE,
            "The chip declares no dense FLOP/s at this precision nor at 16 bits, so prefill is unknown.",
        )
    wanted = DEFAULT_CONCURRENCY if max_concurrency is None else max_concurrency
    return Question(knowledge, shape, levels_up_to(min(fitting, wanted, MAX_IN_SERVICE)))


def _origin(levels: tuple[int, ...], told: Answer) -> Origin:
    """The bands at each level; between two levels the wider of theirs."""
    provenance = _LEANING.get(told.support, Provenance.ESTIMATED)
    last = Origin(provenance, told.tpot_band[-1], told.ttft_band[-1], cautious=True)
    between = zip(pairwise(told.tpot_band), pairwise(told.ttft_band), strict=True)
    origins = (replace(last, tpot_band=max(tpot), ttft_band=max(ttft)) for tpot, ttft in between)
    return replace(last, below=tuple(zip(map(float, levels[1:]), origins, strict=True)))


def _between(levels: tuple[int, ...], values: Sequence[float]) -> list[float]:
    """Values at 1, 2 .. the last level, linear between the levels."""
    found = [values[0]]
    for (left, right), (low, high) in zip(pairwise(levels), pairwise(values), strict=True):
        found += [low + (high - low) * (n - left) / (right - left) for n in range(left + 1, right + 1)]
    return found
