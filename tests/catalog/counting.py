"""The parameters of a model, counted from its shape: an oracle beside the figure in the catalogue.

Biases and normalisation weights are not counted: less than a thousandth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chipwise.catalog import ModelEntry


@dataclass(frozen=True)
class Count:
    total: float
    active: float


def recount(model: ModelEntry) -> Count:
    """All parameters, and those that its makers count as active."""
    a, c = model.architecture, model.counted
    embedding = c["vocabulary"] * a.hidden_size
    embeddings = embedding * (1 if c.get("tied") else 2)
    expert_layers = c.get("expertLayers", a.layers - c.get("denseLayers", 0) if a.experts else 0)
    expert = (
        c.get("matricesPerFeedForward", 3)
        * c.get("expertWidth", a.hidden_size)
        * c.get("expertFeedForward", 0)
    )
    language = (
        embeddings
        + attention_layers(model) * attention(model)
        + other_mixers(model)
        + dense_feed_forwards(model)
        + expert_layers * (a.experts * expert + shared(model))
    )
    idle = expert_layers * (a.experts - a.experts_per_token) * expert
    left_out = {
        None: 0,
        "inputEmbedding": 0 if c.get("tied") else embedding,
        "embeddings": embeddings,
    }[c.get("activeWithout")]
    return Count(language + vision(model), language - idle - left_out)


def attention_layers(model: ModelEntry) -> int:
    a, c = model.architecture, model.counted
    return int(c.get("attentionLayers", a.layers - a.linear_layers))


def attention(model: ModelEntry) -> float:
    """Of one layer."""
    a, c = model.architecture, model.counted
    assert a.attention_heads is not None
    heads, hidden = a.attention_heads, a.hidden_size
    if a.latent_dim is None:
        query = hidden * heads * a.head_dim * (2 if c.get("outputGate") else 1)
        return query + 2 * hidden * a.kv_heads * a.head_dim + heads * a.head_dim * hidden
    rank, rope, nope = c["queryRank"], c["ropeDim"], c["nopeDim"]
    query = hidden * rank + rank * heads * (nope + rope)
    latent = hidden * a.latent_dim + (a.latent_dim - rope) * heads * (nope + a.head_dim)
    indexer = rank * c.get("indexHeads", 0) * c.get("indexDim", 0)
    indexer += hidden * (c.get("indexDim", 0) + c.get("indexHeads", 0))
    return float(query + latent + heads * a.head_dim * hidden + indexer)


def other_mixers(model: ModelEntry) -> float:
    """Of all layers that are no attention: gated delta nets or state spaces."""
    a, c = model.architecture, model.counted
    hidden, found = a.hidden_size, 0
    if delta := c.get("delta"):
        keys, values = delta["keyHeads"] * delta["keyDim"], delta["valueHeads"] * delta["valueDim"]
        layer = hidden * (2 * keys + 2 * values + 2 * delta["valueHeads"]) + 4 * (2 * keys + values)
        found += a.linear_layers * (layer + values * hidden)
    if mamba := c.get("mamba"):
        inner, states = mamba["heads"] * mamba["headDim"], mamba["groups"] * mamba["state"]
        layer = hidden * (2 * inner + 2 * states + mamba["heads"]) + mamba["kernel"] * (inner + 2 * states)
        found += mamba["layers"] * (layer + inner * hidden + inner)
    return found


def dense_feed_forwards(model: ModelEntry) -> int:
    a, c = model.architecture, model.counted
    if widths := c.get("feedForwards"):
        return int(sum(3 * a.hidden_size * width * layers for width, layers in widths.items()))
    layers = c.get("denseLayers", 0 if a.experts else a.layers)
    return int(layers * 3 * a.hidden_size * c.get("feedForward", 0))


def shared(model: ModelEntry) -> int:
    """Of one layer of experts: the shared expert, the router, and what leads into narrower experts."""
    a, c = model.architecture, model.counted
    narrower = 2 * a.hidden_size * c["expertWidth"] if "expertWidth" in c else 0
    matrices = c.get("matricesPerFeedForward", 3)
    return int(
        matrices * a.hidden_size * c.get("sharedFeedForward", 0) + a.hidden_size * a.experts + narrower
    )


def vision(model: ModelEntry) -> int:
    found: dict[str, Any] | None = model.counted.get("vision")
    if not found:
        return 0
    width = found["hiddenSize"]
    layers = found["layers"] * (4 * width * width + 2 * width * found["feedForward"])
    patches = 3 * found["patch"] ** 2 * width + found["positions"] * width
    return int(layers + patches + width * model.architecture.hidden_size)
