"""What is known about the speed of a variant: measured points, or coefficients fitted to such."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from chipwise.api.decimals import NonNegativeDecimal, PositiveDecimal
from chipwise.api.durations import Latency, to_milliseconds
from chipwise.api.lists import NotEmpty
from chipwise.api.model import Model
from chipwise.api.numbers import Count, Tokens
from chipwise.api.rules import Rule
from chipwise.api.text import Day, Line, Word


class Statistic(StrEnum):
    """A figure over requests."""

    MEAN = "Mean"
    P50 = "P50"
    P90 = "P90"
    P95 = "P95"
    P99 = "P99"


class Point(Model):
    """One measurement of one replica at a steady number of concurrent requests."""

    concurrency: Count
    """Requests in flight at once, held steady during the measurement, such as 64."""
    input_tokens: Tokens
    """Input tokens of each request, such as 1024. Without them a latency says nothing."""
    output_tokens: Tokens
    """Output tokens of each request, such as 512. Without them a latency says nothing."""
    ttft: Latency
    """Time to the first token, such as 125ms or 1.2s."""
    tpot: Latency
    """Time per output token after the first, such as 38ms."""

    @property
    def ttft_milliseconds(self) -> float:
        """``ttft`` as a number."""
        return to_milliseconds(self.ttft)

    @property
    def tpot_milliseconds(self) -> float:
        """``tpot`` as a number."""
        return to_milliseconds(self.tpot)


class Coefficients(Model):
    """A linear model of one iteration of the engine: alpha + beta x tokens computed + gamma x tokens read from the cache."""

    alpha: PositiveDecimal
    """Milliseconds of every iteration, as a decimal in quotes, such as "6.958"."""
    beta: NonNegativeDecimal
    """Milliseconds for each token computed, as a decimal in quotes, such as "0.042"."""
    gamma: NonNegativeDecimal
    """Milliseconds for each token read from the cache, as a decimal in quotes, such as "0.00001"."""
    max_batch_size: Count
    """The most requests in one batch, such as 64, for requests of atTokens output tokens."""
    at_tokens: Tokens
    """Output tokens at which maxBatchSize holds, such as 512. Longer requests make for smaller batches in proportion."""


class Performance(Model):
    """Either measured points or fitted coefficients, and how they came about."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.points) != has(self.coefficients)",
            "give either points or coefficients, and not both",
            lambda found: (found.points is None) != (found.coefficients is None),
        ),
    )

    points: (
        Annotated[
            tuple[Point, ...],
            Field(max_length=256),
            NotEmpty("give at least one measured point, or leave points out"),
        ]
        | None
    ) = None
    """Measurements at different concurrencies and request lengths, all in one statistic. Two or more let chipwise interpolate."""
    coefficients: Coefficients | None = None
    """Coefficients fitted elsewhere, in place of points."""
    statistic: Statistic = Statistic.MEAN
    """What the latencies are over requests: Mean (the default), P50, P90, P95 or P99."""
    engine: Word | None = None
    """The serving engine that was measured, such as vLLM."""
    engine_version: Word | None = None
    """Its version, such as 0.12.0."""
    measured_at: Day | None = None
    """The day of the measurement, such as 2026-03-27."""
    source: Line | None = None
    """Who measured, with what and where the raw figures are, for people."""
