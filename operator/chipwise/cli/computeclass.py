"""``chipwise computeclass``: our order of pools for GKE."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from chipwise.cli.options import Source, source_options

EXAMPLES = """\b
Examples:
  chipwise computeclass --context gke-staging
  chipwise computeclass --context gke-staging --priority-score --prefix serving-
"""


@click.command(epilog=EXAMPLES, short_help="Write the order of pools as GKE ComputeClasses.")
@source_options
@click.option(
    "--prefix",
    metavar="TEXT",
    default="chipwise-",
    show_default=True,
    help="What the names begin with, before that of the AcceleratorClass.",
)
@click.option(
    "--priority-score",
    is_flag=True,
    help="Give each rule a priorityScore; GKE knows them from 1.35.2 on.",
)
def computeclass(
    files: tuple[Path, ...],
    kubeconfig: str | None,
    context: str | None,
    at: datetime | None,
    prefix: str,
    *,
    priority_score: bool,
) -> None:
    """Write one GKE ComputeClass for each AcceleratorClass, with its pools in the order that costs least, and change nothing.

    The order is that of the priority expander (docs/cluster-autoscaler.md). Pools take part whose nodeSelector has a
    label of GKE. What is left out is said on standard error.
    """
    from chipwise.cli.compute_classes import write  # noqa: PLC0415 - pydantic, the solver: not for --help

    write(Source(files, kubeconfig, context, at), prefix=prefix, scored=priority_score)
