"""The flags that say which Lease elects the writer, and how long it takes to notice that a writer has died."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Span(click.ParamType[float]):
    """A duration as Kubernetes' own flags take it, in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """A number without a unit is refused: people mean different ones."""
        parts = _PART.findall(str(value))
        if not parts or "".join(number + unit for number, unit in parts) != value:
            self.fail(f"{value!r} is not a duration such as 15s, 1m30s or 500ms", param, ctx)
        return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def lease_options(command: _Command) -> _Command:
    """--lease-namespace, --lease-name, --lease-duration, --renew-deadline and --retry-period, handed on by these names."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = (
    click.option(
        "--lease-namespace",
        metavar="NAME",
        envvar="POD_NAMESPACE",
        default="chipwise-system",
        show_default=True,
        show_envvar=True,
        help="The namespace of the Lease that elects the one writer.",
    ),
    click.option(
        "--lease-name", metavar="NAME", default="chipwise", show_default=True, help="The name of that Lease."
    ),
    click.option(
        "--lease-duration",
        type=Span(),
        default="15s",
        show_default=True,
        help="How long a standby leaves a silent leader alone.",
    ),
    click.option(
        "--renew-deadline",
        type=Span(),
        default="10s",
        show_default=True,
        help="How long the leader goes on writing without having renewed; shorter than the duration.",
    ),
    click.option(
        "--retry-period",
        type=Span(),
        default="2s",
        show_default=True,
        help="How often the Lease is renewed, or asked for.",
    ),
)
