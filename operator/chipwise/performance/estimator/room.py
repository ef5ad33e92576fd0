"""How many of a case's requests are in service at once: what fits the memory of its chips, copies of the attention and pipeline included."""

from __future__ import annotations

from dataclasses import replace

from chipwise.performance import memory
from chipwise.performance.estimator.cases import Case, routed_parameters
from chipwise.performance.types import Hardware, Shape
from chipwise.reasons import Reason, Refusal


def requests_that_fit(case: Case) -> int | Refusal:
    """Count the requests that all copies of the attention hold together; as ``memory.requests_that_fit`` of one copy.

    A copy has ``tensor`` chips with ``pipeline`` times the memory each, all weights but the routed experts, and of these its share.
    Refused as CONTEXT_EXCEEDED where one request is longer than the model's context, and as MEMORY_EXCEEDED where not one fits.
    """
    a = case.architecture
    tokens = case.input_tokens + case.output_tokens
    if a.max_context_tokens is not None and tokens > a.max_context_tokens:
        return Refusal(
            Reason.CONTEXT_EXCEEDED,
            f"a request of {tokens:.0f} tokens is longer than the {a.max_context_tokens} that {case.model} allows",
        )
    if case.data > 1:
        routed = routed_parameters(a)
        a = replace(a, parameters=round(a.parameters - routed + routed / case.data))
    chip = replace(case.chip, memory_bytes=case.chip.memory_bytes * case.pipeline)
    held = memory.requests_that_fit(
        Hardware(a, chip, case.tensor, case.weight_bits), Shape(case.input_tokens, case.output_tokens)
    )
    return held if isinstance(held, Refusal) else held * case.data
