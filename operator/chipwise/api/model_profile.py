"""ModelProfile: how one model runs on each kind of chip, and how fast."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from chipwise.api.conditions import CommonStatus
from chipwise.api.container_patch import ContainerPatch
from chipwise.api.custom_object import AGE, READY, WHY_NOT_READY, Column, CustomObject, Definition
from chipwise.api.lists import Distinct, MapBy, NotEmpty
from chipwise.api.model import Model
from chipwise.api.numbers import Chips, Count, CountOrZero, Parameters, Seconds, SecondsOrZero, Tokens
from chipwise.api.performance import Performance
from chipwise.api.precision import Precision
from chipwise.api.rules import Rule
from chipwise.api.text import Line, Name, VariantName

ImagePattern = Annotated[str, Field(min_length=1, max_length=512)]


class Architecture(Model):
    """A decoder-only transformer, as its config.json tells it. Needed only to estimate what has not been measured."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.activeParameters) || self.activeParameters <= self.parameters",
            "must not exceed parameters",
            lambda found: found.active_parameters is None or found.active_parameters <= found.parameters,
            ".activeParameters",
        ),
        Rule(
            "!has(self.attentionHeads) || self.attentionHeads >= self.kvHeads",
            "must not be below kvHeads: every key and value head serves at least one query head",
            lambda found: found.attention_heads is None or found.attention_heads >= found.kv_heads,
            ".attentionHeads",
        ),
        Rule(
            "self.expertsPerToken <= self.experts && (self.experts == 0 || self.expertsPerToken > 0)",
            "must be between 1 and experts, or both left out",
            lambda found: (
                found.experts_per_token <= found.experts
                and (found.experts == 0 or found.experts_per_token > 0)
            ),
            ".expertsPerToken",
        ),
        Rule(
            "has(self.slidingWindow) == (self.slidingLayers > 0)",
            "goes with slidingLayers: give both or neither",
            lambda found: (found.sliding_window is not None) == (found.sliding_layers > 0),
            ".slidingWindow",
        ),
        Rule(
            "self.slidingLayers + self.linearLayers <= self.layers",
            "must not exceed layers, together with slidingLayers",
            lambda found: found.sliding_layers + found.linear_layers <= found.layers,
            ".linearLayers",
        ),
        Rule(
            "!has(self.activeParameters) || double(self.activeParameters) * double(self.experts)"
            " >= double(self.parameters) * double(self.expertsPerToken)",
            "must not be below parameters x expertsPerToken / experts: what is not an expert is used by every token",
            lambda found: (
                found.active_parameters is None
                or float(found.active_parameters) * found.experts
                >= float(found.parameters) * found.experts_per_token
            ),
            ".activeParameters",
        ),
        Rule(
            "double(has(self.activeParameters) ? self.activeParameters : self.parameters)"
            " >= double(self.layers - self.linearLayers) * double(self.hiddenSize)"
            " * double(has(self.latentDim) ? self.latentDim : self.kvHeads * self.headDim)",
            "must not be below layers x hiddenSize x kvHeads x headDim (or latentDim), nor may activeParameters:"
            " the keys of layers of this size alone are as many",
            lambda found: (
                float(found.active_parameters or found.parameters)
                >= float(found.layers - found.linear_layers)
                * found.hidden_size
                * (found.latent_dim or found.kv_heads * found.head_dim)
            ),
            ".parameters",
        ),
    )

    parameters: Parameters
    """Number of parameters, such as 32762123264."""
    active_parameters: Parameters | None = None
    """Parameters used for each token in a mixture of experts, such as 5130000000. Left out, all of them."""
    layers: Count
    """Number of layers, such as 64."""
    hidden_size: Count
    """Width of the hidden state, such as 5120."""
    kv_heads: Count
    """Key and value heads of one layer, such as 8."""
    head_dim: Count
    """Width of one head, such as 128; with multi-head latent attention that of a value head."""
    max_context_tokens: Tokens | None = None
    """The longest request in tokens, input and output together, such as 40960. Left out, no request counts as too long."""
    attention_heads: Count | None = None
    """Query heads of one layer, such as 64."""
    experts: CountOrZero = 0
    """Routed experts of one mixture-of-experts layer, such as 128. 0 (the default) for a dense model."""
    experts_per_token: CountOrZero = 0
    """Routed experts that each token uses, such as 8. Default 0."""
    latent_dim: Count | None = None
    """With multi-head latent attention, the elements kept per token and layer, kv_lora_rank and qk_rope_head_dim together, such as 576.
    Every chip of a tensor-parallel group keeps a copy of them. Left out, keys and values of every head are kept."""
    sliding_window: Tokens | None = None
    """The most tokens that a layer with a sliding window keeps, such as 4096."""
    sliding_layers: CountOrZero = 0
    """Layers with a sliding window, such as 24. Default 0."""
    linear_layers: CountOrZero = 0
    """Layers that keep no KV cache per token: linear attention, state space, or none at all. Default 0."""


class Variant(Model):
    """One way to serve the model on one class of chip."""

    name: VariantName
    """The name of this variant within the profile, such as h100-x4."""
    class_name: Name
    """The AcceleratorClass it runs on, such as h100."""
    chips: Chips
    """Chips of one replica, all on one node, such as 4."""
    precision: Precision
    """Number format of the weights: bf16, fp16, fp8, int8, fp4 or int4."""
    container: ContainerPatch | None = None
    """What changes of the serving container and its pod. Left out, only resources, placement and tolerations change."""
    base_images: Annotated[tuple[ImagePattern, ...], Field(max_length=32), Distinct()] = ()
    """Patterns (* and ?) of the author's images that this variant was made for, such as vllm/vllm-openai:v0.12.*. Empty fits any."""
    startup_seconds: Seconds
    """Seconds from the start of the container until it serves, with the image on the node, such as 180."""
    pull_seconds: SecondsOrZero = 300
    """Seconds to pull the image onto a node that does not have it, such as 240. A pod that takes longer than this and startupSeconds
    to be Ready counts as failed. Default 300."""
    max_concurrency: Count | None = None
    """The most requests that one replica works on at once, such as 128. Left out, memory or the measurements set the bound."""
    performance: Performance | None = None
    """What is known about its speed. Left out, it is estimated from architecture and chip, and every figure says so."""


class ModelProfileSpec(Model):
    """One model, and its ways to be served."""

    model: Line
    """The model's id on Hugging Face, such as Qwen/Qwen3-32B."""
    architecture: Architecture | None = None
    """The shape of the model, to estimate variants that have not been measured."""
    variants: Annotated[
        tuple[Variant, ...], Field(max_length=32), MapBy("name"), NotEmpty("give at least one variant")
    ]
    """The ways to serve the model, at most one of them per name. chipwise chooses among them."""

    def variant(self, name: str | None) -> Variant | None:
        """The variant of this name."""
        return next((variant for variant in self.variants if variant.name == name), None)


class ModelProfileStatus(CommonStatus):
    """What chipwise makes of the profile."""

    variants: CountOrZero | None = None
    """How many variants it has."""
    workloads: CountOrZero | None = None
    """How many InferenceWorkloads name it."""


class ModelProfile(CustomObject):
    """ModelProfile says how one model runs on each class of chip, and how fast."""

    definition: ClassVar[Definition] = Definition(
        plural="modelprofiles",
        short_name="mprofile",
        namespaced=False,
        columns=(
            Column("Model", ".spec.model", "The model's id on Hugging Face."),
            Column("Variants", ".status.variants", "How many variants it has.", "integer"),
            Column("Workloads", ".status.workloads", "How many workloads name it.", "integer"),
            READY,
            WHY_NOT_READY,
            AGE,
        ),
    )

    kind: Literal["ModelProfile"] = "ModelProfile"
    spec: ModelProfileSpec
    """The model, and its ways to be served."""
    status: ModelProfileStatus | None = None
    """What chipwise makes of the profile. Written by chipwise only."""
