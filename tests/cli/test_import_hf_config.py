"""``chipwise import hf-config``: shapes of models that people publish, counted to what their makers state, and configs that lack a key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.fleet import Document, chip, invoke, planned, pool, workload, write
from tests.cli.measurements import DATA

CONFIG = DATA / "hf-config" / "qwen3-32b" / "config.json"

FLAGS = (
    "--model",
    "acme/model",
    "--class",
    "h100-sxm",
    "--chips",
    "8",
    "--precision",
    "bf16",
    "--startup-seconds",
    "60",
)


def ran(path: Path, *more: Any) -> Any:
    return invoke("import", "hf-config", path, *FLAGS, *more)


def architecture(folder: Path, config: Document, *more: Any) -> Document:
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    result = ran(path, *more)
    assert result.exit_code == 0, result.output
    found: Document = yaml.safe_load(result.stdout)["spec"]["architecture"]
    return found


def refused(folder: Path, config: Any, *more: Any) -> str:
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    result = ran(path, *more)
    assert (result.exit_code, result.stdout) == (2, "")
    said: str = result.stderr
    return said


def shape(
    kind: str, hidden: int, width: int, layers: int, heads: tuple[int, int], words: int, **more: Any
) -> Document:
    """The keys that nearly all configs have; ``heads`` of queries and of keys."""
    return {
        "model_type": kind,
        "hidden_size": hidden,
        "intermediate_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads[0],
        "num_key_value_heads": heads[1],
        "vocab_size": words,
        "tie_word_embeddings": False,
        **more,
    }


def mixture(total: int, used: int, width: int) -> Document:
    return {
        "num_experts": total,
        "num_experts_per_tok": used,
        "moe_intermediate_size": width,
        "decoder_sparse_step": 1,
    }


LATENT: Document = {
    "kv_lora_rank": 512,
    "qk_rope_head_dim": 64,
    "qk_nope_head_dim": 128,
    "v_head_dim": 128,
    "moe_layer_freq": 1,
}
LLAMA_8B = shape("llama", 4096, 14336, 32, (32, 8), 128256, max_position_embeddings=131072)
QWEN3_30B = shape("qwen3_moe", 2048, 6144, 48, (32, 4), 151936, head_dim=128, **mixture(128, 8, 768))
DEEPSEEK_V3 = shape(
    *("deepseek_v3", 7168, 18432, 61, (128, 128), 129280),
    **LATENT,
    q_lora_rank=1536,
    n_routed_experts=256,
    n_shared_experts=1,
    num_experts_per_tok=8,
    moe_intermediate_size=2048,
    first_k_dense_replace=3,
    topk_method="noaux_tc",
)
DEEPSEEK_V2_LITE = shape(
    *("deepseek_v2", 2048, 10944, 27, (16, 16), 102400),
    **LATENT,
    q_lora_rank=None,
    n_routed_experts=64,
    n_shared_experts=2,
    num_experts_per_tok=6,
    moe_intermediate_size=1408,
    first_k_dense_replace=1,
    topk_method="greedy",
)
GPT_OSS_120B = shape(
    *("gpt_oss", 2880, 2880, 36, (64, 8), 201088),
    head_dim=64,
    num_local_experts=128,
    num_experts_per_tok=4,
    attention_bias=True,
    sliding_window=128,
    layer_types=["sliding_attention", "full_attention"] * 18,
)
LLAMA4 = shape(
    *("llama4_text", 5120, 8192, 48, (40, 8), 202048),
    head_dim=128,
    intermediate_size_mlp=16384,
    num_local_experts=16,
    num_experts_per_tok=1,
    interleave_moe_layer_step=1,
)
GEMMA3 = {
    key: value
    for key, value in shape(
        "gemma3_text", 5376, 21504, 62, (32, 16), 262208, head_dim=128, sliding_window=1024
    ).items()
    if key != "tie_word_embeddings"
}
MISTRAL = shape("mistral", 4096, 14336, 32, (32, 8), 32000, sliding_window=4096)
MIXTRAL = shape(
    "mixtral",
    4096,
    14336,
    32,
    (32, 8),
    32000,
    num_local_experts=8,
    num_experts_per_tok=2,
    sliding_window=None,
)
QWEN_25 = shape("qwen2", 3584, 18944, 28, (28, 4), 152064, sliding_window=131072, use_sliding_window=False)
GEMMA2 = shape(
    "gemma2", 3584, 14336, 42, (16, 8), 256000, head_dim=256, sliding_window=4096, tie_word_embeddings=True
)
PHI3 = shape("phi3", 3072, 8192, 32, (32, 32), 32064, sliding_window=2047)


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        (LLAMA_8B, 8_030_261_248),
        (shape("llama", 8192, 28672, 80, (64, 8), 128256), 70_553_706_496),
        (json.loads(CONFIG.read_text()), 32_762_123_264),
        (QWEN3_30B, 30_532_122_624),
        (
            shape("qwen3_moe", 4096, 12288, 94, (64, 4), 151936, head_dim=128, **mixture(128, 8, 1536)),
            235_093_634_560,
        ),
        (QWEN_25, 7_615_616_512),
        (MISTRAL, 7_241_732_096),
        (MIXTRAL, 46_702_792_704),
        (PHI3, 3_821_079_552),
        (GEMMA2, 9_241_705_984),
        ({"model_type": "gemma3", "text_config": GEMMA3}, 27_009_346_304),
        (DEEPSEEK_V2_LITE, 15_706_484_224),
        (DEEPSEEK_V3, 671_026_419_200),
        (GPT_OSS_120B, 116_829_156_672),
    ],
    ids=lambda value: value.get("model_type", "") if isinstance(value, dict) else None,
)
def test_parameters_are_those_of_the_published_weights(tmp_path, config, parameters):
    """To the last one: what the safetensors files of these models hold, without draft layers and vision towers."""
    assert architecture(tmp_path, config)["parameters"] == parameters


TINY = (256, 512, 8, (8, 4), 1024)


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        (shape("qwen2_moe", *TINY, shared_expert_intermediate_size=5632, **mixture(8, 2, 128)), 43_018_496),
        (shape("olmoe", *TINY, num_experts=8, num_experts_per_tok=2), 27_286_784),
        (
            shape(
                "granitemoeshared",
                *TINY,
                num_local_experts=8,
                num_experts_per_tok=2,
                shared_intermediate_size=0,
            ),
            27_283_712,
        ),
        (
            shape(
                *("ernie4_5_moe", *TINY),
                moe_num_experts=8,
                moe_k=2,
                moe_intermediate_size=128,
                moe_num_shared_experts=2,
                moe_layer_start_index=1,
                moe_layer_end_index=7,
                moe_layer_interval=1,
                tie_word_embeddings=True,
            ),
            9_128_248,
        ),
        (
            shape(
                *("glm4_moe", *TINY),
                n_routed_experts=8,
                n_shared_experts=1,
                num_experts_per_tok=2,
                moe_intermediate_size=128,
                first_k_dense_replace=1,
                use_qk_norm=False,
            ),
            8_702_264,
        ),
    ],
    ids=lambda value: value.get("model_type", "") if isinstance(value, dict) else None,
)
def test_other_ways_to_place_experts_are_counted(tmp_path, config, parameters):
    """Against the weights that transformers 5.24.0 makes of the same config; what differs are biases of routers and norms."""
    assert architecture(tmp_path, config)["parameters"] == pytest.approx(parameters, rel=2e-4)


@pytest.mark.parametrize(
    ("config", "billions", "experts"),
    [
        (MIXTRAL, 12.9, (8, 2)),
        (DEEPSEEK_V2_LITE, 2.4, (64, 6)),
        (DEEPSEEK_V3, 37, (256, 8)),
        (GPT_OSS_120B, 5.1, (128, 4)),
        ({"model_type": "llama4", "text_config": LLAMA4}, 17, (16, 1)),
    ],
)
def test_active_parameters_are_as_their_makers_say(tmp_path, config, billions, experts):
    found = architecture(tmp_path, config)
    assert found["activeParameters"] == pytest.approx(billions * 1e9, rel=0.06)
    assert (found["experts"], found["expertsPerToken"]) == experts


def test_a_dense_model_uses_all_its_parameters(tmp_path):
    found = architecture(tmp_path, LLAMA_8B)
    assert not {"activeParameters", "experts", "latentDim", "slidingWindow", "linearLayers"} & set(found)
    assert (found["headDim"], found["attentionHeads"], found["maxContextTokens"]) == (128, 32, 131072)


@pytest.mark.parametrize(
    ("config", "window", "layers"),
    [
        (GPT_OSS_120B, 128, 18),
        ({"text_config": GEMMA3}, 1024, 52),
        ({"text_config": GEMMA3 | {"sliding_window_pattern": 2}}, 1024, 31),
        (GEMMA2, 4096, 21),
        (MISTRAL, 4096, 32),
        (MIXTRAL, None, None),
        (QWEN_25, None, None),
        (LLAMA_8B | {"model_type": "acme", "sliding_window": 512}, None, None),
        (
            LLAMA_8B
            | {
                "attention_chunk_size": 8192,
                "layer_types": ["chunked_attention"] * 24 + ["full_attention"] * 8,
            },
            8192,
            24,
        ),
    ],
)
def test_sliding_windows_are_counted_where_the_config_tells_of_them(tmp_path, config, window, layers):
    """Else no layer has one: the memory is taken for too dear, never for too cheap."""
    found = architecture(tmp_path, config)
    assert (found.get("slidingWindow"), found.get("slidingLayers")) == (window, layers)


def test_multi_head_latent_attention_keeps_one_vector(tmp_path):
    found = architecture(tmp_path, DEEPSEEK_V3)
    assert (found["latentDim"], found["kvHeads"], found["headDim"]) == (576, 128, 128)


@pytest.mark.parametrize(
    ("more", "stateless"),
    [
        ({"layer_types": ["linear_attention"] * 24 + ["full_attention"] * 8}, 24),
        ({"full_attention_interval": 4}, 24),
        ({"hybrid_override_pattern": "M-M*" * 8}, 24),
        ({"attn_layer_indices": [3, 9]}, 30),
        ({"attn_layer_period": 8, "attn_layer_offset": 4}, 28),
    ],
)
def test_layers_of_other_kinds_keep_nothing_and_need_the_parameters(tmp_path, more, stateless):
    """A config tells the shape of such layers in no common way."""
    config = LLAMA_8B | {"mamba_d_state": 128} | more
    assert "give --parameters" in refused(tmp_path, config)
    found = architecture(tmp_path, config, "--parameters", "9000000000")
    assert (found["linearLayers"], found["parameters"]) == (stateless, 9_000_000_000)


@pytest.mark.parametrize(
    "key", ["block_configs", "hidden_size_per_layer_input", "zero_expert_num", "encoder_layers"]
)
def test_parts_that_are_not_counted_are_never_passed_over(tmp_path, key):
    assert f"{key}: says of parts whose parameters a config does not tell" in refused(
        tmp_path, LLAMA_8B | {key: 256}
    )


def test_linear_layers_alone_are_reason_enough_to_ask(tmp_path):
    config = LLAMA_8B | {"layer_types": ["linear_attention"] * 24 + ["full_attention"] * 8}
    assert "layer_types: " in refused(tmp_path, config)


def test_experts_that_are_not_used_are_taken_off_given_parameters(tmp_path):
    found = architecture(tmp_path, QWEN3_30B, "--parameters", "31000000000")
    counted = architecture(tmp_path, QWEN3_30B)
    assert (
        found["parameters"] - found["activeParameters"] == counted["parameters"] - counted["activeParameters"]
    )
    given = architecture(
        tmp_path, QWEN3_30B, "--parameters", "31000000000", "--active-parameters", "3000000000"
    )
    assert given["activeParameters"] == 3_000_000_000


@pytest.mark.parametrize(
    ("metadata", "more", "parameters"),
    [
        ({"total_parameters": 8_030_261_249, "total_size": 1}, {}, 8_030_261_249),
        ({"total_size": 16_060_522_496}, {"torch_dtype": "bfloat16"}, 8_030_261_248),
        ({"total_size": 32_121_044_992}, {"dtype": "float32"}, 8_030_261_248),
        (
            {"total_size": 9_000_000_000},
            {"torch_dtype": "bfloat16", "quantization_config": {"bits": 4}},
            8_030_261_248,
        ),
        ({"total_size": 9_000_000_000}, {}, 8_030_261_248),
    ],
)
def test_the_index_of_the_weights_goes_before_counting(tmp_path, metadata, more, parameters):
    """Where it tells parameters, or bytes of one unquantised format."""
    (tmp_path / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": metadata, "weight_map": {}})
    )
    assert architecture(tmp_path, LLAMA_8B | more)["parameters"] == parameters


@pytest.mark.parametrize(
    "key",
    [
        "hidden_size",
        "intermediate_size",
        "num_hidden_layers",
        "num_attention_heads",
        "vocab_size",
        "tie_word_embeddings",
    ],
)
def test_a_missing_key_is_named(tmp_path, key):
    config = {name: value for name, value in LLAMA_8B.items() if name != key}
    assert f"config.json: {key}: is required" in refused(tmp_path, config)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (LLAMA_8B | {"hidden_size": 0}, "hidden_size: must be greater than zero"),
        (LLAMA_8B | {"hidden_size": -1}, "hidden_size: must be greater than zero"),
        (LLAMA_8B | {"hidden_size": "4096"}, "hidden_size: must be a number"),
        (LLAMA_8B | {"num_attention_heads": 33}, "head_dim: is required: 33 heads do not divide"),
        (LLAMA_8B | {"num_key_value_heads": 64}, "num_key_value_heads: must not exceed the 32 query heads"),
        (QWEN3_30B | {"num_experts_per_tok": 200}, "num_experts_per_tok: must not exceed the 128 experts"),
        (QWEN3_30B | {"num_experts_per_tok": None}, "num_experts_per_tok: is required"),
        (LLAMA_8B | {"layer_types": ["full_attention"]}, "layer_types: has 1 entries for 32 layers"),
        (LLAMA_8B | {"num_hidden_layers": 10**9}, "num_hidden_layers: "),
        ([], "must hold an object"),
        ({"text_config": {}}, "text_config: num_hidden_layers: is required"),
    ],
)
def test_a_config_that_cannot_be_is_refused_by_key(tmp_path, config, message):
    assert message in refused(tmp_path, config)


def test_more_active_than_all_parameters_are_refused(tmp_path):
    said = refused(tmp_path, LLAMA_8B, "--active-parameters", "9000000000")
    assert "9000000000 active parameters of 8030261248 cannot be" in said


def test_the_profile_is_planned_with_and_every_figure_says_estimated(tmp_path):
    """A model nobody listed, on a chip of one's own."""
    known = chip(
        "nova", memory="192G", memoryBandwidthGBps=6000, tflops=[{"precision": "fp8", "dense": 2000}]
    )
    files = write(tmp_path, known, pool("nova", "4"), workload("chat"), name="fleet.json")
    flags = (
        "--model",
        "example/llama",
        "--class",
        "nova",
        "--chips",
        "2",
        "--precision",
        "fp8",
        "--startup-seconds",
        "60",
    )
    result = invoke("import", "hf-config", CONFIG, *flags, "-f", files, "-o", tmp_path / "profile.yaml")
    assert result.exit_code == 0, result.output
    (placed,) = planned(files, tmp_path / "profile.yaml")["workloads"]
    assert placed["placements"][0]["provenance"] == "Estimated"


def test_several_chips_make_several_variants():
    result = ran(CONFIG, "--class", "mi300x")
    names = [variant["name"] for variant in yaml.safe_load(result.stdout)["spec"]["variants"]]
    assert names == ["h100-sxm-x8-bf16", "mi300x-x8-bf16"]


def test_an_unknown_chip_is_refused():
    result = ran(CONFIG, "--class", "h900")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "ChipUnknown: the catalogue has no chip h900" in result.stderr


def test_a_folder_is_read_as_a_checkpoint():
    assert ran(CONFIG.parent).stdout == ran(CONFIG).stdout
    assert "No such file" in ran(DATA / "hf-config").stderr


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("num_key_value_heads", 5, "must divide the 64 query heads, not 5"),
        ("num_key_value_heads", 65, "must not exceed the 64 query heads, not 65"),
        ("sliding_window", -1, "must be greater than zero, not -1"),
        ("sliding_window", 0, "must be greater than zero, not 0"),
    ],
)
def test_one_key_that_cannot_be_is_refused_even_where_it_is_not_used(tmp_path, key, value, said):
    assert f"config.json: {key}: {said}" in refused(tmp_path, json.loads(CONFIG.read_text()) | {key: value})


YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}


@pytest.mark.parametrize(
    ("more", "tokens"),
    [
        ({"rope_scaling": None}, 40960),
        ({"rope_scaling": YARN}, 131072),
        ({"rope_scaling": {"type": "yarn", "factor": 2, "original_max_position_embeddings": 32768}}, 65536),
        ({"rope_scaling": {"type": "linear", "factor": 2.5}}, 102400),
        ({"rope_scaling": {"type": "dynamic", "factor": 2}}, 81920),
        ({"rope_scaling": {"rope_type": "default"}}, 40960),
        ({"rope_scaling": {"rope_type": "default", "factor": None}}, 40960),
        ({"rope_scaling": {"rope_type": "llama3", "factor": 8}}, 40960),
        ({"rope_scaling": {"type": "longrope", "factor": 8}}, 40960),
        ({"rope_scaling": {"type": "su", "factor": 8}}, 40960),
        ({"rope_parameters": YARN}, 131072),
        ({"model_type": "gemma3_text", "rope_scaling": {"type": "linear", "factor": 8}}, 40960),
    ],
)
def test_the_context_is_what_an_engine_serves_with_its_rope_scaling(tmp_path, more, tokens):
    config = LLAMA_8B | {"max_position_embeddings": 40960} | more
    given = ("--parameters", "8000000000")
    assert architecture(tmp_path, config, *given)["maxContextTokens"] == tokens


@pytest.mark.parametrize(
    ("scaling", "said"),
    [
        ({"type": "yarn", "factor": 4}, "rope_scaling: original_max_position_embeddings: is required"),
        ({"type": "linear", "factor": -1}, "rope_scaling: factor: must be greater than zero"),
        ({"type": "linear", "factor": "4"}, "rope_scaling: factor: must be a number"),
        ("yarn", "rope_scaling: must be an object"),
    ],
)
def test_rope_scaling_that_cannot_be_is_refused_by_its_key(tmp_path, scaling, said):
    assert said in refused(tmp_path, LLAMA_8B | {"rope_scaling": scaling})
