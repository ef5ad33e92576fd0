"""``chipwise run``: the operator.

Estimates multiply small matrices. numpy would spread that over all processors of the node, of which a pod has few, and waits for them
busily: one thread, unless the environment says otherwise.
"""

from __future__ import annotations

import os
from typing import Any

import click

from chipwise.cli.autoscalers import autoscaler_options, check, spare_settings
from chipwise.cli.lease import lease_options
from chipwise.cli.serving import connection_options, log_options, start_logging

EXAMPLES = """\b
Examples:
  chipwise run --log-format=json
  chipwise run --context staging --no-writes
  chipwise run --freeze --log-level debug
  chipwise run --karpenter
  chipwise run --listen 0.0.0.0:8080
  chipwise run --cluster-autoscaler kube-system --priority-expander
  chipwise run --spare --spare-image registry.example.com/pause:3.10
"""


@click.command(epilog=EXAMPLES, short_help="Run the operator.")
@connection_options
@lease_options
@click.option(
    "--no-writes",
    is_flag=True,
    help="Decide and report, and write no Deployment: for a role without that right.",
)
@autoscaler_options
@click.option("--freeze", is_flag=True, help="Start no move.")
@click.option(
    "--listen",
    metavar="HOST:PORT",
    default="127.0.0.1:8080",
    show_default=True,
    help="Where /livez, /readyz and /metrics are served; port 0 takes a free one and logs it.",
)
@log_options
def run(  # noqa: PLR0913 - one parameter for each flag
    *,
    kubeconfig: str | None,
    context: str | None,
    lease_namespace: str,
    lease_name: str,
    lease_duration: float,
    renew_deadline: float,
    retry_period: float,
    no_writes: bool,
    freeze: bool,
    listen: str,
    log_format: str,
    log_level: str,
    **autoscalers: Any,
) -> None:
    """Run the operator until it is told to stop: watch, decide, and move Deployments while holding the Lease."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from chipwise.control import runtime  # noqa: PLC0415 - kopf and the clients: not for --help
    from chipwise.control.lease import LeaseTiming  # noqa: PLC0415 - the same
    from chipwise.control.options import RunOptions  # noqa: PLC0415 - the same
    from chipwise.telemetry.server import Address  # noqa: PLC0415

    check(autoscalers)
    spare = spare_settings(autoscalers, lease_namespace)
    try:
        address = Address.parse(listen)
    except ValueError as error:
        raise click.UsageError(f"--listen: {error}") from error
    try:
        timing = LeaseTiming(lease_duration, renew_deadline, retry_period)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    start_logging(log_format, log_level)
    options = RunOptions(
        kubeconfig=kubeconfig,
        context=context,
        lease_namespace=lease_namespace,
        lease_name=lease_name,
        lease_timing=timing,
        writes=not no_writes,
        freeze=freeze,
        listen=address,
        spare=spare,
        **autoscalers,
    )
    raise SystemExit(runtime.run(options))
