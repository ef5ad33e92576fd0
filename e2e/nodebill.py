"""Which nodes of a fleet were there at each moment, and what they cost."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import datetime

from e2e.admin import Admin
from e2e.nodepools import NODE_POOL, Fleet

KARPENTER = "/apis/karpenter.sh/v1"
_FRESH = 2.0


class NodeLog:
    """Every NodeClaim of a fleet, from its creation to the moment at which it was gone: what somebody is billed for."""

    def __init__(self, admin: Admin, fleet: Fleet) -> None:
        self._fleet = fleet
        self._begun: dict[str, tuple[str, float]] = {}
        self._ended: dict[str, float] = {}
        threading.Thread(target=self._watch, args=(admin,), daemon=True).start()

    def _watch(self, admin: Admin) -> None:
        for kind, claim in admin.watch(f"{KARPENTER}/nodeclaims"):
            metadata = claim["metadata"]
            pool = metadata.get("labels", {}).get(NODE_POOL, "")
            fleet, _, chip = pool.rpartition("-")
            if fleet != self._fleet.name:
                continue
            if kind == "DELETED":
                self._ended[metadata["name"]] = time.time()
            else:
                created = datetime.fromisoformat(metadata["creationTimestamp"]).timestamp()
                # The API server's moments are whole seconds; what was seen at once is known better.
                now = time.time()
                begun = now if now - created < _FRESH else created
                self._begun.setdefault(metadata["name"], (chip, begun))

    def counts(self, moment: float) -> dict[str, int]:
        """Nodes of each chip that were there at a moment (Unix time)."""
        found: dict[str, int] = {}
        for name, (chip, begun) in list(self._begun.items()):
            if begun <= moment < self._ended.get(name, float("inf")):
                found[chip] = found.get(chip, 0) + 1
        return found


class Tariff:
    """Prices of nodes by chip, in dollars per hour, as they were at each moment (Unix time)."""

    def __init__(self, prices: Mapping[str, str]) -> None:
        self._steps: dict[str, list[tuple[float, float]]] = {
            chip: [(0.0, float(amount))] for chip, amount in prices.items()
        }

    def change(self, chip: str, amount: str) -> None:
        """From now on."""
        self._steps[chip].append((time.time(), float(amount)))

    def rate(self, nodes: NodeLog, moment: float) -> float:
        """What the nodes that were there at a moment cost an hour."""
        return sum(self._price(chip, moment) * count for chip, count in nodes.counts(moment).items())

    def cost(self, nodes: NodeLog, begin: float, end: float) -> float:
        """What the nodes cost between two moments, in dollars, to a tenth of a second."""
        steps = int((end - begin) * 10)
        return sum(self.rate(nodes, begin + step / 10) for step in range(steps)) / 36000

    def _price(self, chip: str, moment: float) -> float:
        return [price for since, price in self._steps[chip] if since <= moment][-1]
