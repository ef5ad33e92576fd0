"""Kubernetes quantities: exact values, and the one spelling in which the API server stores each.

Follows k8s.io/apimachinery/pkg/api/resource: decimal and binary suffixes and exponents, values rounded up to nano, at rest written
with the largest suffix that leaves a whole number.
"""

from __future__ import annotations

import re
from fractions import Fraction
from math import ceil

_FORM = re.compile(r"([+-]?)(\d+(?:\.\d*)?|\.\d+)(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?\d+))?\Z")
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_DECIMAL = {-9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E"}
_EXPONENT = {suffix: exponent for exponent, suffix in _DECIMAL.items()}
_NANO = Fraction(1, 10**9)
_MILLI = Fraction(1, 1000)


def parse(quantity: str | float) -> Fraction:
    """Return the exact value. Raises ValueError for what is no quantity."""
    return _read(quantity)[0]


def canonical(quantity: str | float, *, resource: bool = False) -> str:
    """Return the spelling at rest. In a resource list (``resource``) values are rounded up to a thousandth besides."""
    value, form = _read(quantity)
    if resource:
        value = Fraction(ceil(value / _MILLI)) * _MILLI
    if value == 0:
        return "0"
    if form == "binary" and abs(value) >= 1024 and value.denominator == 1:
        return _binary(value.numerator)
    return _decimal(value, exponent_form=form == "exponent")


def milli(quantity: str | float) -> int:
    """In thousandths, rounded up: millicores of a CPU quantity."""
    return ceil(parse(quantity) * 1000)


def whole(quantity: str | float) -> int:
    """In units, rounded up: bytes of memory, or a count of chips."""
    return ceil(parse(quantity))


def _read(quantity: str | float) -> tuple[Fraction, str]:
    match = _FORM.match(str(quantity).strip())
    if match is None:
        raise ValueError(f"{quantity!r} is not a quantity such as 4, 500m or 16Gi")
    sign, digits, binary, decimal, exponent = match.groups()
    value = Fraction(digits if digits[-1] != "." else digits[:-1])
    form = "decimal"
    if binary is not None:
        value, form = value * 1024 ** _BINARY.index(binary), "binary"
    elif decimal is not None:
        value *= Fraction(10) ** _EXPONENT[decimal]
    elif exponent is not None:
        value, form = value * Fraction(10) ** int(exponent), "exponent"
    value = Fraction(ceil(value / _NANO)) * _NANO
    return (-value if sign == "-" else value), form


def _binary(value: int) -> str:
    power = 0
    while value % 1024 == 0 and power < len(_BINARY) - 1:
        value, power = value // 1024, power + 1
    return f"{value}{_BINARY[power]}"


def _decimal(value: Fraction, *, exponent_form: bool) -> str:
    exponent = -9
    scaled = int(value * 10**9)
    while scaled % 1000 == 0 and exponent < 18:
        scaled, exponent = scaled // 1000, exponent + 3
    if exponent_form:
        return f"{scaled}e{exponent}" if exponent else str(scaled)
    return f"{scaled}{_DECIMAL[exponent]}"
