"""``chipwise explain``: why one workload goes where it goes, and what else it could have had."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from chipwise.cli.errors import UNPLACED
from chipwise.cli.options import Source, source_options

EXAMPLES = """\b
Examples:
  chipwise explain chat -f examples/
  chipwise explain serving/summaries -f examples/ -o json
  chipwise explain chat -n serving
"""


@click.command(epilog=EXAMPLES, short_help="Say why one workload goes where it goes.")
@click.argument("workload")
@source_options
@click.option(
    "-n",
    "--namespace",
    metavar="NAME",
    help="The namespace of the workload, if its name alone is not enough.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="The form of the answer.",
)
def explain(
    workload: str,
    files: tuple[Path, ...],
    kubeconfig: str | None,
    context: str | None,
    at: datetime | None,
    namespace: str | None,
    output: str,
) -> None:
    """Say why WORKLOAD (a name, or namespace/name) goes where it goes.

    Shows the decision in sentences, every candidate with its figures or the reason why it was refused, the move, and
    where the performance that was used comes from. The decision is that of `chipwise plan`: all workloads together.

    Exit code 1 if the workload could not be placed.
    """
    from chipwise.cli.explaining import answer  # noqa: PLC0415 - pydantic, the solver: not for --help

    if not answer(Source(files, kubeconfig, context, at), workload, namespace, output):
        raise SystemExit(UNPLACED)
