"""``chipwise catalog``: chips, models, instance types and prices that ship, those of manifests or a cluster, and manifests of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from chipwise.cli.options import Source, place_options

EXAMPLES = """\b
Examples:
  chipwise catalog
  chipwise catalog chips h100
  chipwise catalog models Qwen/Qwen3-32B
  chipwise catalog prices --cloud azure --region westus3
  chipwise catalog chips -f examples/
  chipwise catalog pools --context staging
  chipwise catalog manifests --cloud azure --region westus3 --chip h100 --model gpt-oss-120b
"""
MADE = """\b
Examples:
  chipwise catalog manifests
  chipwise catalog manifests --chip maia-200 --chip h100 --model Qwen/Qwen3-32B
  chipwise catalog manifests --cloud azure --region westus3 --chip h100 --chip mi300x
  chipwise catalog manifests --instance p5.48xlarge --region us-west-2 --price p5.48xlarge=60.54
  chipwise catalog manifests --instance Standard_ND96isr_H100_v5 --region westus3 --node-pool h100pool --max-nodes 8
"""
CHECKED = """\b
Examples:
  chipwise catalog check-prices tests/data/prices/skypilot.csv -o json
"""

_CLOUD = click.option("--cloud", type=click.Choice(["aws", "azure", "gcp"]), help="Of this provider only.")
_REGION = click.option("--region", metavar="NAME", help="In this region only, as the provider calls it.")
_OUTPUT = click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json", "yaml"]),
    default="table",
    show_default=True,
    help="The form of the answer; the fields of JSON and YAML are described in docs/cli.md.",
)
_CLUSTER = click.option("--cluster", is_flag=True, help="Show what the current cluster has.")


class _Sections(click.Group):
    """``chips`` where no section is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """An option of a section may come first; -h is the group's."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["chips", *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=_Sections, epilog=EXAMPLES, short_help="Show chips, models, machines and prices; make manifests."
)
def catalog() -> None:
    """Show what is known of chips (the default), models, instance types and prices, each figure with its source.

    chips and models show what ships with chipwise. With -f, --cluster, --kubeconfig or --context they show the AcceleratorClasses
    and ModelProfiles of files or of a cluster instead, and pools the AcceleratorPools. What nobody has published is said to be so.
    """


def _objects_or_shipped(section: str, words: str) -> click.Command:
    @click.command(section, help=words)
    @click.argument("name", required=False)
    @place_options
    @_CLUSTER
    @_OUTPUT
    def command(
        name: str | None,
        files: tuple[Path, ...],
        kubeconfig: str | None,
        context: str | None,
        output: str,
        *,
        cluster: bool,
    ) -> None:
        from chipwise.cli import catalogue  # noqa: PLC0415 - pydantic: not for --help
        from chipwise.cli.catalogue.asked import Asked  # noqa: PLC0415

        wanted = catalogue.Wanted(section, name, output)
        source = Source(files, kubeconfig, context)
        if cluster and files:
            raise click.UsageError("give either -f or --cluster: files are read without a cluster")
        if cluster or files or kubeconfig or context or section not in catalogue.SHIPPED:
            catalogue.of_objects(source, wanted)
        else:
            catalogue.of_what_ships(Asked(name), wanted)

    return command


def _shipped(section: str, words: str, *options: Callable[[Any], Any]) -> click.Command:
    @click.argument("name", required=False)
    @_OUTPUT
    def command(name: str | None, output: str, cloud: str | None = None, region: str | None = None) -> None:
        from chipwise.cli import catalogue  # noqa: PLC0415 - pydantic: not for --help
        from chipwise.cli.catalogue.asked import Asked  # noqa: PLC0415

        catalogue.of_what_ships(Asked(name, cloud, region), catalogue.Wanted(section, name, output))

    for option in reversed(options):
        command = option(command)
    return click.command(section, help=words)(command)


@click.command(epilog=MADE)
@click.option(
    "--chip", "chips", multiple=True, metavar="NAME", help="A chip; may be repeated. All unless told."
)
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME",
    help="A model to make a ModelProfile of; may be repeated.",
)
@click.option(
    "--instance",
    "instances",
    multiple=True,
    metavar="NAME",
    help="An instance type to make an AcceleratorPool of; may be repeated. Needs --region.",
)
@click.option(
    "--cloud",
    type=click.Choice(["aws", "azure", "gcp"]),
    help="Pools of every machine of this provider with the chips and a price in --region.",
)
@click.option("--region", default="", metavar="NAME", help="The region of the pools.")
@click.option(
    "--precision",
    "precisions",
    multiple=True,
    metavar="NAME",
    help="Of variants, instead of the checkpoint's.",
)
@click.option(
    "--startup-seconds", type=click.IntRange(1, 86_400), default=600, show_default=True, help="Of variants."
)
@click.option(
    "--max-nodes", type=click.IntRange(1, 1_000_000), default=1, show_default=True, help="Of a pool."
)
@click.option(
    "--node-pool", metavar="NAME", help="The provider's name of the node pool, to select its nodes by."
)
@click.option("--karpenter", metavar="NODEPOOL", help="The NodePool of Karpenter that makes the nodes.")
@click.option("--node-cpu", metavar="QUANTITY", help="CPU that a node shows to pods.")
@click.option("--node-memory", metavar="QUANTITY", help="Memory that a node shows to pods.")
@click.option(
    "--price",
    "prices",
    multiple=True,
    metavar="SIZE=AMOUNT",
    help="US dollars for a node and hour; may be repeated.",
)
@click.option(
    "--prices",
    "price_file",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="A price list in either format of check-prices, instead of those that ship.",
)
@click.option(
    "-o",
    "--output",
    "output",
    default="-",
    metavar="FILE",
    help="Where to write them; - is standard output.",
)
def manifests(output: str, **options: Any) -> None:
    """Write AcceleratorClasses of chips, ModelProfiles of models and AcceleratorPools of machines, ready to be applied.

    Whatever is not public is left out or asked for, never made up: a class without a published resource name has none, and a price is
    never taken from another region.
    """
    from chipwise.cli.catalogue.made import choice, made  # noqa: PLC0415 - pydantic: not for --help

    made(choice(options), output)


@click.command("check-prices", epilog=CHECKED)
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="The form of the answer.",
)
def check_prices(path: Path, output: str) -> None:
    """Check a price list: a page of Azure's retail price API (JSON) or SkyPilot's catalogue (CSV).

    Rows that are no price of a whole machine for an hour are named with the reason, and the exit code is 2.
    """
    from chipwise.cli.catalogue.price_file import answer  # noqa: PLC0415 - not for --help

    answer(path, output)


for _command in (
    _objects_or_shipped("chips", "Chips with their published figures; only NAME if given."),
    _objects_or_shipped("models", "Open models with their shape; only NAME (or a Hugging Face id) if given."),
    _objects_or_shipped("pools", "AcceleratorPools of files or of a cluster; none ship."),
    _shipped("instances", "Instance types with their chips; only NAME if given.", _CLOUD),
    _shipped("prices", "Dated on-demand prices; only of the instance type NAME if given.", _CLOUD, _REGION),
    manifests,
    check_prices,
):
    catalog.add_command(_command)
