"""A first honest estimate from chip and model alone, for variants that nobody has measured.

One decode step with n requests reads the weights once and every request's KV cache, computes n tokens, pays a latency for each layer
and, under tensor parallelism, two all-reduces a layer; it also shares the chips with the prefill of the others. All chips of a
replica are taken as one tensor-parallel group. The figure that matters is the band: this is for ranking and for seeing what is
impossible, not for promising.
"""

from __future__ import annotations

from dataclasses import dataclass

from chipwise.performance.curve import Curve, Origin, trace
from chipwise.performance.iteration import fresh_tokens
from chipwise.performance.memory import cache_bytes_per_token, requests_that_fit
from chipwise.performance.types import Hardware, Provenance, Shape
from chipwise.reasons import Reason, Refusal

ESTIMATED = Origin(Provenance.ESTIMATED, tpot_band=0.5, ttft_band=0.9)
"""Wider than seen, because a new chip may be unlike the seen ones. Over 452 published rows (four models on H100, H200 and B200,
aiconfigurator's silicon sample) TPOT misses by 16 % in the median and 39 % at the 90th percentile with nothing fitted, TTFT by 30 %
and 72 % after the four TTFT constants below were fitted to these very rows. H200 was worst: TPOT 33 % too low in the median."""

DEFAULT_CONCURRENCY = 256
"""Requests in one batch if nothing says otherwise: the long-standing default of vLLM's ``max_num_seqs``."""

BANDWIDTH_SHARE = 0.8
"""Large matrix-vector kernels reach 75 to 90 % of a stated memory bandwidth."""

COMPUTE_SHARE = 0.5
"""Prefill reaches 40 to 60 % of a stated dense peak on models of tens of billions of parameters."""

LAYER_MS = 0.025
"""Latency of one layer beyond its bytes: about ten dependent kernels at 2 to 3 microseconds each with recorded graphs."""

ALL_REDUCE_MS = 0.012
"""Latency of one small all-reduce within a scale-up domain: 10 to 15 microseconds for custom kernels."""

LINK_SHARE = 0.7
"""Share of the stated link bandwidth that a ring all-reduce of large messages reaches."""

FALLBACK_LINK = 32e9
"""Bytes per second in one direction when the class declares no interconnect: PCIe 4.0 x16, what every accelerator host has."""

ACTIVATION_BYTES = 2

DISPATCH_MS = 40.0
"""Fitted: what a first token costs before any computing, the request's way through server, tokeniser and scheduler."""

PREFILL_STRETCH = 2.0
"""Fitted: a served prefill is cut into chunks that share the chips with running decodes."""

PREFILLS_AHEAD = 0.06
"""Fitted: for each other request in service, this much of its prefill is waited for."""

FIRST_STEPS = 4.0
"""Fitted: decode steps that pass while a request is scheduled, admitted and its first token returned."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The replica as one machine, times in milliseconds."""

    hardware: Hardware

    def weights_ms(self, tokens: float) -> float:
        """Read the weights once.

        Of a mixture of experts, n tokens touch 1 - (1 - active/total)**n of the parameters: one token its active share, a large batch
        everything, as if routing were uniform.
        """
        a = self.hardware.architecture
        share = 1 - (1 - min(a.active_parameters / a.parameters, 1.0)) ** tokens
        return self._read_ms(a.parameters * share * self.hardware.weight_bits / 8)

    def cache_ms(self, tokens: float) -> float:
        """Read the KV cache of so many tokens."""
        return self._read_ms(tokens * cache_bytes_per_token(self.hardware, self.hardware.chips))

    def compute_ms(self, tokens: float, context: float) -> float:
        """Compute: two operations for each active parameter and token, and four for each layer, hidden dimension and token attended to."""
        a = self.hardware.architecture
        operations = tokens * (2 * a.active_parameters + 4 * a.layers * a.hidden_size * context)
        return 1000 * operations / (self.hardware.chips * (self.hardware.chip.flops or 0.0) * COMPUTE_SHARE)

    def fixed_ms(self) -> float:
        """Wait for all layers, and of their two all-reduces when there is more than one chip."""
        collectives = 2 * ALL_REDUCE_MS if self.hardware.chips > 1 else 0.0
        return self.hardware.architecture.layers * (LAYER_MS + collectives)

    def exchange_ms(self, tokens: float) -> float:
        """Move the activations of so many tokens in two ring all-reduces a layer: 2 * (chips - 1) / chips of the bytes each."""
        a, chips = self.hardware.architecture, self.hardware.chips
        link = (self.hardware.chip.interconnect_bytes_per_second or FALLBACK_LINK) * LINK_SHARE
        return (
            1000 * 2 * a.layers * tokens * a.hidden_size * ACTIVATION_BYTES * 2 * (chips - 1) / chips / link
        )

    def _read_ms(self, amount: float) -> float:
        return (
            1000
            * amount
            / (self.hardware.chips * self.hardware.chip.bandwidth_bytes_per_second * BANDWIDTH_SHARE)
        )


def estimated_curve(hardware: Hardware, shape: Shape, max_concurrency: int | None) -> Curve | Refusal:
    """Estimate the times of one replica; concurrency is bounded by the KV cache.

    Refused as CONTEXT_EXCEEDED if the mean request is longer than the model allows, as MEMORY_EXCEEDED if it does not fit, as
    NO_PERFORMANCE if the class declares no FLOP/s at the variant's precision.
    """
    longest = hardware.architecture.max_context_tokens
    tokens = shape.input_tokens + shape.output_tokens
    if longest is not None and tokens > longest:
        return Refusal(
            Reason.CONTEXT_EXCEEDED,
            f"The mean request has {tokens:.0f} tokens; the model's context is {longest}.",
        )
    fitting = requests_that_fit(hardware, shape)
    if isinstance(fitting, Refusal):
        return fitting
    if not hardware.chip.flops:
        return Refusal(
            Reason.NO_PERFORMANCE,
            "The chip declares no dense FLOP/s at this precision, so prefill is unknown.",
        )
    machine, outputs = Machine(hardware), shape.output_tokens
    fresh, context = fresh_tokens(shape), shape.input_tokens + shape.output_tokens / 2
    prefill = machine.compute_ms(fresh, shape.input_tokens / 2) + machine.exchange_ms(fresh)

    def step(n: int) -> float:
        roofline = max(machine.weights_ms(n), machine.compute_ms(n, 0.0))
        moved = machine.cache_ms(n * context) + machine.exchange_ms(n)
        return machine.fixed_ms() + roofline + moved + (n - 1) * prefill / outputs

    def first(n: int) -> float:
        return DISPATCH_MS + prefill * (PREFILL_STRETCH + PREFILLS_AHEAD * (n - 1)) + FIRST_STEPS * step(n)

    cap = min(fitting, DEFAULT_CONCURRENCY if max_concurrency is None else max_concurrency)
    return trace(cap, first, step, outputs, ESTIMATED)
