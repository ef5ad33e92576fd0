"""A model's config.json, as Hugging Face publishes it, as the architecture of a ModelProfile.

Parameters are counted from the shape (``hf_parameters``), unless ``model.safetensors.index.json`` beside the file or the person says
them. Where layers are of kinds whose shape the config does not tell in a common way (state space, linear attention), they must be
given. What a config leaves out is never assumed; the key is named.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chipwise.cli.importers.fields import Record
from chipwise.cli.importers.hf_context import context_tokens
from chipwise.cli.importers.hf_parameters import (
    Count,
    count,
    experts,
    head_dim,
    inactive,
    kv_heads,
    layers_of,
)
from chipwise.cli.importers.manifests import Document
from chipwise.cli.importers.reading import read_json

INDEX = "model.safetensors.index.json"

#: Kinds in ``layer_types`` by what they keep.
FULL = frozenset(("full_attention", "attention", "full", "global_attention"))
WINDOWED = frozenset(("sliding_attention", "chunked_attention", "local_attention"))

#: Families whose every layer has the window that ``sliding_window`` names, and those in which every second layer has it.
ALL_WINDOWED, HALF_WINDOWED = frozenset(("mistral", "mixtral", "phi3", "starcoder2")), frozenset(("gemma2",))

#: Keys of models with layers of other kinds, or with parts beside the layers, whose parameters the config does not tell in a common way.
OTHER_KINDS = (
    *("hybrid_override_pattern", "attn_layer_period", "attn_layer_indices", "full_attention_interval"),
    *(
        "mamba_d_state",
        "ssm_state_size",
        "mamba_num_heads",
        "linear_num_value_heads",
        "linear_attn_config",
        "block_types",
    ),
    *("state_size", "layers_block_type"),
    *(
        "block_configs",
        "hidden_size_per_layer_input",
        "moe_latent_size",
        "zero_expert_num",
        "cross_attention_layers",
    ),
    *("encoder_layers", "num_encoder_layers"),
)

#: Bytes of the formats in which weights are stored unquantised.
STORED = {"bfloat16": 2, "float16": 2, "float32": 4}


@dataclass(frozen=True, slots=True)
class Layers:
    """Layers with a sliding window of so many tokens, and those that keep nothing for each token."""

    windowed: int = 0
    window: int | None = None
    stateless: int = 0


def text_config(whole: Record) -> Record:
    """The part of a config that describes the language model, with what it inherits from the whole."""
    for key in ("text_config", "llm_config", "language_config"):
        if isinstance(whole.values.get(key), dict):
            inner = whole.record(key)
            inherited = {
                name: whole.values[name]
                for name in ("tie_word_embeddings", "torch_dtype", "dtype")
                if name in whole.values
            }
            return Record(whole.path, key, {**inherited, **inner.values})
    return whole


def read_architecture(path: Path, parameters: int | None = None, active: int | None = None) -> Document:
    """The architecture in a config.json; ``parameters`` and ``active`` are what the person gives. Raises BadInput."""
    config = text_config(read_json(path))
    layers, kinds, context = layers_of(config), _layers(config), context_tokens(config)
    total, used = experts(config)
    counted = _parameters(config, path.parent / INDEX, parameters, active)
    found: dict[str, Any] = {
        "parameters": counted.parameters,
        **({"activeParameters": counted.active} if counted.active != counted.parameters else {}),
        "layers": layers,
        "hiddenSize": config.count("hidden_size"),
        "kvHeads": kv_heads(config),
        "headDim": head_dim(config),
        **({"maxContextTokens": context} if context is not None else {}),
        "attentionHeads": config.count("num_attention_heads"),
        **({"experts": total, "expertsPerToken": used} if total else {}),
        **({"latentDim": _latent(config)} if config.has("kv_lora_rank") else {}),
        **({"slidingWindow": kinds.window, "slidingLayers": kinds.windowed} if kinds.windowed else {}),
        **({"linearLayers": kinds.stateless} if kinds.stateless else {}),
    }
    return found


def _latent(config: Record) -> int:
    return config.count("kv_lora_rank") + config.count("qk_rope_head_dim")


def _parameters(config: Record, index: Path, parameters: int | None, active: int | None) -> Count:
    """What the person says, else the index of the weights, else what the shape counts."""
    total = parameters or _indexed(config, index)
    if total is None:
        odd = next((key for key in OTHER_KINDS if config.has(key)), None)
        odd = odd or ("layer_types" if _layers(config).stateless else None)
        if odd is not None:
            said = "says of parts whose parameters a config does not tell: give --parameters, and --active-parameters if it has experts"
            raise config.error(odd, said)
        found = count(config)
        return found if active is None else _within(config, Count(found.parameters, active))
    return _within(config, Count(total, active if active is not None else total - inactive(config)))


def _within(config: Record, found: Count) -> Count:
    if not 0 < found.active <= found.parameters:
        said = f"{found.active} active parameters of {found.parameters} cannot be: correct --parameters or --active-parameters"
        raise config.error("", said)
    return found


def _indexed(config: Record, path: Path) -> int | None:
    """Parameters as the index of the weights has them: their number, else the bytes where all are of one unquantised format."""
    if not path.exists():
        return None
    metadata = read_json(path).record("metadata")
    if metadata.has("total_parameters"):
        return metadata.count("total_parameters")
    kind = config.values.get("dtype", config.values.get("torch_dtype"))
    if config.has("quantization_config") or kind not in STORED or not metadata.has("total_size"):
        return None
    return metadata.count("total_size") // STORED[str(kind)]


def _layers(config: Record) -> Layers:
    layers = layers_of(config)
    if config.has("sliding_window"):
        config.count(
            "sliding_window"
        )  # a figure that cannot be is refused even where no layer has the window
    kinds = config.values.get("layer_types")
    if isinstance(kinds, list):
        if len(kinds) != layers:
            raise config.error("layer_types", f"has {len(kinds)} entries for {layers} layers")
        windowed = sum(kind in WINDOWED for kind in kinds)
        return Layers(
            windowed,
            _window(config) if windowed else None,
            sum(kind not in FULL | WINDOWED for kind in kinds),
        )
    stateless = _stateless(config, layers)
    if stateless or not config.has("sliding_window") or config.values.get("use_sliding_window") is False:
        return Layers(stateless=stateless)
    windowed = _windowed(config, layers)
    return Layers(windowed, _window(config) if windowed else None)


def _window(config: Record) -> int:
    key = (
        "attention_chunk_size"
        if not config.has("sliding_window") and config.has("attention_chunk_size")
        else "sliding_window"
    )
    return config.count(key)


def _windowed(config: Record, layers: int) -> int:
    """How many layers have the window; none where the config does not tell, which takes memory for too dear, never for too cheap."""
    kind = str(config.values.get("model_type", ""))
    if config.has("sliding_window_pattern") and isinstance(config.values["sliding_window_pattern"], int):
        return layers - layers // config.count("sliding_window_pattern")
    if kind.startswith("gemma3"):
        return layers - layers // 6
    return layers if kind in ALL_WINDOWED else layers // 2 if kind in HALF_WINDOWED else 0


def _stateless(config: Record, layers: int) -> int:
    """Layers without attention to all tokens, of the ways in which hybrid models say so."""
    if config.has("hybrid_override_pattern"):
        return layers - config.text("hybrid_override_pattern").count("*")
    if config.has("full_attention_interval"):
        return layers - layers // config.count("full_attention_interval")
    if config.has("attn_layer_indices") and isinstance(config.values["attn_layer_indices"], list):
        return layers - len(config.values["attn_layer_indices"])
    if config.has("attn_layer_period"):
        period = config.count("attn_layer_period")
        offset = config.count("attn_layer_offset", zero=True) if config.has("attn_layer_offset") else 0
        return layers - sum(layer % period == offset for layer in range(layers))
    return 0
