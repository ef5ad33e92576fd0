"""What a variant changes of the serving container and its pod. Everything left out stays as the author wrote it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from chipwise.api.lists import Distinct, MapBy
from chipwise.api.model import Model
from chipwise.api.numbers import Count, SecondsOrZero
from chipwise.api.quantities import CpuQuantity, MemoryQuantity
from chipwise.api.rules import Rule, broken
from chipwise.api.text import Form, Label, Line

EngineFlag = Annotated[
    str,
    Form(
        "^--?[A-Za-z0-9][-A-Za-z0-9_.]*$",
        128,
        "must be one flag without its value, such as --tensor-parallel-size",
    ),
]
VariableName = Annotated[
    str,
    Form("^[A-Za-z_][A-Za-z0-9_.-]*$", 128, "must be the name of an environment variable, such as HF_HOME"),
]
MountPath = Annotated[
    str, Form("^/[^:]*$", 512, "must be an absolute path without a colon, such as /var/cache/engine")
]
RuntimeClass = Annotated[
    str,
    Form(
        r"^([a-z0-9]([-.a-z0-9]*[a-z0-9])?)?$",
        253,
        'must be the name of a RuntimeClass, or "" to remove the author\'s',
    ),
]
Argument = Annotated[str, Field(max_length=2048)]
Arguments = Annotated[tuple[Argument, ...], Field(max_length=128)]


class ArgsMode(StrEnum):
    """Whether the author's arguments are changed or replaced."""

    PATCH = "Patch"
    REPLACE = "Replace"


class FlagValue(Model):
    """One flag of the engine with its value."""

    flag: EngineFlag
    """The flag without its value, such as --tensor-parallel-size."""
    value: Argument | None = None
    """Its value, in quotes, such as "4". Left out for a bare flag such as --async-scheduling."""


class ArgsPatch(Model):
    """Changes to the engine's arguments, as flags over the author's or as a whole new list."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.mode == 'Replace' ? has(self.list) && size(self.list) > 0 : !has(self.list) || size(self.list) == 0",
            "must be given with mode Replace, and only then",
            lambda found: (found.mode is ArgsMode.REPLACE) == bool(found.list),
            ".list",
        ),
        Rule(
            "self.mode != 'Replace' || ((!has(self.set) || size(self.set) == 0)"
            " && (!has(self.remove) || size(self.remove) == 0) && (!has(self.append) || size(self.append) == 0))",
            "mode Replace takes the whole command line from list: drop set, remove and append",
            lambda found: (
                found.mode is not ArgsMode.REPLACE or not (found.set or found.remove or found.append)
            ),
            ".mode",
        ),
    )

    mode: ArgsMode = ArgsMode.PATCH
    """Patch (the default) changes single flags of the author's arguments; Replace puts list in their place."""
    set: Annotated[tuple[FlagValue, ...], Field(max_length=64), MapBy("flag")] = ()
    """Flags to set: in place where the author has them, at the end where not."""
    remove: Annotated[tuple[EngineFlag, ...], Field(max_length=64), Distinct()] = ()
    """Flags to drop with their values, such as --gpu-memory-utilization."""
    append: Arguments = ()
    """Arguments to add at the end as they stand."""
    list: Arguments = ()
    """With mode Replace: the whole list of arguments."""


class EnvVariable(Model):
    """One environment variable with a literal value. Secrets stay with the author."""

    name: VariableName
    """The name, such as VLLM_ROCM_USE_AITER."""
    value: Annotated[str, Field(max_length=4096)] = ""
    """The value, in quotes if it looks like a number, such as "1". Left out, the variable is empty."""


Environment = Annotated[tuple[EnvVariable, ...], Field(max_length=64), MapBy("name")]


class _PortForm:
    """A port by number or by name. Plain bounds and no CEL: a rule on either type counts as one on three megabytes, which is refused."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        number, name = core_schema.int_schema(strict=True), core_schema.str_schema(strict=True)
        return core_schema.no_info_after_validator_function(
            self.validate, core_schema.union_schema([number, name])
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "x-kubernetes-int-or-string": True,
            "minimum": 1,
            "maximum": 65535,
            "minLength": 1,
            "maxLength": 15,
        }

    def validate(self, port: int | str) -> int | str:
        """Return ``port``; raises what pydantic reports."""
        if (
            not 1
            <= (port if isinstance(port, int) else len(port))
            <= (65535 if isinstance(port, int) else 15)
        ):
            raise broken("must be a port from 1 to 65535, or the name of one of the container's ports")
        return port


class HttpGet(Model):
    """An HTTP request that succeeds with a status from 200 to 399."""

    path: Annotated[str, Field(max_length=512)] = "/"
    """The path, such as /health. Default /."""
    port: Annotated[int | str, _PortForm()]
    """The port by number, such as 8000, or by the name that the container gives it."""


class Probe(Model):
    """How the kubelet asks the engine."""

    http_get: HttpGet
    """The request to make."""
    initial_delay_seconds: SecondsOrZero | None = None
    """Seconds from the start of the container to the first request. Left out, Kubernetes takes 0."""
    period_seconds: Count | None = None
    """Seconds between requests. Left out, Kubernetes takes 10."""
    failure_threshold: Count | None = None
    """Failures in a row before Kubernetes acts. Left out, it takes 3. Models that load for minutes need more in startup."""
    timeout_seconds: Count | None = None
    """Seconds after which a request has failed. Left out, Kubernetes takes 1."""


class Probes(Model):
    """Probes that replace the author's, each on its own."""

    startup: Probe | None = None
    """Asked until it succeeds once; until then the others rest."""
    readiness: Probe | None = None
    """Asked while the container runs; failing takes it out of its Services."""
    liveness: Probe | None = None
    """Asked while the container runs; failing restarts it."""


class ContainerResources(Model):
    """Requests that replace the author's. Chips are not asked for here: the variant's chips and the class's resource say that."""

    cpu: CpuQuantity | None = None
    """CPU request of one replica, as a quantity in quotes, such as "16"."""
    memory: MemoryQuantity | None = None
    """Memory request of one replica, as a quantity, such as 128Gi."""


class InitContainer(Model):
    """A container that runs to its end before the engine starts, such as one that compiles the model for the chip."""

    name: Label
    """Its name, different from those of the author's containers."""
    image: Line
    """Its image."""
    command: Arguments = ()
    """Its entry point. Left out, the image's own."""
    args: Arguments = ()
    """Its arguments."""
    env: Annotated[tuple[EnvVariable, ...], Field(max_length=32), MapBy("name")] = ()
    """Its environment variables."""


class VolumeMedium(StrEnum):
    """Where an emptyDir lives."""

    DISK = ""
    MEMORY = "Memory"


class EmptyDir(Model):
    """Scratch space that lives as long as the pod."""

    medium: VolumeMedium | None = None
    """Memory keeps it in RAM; left out it is on the node's disk."""
    size_limit: MemoryQuantity | None = None
    """How much it may hold, as a quantity, such as 64Gi."""


class ScratchVolume(Model):
    """An emptyDir, mounted into the serving container and into the variant's init containers."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.hostPath)",
            "a variant may not mount a path of the node, for whoever writes a profile would reach the node's files: use emptyDir,"
            " or let the author of the Deployment mount it",
            lambda found: found.host_path is None,
            ".hostPath",
        ),
    )

    name: Label
    """The name of the volume, different from those of the author's volumes."""
    mount_path: MountPath
    """Where it is mounted, such as /var/cache/engine."""
    empty_dir: EmptyDir | None = None
    """Medium and size. Left out, an emptyDir on the node's disk without a limit."""
    host_path: dict[str, Any] | None = Field(
        default=None,
        max_length=8,
        json_schema_extra={"x-kubernetes-preserve-unknown-fields": True},
    )
    """Always refused. It is listed so that the refusal can say why."""


class ContainerPatch(Model):
    """Changes to the serving container and its pod. What is left out stays as the author wrote it."""

    image: Line | None = None
    """The image that serves on this chip, such as rocm/vllm:rocm7.0.0_vllm_0.11.2_20251210."""
    command: Arguments = ()
    """The entry point, in place of the author's."""
    args: ArgsPatch | None = None
    """Changes to the engine's arguments."""
    env: Environment = ()
    """Environment variables to set, in place of the author's of the same name."""
    remove_env: Annotated[tuple[VariableName, ...], Field(max_length=64), Distinct()] = ()
    """Names of the author's environment variables to drop, such as NCCL_CUMEM_ENABLE."""
    probes: Probes | None = None
    """Probes that replace the author's."""
    resources: ContainerResources | None = None
    """CPU and memory requests that replace the author's. A lower limit of the author's is raised to them."""
    shared_memory: MemoryQuantity | None = None
    """Size of /dev/shm, as a quantity, such as 16Gi. It counts as memory of the pod."""
    runtime_class_name: RuntimeClass | None = None
    """The RuntimeClass that this chip needs. "" removes the author's; left out, it is removed only where it is another vendor's."""
    init_containers: Annotated[tuple[InitContainer, ...], Field(max_length=4), MapBy("name")] = ()
    """Containers to run before the engine, after the author's own."""
    volumes: Annotated[tuple[ScratchVolume, ...], Field(max_length=8), MapBy("name")] = ()
    """Scratch volumes to add. Nothing of the node can be mounted."""
