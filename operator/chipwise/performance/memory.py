"""What fits the memory of one replica's chips: the weights, and the KV cache of so many whole requests."""

from __future__ import annotations

import math

from chipwise.performance.types import Hardware, Shape
from chipwise.reasons import Reason, Refusal

USABLE = 0.9
"""Share of device memory for weights and KV cache: the default of vLLM's ``gpu_memory_utilization``; the rest is the runtime, activations
and communication buffers."""

CACHE_BYTES = 2
"""Bytes of one KV element: engines keep the cache in 16 bits unless told otherwise, also for quantised weights."""

_GB = 1e9


def weight_bytes(hardware: Hardware) -> float:
    """Count all parameters at the variant's precision, over all chips."""
    return hardware.architecture.parameters * hardware.weight_bits / 8


def cache_bytes_per_token(hardware: Hardware, chips: int) -> float:
    """Count keys and values of one token over so many chips. A chip holds at least one KV head, so more chips than heads hold copies."""
    a = hardware.architecture
    copies = max(chips / a.kv_heads, 1.0)
    return 2.0 * a.layers * a.kv_heads * a.head_dim * CACHE_BYTES * copies


def requests_that_fit(hardware: Hardware, shape: Shape) -> int | Refusal:
    """Count the whole requests of this shape that the KV cache holds beside the weights, at least one.

    Refused as MEMORY_EXCEEDED with the figures and the smallest chip count that would fit. A shared prefix is counted once for each
    request: it may be evicted at any time.
    """
    tokens = shape.input_tokens + shape.output_tokens
    request = tokens * cache_bytes_per_token(hardware, hardware.chips)
    room = hardware.chips * hardware.chip.memory_bytes * USABLE - weight_bytes(hardware)
    if room >= request:
        return int(room / request)
    return Refusal(
        Reason.MEMORY_EXCEEDED,
        f"Needs {weight_bytes(hardware) / _GB:.1f} GB of weights and {request / _GB:.2f} GB of KV cache for one request of "
        f"{tokens:.0f} tokens; {hardware.chips} x {hardware.chip.memory_bytes / _GB:.0f} GB leave "
        f"{hardware.chips * hardware.chip.memory_bytes * USABLE / _GB:.1f} GB usable. {_smallest(hardware, tokens)}",
    )


def _smallest(hardware: Hardware, tokens: float) -> str:
    """Name the smallest chip count that fits: KV heads are divided up to their number, then copied to every further chip."""
    heads = hardware.architecture.kv_heads
    usable = hardware.chip.memory_bytes * USABLE
    request = tokens * cache_bytes_per_token(hardware, 1)
    chips = math.ceil((weight_bytes(hardware) + request) / usable)
    if chips > heads:
        left = usable - request / heads
        if left <= 0:
            return "No number of these chips fits it."
        chips = max(math.ceil(weight_bytes(hardware) / left), heads + 1)
    return f"{chips} of these chips would fit it."
