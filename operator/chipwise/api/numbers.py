"""Whole numbers, bounded. Strict: neither ``"8"`` nor ``true`` is a number, as for the API server."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
CountOrZero = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
Tokens = Annotated[int, Field(strict=True, ge=1, le=100_000_000)]
Parameters = Annotated[int, Field(strict=True, ge=1, le=1_000_000_000_000_000)]
Chips = Annotated[int, Field(strict=True, ge=1, le=64)]
SpareReplicas = Annotated[int, Field(strict=True, ge=1, le=100)]
Seconds = Annotated[int, Field(strict=True, ge=1, le=86_400)]
SecondsOrZero = Annotated[int, Field(strict=True, ge=0, le=86_400)]
Generation = Annotated[int, Field(strict=True, ge=0)]
Flag = Annotated[bool, Field(strict=True)]
