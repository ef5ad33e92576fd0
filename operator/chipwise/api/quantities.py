"""Kubernetes quantities as strings: CPU such as ``96`` or ``500m``, memory such as ``80Gi`` or ``192G``.

Narrower than Kubernetes on purpose: no sign, no zero, no exponent, and no thousandths of a byte.
"""

from __future__ import annotations

import re
from fractions import Fraction
from math import ceil
from typing import Annotated

from chipwise.api.decimals import ABOVE_ZERO
from chipwise.api.text import Form

CPU = Form(
    f"^{ABOVE_ZERO}[mk]?$", 20, 'must be an amount of CPU greater than zero, in quotes, such as "96" or 500m'
)
MEMORY = Form(
    f"^{ABOVE_ZERO}([kMGTPE]|[KMGTPE]i)?$",
    20,
    "must be an amount of memory greater than zero, such as 80Gi or 192G",
)

CpuQuantity = Annotated[str, CPU]
MemoryQuantity = Annotated[str, MEMORY]

_DECIMAL = {
    suffix: Fraction(1000) ** power
    for power, suffix in enumerate(("m", "", "k", "M", "G", "T", "P", "E"), -1)
}
_BINARY = {f"{suffix}i": Fraction(1024) ** power for power, suffix in enumerate("KMGTPE", 1)}
_SCALE = {**_DECIMAL, **_BINARY}


def to_integer(text: str) -> int:
    """In units, rounded up: bytes of memory, whole CPUs. Raises ValueError for what is no quantity."""
    return ceil(_value(text))


def to_milli(text: str) -> int:
    """In thousandths, rounded up: millicores. Raises ValueError for what is no quantity."""
    return ceil(_value(text) * 1000)


def _value(text: str) -> Fraction:
    if not (CPU.matches(text) or MEMORY.matches(text)):
        raise ValueError(f"{text!r} is not a quantity such as 4, 500m or 16Gi")
    number, suffix = re.fullmatch("([0-9.]+)([a-zA-Z]*)", text).groups()  # type: ignore[union-attr]
    return Fraction(number) * _SCALE[suffix]
