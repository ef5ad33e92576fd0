"""What is asked of the estimator: one replica of a model on chips of one kind, under a steady load; many of them as one table.

Units: tokens, requests in service, bytes, bytes per second, FLOP per second. A table holds a numpy array of one shape ``(n,)`` for each
figure, so that physics and correction work on all cases at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chipwise.performance.estimator.kernels import kernels
from chipwise.performance.memory import divisible, elements, keeping_layers
from chipwise.performance.types import Architecture, Chip

Floats = NDArray[np.float64]
Names = NDArray[np.str_]

FALLBACK_LINK = 32e9
"""Bytes per second in one direction where no interconnect is known: PCIe 4.0 x16, what every accelerator host has."""

SCALED_4_BITS = 4.5
"""Bits of a 4-bit weight with its share of the block scales: NVFP4 has one 8-bit scale for 16 weights, MXFP4 one for 32."""

CACHE_BYTES_16, CACHE_BYTES_8 = 2.0, 1.0
"""Bytes of one element of the KV cache."""

CACHE_OF_QUANTISED = {"trtllm": CACHE_BYTES_8, "vllm": CACHE_BYTES_16, "sglang": CACHE_BYTES_16}
"""What engines keep for quantised weights unless told otherwise: vLLM and SGLang the type that the model computes in (``--kv-cache-dtype
auto``), TensorRT-LLM what the checkpoint says, which is 8 bits in NVIDIA's FP8 and NVFP4 ones. Of another engine it is between."""


@dataclass(frozen=True, slots=True)
class Serving:
    """How the server is set and what it is asked, where that decides the first token. None is what nobody said.

    ``batched_tokens`` are the most prompt tokens of one step: ``--max-num-batched-tokens`` of vLLM, ``--max_num_tokens`` of TensorRT-LLM,
    ``--chunked-prefill-size`` of SGLang. ``held_steps`` is for how many steps of the running batch a prompt is held back to be batched
    with others: ``batch_wait_timeout_iters`` and, with copies of the attention, ``attention_dp_config.timeout_iters`` of TensorRT-LLM,
    half of ``--scheduler-recv-interval`` of SGLang; nothing unless set. ``equal_lengths``: all requests have the same lengths, so that
    those which begin together end together, and the next of each arrive together.
    """

    batched_tokens: float | None = None
    held_steps: float | None = None
    equal_lengths: bool | None = None


NOTHING_SAID = Serving()


@dataclass(frozen=True, slots=True)
class Case:
    """One replica with ``concurrency`` requests in service, each of ``input_tokens`` and ``output_tokens``.

    Of the input, ``prefix_tokens`` are in the prefix cache already.

    ``model``, ``accelerator``, ``engine``, ``engine_version`` and ``precision`` are names: cases that share them share what was learnt;
    empty where unknown. ``chip.flops`` are those that the weights are computed at. Chips are ``tensor`` x ``pipeline`` x ``data``, where
    ``data`` are copies of the attention (DP attention) and ``expert`` is over how many chips experts are spread.
    """

    model: str
    architecture: Architecture
    accelerator: str
    chip: Chip
    precision: str
    weight_bits: int
    input_tokens: float
    output_tokens: float
    concurrency: float
    prefix_tokens: float = 0.0
    tensor: int = 1
    pipeline: int = 1
    data: int = 1
    expert: int = 1
    engine: str = ""
    engine_version: str = ""
    serving: Serving = NOTHING_SAID

    @property
    def chips(self) -> int:
        """Chips of the replica."""
        return self.tensor * self.pipeline * self.data


@dataclass(frozen=True, slots=True)
class Table:
    """Cases by figure. ``expert_parameters`` are those of all routed experts, derived from total, active and the share used; ``kernels`` those of a layer.

    Of the layers ``full`` attend to all tokens and ``sliding`` to the last ``window``; the rest keep nothing of a token. ``batched``,
    ``held`` and ``equal`` (1 or 0) are of ``Serving``, NaN where nobody said.
    """

    model: Names
    accelerator: Names
    engine: Names
    version: Names
    precision: Names
    input: Floats
    prefix: Floats
    output: Floats
    concurrency: Floats
    tensor: Floats
    pipeline: Floats
    data: Floats
    expert: Floats
    chips: Floats
    weight_bytes: Floats
    cache_bytes: Floats
    active: Floats
    dense: Floats
    expert_parameters: Floats
    expert_share: Floats
    layers: Floats
    kernels: Floats
    hidden: Floats
    attention_width: Floats
    full: Floats
    sliding: Floats
    window: Floats
    cache_elements: Floats
    memory: Floats
    bandwidth: Floats
    flops: Floats
    link: Floats
    batched: Floats
    held: Floats
    equal: Floats

    def __len__(self) -> int:
        return len(self.input)

    def take(self, which: Any) -> Table:
        """The rows of an index or mask, in its order."""
        return Table(**{field.name: getattr(self, field.name)[which] for field in fields(self)})


def table(cases: Sequence[Case]) -> Table:
    """Lay cases out as one table, in their order."""
    rows = [_figures(case) for case in cases]
    columns = zip(*rows, strict=True) if rows else ((),) * len(_NAMES)
    arrays: dict[str, Any] = {
        name: np.array(values, dtype=np.str_ if name in _TEXT else np.float64)
        for name, values in zip(_NAMES, columns, strict=True)
    }
    return Table(**arrays)


@dataclass(frozen=True, slots=True)
class Loads:
    """Steady loads, one array of shape ``(n,)`` for each figure: tokens of a request, and requests in service."""

    input: Floats
    output: Floats
    concurrency: Floats


def spread(setups: Sequence[Case], which: NDArray[np.intp], loads: Loads) -> Table:
    """Lay out ``setups[which[i]]`` under load i; what the setups say of their own load counts for nothing.

    The same as ``table`` of a case each, for many cases of few setups.
    """
    return replace(
        table(setups).take(which), input=loads.input, output=loads.output, concurrency=loads.concurrency
    )


def routed_parameters(a: Architecture) -> float:
    """Parameters of all routed experts, from total, active and the share of the experts that a token uses; 0 if dense."""
    share = a.experts_per_token / a.experts if a.experts else 0.0
    return (a.parameters - a.active_parameters) / (1 - share) if 0 < share < 1 else 0.0


_NAMES = tuple(field.name for field in fields(Table))
_TEXT = frozenset({"model", "accelerator", "engine", "version", "precision"})


def _cache_bytes(case: Case) -> float:
    if case.weight_bits >= 16:
        return CACHE_BYTES_16
    return CACHE_OF_QUANTISED.get(case.engine, (CACHE_BYTES_8 + CACHE_BYTES_16) / 2)


def _figures(case: Case) -> tuple[Any, ...]:
    a, chip = case.architecture, case.chip
    routed = routed_parameters(a)
    full, sliding, window = keeping_layers(a)
    heads = a.attention_heads or a.hidden_size / a.head_dim
    bits = SCALED_4_BITS if case.weight_bits == 4 else float(case.weight_bits)
    return (
        case.model,
        case.accelerator,
        case.engine,
        case.engine_version,
        case.precision,
        case.input_tokens,
        case.prefix_tokens,
        case.output_tokens,
        case.concurrency,
        case.tensor,
        case.pipeline,
        case.data,
        case.expert,
        case.chips,
        bits / 8,
        _cache_bytes(case),
        a.active_parameters,
        a.parameters - routed,
        routed,
        a.experts_per_token / a.experts if a.experts else 0.0,
        a.layers,
        kernels(a),
        a.hidden_size,
        heads * a.head_dim,
        full,
        sliding,
        window,
        elements(a) / min(case.tensor, divisible(a)),
        chip.memory_bytes,
        chip.bandwidth_bytes_per_second,
        chip.flops or np.nan,
        chip.interconnect_bytes_per_second or FALLBACK_LINK,
        *_served(case.serving),
    )


def _served(serving: Serving) -> tuple[float, float, float]:
    """NaN for what nobody said."""
    told = (serving.batched_tokens, serving.held_steps, serving.equal_lengths)
    batched, held, equal = (np.nan if each is None else float(each) for each in told)
    return batched, held, equal
