"""How many kernels one layer launches in a prefill, counted from what its attention and its feed-forward network must compute.

A prefill is as a rule launched kernel by kernel from the host (engines record graphs of decode steps only), so a short one takes as long as its
launches. The counts are those of one kernel for each step that engines do not fuse; collectives and quantisation are left out.
"""

from __future__ import annotations

from chipwise.performance.types import Architecture

HEADS = ("norm", "queries, keys and values", "rotation", "cache", "attention", "output")
LATENT = (
    "norm",
    "down to the latents",
    "norm of the queries' latent",
    "norm of the cached latent",
    "queries",
    "keys and values",
    "rotation",
    "keys joined",
    "cache",
    "attention",
    "output",
)
DENSE = ("norm", "gate and up", "activation", "down")
ROUTED = (
    "norm",
    "router",
    "best experts",
    "order by expert",
    "gather",
    "gate and up",
    "activation",
    "down",
    "weighted sum",
)
"""Steps of attention by heads (Vaswani et al., arXiv:1706.03762, with a cache and rotary embedding), of multi-head latent attention
(DeepSeek-V2, arXiv:2405.04434, section 2.1), of a gated feed-forward network (Shazeer, arXiv:2002.05202) and of one of routed experts
(Shazeer et al., arXiv:1701.06538)."""


def kernels(a: Architecture) -> int:
    """Of one layer. Linear attention is counted as attention by heads; what a model has beside these steps is not known here."""
    attention = LATENT if a.latent_dim else HEADS
    return len(attention) + len(ROUTED if a.experts else DENSE)
