"""Cases of made-up models on made-up chips, plain and by chance."""

from __future__ import annotations

from dataclasses import replace

from chipwise.performance import Architecture, Chip
from chipwise.performance.estimator import Case
from hypothesis import strategies as st

DENSE = Architecture(8_000_000_000, 8_000_000_000, 32, 4096, 8, 128, attention_heads=32)
ROUTED = Architecture(
    120_000_000_000, 6_000_000_000, 40, 3072, 8, 64, attention_heads=64, experts=128, experts_per_token=4
)
CHIP = Chip(80_000_000_000, 3.35e12, 9.9e14, 4.5e11)
PLAIN = Case(
    "made/up", DENSE, "chip", CHIP, "bf16", 16, 1024.0, 256.0, 8.0, engine="vllm", engine_version="1"
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    expert = draw(st.sampled_from([1, 2]))
    return replace(
        PLAIN,
        model=draw(st.sampled_from(["made/up", "other", ""])),
        architecture=draw(st.sampled_from([DENSE, ROUTED])),
        accelerator=draw(st.sampled_from(["chip", "another", ""])),
        chip=replace(
            CHIP,
            bandwidth_bytes_per_second=draw(st.floats(3e11, 2e13)),
            flops=draw(st.floats(5e13, 2e16)),
            interconnect_bytes_per_second=draw(st.sampled_from([None, 3e10, 9e11])),
        ),
        weight_bits=draw(st.sampled_from([4, 8, 16])),
        input_tokens=draw(st.floats(1, 100_000)),
        output_tokens=draw(st.floats(1, 20_000)),
        concurrency=draw(st.floats(1, 2000)),
        tensor=draw(st.sampled_from([1, 2, 4, 8])),
        data=draw(st.sampled_from([1, 2])),
        expert=expert,
        engine=draw(st.sampled_from(["vllm", "trtllm", "sglang", "another", ""])),
    )
