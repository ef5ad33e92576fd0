"""``chipwise plan``: where every workload would run, at what cost, and what moves."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from chipwise.cli.errors import UNPLACED
from chipwise.cli.options import Source, source_options

EXAMPLES = """\b
Examples:
  chipwise plan -f examples/
  chipwise plan -f examples/classes.yaml examples/pools.yaml examples/profiles.yaml examples/workloads/
  chipwise plan -f examples/ -o json | jq .summary
  chipwise import inferno tests/data/inferno-small | chipwise plan -f -
  chipwise plan --context staging
"""


@click.command(epilog=EXAMPLES, short_help="Decide where every workload runs and what that costs.")
@source_options
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json", "yaml"]),
    default="table",
    show_default=True,
    help="The form of the answer; the fields of JSON and YAML are described in docs/cli.md.",
)
@click.argument("more", nargs=-1, type=click.Path(path_type=Path, allow_dash=True), metavar="[PATH]...")
def plan(
    files: tuple[Path, ...],
    more: tuple[Path, ...],
    kubeconfig: str | None,
    context: str | None,
    at: datetime | None,
    output: str,
) -> None:
    """Decide where every workload would run, were all in mode Rollout, and change nothing.

    With -f the manifests are all there is: no cluster is asked. Nodes may be among them, else each pool has the nodes
    that its nodes.max allows; Deployments may be among them, so that it is known what runs where. Without -f the current
    cluster is read.

    Exit code 1 if something could not be placed.
    """
    from chipwise.cli.planning import answer  # noqa: PLC0415 - pydantic, the solver: not for --help

    if not answer(Source((*files, *more), kubeconfig, context, at), output):
        raise SystemExit(UNPLACED)
