"""Decimal numbers as strings, because the API conventions of Kubernetes allow no floats: prices, rates, coefficients, ratios, percentages."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field

from chipwise.api.rules import Rule
from chipwise.api.text import Form

#: A number with at least one digit that is not zero.
ABOVE_ZERO = r"([0-9]*[1-9][0-9]*(\.[0-9]+)?|[0-9]+\.[0-9]*[1-9][0-9]*)"

POSITIVE = Form(
    f"^{ABOVE_ZERO}$",
    20,
    'must be a decimal number greater than zero, in quotes and with nothing around it, such as "98.32"',
)
NOT_NEGATIVE = Form(
    r"^[0-9]+(\.[0-9]+)?$", 20, 'must be a decimal number of at least zero, in quotes, such as "0.41"'
)
RATIO = Form(
    r"^(0(\.[0-9]+)?|1(\.0+)?)$", 20, 'must be a decimal number from 0 to 1, in quotes, such as "0.35"'
)
PERCENTAGE = Form(
    "^[0-9]{1,3}%$",
    8,
    'must be a whole number of per cent below 1000 with its sign, in quotes, such as "20%"',
)
CONFIDENCE = Form(
    "^([5-8][0-9]|9[0-5])%$",
    8,
    'must be a whole number of per cent from 50% to 95%, in quotes, such as "80%"',
)

PositiveDecimal = Annotated[str, POSITIVE]
NonNegativeDecimal = Annotated[str, NOT_NEGATIVE]
RatioDecimal = Annotated[str, RATIO]
Percentage = Annotated[str, PERCENTAGE]
Confidence = Annotated[str, CONFIDENCE]
#: In status only: what chipwise itself wrote.
AnyDecimal = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$", max_length=32)]


def to_share(text: str) -> float:
    """Return what a percentage means, 0.2 for 20%. Raises ValueError for what is none."""
    if not PERCENTAGE.matches(text):
        raise ValueError(f"{text!r} is not a percentage such as 20%")
    return int(text.removesuffix("%")) / 100


def to_decimal(text: str) -> Decimal:
    """Return the exact value of a decimal string. Raises ValueError for anything that the patterns above refuse."""
    if not NOT_NEGATIVE.matches(text.removeprefix("-")):
        raise ValueError(f"{text!r} is not a decimal number such as 98.32")
    return Decimal(text)


def not_below(upper: str, lower: str, message: str) -> Rule:
    """Demand that the decimal field ``upper`` (as in YAML), where given, is at least the decimal field ``lower``.

    Compared as doubles, as CEL can do no better. Fields that are no decimals at all are left to their own rules.
    """
    top, bottom = f"self.{upper}", f"self.{lower}"
    cel = f"!has({top}) || !{POSITIVE.holds(top)} || !{POSITIVE.holds(bottom)} || double({top}) >= double({bottom})"
    return Rule(cel, message, lambda value: _not_below(value, upper, lower), f".{upper}")


def _not_below(value: Any, upper: str, lower: str) -> bool:
    fields = {value.alias_of(name): getattr(value, name) for name in type(value).model_fields}
    return fields[upper] is None or float(fields[upper]) >= float(fields[lower])
