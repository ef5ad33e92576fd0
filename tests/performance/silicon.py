"""The silicon sample as points by configuration, and what is told of points that were left out."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from chipwise.performance import Latency, MeasuredPoints, Point, Shape, latency_with

ROWS = (
    Path(__file__).parents[2]
    / "operator"
    / "chipwise"
    / "catalog"
    / "data"
    / "silicon"
    / "serving_measurements.csv"
)

_CONFIGURATION = (
    *("model_path", "system", "precision", "gemm_quant_mode", "moe_quant_mode"),
    *("tp_size", "pp_size", "attention_dp_size", "moe_tp_size", "moe_ep_size"),
    *("backend", "backend_version"),
)


class Held(NamedTuple):
    """A measurement that was left out, the points that were kept, and what these tell of it."""

    truth: Point
    kept: tuple[Point, ...]
    told: Latency

    @property
    def shapes_apart(self) -> bool:
        return self.lengths != (self.kept[0].input_tokens, self.kept[0].output_tokens)

    @property
    def lengths(self) -> tuple[int, int]:
        return self.truth.input_tokens, self.truth.output_tokens

    @property
    def lone(self) -> bool:
        return len({point.concurrency for point in self.kept}) == 1

    @property
    def below(self) -> float:
        """Which part of the smallest kept concurrency it has: 2 is half."""
        return min(point.concurrency for point in self.kept) / self.truth.concurrency

    @property
    def tpot_error(self) -> float:
        return abs(self.truth.tpot_ms / self.told.tpot_ms - 1)

    @property
    def ttft_error(self) -> float:
        return abs(self.truth.ttft_ms / self.told.ttft_ms - 1)


def configurations() -> list[list[list[Point]]]:
    """Points by configuration, and in it by shape."""
    found: dict[tuple[str, ...], dict[tuple[int, int], list[Point]]] = defaultdict(lambda: defaultdict(list))
    with ROWS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if not row["concurrency"]:
                continue
            lengths = int(row["isl"]), int(row["osl"])
            ttft, tpot = float(row["silicon_ttft_ms"]), float(row["silicon_tpot_ms"])
            point = Point(int(row["concurrency"]), *lengths, ttft, tpot)
            found[tuple(row[column] for column in _CONFIGURATION)][lengths].append(point)
    return [list(shapes.values()) for shapes in found.values()]


@cache
def held() -> tuple[Held, ...]:
    """Every pair of points at one shape without their smallest concurrencies, and a measurement that is not among them."""
    return tuple(_held())


def _held() -> Iterator[Held]:
    for shapes in configurations():
        for points in shapes:
            for smallest in sorted({point.concurrency for point in points}):
                kept = tuple(point for point in points if point.concurrency >= smallest)
                for truth in (point for others in shapes for point in others):
                    if others_at(truth, kept):
                        shape = Shape(truth.input_tokens, truth.output_tokens)
                        told = latency_with(MeasuredPoints(kept), shape, truth.concurrency)
                        if isinstance(told, Latency):  # else it is beyond the largest
                            yield Held(truth, kept, told)


@cache
def between() -> tuple[Held, ...]:
    """Every measurement between others of its configuration and shape, and what the points at other concurrencies tell of it."""
    return tuple(_between())


def _between() -> Iterator[Held]:
    for points in (points for shapes in configurations() for points in shapes):
        for concurrency in sorted({point.concurrency for point in points})[1:-1]:
            kept = tuple(point for point in points if point.concurrency != concurrency)
            for truth in (point for point in points if point.concurrency == concurrency):
                shape = Shape(truth.input_tokens, truth.output_tokens)
                told = latency_with(MeasuredPoints(kept), shape, concurrency)
                if isinstance(told, Latency):  # else it is more than any batch holds
                    yield Held(truth, kept, told)


def others_at(truth: Point, kept: tuple[Point, ...]) -> bool:
    """Whether the measurement lies outside those kept: at another shape, or below all of them."""
    same = (truth.input_tokens, truth.output_tokens) == (kept[0].input_tokens, kept[0].output_tokens)
    return not same or truth.concurrency < min(point.concurrency for point in kept)
