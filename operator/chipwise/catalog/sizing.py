"""How the chips of a replica work together, from the sizes that were stated; blank ones follow from the others."""

from __future__ import annotations

from dataclasses import dataclass

from chipwise.catalog.cases import Sizes
from chipwise.reasons import Reason, Refusal


@dataclass(frozen=True, slots=True)
class Stated:
    """None where nothing was stated."""

    chips: int | None = None
    tensor: int | None = None
    pipeline: int | None = None
    data: int | None = None
    expert: int | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """``note`` is not empty where the sizes were read otherwise than they stand."""

    sizes: Sizes
    note: str = ""


def read(stated: Stated) -> Read | Refusal:
    """Make sizes of it. Refused as INVALID if nothing says how many chips there are, or sizes and chips contradict each other."""
    pipeline, data, expert = stated.pipeline or 1, stated.data or 1, stated.expert or 1
    tensor = stated.tensor
    if tensor is None:
        if stated.chips is None:
            return Refusal(Reason.INVALID, "neither chips nor tensor_parallel is given")
        tensor, rest = divmod(stated.chips, pipeline * data)
        if rest or not tensor:
            return Refusal(
                Reason.INVALID,
                f"{stated.chips} chips cannot be divided into pipeline_parallel {pipeline} x data_parallel {data}",
            )
        return Read(Sizes(tensor, pipeline, data, expert))
    told = Sizes(tensor, pipeline, data, expert)
    once = told if stated.chips == told.chips else told.without_double_count()
    if stated.chips not in (None, told.chips, once.chips):
        return Refusal(
            Reason.INVALID,
            f"tensor_parallel {tensor} x pipeline_parallel {pipeline} x data_parallel {data} are {told.chips} chips, not {stated.chips}",
        )
    if once == told:
        return Read(told)
    return Read(
        once,
        f"read as {once.chips} chips: {told.tensor * told.data} is expert_parallel {expert} counted twice",
    )
