"""How many of a case's requests are in service at once: what fits the memory of its chips, copies of the attention and pipeline included."""

from __future__ import annotations

from dataclasses import dataclass, replace

from chipwise.performance import memory
from chipwise.performance.estimator.cases import Case, routed_parameters
from chipwise.performance.types import Hardware, Shape
from chipwise.reasons import Reason, Refusal


@dataclass(frozen=True, slots=True)
class Room:
    """What one copy of the attention is on, how many copies there are, and the longest request that the model allows."""

    copy: Hardware
    copies: int
    model: str

    def holds(self, input_tokens: float, output_tokens: float) -> int | Refusal:
        """Count the requests that all copies hold together; as ``memory.requests_that_fit`` of one copy.

        Refused as CONTEXT_EXCEEDED where one request is longer than the model's context, and as MEMORY_EXCEEDED where not one fits.
        """
        tokens, most = input_tokens + output_tokens, self.copy.architecture.max_context_tokens
        if most is not None and tokens > most:
            return Refusal(
                Reason.CONTEXT_EXCEEDED,
                f"a request of {tokens:.0f} tokens is longer than the {most} that {self.model} allows",
            )
        held = memory.requests_that_fit(self.copy, Shape(input_tokens, output_tokens))
        return held if isinstance(held, Refusal) else held * self.copies


def room_of(case: Case) -> Room:
    """A copy has ``tensor`` chips with ``pipeline`` times the memory each, all weights but the routed experts, and of these its share."""
    a = case.architecture
    if case.data > 1:
        routed = routed_parameters(a)
        a = replace(a, parameters=round(a.parameters - routed + routed / case.data))
    chip = replace(case.chip, memory_bytes=case.chip.memory_bytes * case.pipeline)
    return Room(Hardware(a, chip, case.tensor, case.weight_bits), case.data, case.model)
