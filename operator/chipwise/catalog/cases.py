"""From the names people use to a case of the estimator: model, chip, precision and sizes, or why there is none."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from chipwise.catalog import shelf
from chipwise.catalog.chip_figures import ChipEntry
from chipwise.catalog.layouts import impossible
from chipwise.catalog.model_shapes import ModelEntry
from chipwise.catalog.server_settings import absurd
from chipwise.performance import Architecture, Chip
from chipwise.performance.bounds import BOUNDS
from chipwise.performance.computing import WEIGHT_BITS, computed_in
from chipwise.performance.estimator import NOTHING_SAID, Case, Serving
from chipwise.reasons import Reason, Refusal

LEAST_COUNTED_TWICE = 4
"""From this expert parallelism on its square is more chips than a replica on one machine has, but for racks."""

MOST_TOKENS, MOST_CONCURRENCY = (int(BOUNDS[name][1]) for name in ("input_tokens", "concurrency"))
MOST_CHIPS = 4096
"""Beyond these a figure is a slip of the pen."""

LEAST_OUTPUT = int(BOUNDS["output_tokens"][0])
"""TPOT is the time per token after the first: with one output token there is none."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Chips of one replica by how they work together: ``tensor`` x ``pipeline`` x ``data``; experts over ``expert`` of them."""

    tensor: int = 1
    pipeline: int = 1
    data: int = 1
    expert: int = 1

    @property
    def chips(self) -> int:
        """Chips of the replica."""
        return self.tensor * self.pipeline * self.data

    def without_double_count(self) -> Sizes:
        """Read one size that is the square of the expert parallelism, 16 or 64, as that parallelism.

        Some published tables multiply tensor and expert parallelism, though both are over the same chips: of the rows that ship, runs named
        tp8 ep8 have 64 in the column of the tensor size. 4 with an expert parallelism of 2 is a layout that engines have.
        """
        square = self.expert * self.expert
        if (
            self.expert < LEAST_COUNTED_TWICE
            or self.tensor * self.data != square
            or min(self.tensor, self.data) > 1
        ):
            return self
        if self.tensor > 1:
            return replace(self, tensor=self.expert)
        return replace(self, data=self.expert)


@dataclass(frozen=True, slots=True)
class Named:
    """A case in words. An empty ``precision`` is the format of the model's own checkpoint; an empty engine is any."""

    model: str
    accelerator: str
    precision: str
    sizes: Sizes
    input_tokens: float
    output_tokens: float
    concurrency: float
    engine: str = ""
    engine_version: str = ""
    serving: Serving = NOTHING_SAID


def case_of(
    named: Named, model_of: Callable[[str], ModelEntry | Refusal] = shelf.model_entry
) -> Case | Refusal:
    """Look model and chip up. Refused as MODEL_UNKNOWN, CHIP_UNKNOWN, NO_PRECISION or INVALID (the message names the figure)."""
    model, chip = model_of(named.model), shelf.chip(named.accelerator)
    if isinstance(model, Refusal):
        return model
    if isinstance(chip, Refusal):
        return chip
    precision = named.precision.lower() or model.weights
    absurd = _absurd(named, model.architecture)
    if absurd:
        return Refusal(Reason.INVALID, absurd)
    computed = computing(chip, precision)
    if isinstance(computed, Refusal):
        return computed
    sizes = named.sizes
    return Case(
        model=model.id,
        architecture=model.architecture,
        accelerator=chip.name,
        chip=computed,
        precision=precision,
        weight_bits=WEIGHT_BITS[precision],
        input_tokens=named.input_tokens,
        output_tokens=named.output_tokens,
        concurrency=named.concurrency,
        tensor=sizes.tensor,
        pipeline=sizes.pipeline,
        data=sizes.data,
        expert=sizes.expert,
        engine=named.engine.lower(),
        engine_version=named.engine_version,
        serving=named.serving,
    )


def computing(chip: ChipEntry, precision: str) -> Chip | Refusal:
    """The chip with the operations that weights of this precision are computed at.

    See ``computed_in``. Refused as NO_PRECISION where neither its own format nor 16 bits are published, as INVALID for
    a precision that is none.
    """
    if precision not in WEIGHT_BITS:
        return Refusal(
            Reason.INVALID,
            f"precision {precision} is none of {', '.join(WEIGHT_BITS)}, or empty for the checkpoint's",
        )
    units = computed_in(precision, chip.dense)
    if units is None:
        return Refusal(
            Reason.NO_PRECISION,
            f"no dense TFLOPS are published for {chip.name}, neither at {precision} nor at 16 bits",
        )
    return chip.at(units)


def _absurd(named: Named, model: Architecture) -> str | None:
    sizes = named.sizes
    if load := absurd_load(named.input_tokens, named.output_tokens, named.concurrency):
        return load
    told: tuple[str | None, ...] = (
        _outside("chips", sizes.chips, MOST_CHIPS),
        _outside("expert_parallel", sizes.expert, MOST_CHIPS),
    )
    if wrong := next((each for each in told if each), None):
        return wrong
    if setting := absurd(named.serving):
        return f"{setting.column} {setting.problem}"
    layout = impossible(sizes, model)
    return layout.message if layout else None


def absurd_load(input_tokens: float, output_tokens: float, concurrency: float) -> str | None:
    """What no server was ever asked, named with its bounds; None if all is well."""
    if (
        1 <= input_tokens <= MOST_TOKENS
        and LEAST_OUTPUT <= output_tokens <= MOST_TOKENS
        and 1 <= concurrency <= MOST_CONCURRENCY
    ):
        return None
    told = (
        _outside("input tokens", input_tokens, MOST_TOKENS),
        _output(output_tokens),
        _outside("concurrency", concurrency, MOST_CONCURRENCY),
    )
    return next((each for each in told if each), None)


def _output(value: float) -> str | None:
    if math.isfinite(value) and LEAST_OUTPUT <= value <= MOST_TOKENS:
        return None
    why = (
        ": TPOT is the time per token after the first, and there is none" if 1 <= value < LEAST_OUTPUT else ""
    )
    return f"output tokens {value:g} is not between {LEAST_OUTPUT} and {MOST_TOKENS:,}{why}"


def _outside(name: str, value: float, most: int) -> str | None:
    if math.isfinite(value) and 1 <= value <= most:
        return None
    return f"{name} {value:g} is not between 1 and {most:,}"
