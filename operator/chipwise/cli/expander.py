"""``chipwise expander``: Cluster Autoscaler's gRPC expander."""

from __future__ import annotations

from pathlib import Path

import click

from chipwise.cli.serving import connection_options, log_options, start_logging

EXAMPLES = """\b
Examples:
  chipwise expander --listen 0.0.0.0:50051 --cert /tls/tls.crt --key /tls/tls.key
  chipwise expander --context staging --insecure
"""


@click.command(epilog=EXAMPLES, short_help="Answer Cluster Autoscaler which node group to grow.")
@connection_options
@click.option(
    "--listen",
    metavar="HOST:PORT",
    default="127.0.0.1:50051",
    show_default=True,
    help="Where Cluster Autoscaler is answered; port 0 takes a free one and logs it.",
)
@click.option(
    "--cert",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The server's certificate in PEM, with a subject alternative name; read again when it changes.",
)
@click.option("--key", type=click.Path(path_type=Path), metavar="FILE", help="Its key in PEM.")
@click.option(
    "--insecure", is_flag=True, help="Answer in the clear. Cluster Autoscaler itself speaks TLS only."
)
@click.option(
    "--metrics-listen",
    metavar="HOST:PORT",
    default="127.0.0.1:8081",
    show_default=True,
    help="Where /livez, /readyz and /metrics are served; port 0 takes a free one and logs it.",
)
@log_options
def expander(  # noqa: PLR0913 - one parameter for each flag
    *,
    kubeconfig: str | None,
    context: str | None,
    listen: str,
    cert: Path | None,
    key: Path | None,
    insecure: bool,
    metrics_listen: str,
    log_format: str,
    log_level: str,
) -> None:
    """Answer Cluster Autoscaler (--expander=grpc,priority), for each pod by what its own workload would cost, until told to stop.

    It reads what `chipwise run` writes into the status of InferenceWorkloads, and writes nothing.
    """
    from chipwise.expander import runtime  # noqa: PLC0415 - gRPC and the client: not for --help
    from chipwise.telemetry.server import Address  # noqa: PLC0415 - the same

    if insecure == (cert is not None or key is not None) or (cert is None) != (key is None):
        raise click.UsageError("give --cert and --key, or --insecure to answer in the clear")
    addresses = {}
    for flag, text in (("--listen", listen), ("--metrics-listen", metrics_listen)):
        try:
            addresses[flag] = Address.parse(text)
        except ValueError as error:
            raise click.UsageError(f"{flag}: {error}") from error
    start_logging(log_format, log_level)
    options = runtime.ExpanderOptions(
        kubeconfig=kubeconfig,
        context=context,
        listen=addresses["--listen"],
        metrics=addresses["--metrics-listen"],
        cert=cert,
        key=key,
    )
    raise SystemExit(runtime.run(options))
