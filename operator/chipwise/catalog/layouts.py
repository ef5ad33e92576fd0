"""Parallelism that no engine runs a model in: the size that is wrong, and why.

A pipeline stage holds at least one layer, a chip of a tensor-parallel group at least one attention head, a chip of an expert-parallel group
at least one expert, on chips that the replica has. That heads be divided evenly is not asked: engines that replicate attention take
other sizes too, as rows that ship do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from chipwise.catalog.cases import Sizes


class Divisible(Protocol):
    """What of a model chips can share: an ``Architecture``, or what else states it."""

    @property
    def layers(self) -> int:
        """All of them."""

    @property
    def attention_heads(self) -> int | None:
        """Query heads; None where not stated."""

    @property
    def experts(self) -> int:
        """Routed experts of a layer, 0 if dense."""


@dataclass(frozen=True, slots=True)
class Parts:
    """``Divisible`` by its figures."""

    layers: int
    attention_heads: int | None
    experts: int


@dataclass(frozen=True, slots=True)
class Impossible:
    """``size`` is a field of ``Sizes``; ``message`` names its flag and what bounds it."""

    size: str
    message: str


def impossible(sizes: Sizes, model: Divisible | None) -> Impossible | None:
    """The first size that cannot be; where the model is not known only the chips bound them."""
    if sizes.expert > sizes.chips:
        return Impossible(
            "expert", f"expert_parallel {sizes.expert} is more than the {sizes.chips} chip(s) of the replica"
        )
    return None if model is None else _of_model(sizes, model)


def _of_model(sizes: Sizes, model: Divisible) -> Impossible | None:
    heads = model.attention_heads or sizes.tensor
    told = (
        ("pipeline", sizes.pipeline, model.layers, "layers"),
        ("tensor", sizes.tensor, heads, "attention heads"),
        ("expert", sizes.expert, max(model.experts, 1), "experts"),
    )
    for size, asked, most, parts in told:
        if asked > most:
            dense = size == "expert" and not model.experts
            why = (
                ": the model is dense, it has no experts"
                if dense
                else f" is more than the model's {most} {parts}"
            )
            return Impossible(size, f"{size}_parallel {asked}{why}")
    return None
