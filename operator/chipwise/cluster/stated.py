"""The architecture that a ModelProfile states, as the performance model reads it."""

from __future__ import annotations

from chipwise.api import Architecture as ModelArchitecture
from chipwise.performance import Architecture


def architecture_of(stated: ModelArchitecture) -> Architecture:
    """Figure by figure; a model that states no active parameters uses all."""
    return Architecture(
        parameters=stated.parameters,
        active_parameters=stated.active_parameters or stated.parameters,
        layers=stated.layers,
        hidden_size=stated.hidden_size,
        kv_heads=stated.kv_heads,
        head_dim=stated.head_dim,
        max_context_tokens=stated.max_context_tokens,
        attention_heads=stated.attention_heads,
        experts=stated.experts,
        experts_per_token=stated.experts_per_token,
        latent_dim=stated.latent_dim,
        sliding_window=stated.sliding_window,
        sliding_layers=stated.sliding_layers,
        linear_layers=stated.linear_layers,
    )
