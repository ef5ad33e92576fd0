"""Whether a measured point can be true of the hardware: no token comes faster than the chips read the weights that it needs.

A decode step reads the active parameters at least once, whatever the batch, so its time is at least their bytes divided by the
bandwidth of all chips together. That is the least possible: KV cache, the experts that others in the batch use, layers waited for and
what the bandwidth falls short of its data sheet only add to it. A first token needs such a step too.
"""

from __future__ import annotations

from chipwise.performance.types import Hardware, Metric, Point
from chipwise.reasons import Reason, Refusal

READ_SHARE = 0.9
"""Share of the active parameters that a step surely reads: of the input embedding a token reads one row, and where the output has a
matrix of its own that is up to 8 % of the parameters (Qwen3-8B, Qwen2.5-7B)."""

_GB = 1e9


def least_step_ms(hardware: Hardware) -> float:
    """Give the shortest time of one decode step in milliseconds: ``READ_SHARE`` of the active weights over all chips' bandwidth."""
    weights = hardware.architecture.active_parameters * hardware.weight_bits / 8
    return 1000 * READ_SHARE * weights / (hardware.chips * hardware.chip.bandwidth_bytes_per_second)


def implausible(
    hardware: Hardware, point: Point, metric: Metric, tokens_per_step: float = 1.0
) -> Refusal | None:
    """Refuse as IMPLAUSIBLE a TTFT or TPOT below what the memory bandwidth allows, with the figures of the case; else None.

    ``tokens_per_step`` is the mean acceptance length of speculative decoding, 1 without: one step then yields so many tokens. It does not
    help the first token.
    """
    told, tokens = (
        (point.ttft_ms, 1.0) if metric is Metric.TTFT else (point.tpot_ms, max(tokens_per_step, 1.0))
    )
    least = least_step_ms(hardware) / tokens
    if told >= least:
        return None
    weights = hardware.architecture.active_parameters * hardware.weight_bits / 8 / _GB
    bandwidth = hardware.chip.bandwidth_bytes_per_second / _GB
    each = f" at {tokens:g} tokens a step" if tokens > 1 else ""
    return Refusal(
        Reason.IMPLAUSIBLE,
        f"{told:g} ms is less than the {least:.4g} ms that reading {weights:.1f} GB of active weights takes on {hardware.chips} chip(s) of "
        f"{bandwidth:.0f} GB/s{each}; correct chip, chips or precision",
    )
