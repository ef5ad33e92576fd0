"""What a decode step and a prefill must take, from bytes, operations and latencies, with a handful of constants to calibrate.

A decode step reads the dense weights and the experts that the batch touches, reads every request's KV cache, computes one token each,
passes their states from kernel to kernel, waits for every layer and, where chips work together on one, for two all-reduces a layer;
between steps, prefills of the other requests take their turn. A first token waits for the kernels of its prefill to be launched one by
one and to be computed, for a share of the prefills of the others (launched together, as many as a step batches), for some steps of the
running batch, for those that the engine holds prompts back, and for the engine's way to the first token. Requests of equal lengths keep
step: of those that end together the next arrive together, and each waits for half of the prefills of these. Requests that the KV cache has
no place for are in no batch: they wait until one of those before them is done.

Copies of the attention (data parallelism) share the requests; routed experts are on all chips, and all copies wait for them together.

Of a pipeline every stage has its layers on its own chips, and as many parts of the batch are under way as there are stages: a token waits
for all stages, with the part of the batch it is in. None of the measurements has a pipeline.

Roofline: Williams et al., CACM 52(4), 2009. Two all-reduces a layer: Shoeybi et al., arXiv:1909.08053. Experts touched by n tokens, as
if routing were uniform: 1 - (1 - k/E)**n. Prefill of s tokens: 2 operations a parameter and token, 2 a layer, attention width and pair.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from chipwise.performance.estimator.cases import Floats, Table
from chipwise.performance.estimator.serving import batched_tokens, held_steps, keeps_step
from chipwise.performance.memory import USABLE
from chipwise.performance.plausible import READ_SHARE

ENGINES = ("trtllm", "vllm", "sglang")
"""Engines with constants of their own for the first token; any other has the common ones."""

US, MS = 1e-6, 1e-3
ACTIVATION_BYTES = 2.0


@dataclass(frozen=True, slots=True)
class Constant:
    """A positive constant: its name, what is supposed before any measurement, and how far off that may be (as a logarithm)."""

    name: str
    supposed: float
    scatter: float


TPOT = (
    Constant("bandwidth_share", 0.8, 0.25),  # of the stated memory bandwidth, reading weights
    Constant("compute_share", 0.5, 0.25),  # of the stated dense peak
    Constant("layer_us", 15.0, 1.0),  # a layer beyond its bytes: its kernels, one after another
    Constant("routed_layer_us", 10.0, 1.0),  # and what routing to experts adds
    Constant("reduce_us", 8.0, 1.0),  # a small all-reduce
    Constant("reduce_hop_us", 2.0, 1.0),  # and each doubling of the chips
    Constant("prefill_share", 0.7, 0.5),  # of the others' prefills that a step waits for
    Constant("link_share", 0.7, 1.0),  # of the stated link bandwidth
    Constant("cache_share", 0.7, 0.5),  # of the stated memory bandwidth, reading the KV cache
    Constant("activation_share", 0.5, 0.5),  # of the same, reading and writing activations
)

_COMMON_TTFT = (
    Constant("compute_share", 0.5, 0.5),
    Constant("activation_share", 0.5, 0.5),  # of the stated memory bandwidth, reading and writing activations
    Constant("link_share", 0.7, 0.1),
    Constant("kernel_us", 50.0, 0.7),  # a kernel of a prefill, launched from the host
    Constant("entry_ms", 10.0, 0.3),  # server, tokeniser, scheduler, network
    Constant("request_ms", 0.3, 0.7),  # for each other request in service
    Constant("ahead", 0.1, 0.7),  # of each other request's prefill that is waited for
    Constant("steps", 1.0, 0.3),  # decode steps waited for
    Constant("held_share", 0.8, 0.2),  # of the steps that prompts are held back at most
    Constant("routed_share", 0.5, 0.3),  # of compute_share: experts are many small products of matrices
    Constant("in_step", 2.0, 0.15),  # others of equal lengths that arrive together, however many there are
)
_OF_ENGINE = ("kernel_us", "ahead", "compute_share")

TTFT = _COMMON_TTFT + tuple(
    Constant(f"{name}.{engine}", 1.0, 0.25) for name in _OF_ENGINE for engine in ENGINES
)


def supposed(constants: tuple[Constant, ...]) -> Floats:
    """The logarithms that are supposed before any measurement."""
    return np.log([each.supposed for each in constants])


def scatter(constants: tuple[Constant, ...]) -> Floats:
    """How far each logarithm may be off."""
    return np.array([each.scatter for each in constants])


def step_ms(t: Table, logs: Floats) -> Floats:
    """Time of one output token after the first, in milliseconds, for every case; ``logs`` in the order of TPOT."""
    c = dict(zip((each.name for each in TPOT), np.exp(logs), strict=True))
    routed, batched = t.expert_parameters > 0, served(t)
    batch = batched / t.data / t.pipeline
    stage = t.chips / t.pipeline
    touched = t.expert_parameters * (1 - (1 - t.expert_share) ** batched)
    read = (t.dense / t.tensor + touched / stage) * t.weight_bytes / (t.bandwidth * c["bandwidth_share"])
    compute = batched * 2 * t.active / (t.chips * t.flops * c["compute_share"])
    cache = batch * _kept(t, t.input + t.output / 2) / (t.bandwidth * c["cache_share"])
    together = np.where(routed, stage, t.tensor)
    reduces = np.where(together > 1, c["reduce_us"] + c["reduce_hop_us"] * np.log2(together), 0.0)
    layer = c["layer_us"] + np.where(routed, c["routed_layer_us"], 0.0) + 2 * reduces
    exchange = _exchange(t, batch) / c["link_share"]
    between = _activations(t, t.layers, batch) / c["activation_share"]
    of_copy, of_all = _prefill_s(t, c["compute_share"], c["link_share"], c["activation_share"])
    others = (_beside(t) * of_copy + (batched - 1) * of_all) / t.output * c["prefill_share"]
    seconds: Floats = t.layers * layer * US + np.maximum(read, compute) + cache + exchange + between + others
    return seconds / MS


def first_ms(t: Table, logs: Floats, token_ms: Floats) -> Floats:
    """Time to the first token, in milliseconds, given that of the others; ``logs`` in the order of TTFT."""
    c = dict(zip((each.name for each in TTFT), np.exp(logs), strict=True))
    own = {name: np.full(len(t), c[name]) for name in _OF_ENGINE}
    for name in _OF_ENGINE:
        for engine in ENGINES:
            own[name][t.engine == engine] *= c[f"{name}.{engine}"]
    share = own["compute_share"]
    of_copy, of_all = _prefill_s(t, share, c["link_share"], c["activation_share"], c["routed_share"])
    stages = (of_copy + of_all) * t.pipeline - (t.pipeline - 1) * _exchange(t, _fresh(t)) / c["link_share"]
    alone = np.maximum(stages, _weights(t) * t.pipeline / t.bandwidth)
    launches = t.layers * t.kernels * own["kernel_us"] * US
    together = launches * np.minimum(_fresh(t) / batched_tokens(t), 1.0)
    of_engine, of_one = served(t) - 1, _beside(t)
    launched = np.where(t.expert_parameters > 0, of_engine, of_one)

    def prefills(of: Callable[[Floats], Floats]) -> Floats:
        """Seconds of the prefills of so many of the others as ``of`` leaves."""
        some: Floats = of(of_one) * of_copy + of(of_engine) * of_all + of(launched) * together
        return some

    in_step = c["in_step"]
    others = own["ahead"] * prefills(lambda n: n)
    others += np.where(keeps_step(t), prefills(lambda n: n * in_step / (n + in_step)) / 2, 0.0)
    places = places_in_cache(t)
    held = t.output * token_ms * MS
    waiting = np.maximum(t.concurrency - places, 0) / places * held
    steps = c["steps"] + c["held_share"] * held_steps(t)
    seconds = launches + alone + others + waiting
    told: Floats = c["entry_ms"] + c["request_ms"] * t.concurrency + steps * token_ms + seconds / MS
    return told


def least_ms(t: Table) -> Floats:
    """No token comes in less: reading ``READ_SHARE`` of the active weights at the full bandwidth of all chips, in milliseconds."""
    read: Floats = t.active * READ_SHARE * t.weight_bytes / (t.chips * t.bandwidth)
    return read / MS


def places_in_cache(t: Table) -> Floats:
    """How many requests the KV cache of a replica can hold beside the weights; at least one a copy of the attention.

    They come and go, so that their mean length counts. What is sure to fit, at full length and 16 bits, is fewer: ``room``.
    """
    request = np.maximum(_kept(t, t.input + t.output / 2) / t.pipeline, 1.0)
    room: Floats = np.maximum(t.memory * USABLE - _weights(t), 0.0)
    return np.maximum(room / request, 1.0) * t.data


def served(t: Table) -> Floats:
    """How many requests are in the batch; the others have no place."""
    return np.minimum(t.concurrency, places_in_cache(t))


def _kept(t: Table, tokens: Floats) -> Floats:
    """Bytes of a request's KV cache on the chips that keep it, all layers."""
    kept: Floats = (t.full * tokens + t.sliding * np.minimum(tokens, t.window)) * t.cache_elements
    return kept * t.cache_bytes


def _beside(t: Table) -> Floats:
    """The other requests of the copy of the attention that one is served by."""
    return np.maximum(served(t) / t.data - 1, 0.0)


def _prefill_s(
    t: Table,
    compute_share: Floats | float,
    link_share: float,
    activation_share: float,
    routed_share: float = 1.0,
) -> tuple[Floats, Floats]:
    """Seconds of one request's prefill: those of the copy of the attention that serves it, and those of routed experts on all chips."""
    routed = t.expert_share * t.expert_parameters
    dense = 2 * (t.active - routed) * _fresh(t) + 4 * t.attention_width * (
        _pairs(t, t.input) - _pairs(t, t.prefix)
    )
    of_copy = dense / (t.chips / t.data)
    seconds: Floats = (
        of_copy / (t.flops * compute_share)
        + _exchange(t, _fresh(t)) / link_share
        + _between_kernels(t) / activation_share
    )
    of_all: Floats = 2 * routed * _fresh(t) / (t.chips * t.flops * compute_share * routed_share)
    return seconds, of_all


def _pairs(t: Table, tokens: Floats) -> Floats:
    """Pairs of tokens that attend to each other, over all layers, of a prompt of so many: half of all, near ones only where a window slides."""
    near = np.minimum(tokens, t.window)
    found: Floats = t.full * tokens**2 / 2 + t.sliding * (near**2 / 2 + (tokens - near) * near)
    return found


def _weights(t: Table) -> Floats:
    """Bytes on one chip."""
    found: Floats = (t.dense / t.tensor / t.pipeline + t.expert_parameters / t.chips) * t.weight_bytes
    return found


def _between_kernels(t: Table) -> Floats:
    """Of a prefill, on the chips of one stage of the pipeline."""
    return _activations(t, t.layers / t.pipeline, _fresh(t))


def _activations(t: Table, layers: Floats, tokens: Floats) -> Floats:
    """Seconds at the full bandwidth between kernels: each reads every token's state, and writes one, on every chip."""
    seconds: Floats = 2 * layers * t.kernels * tokens * t.hidden * ACTIVATION_BYTES / t.bandwidth
    return seconds


def _fresh(t: Table) -> Floats:
    """Tokens to prefill: at least one, for the last is always computed."""
    return np.maximum(t.input - t.prefix, 1.0)


def _exchange(t: Table, tokens: Floats) -> Floats:
    """Seconds at the full link: two ring all-reduces a layer, each moving the activations 2 * (chips - 1) / chips times."""
    moved = 2 * t.layers * tokens * t.hidden * ACTIVATION_BYTES
    seconds: Floats = moved * 2 * (t.tensor - 1) / t.tensor / t.link
    return seconds
