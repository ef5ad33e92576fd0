"""One replica lives on one node."""

from __future__ import annotations

from chipwise.cluster.feasibility.case import Case
from chipwise.reasons import Reason, Refusal


def fits_one_node(case: Case) -> Refusal | None:
    """Chips, CPU and memory of one replica against an empty node of the pool. What runs there fits."""
    if case.stands:
        return None
    need, room = case.footprint, case.pool.room
    lacks = [
        f"{have} of {want} {what}"
        for what, want, have in (
            ("chips", need.chips, room.chips),
            ("millicores", need.cpu_milli, room.cpu_milli),
            ("bytes of memory", need.memory_bytes, room.memory_bytes),
        )
        if want > have
    ]
    if not lacks:
        return None
    return Refusal(
        Reason.NODE_TOO_SMALL, f"a node of pool {case.pool.name} offers one replica only {', '.join(lacks)}"
    )
