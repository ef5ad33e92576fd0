"""What fits the memory of one replica's chips: the weights, and the KV cache of so many whole requests."""

from __future__ import annotations

import math

from chipwise.performance.types import Architecture, Hardware, Shape
from chipwise.reasons import Reason, Refusal

USABLE = 0.9
"""Share of device memory for weights and KV cache: the default of vLLM's ``gpu_memory_utilization``; the rest is the runtime, activations
and communication buffers."""

CACHE_BYTES = 2
"""Bytes of one KV element: engines keep the cache in 16 bits unless told otherwise, also for quantised weights."""

UNBOUNDED = 1_000_000
"""Said where no request keeps anything: the most that ``maxConcurrency`` can say."""

_GB = 1e9


def weight_bytes(hardware: Hardware) -> float:
    """Count all parameters at the variant's precision, over all chips."""
    return hardware.architecture.parameters * hardware.weight_bits / 8


def cache_bytes(hardware: Hardware, tokens: float, chips: int) -> float:
    """Count what one request of so many tokens keeps over so many chips.

    A layer with a sliding window keeps its last tokens only, one of linear attention none. The state that the latter keeps for each
    request, whatever its length, is not counted: no ``config.json`` says its size in one way.
    """
    a = hardware.architecture
    full, sliding, window = keeping_layers(a)
    layer = elements(a) * CACHE_BYTES * max(chips / divisible(a), 1.0)
    return (full * tokens + sliding * min(tokens, window)) * layer


def keeping_layers(a: Architecture) -> tuple[int, int, float]:
    """Layers that keep every token, layers with a sliding window, and the tokens of that."""
    window = math.inf if a.sliding_window is None else float(a.sliding_window)
    return a.layers - a.linear_layers - a.sliding_layers, a.sliding_layers, window


def elements(a: Architecture) -> float:
    """Count the elements that one token keeps in one layer: keys and values of every head, or one latent vector."""
    return 2.0 * a.kv_heads * a.head_dim if a.latent_dim is None else float(a.latent_dim)


def divisible(a: Architecture) -> int:
    """Over how many chips a layer's cache can be divided before they hold copies.

    A chip holds at least one head, so more chips than heads hold copies; a latent vector cannot be divided, so every chip holds one.
    """
    return a.kv_heads if a.latent_dim is None else 1


def requests_that_fit(hardware: Hardware, shape: Shape) -> int | Refusal:
    """Count the whole requests of this shape that the KV cache holds beside the weights, at least one.

    Refused as MEMORY_EXCEEDED with the figures and the smallest chip count that would fit. A shared prefix is counted once for each
    request: it may be evicted at any time.
    """
    tokens = shape.input_tokens + shape.output_tokens
    request = cache_bytes(hardware, tokens, hardware.chips)
    room = hardware.chips * hardware.chip.memory_bytes * USABLE - weight_bytes(hardware)
    if room >= request:
        return int(min(room / request, UNBOUNDED)) if request else UNBOUNDED
    return Refusal(
        Reason.MEMORY_EXCEEDED,
        f"Needs {weight_bytes(hardware) / _GB:.1f} GB of weights and {request / _GB:.2f} GB of KV cache for one request of "
        f"{tokens:.0f} tokens; {hardware.chips} x {hardware.chip.memory_bytes / _GB:.0f} GB leave "
        f"{hardware.chips * hardware.chip.memory_bytes * USABLE / _GB:.1f} GB usable. {_smallest(hardware, tokens)}",
    )


def _smallest(hardware: Hardware, tokens: float) -> str:
    """Name the smallest chip count that fits: KV heads are divided up to their number, then copied to every further chip."""
    heads = divisible(hardware.architecture)
    usable = hardware.chip.memory_bytes * USABLE
    request = cache_bytes(hardware, tokens, 1)
    chips = math.ceil((weight_bytes(hardware) + request) / usable)
    if chips > heads:
        left = usable - request / heads
        if left <= 0:
            return "No number of these chips fits it."
        chips = max(math.ceil(weight_bytes(hardware) / left), heads + 1)
    return f"{chips} of these chips would fit it."
