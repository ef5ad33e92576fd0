"""Which entries of the shipped catalogue are asked for, and a refusal of the catalogue as an error of the command line."""

from __future__ import annotations

from dataclasses import dataclass
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


def granted(found: Found | Refusal) -> Found:
    """What was found. Raises BadInput with reason and message."""
    if isinstance(found, Refusal):
        raise BadInput(f"{found.reason.value}: {found.message}")
    return found
