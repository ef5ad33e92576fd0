"""What is asked of the shipped catalogue on the command line, and its refusals as errors."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from chipwise.cli.errors import BadInput
from chipwise.reasons import Refusal

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Asked:
    """One name, or all; of one cloud and region, or all."""

    name: str | None = None
    cloud: str | None = None
    region: str | None = None


def stated_price(text: str, wanted: str, most: int | None = None) -> tuple[str, Decimal]:
    """NAME=AMOUNT as --price has it. Raises BadInput, which says what is ``wanted``, for an amount not above 0 or beyond ``most``."""
    name, equals, amount = text.partition("=")
    try:
        found = Decimal(amount)
    except InvalidOperation:
        found = Decimal(0)
    if not equals or not found.is_finite() or found <= 0 or (most is not None and found > most):
        raise BadInput(f"--price {text}: must be {wanted}")
    return name, found


def granted(found: Found | Refusal) -> Found:
    """What was found. Raises BadInput with reason and message."""
    if isinstance(found, Refusal):
        raise BadInput(f"{found.reason.value}: {found.message}")
    return found
