"""``chipwise restore``: the author's Deployment back, asked for and waited for."""

from __future__ import annotations

import click

from chipwise.cli.errors import UNPLACED
from chipwise.cli.options import Source, Span

EXAMPLES = """\b
Examples:
  chipwise restore serving/chat --dry-run
  chipwise restore serving/chat
  chipwise restore chat summaries -n serving --timeout 30m
  chipwise restore serving/chat --no-wait
"""


@click.command(epilog=EXAMPLES, short_help="Give Deployments back as their authors wrote them.")
@click.argument("workloads", nargs=-1, required=True, metavar="WORKLOAD...")
@click.option(
    "-n", "--namespace", metavar="NAME", help="The namespace of workloads that are given by name alone."
)
@click.option(
    "--kubeconfig", metavar="FILE", help="The kubeconfig to use; else $KUBECONFIG, else ~/.kube/config."
)
@click.option("--context", metavar="NAME", help="The context of the kubeconfig to use.")
@click.option(
    "--dry-run", is_flag=True, help="Ask for nothing; say what would happen, and whether there is room."
)
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until it is done.")
@click.option(
    "--timeout",
    type=Span(),
    default="15m",
    show_default=True,
    help="How long to wait, such as 90s or 1h. The wish stands when it is over.",
)
def restore(
    *,
    workloads: tuple[str, ...],
    namespace: str | None,
    kubeconfig: str | None,
    context: str | None,
    dry_run: bool,
    wait: bool,
    timeout: float,
) -> None:
    """Give the Deployment of each WORKLOAD (namespace/name) back as its author wrote it, and leave it there.

    The operator does it, as a move: both copies must fit, within the policy's budget of moves, and nothing that serves is
    lost. It goes on if this command is interrupted. The workload is left alone then until its spec is edited.

    Exit code 1 if it is not done in time, or could not begin now (--dry-run).
    """
    from chipwise.cli.foretelling import foretell  # noqa: PLC0415 - pydantic, the solver: not for --help
    from chipwise.cli.restoring import ask, named  # noqa: PLC0415 - the clients: not for --help

    source, keys = Source((), kubeconfig, context), [named(each, namespace) for each in workloads]
    done = foretell(source, keys) if dry_run else ask(source, keys, timeout if wait else None)
    if not done:
        raise SystemExit(UNPLACED)
