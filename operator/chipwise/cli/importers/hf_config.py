"""``chipwise import hf-config``: a model that nobody listed, from its config.json, to be estimated until it is measured."""

from __future__ import annotations

from pathlib import Path

import click

from chipwise.cli.errors import BadInput
from chipwise.cli.importers.given import PRECISIONS, options_of

EXAMPLES = """\b
Examples:
  chipwise import hf-config tests/data/hf-config/qwen3-32b --model Qwen/Qwen3-32B --class h100-sxm --class mi300x --chips 4 --precision fp8 --startup-seconds 180
"""


@click.command("hf-config", epilog=EXAMPLES, short_help="A model's Hugging Face config.json.")
@click.argument("path", metavar="PATH", type=click.Path(path_type=Path, exists=True))
@options_of("output", "startup_seconds", "files")
@click.option(
    "--model",
    required=True,
    metavar="ID",
    help="The model's id on Hugging Face. Required: the file does not hold it.",
)
@click.option(
    "--class",
    "classes",
    required=True,
    multiple=True,
    metavar="NAME",
    help="The AcceleratorClass of a variant; may be repeated.",
)
@click.option("--chips", required=True, type=click.IntRange(1, 64), metavar="N", help="Chips of one replica.")
@click.option(
    "--precision", required=True, type=click.Choice(PRECISIONS), help="Number format of the weights."
)
@click.option(
    "--parameters",
    type=click.IntRange(1, 10**15),
    metavar="N",
    help="Number of parameters, where the config's shape does not tell it.",
)
@click.option(
    "--active-parameters",
    type=click.IntRange(1, 10**15),
    metavar="N",
    help="Those that a token uses, in a mixture of experts.",
)
def hf_config(  # noqa: PLR0913 - its options
    path: Path,
    *,
    output: str,
    startup_seconds: int,
    files: tuple[Path, ...],
    model: str,
    classes: tuple[str, ...],
    chips: int,
    precision: str,
    parameters: int | None,
    active_parameters: int | None,
) -> None:
    """Turn a model's config.json into a ModelProfile with its architecture and a variant for each class, to be estimated.

    PATH is the file, or a folder with it; model.safetensors.index.json beside it is read too. Parameters are counted from the shape.
    """
    from chipwise.cli.importers.hf_architecture import read_architecture  # noqa: PLC0415 - not for --help
    from chipwise.cli.importers.known import Known  # noqa: PLC0415 - pydantic: not for --help
    from chipwise.cli.importers.manifests import Section, check, manifest, render, write  # noqa: PLC0415
    from chipwise.cli.importers.profiles import profile_name  # noqa: PLC0415

    file = path / "config.json" if path.is_dir() else path
    architecture = read_architecture(file, parameters, active_parameters)
    known = Known(files)
    variants = []
    for name in classes:
        found = known.chip(name)
        if found is None:
            refusal = known.unknown(name)
            raise BadInput(f"{refusal.reason}: {refusal.message}")
        variant = {
            "name": f"{found}-x{chips}-{precision}",
            "className": found,
            "chips": chips,
            "precision": precision,
        }
        variants.append({**variant, "startupSeconds": startup_seconds})
    spec = {"model": model, "architecture": architecture, "variants": variants}
    section = Section(
        f"{model}: architecture as {file.name} has it. Not measured: chipwise estimates the speed of its variants.",
        (manifest("ModelProfile", profile_name(model), spec),),
    )
    check(file, [section])
    write(render("Written by chipwise import hf-config.", [section]), output)
