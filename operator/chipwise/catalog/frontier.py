"""The frontier of cost and latency of a model on every chip: the least that a million output tokens costs within a TPOT.

For each chip every sensible way to serve the model is tried: 1, 2, 4 and 8 chips of one machine, each precision, concurrencies up to what the
memory holds. A replica costs its chips' part of the machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from chipwise.catalog import shelf
from chipwise.catalog.answering import Answers, answer, tokens_per_second
from chipwise.catalog.cases import Named, Sizes, case_of
from chipwise.catalog.chip_figures import ChipEntry
from chipwise.catalog.chip_prices import ChipPrice, Market
from chipwise.catalog.model_shapes import ModelEntry
from chipwise.performance.computing import WEIGHT_BITS
from chipwise.performance.estimator import Case, Estimator, Loads
from chipwise.reasons import Reason, Refusal

CHIPS = (1, 2, 4, 8)
CONCURRENCIES = (
    *(1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128),
    *(160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896, 1024),
)
"""Up to what engines are started with."""

OBJECTIVES = (10.0, 15.0, 20.0, 30.0, 50.0)
"""TPOT in milliseconds."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The request, the most TTFT in milliseconds, and which precisions: none for the checkpoint's and 8 bits where the chip has them."""

    input_tokens: float
    output_tokens: float
    ttft_ms: float
    precisions: tuple[str, ...] = ()
    engine: str = ""
    engine_version: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to serve, under one load. Milliseconds; ``cost``, in dollars for a million output tokens, has the band of the latencies."""

    chips: int
    precision: str
    concurrency: int
    ttft_ms: tuple[float, float, float]
    tpot_ms: tuple[float, float, float]
    cost: tuple[float, float, float]
    provenance: str
    price: ChipPrice


@dataclass(frozen=True, slots=True)
class OfChip:
    """``ways`` are the frontier: TPOT rising, cost falling."""

    chip: ChipEntry
    ways: tuple[Way, ...]

    def within(self, tpot_ms: float) -> Way | None:
        """The cheapest way that keeps this TPOT."""
        return next((way for way in reversed(self.ways) if way.tpot_ms[0] <= tpot_ms), None)


def frontiers(
    model: ModelEntry, wanted: Wanted, market: Market, estimator: Estimator
) -> tuple[list[OfChip], list[tuple[str, Refusal]]]:
    """The frontier of every chip that has one, in order of name, and why the others have none."""
    found, left_out = [], []
    for chip in sorted(shelf.chips(), key=lambda each: each.name):
        told = _of_chip(chip, model, wanted, market, estimator)
        if isinstance(told, Refusal):
            left_out.append((chip.name, told))
        else:
            found.append(told)
    return found, left_out


def cheapest(found: Iterable[OfChip], tpot_ms: float) -> tuple[OfChip, Way] | None:
    """The chip with the cheapest way to keep this TPOT; the first by name of several."""
    ways = [(each, way) for each in found if (way := each.within(tpot_ms)) is not None]
    return min(ways, key=lambda pair: (pair[1].cost[0], pair[0].chip.name), default=None)


def _of_chip(
    chip: ChipEntry, model: ModelEntry, wanted: Wanted, market: Market, estimator: Estimator
) -> OfChip | Refusal:
    named = [
        Named(
            model.id, chip.name, precision, Sizes(tensor=count), wanted.input_tokens, wanted.output_tokens, 1,
            wanted.engine, wanted.engine_version,
        )
        for count in CHIPS
        if count <= shelf.most_chips(chip)
        for precision in wanted.precisions or _precisions(chip, model)
    ]  # fmt: skip
    cases = [case_of(each, lambda _: model) for each in named]
    prices = [market.price(chip.name, each.sizes.chips) for each in named]
    sold = [n for n, price in enumerate(prices) if isinstance(price, ChipPrice)]
    if not sold:
        return next(price for price in prices if isinstance(price, Refusal))
    which = np.repeat(np.array(sold, dtype=np.intp), len(CONCURRENCIES))
    loads = Loads(
        np.full(len(which), wanted.input_tokens),
        np.full(len(which), wanted.output_tokens),
        np.tile(np.array(CONCURRENCIES, dtype=np.float64), len(sold)),
    )
    told = answer(estimator, cases, which, loads)
    ways = [
        _way(case, price, told, number, wanted.output_tokens)
        for number, setup in enumerate(which.tolist())
        if isinstance(case := cases[setup], Case)
        and isinstance(price := prices[setup], ChipPrice)
        and number not in told.refusals
        and number not in told.notes
    ]
    if not ways:
        return (
            list(told.refusals.values())[-1]
            if told.refusals
            else Refusal(Reason.MEMORY_EXCEEDED, "nothing fits")
        )
    kept = _frontier([way for way in ways if way.ttft_ms[0] <= wanted.ttft_ms])
    if kept:
        return OfChip(chip, kept)
    best = min(way.ttft_ms[0] for way in ways)
    return Refusal(
        Reason.OBJECTIVE_MISSED, f"TTFT is {best:.0f} ms at best, {wanted.ttft_ms:g} ms is asked for"
    )


def _precisions(chip: ChipEntry, model: ModelEntry) -> tuple[str, ...]:
    """The checkpoint's, and fp8 instead of 16 bits where the chip computes it."""
    if WEIGHT_BITS[model.weights] == 16 and "fp8" in chip.dense:
        return (model.weights, "fp8")
    return (model.weights,)


def _way(case: Case, price: ChipPrice, told: Answers, number: int, output_tokens: float) -> Way:
    ttft, tpot = told.figures[:3, number].tolist(), told.figures[3:, number].tolist()
    concurrency = CONCURRENCIES[number % len(CONCURRENCIES)]
    per_second = price.amount * case.chips / 3600
    cost = [
        per_second / tokens_per_second(concurrency, output_tokens, first, step) * 1e6
        for first, step in zip(ttft, tpot, strict=True)
    ]
    return Way(
        chips=case.chips,
        precision=case.precision,
        concurrency=concurrency,
        ttft_ms=(ttft[0], ttft[1], ttft[2]),
        tpot_ms=(tpot[0], tpot[1], tpot[2]),
        cost=(cost[0], cost[1], cost[2]),
        provenance=str(told.provenance[number]),
        price=price,
    )


def _frontier(ways: Sequence[Way]) -> tuple[Way, ...]:
    """Those that no other is both faster and cheaper than."""
    kept: list[Way] = []
    for way in sorted(ways, key=lambda each: (each.tpot_ms[0], each.cost[0])):
        if not kept or way.cost[0] < kept[-1].cost[0]:
            kept.append(way)
    return tuple(kept)
