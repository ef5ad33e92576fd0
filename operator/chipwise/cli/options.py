"""Where a command reads the world from: manifests in files, or a cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Source:
    """``files`` decide offline; without any, the cluster of ``kubeconfig`` and ``context`` is read. ``at`` is the moment of deciding."""

    files: tuple[Path, ...] = ()
    kubeconfig: str | None = None
    context: str | None = None
    at: datetime | None = None

    def __post_init__(self) -> None:
        """Raises click.UsageError for files and a cluster at once."""
        if self.files and (self.kubeconfig or self.context):
            raise click.UsageError(
                "give either -f or --kubeconfig and --context: files are read without a cluster"
            )

    @property
    def moment(self) -> datetime:
        """When the decision is made; now unless it was stated."""
        return self.at or datetime.now(UTC)


class Moment(click.ParamType[datetime]):
    """An RFC 3339 time."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """A time without a zone is refused: it would mean something else on another machine."""
        try:
            found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a time such as 2026-03-27T12:00:00Z", param, ctx)
        if found.tzinfo is None:
            self.fail(f"{value!r} has no zone: append Z for UTC", param, ctx)
        return found


class Span(click.ParamType[float]):
    """A length of time, in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """As the kinds have it: 90s, 15m, 1h30m."""
        from chipwise.api.durations import to_seconds  # noqa: PLC0415 - pydantic: not for --help

        if isinstance(value, float):
            return value
        try:
            return float(to_seconds(str(value)))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def place_options(command: _Command) -> _Command:
    """-f, --kubeconfig and --context, handed on by these names."""
    for option in reversed(_PLACES):
        command = option(command)
    return command


def source_options(command: _Command) -> _Command:
    """Those and --at."""
    return place_options(_AT(command))


_PLACES = (
    click.option(
        "-f",
        "--filename",
        "files",
        multiple=True,
        type=click.Path(path_type=Path, allow_dash=True),
        metavar="PATH",
        help="A manifest, a folder of manifests, or - for standard input; may be repeated. No cluster is read then.",
    ),
    click.option(
        "--kubeconfig", metavar="FILE", help="The kubeconfig to use; else $KUBECONFIG, else ~/.kube/config."
    ),
    click.option("--context", metavar="NAME", help="The context of the kubeconfig to use."),
)
_AT = click.option(
    "--at",
    type=Moment(),
    help="Decide as of this moment (RFC 3339) instead of now; minimum stays depend on it.",
)
