"""The number formats in which weights are served."""

from __future__ import annotations

from enum import StrEnum


class Precision(StrEnum):
    """Number format of the weights, widest first."""

    BF16 = "bf16"
    FP16 = "fp16"
    FP8 = "fp8"
    INT8 = "int8"
    FP4 = "fp4"
    INT4 = "int4"
