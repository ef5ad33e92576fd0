"""The words of this package: traffic shape, objective, the three kinds of knowledge about a variant, and the answer.

Units: tokens, milliseconds, requests per second, bytes, bytes per second, FLOP per second. No unit conversion happens elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # numpy is loaded with the first estimate, not with the words
    from chipwise.performance.estimator import Estimator

COVERED = 0.9
"""The share of measurements that a band is meant to hold."""

EVEN = 0.5
"""The confidence of an expected figure: the truth is as likely above as below."""


class Metric(StrEnum):
    """TTFT: arrival to first token, queueing included. TPOT: mean time per output token after the first."""

    TTFT = "TTFT"
    TPOT = "TPOT"


class Statistic(StrEnum):
    """Over requests."""

    MEAN = "Mean"
    P50 = "P50"
    P90 = "P90"
    P95 = "P95"
    P99 = "P99"

    @property
    def quantile(self) -> float | None:
        """The quantile in (0, 1), or None for the mean."""
        return None if self is Statistic.MEAN else int(self.value[1:]) / 100


class Provenance(StrEnum):
    """How far a figure can be trusted, best first."""

    MEASURED = "Measured"  # points at this shape
    FITTED = "Fitted"  # coefficients
    SCALED = "Scaled"  # measurements of the same model and chip at another shape
    EXTRAPOLATED = "Extrapolated"  # such points, far outside the shapes or concurrencies that were measured
    ESTIMATED = "Estimated"  # calibrated physics


@dataclass(frozen=True, slots=True)
class Shape:
    """The mean request: input and output tokens, and the share of input tokens already in the prefix cache (0 to 1)."""

    input_tokens: float
    output_tokens: float
    prefix_hit_ratio: float = 0.0


@dataclass(frozen=True, slots=True)
class Objective:
    """``statistic`` of ``metric`` must not exceed ``threshold_ms``, with a probability of ``confidence`` given how far figures may be off."""

    metric: Metric
    statistic: Statistic
    threshold_ms: float
    confidence: float = EVEN


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """One measurement: at a steady ``concurrency`` of requests of this length."""

    concurrency: int
    input_tokens: int
    output_tokens: int
    ttft_ms: float
    tpot_ms: float


@dataclass(frozen=True, slots=True)
class MeasuredPoints:
    """Measurements of one variant, all in one statistic."""

    points: tuple[Point, ...]
    statistic: Statistic = Statistic.MEAN


@dataclass(frozen=True, slots=True)
class Coefficients:
    """The iteration-time model of llm-inferno: alpha ms, beta ms per token, gamma ms per token.

    The batch cap ``max_batch`` holds at ``at_tokens`` output tokens.
    """

    alpha: float
    beta: float
    gamma: float
    max_batch: int
    at_tokens: int


@dataclass(frozen=True, slots=True)
class Architecture:
    """A decoder-only transformer, as its ``config.json`` tells it.

    ``experts`` are the routed experts of one mixture-of-experts layer, of which a token uses ``experts_per_token``; both 0 if dense.
    ``latent_dim`` is set for multi-head latent attention: the elements kept per token and layer (``kv_lora_rank`` and
    ``qk_rope_head_dim`` together, 576 in DeepSeek-V3), of which every chip of a tensor-parallel group keeps a copy. ``sliding_layers``
    of the layers keep at most ``sliding_window`` tokens; ``linear_layers`` (linear attention, state space, or no attention at all)
    keep nothing per token.
    """

    parameters: int
    active_parameters: int
    layers: int
    hidden_size: int
    kv_heads: int
    head_dim: int
    max_context_tokens: int | None = None
    attention_heads: int | None = None
    experts: int = 0
    experts_per_token: int = 0
    latent_dim: int | None = None
    sliding_window: int | None = None
    sliding_layers: int = 0
    linear_layers: int = 0


@dataclass(frozen=True, slots=True)
class Chip:
    """One accelerator: memory, bandwidth, dense FLOP/s that the variant's weights are computed at, and scale-up bandwidth in one direction."""

    memory_bytes: int
    bandwidth_bytes_per_second: float
    flops: float | None
    interconnect_bytes_per_second: float | None


@dataclass(frozen=True, slots=True)
class Hardware:
    """One replica: a model on so many chips. What fits it, and how fast it can be at best, follows from these figures."""

    architecture: Architecture
    chip: Chip
    chips: int
    weight_bits: int


@dataclass(frozen=True, slots=True)
class Names:
    """What measurements are found by, spelt as in those that the estimator learnt from; empty where unknown.

    Without a model or chip nothing measured is leant on by it. An empty engine or precision is one of its own.
    """

    model: str = ""
    accelerator: str = ""
    precision: str = ""
    engine: str = ""
    engine_version: str = ""


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A variant that nobody measured, and who estimates it. Two are equal only with the very same estimator."""

    hardware: Hardware
    names: Names
    estimator: Estimator


Knowledge = MeasuredPoints | Coefficients | Unmeasured


@dataclass(frozen=True, slots=True)
class Latency:
    """What one replica is expected to show at a given load.

    ``ttft_ms`` and ``tpot_ms`` are means. ``band`` is the relative error to allow for in TPOT, e.g. 0.05 for five per cent either way,
    ``ttft_band`` that of TTFT, which scatters more.
    """

    ttft_ms: float
    tpot_ms: float
    concurrency: float
    utilisation: float
    provenance: Provenance
    band: float
    ttft_band: float = 0.95


@dataclass(frozen=True, slots=True)
class Sustained:
    """The highest request rate that one replica serves within every objective, and which objective ends it."""

    requests_per_second: float
    binding: str
    at_rate: Latency
