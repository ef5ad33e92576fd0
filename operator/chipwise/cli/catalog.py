"""``chipwise catalog``: the chips, models and pools that are known, with their figures and where those come from."""

from __future__ import annotations

from pathlib import Path

import click

from chipwise.cli.options import Source, place_options

EXAMPLES = """\b
Examples:
  chipwise catalog -f examples/
  chipwise catalog chips h100 -f examples/
  chipwise catalog models -f examples/ -o json
  chipwise catalog pools --context staging
"""
#: In ``catalogue/__init__.py`` are their contents; spelled out here so that help needs none of it.
SECTIONS = ("chips", "models", "pools")


@click.command(epilog=EXAMPLES, short_help="Show chips, models and pools with their figures and sources.")
@click.argument("section", type=click.Choice(SECTIONS), default="chips", required=False)
@click.argument("name", required=False)
@place_options
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json", "yaml"]),
    default="table",
    show_default=True,
    help="The form of the answer; the fields of JSON and YAML are described in docs/cli.md.",
)
def catalog(
    section: str,
    name: str | None,
    files: tuple[Path, ...],
    kubeconfig: str | None,
    context: str | None,
    output: str,
) -> None:
    """Show the chips (AcceleratorClasses; the default), models (ModelProfiles) or pools (AcceleratorPools), or only NAME.

    What nobody has published is said to be so, and what cannot be used says why. Without -f the current cluster is read.
    """
    from chipwise.cli.catalogue import answer  # noqa: PLC0415 - pydantic: not for --help

    answer(Source(files, kubeconfig, context), section, name, output)
