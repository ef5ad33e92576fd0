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
    """Width of one head, such as 128."""
    max_context_tokens: Tokens | None = None
    """The longest request in tokens, input and output together, such as 40960. Left out, no request counts as too long."""


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
