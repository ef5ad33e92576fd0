"""The number formats of weights, and what they are computed in: their own where the chip has units for it, else 16 bits.

A format that the chip has no units for is a format of storage: engines widen such weights to 16 bits on their way to the units, as
vLLM's Marlin kernels do with 4-bit and 8-bit weights.
"""

from __future__ import annotations

from collections.abc import Container

WEIGHT_BITS = {"bf16": 16, "fp16": 16, "fp8": 8, "int8": 8, "fp4": 4, "int4": 4}
"""Bits of a weight at each precision; 4-bit formats have block scales beside them."""

WIDENED = ("bf16", "fp16")


def computed_in(precision: str, published: Container[str]) -> str | None:
    """The first of ``precision``, bf16 and fp16 at which TFLOPS are published; None if they are at none of them."""
    return next((each for each in (precision, *WIDENED) if each in published), None)
