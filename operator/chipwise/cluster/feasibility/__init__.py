"""What speaks against one variant on one pool for one workload, before anyone asks how fast it is.

Each rule is a pure function of a ``Case`` that returns a refusal or None. To add one, write it in a file of its own here and name it in
``RULES``; the first refusal in this order is the one that people read, so what is cheapest to understand comes first.
"""

from __future__ import annotations

from collections.abc import Callable

from chipwise.cluster.feasibility.allowed import (
    allowed_capacity_type,
    allowed_namespace,
    allowed_pool,
    allowed_variant,
)
from chipwise.cluster.feasibility.case import Case
from chipwise.cluster.feasibility.constraints import author_constraints_hold, taints_tolerated
from chipwise.cluster.feasibility.cooling import not_cooling_down
from chipwise.cluster.feasibility.image import made_for_the_image
from chipwise.cluster.feasibility.node import fits_one_node
from chipwise.cluster.feasibility.obtainable import nodes_can_be_had
from chipwise.cluster.feasibility.pool import pool_is_ready
from chipwise.cluster.feasibility.precision import precise_enough
from chipwise.cluster.feasibility.probes import not_refused_to_a_probe
from chipwise.cluster.feasibility.renderable import can_be_rendered
from chipwise.cluster.feasibility.volumes import volumes_can_move
from chipwise.reasons import Refusal

RULES: tuple[Callable[[Case], Refusal | None], ...] = (
    pool_is_ready,
    allowed_variant,
    allowed_pool,
    allowed_namespace,
    allowed_capacity_type,
    precise_enough,
    made_for_the_image,
    fits_one_node,
    taints_tolerated,
    author_constraints_hold,
    volumes_can_move,
    can_be_rendered,
    not_cooling_down,
    nodes_can_be_had,
    not_refused_to_a_probe,
)


def first_refusal(case: Case) -> Refusal | None:
    """The first rule that speaks against ``case``, or None when it may be considered."""
    for rule in RULES:
        refusal = rule(case)
        if refusal is not None:
            return refusal
    return None


__all__ = ["RULES", "Case", "first_refusal"]
