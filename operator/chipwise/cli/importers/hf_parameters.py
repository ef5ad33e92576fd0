"""How many parameters a decoder-only transformer has, and how many a token uses, counted from its config.json.

A layer is attention (grouped queries, or multi-head latent as in DeepSeek-V2 and V3) and a feed-forward block, dense or a mixture of
experts; beside the layers there are the embedding, the output matrix unless it is tied to it, and norms. The words are those of the
transformers library's configuration classes; what a class of models does differently is named below. Vision and audio towers and
multi-token prediction layers are not counted: they take no part in a decode step.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from chipwise.cli.importers.fields import Record

#: Models whose feed-forward block has two matrices and no gate.
UNGATED = frozenset(("starcoder2", "nemotron", "arcee", "apertus", "gpt_neox", "phi", "persimmon"))
#: With a bias on queries, keys and values that no key of the config tells.
QKV_BIAS = frozenset(("qwen2", "qwen2_moe", "qwen2_vl", "qwen2_5_vl_text"))
#: With norms on queries and keys.
QK_NORM = frozenset(
    (
        "qwen3",
        "qwen3_moe",
        "qwen3_vl_text",
        "qwen3_vl_moe_text",
        "gemma3",
        "gemma3_text",
        "olmo2",
        "olmoe",
        "hunyuan_v1_moe",
    )
)
#: With four norms a layer instead of two.
FOUR_NORMS = frozenset(("gemma2", "gemma3", "gemma3_text", "glm4"))
#: Whose output is tied to the embedding unless the config says otherwise.
TIED = frozenset(("gemma", "gemma2", "gemma3", "gemma3_text", "cohere", "cohere2"))

#: Names that configs have for one thing.
EXPERTS = ("n_routed_experts", "num_experts", "num_local_experts", "moe_num_experts")
USED = ("num_experts_per_tok", "num_experts_per_token", "moe_topk", "moe_k", "top_k_experts")
EXPERT_WIDTH = ("moe_intermediate_size", "expert_ffn_hidden_size")


MAX_LAYERS = 10_000
"""No model has as many by far; each is looked at."""


@dataclass(frozen=True, slots=True)
class Count:
    """All parameters, and those that a token uses."""

    parameters: int
    active: int


def layers_of(config: Record) -> int:
    """The number of layers."""
    found = config.count("num_hidden_layers")
    if found > MAX_LAYERS:
        raise config.error("num_hidden_layers", f"must be at most {MAX_LAYERS}, not {found}")
    return found


def experts(config: Record) -> tuple[int, int]:
    """Routed experts of a layer and how many of them a token uses; (0, 0) if the model is dense."""
    total = next((config.count(key, zero=True) for key in EXPERTS if config.has(key)), 0)
    if total <= 1:
        return 0, 0
    used = _first(config, USED)
    if used > total:
        raise config.error(
            next(key for key in USED if config.has(key)), f"must not exceed the {total} experts, not {used}"
        )
    return total, used


def inactive(config: Record) -> int:
    """Parameters that a token does not use, in a mixture of experts: the other experts, and an input embedding of its own.

    Of the embedding a token reads one row; where it is tied to the output, that reads it all. 0 if the model is dense: what is used of
    it is all of it by custom.
    """
    total, used = experts(config)
    if not total:
        return 0
    alone = config.has("tie_word_embeddings") and not config.flag("tie_word_embeddings")
    embedding = config.count("vocab_size") * config.count("hidden_size") if alone else 0
    return len(expert_layers(config)) * (total - used) * _expert(config) + embedding


def count(config: Record) -> Count:
    """Count them. Raises BadInput with the key that is missing."""
    kind, hidden = str(config.values.get("model_type", "")), config.count("hidden_size")
    layers, sparse = layers_of(config), expert_layers(config)
    norms = (4 if kind in FOUR_NORMS else 2) * hidden
    dense_width = _dense_width(config, all_sparse=len(sparse) == layers)
    total = hidden  # the last norm
    total += config.count("vocab_size") * hidden * (1 if tied(config, kind) else 2)
    total += layers * (_attention(config, kind) + norms)
    total += (layers - len(sparse)) * _block(config, kind, dense_width)
    if sparse:
        total += len(sparse) * _mixture(config)
    return Count(total, total - inactive(config))


def tied(config: Record, kind: str) -> bool:
    """Whether the output matrix is the embedding."""
    if kind in TIED and not config.has("tie_word_embeddings"):
        return True
    if not config.has("tie_word_embeddings"):
        raise config.error(
            "tie_word_embeddings", "is required to count the parameters; add it, or give --parameters"
        )
    return config.flag("tie_word_embeddings")


def expert_layers(config: Record) -> Collection[int]:
    """Which layers have experts: all, but for those that the config calls dense."""
    if not experts(config)[0]:
        return ()
    layers = range(layers_of(config))
    dense = config.count("first_k_dense_replace", zero=True) if config.has("first_k_dense_replace") else 0
    if config.has("moe_layer_freq") and isinstance(config.values["moe_layer_freq"], list):
        marks = config.values["moe_layer_freq"]
        return [layer for layer in layers if layer < len(marks) and marks[layer]]
    if config.has("moe_layers") and isinstance(config.values["moe_layers"], list):
        return [layer for layer in layers if layer in config.values["moe_layers"]]
    if config.has("moe_layer_start_index"):  # ERNIE 4.5
        start, interval = config.count("moe_layer_start_index", zero=True), config.count("moe_layer_interval")
        end = (
            config.count("moe_layer_end_index", zero=True)
            if config.has("moe_layer_end_index")
            else len(layers) - 1
        )
        return [layer for layer in layers if start <= layer <= end and (layer + 1) % interval == 0]
    step = next(
        (
            config.count(key)
            for key in ("interleave_moe_layer_step", "decoder_sparse_step", "moe_layer_freq")
            if config.has(key)
        ),
        1,
    )
    only_dense = config.values.get("mlp_only_layers") or ()
    if config.has("interleave_moe_layer_step") or config.has("decoder_sparse_step"):
        return [layer for layer in layers if (layer + 1) % step == 0 and layer not in only_dense]
    return [layer for layer in layers if layer >= dense and layer % step == 0 and layer not in only_dense]


def head_dim(config: Record) -> int:
    """The width of a head; of a value head with multi-head latent attention."""
    if config.has("kv_lora_rank"):
        return config.count("v_head_dim")
    if config.has("head_dim"):
        return config.count("head_dim")
    hidden, heads = config.count("hidden_size"), config.count("num_attention_heads")
    if hidden % heads:
        raise config.error("head_dim", f"is required: {heads} heads do not divide the hidden size {hidden}")
    return hidden // heads


def kv_heads(config: Record) -> int:
    """Key and value heads; as many as query heads where the config names none, as in transformers."""
    heads = config.count("num_attention_heads")
    found = config.count("num_key_value_heads") if config.has("num_key_value_heads") else heads
    if found > heads:
        raise config.error("num_key_value_heads", f"must not exceed the {heads} query heads, not {found}")
    if heads % found:
        raise config.error("num_key_value_heads", f"must divide the {heads} query heads, not {found}")
    return found


def _attention(config: Record, kind: str) -> int:
    hidden, heads = config.count("hidden_size"), config.count("num_attention_heads")
    if config.has("kv_lora_rank"):
        return _latent_attention(config, hidden, heads)
    width, kv = head_dim(config), kv_heads(config)
    queries, keys = heads * width, kv * width
    total = 2 * hidden * queries + 2 * hidden * keys
    if config.has("attention_bias") and config.flag("attention_bias"):
        total += queries + 2 * keys + hidden
    elif kind in QKV_BIAS or (config.has("qkv_bias") and config.flag("qkv_bias")):
        total += queries + 2 * keys
    if kind in QK_NORM or (config.has("use_qk_norm") and config.flag("use_qk_norm")):
        total += 2 * width
    return total + (heads if kind == "gpt_oss" else 0)  # a sink for each head


def _latent_attention(config: Record, hidden: int, heads: int) -> int:
    """Queries through q_lora_rank if there is one, keys and values through kv_lora_rank, a norm on both latent vectors."""
    rank, rope = config.count("kv_lora_rank"), config.count("qk_rope_head_dim")
    nope, value = config.count("qk_nope_head_dim"), config.count("v_head_dim")
    queries = heads * (nope + rope)
    if config.has("q_lora_rank"):
        low = config.count("q_lora_rank")
        total = hidden * low + low + low * queries
    else:
        total = hidden * queries
    return total + hidden * (rank + rope) + rank + rank * heads * (nope + value) + heads * value * hidden


def _dense_width(config: Record, *, all_sparse: bool) -> int:
    """The width of the feed-forward block of a layer without experts."""
    if all_sparse:
        return 0
    return config.count(
        "intermediate_size_mlp" if config.has("intermediate_size_mlp") else "intermediate_size"
    )


def _block(config: Record, kind: str, width: int) -> int:
    hidden = config.count("hidden_size")
    matrices = 2 if kind in UNGATED else 3
    biased = config.has("mlp_bias") and config.flag("mlp_bias")
    return matrices * hidden * width + ((matrices - 1) * width + hidden if biased else 0)


def _mixture(config: Record) -> int:
    """Routed experts, shared ones, and the router."""
    hidden, (total, _) = config.count("hidden_size"), experts(config)
    router = hidden * total
    if config.values.get("model_type") == "gpt_oss" or config.values.get("topk_method") == "noaux_tc":
        router += total  # a bias for each expert
    return router + total * _expert(config) + _shared(config, hidden)


def _expert(config: Record) -> int:
    hidden, width = config.count("hidden_size"), _first(config, (*EXPERT_WIDTH, "intermediate_size"))
    biases = 2 * width + hidden if config.values.get("model_type") == "gpt_oss" else 0
    return 3 * hidden * width + biases


def _shared(config: Record, hidden: int) -> int:
    """Experts that every token uses."""
    if config.has("shared_expert_intermediate_size"):
        width = config.count("shared_expert_intermediate_size", zero=True)
        return 3 * hidden * width + (hidden if width else 0)  # and the gate before it
    if config.has("shared_intermediate_size"):
        return 3 * hidden * config.count("shared_intermediate_size", zero=True)
    for key in ("n_shared_experts", "num_shared_experts", "num_shared_expert", "moe_num_shared_experts"):
        if config.has(key):
            return (
                config.count(key, zero=True)
                * 3
                * hidden
                * _first(config, (*EXPERT_WIDTH, "intermediate_size"))
            )
    return _expert(config) if str(config.values.get("model_type", "")).startswith("llama4") else 0


def _first(config: Record, keys: Collection[str]) -> int:
    """The first of these that the config has."""
    found = next((key for key in keys if config.has(key)), None)
    if found is None:
        raise config.error(next(iter(keys)), f"is required, or one of {', '.join(list(keys)[1:])}")
    return config.count(found)
