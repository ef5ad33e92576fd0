"""The flags of a command that runs as a server: which API server it asks, and what its log lines are like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])


def connection_options(command: _Command) -> _Command:
    """--kubeconfig and --context, handed on by these names."""
    command = click.option("--context", metavar="NAME", help="The context of the kubeconfig to use.")(command)
    return click.option(
        "--kubeconfig",
        metavar="FILE",
        help="The kubeconfig to use; in a pod the service account is, unless given.",
    )(command)


def log_options(command: _Command) -> _Command:
    """--log-format and --log-level, handed on by these names."""
    command = click.option(
        "--log-level",
        type=click.Choice(["debug", "info", "warning", "error"]),
        default="info",
        show_default=True,
        help="The least that is logged.",
    )(command)
    return click.option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="The form of log lines.",
    )(command)


def start_logging(log_format: str, log_level: str) -> None:
    """As the two flags say."""
    import logging  # noqa: PLC0415

    from chipwise.telemetry import logs  # noqa: PLC0415 - not for --help

    logs.setup(logs.LogFormat(log_format), logging.getLevelNamesMapping()[log_level.upper()])
