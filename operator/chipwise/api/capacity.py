"""On what terms nodes are lent, and what their price buys."""

from __future__ import annotations

from enum import StrEnum


class CapacityType(StrEnum):
    """On what terms the provider lends the nodes."""

    ON_DEMAND = "OnDemand"
    SPOT = "Spot"
    RESERVED = "Reserved"


class PriceUnit(StrEnum):
    """What the price buys."""

    NODE = "Node"
    CHIP = "Chip"
