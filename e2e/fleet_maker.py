"""What all parts of a fleet by chance are made with: one throw of dice after the other, and names that no other fleet has."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]

DOMAIN = "truth.example.com"
FLEET = f"{DOMAIN}/fleet"
POOL, ZONE, HOSTNAME = f"{DOMAIN}/pool", "topology.kubernetes.io/zone", "kubernetes.io/hostname"
READY_DELAY = "pod-ready.stage.kwok.x-k8s.io/delay"
DELETE_DELAY = "pod-delete.stage.kwok.x-k8s.io/delay"
ZONES = ("zone-a", "zone-b")
GIB = "Gi"


@dataclass
class Maker:
    """The dice of one seed, and what they have decided so far: by pool its class, price, count of nodes and shape."""

    seed: int
    dice: random.Random
    name: str
    classes: list[str] = field(default_factory=list)
    pools: dict[str, str] = field(default_factory=dict)
    prices: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    shapes: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    variants: list[Document] = field(default_factory=list)

    def resource(self, chip_class: str) -> str:
        """What the device plugin of a class offers."""
        return f"{DOMAIN}/{self.name}-{chip_class}"

    def some(self, chance: float) -> bool:
        """Whether a throw of this chance comes out."""
        return self.dice.random() < chance
