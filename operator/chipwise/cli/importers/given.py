"""What the person gives that results do not hold, as flags: each fills what a file leaves open, and none is ever assumed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from chipwise.cli.importers.fields import Record
from chipwise.cli.importers.measurement import STATISTICS

#: Said of a version or a day that nobody knows any more.
UNKNOWN = "unknown"

PRECISIONS = ("bf16", "fp16", "fp8", "int8", "fp4", "int4")

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Given:
    """Flags by what they give. ``values`` are by the name of the flag without its hyphens in front; None where it was not used."""

    values: Mapping[str, str | int | None]
    startup_seconds: int
    statistic: str | None = None
    files: tuple[Path, ...] = ()
    config: Path | None = None
    output: str = "-"
    profile: str | None = None
    tokens_per_step: float = 1.0
    skip_rates: bool = False

    def settled(
        self, record: Record, flag: str, stated: str | int | None, *, column: str = "", overrule: bool = False
    ) -> str:
        """What a file states in ``column``, else the flag; empty if that says unknown.

        Raises BadInput where neither says anything, and where they differ, unless the flag may ``overrule`` the file.
        """
        given = self.values.get(flag)
        given = None if isinstance(given, str) and not given.strip() else given
        if stated is None and given is None:
            raise record.error(
                column, f"{'is not stated' if column else f'does not state the {flag}'}: give --{flag}"
            )
        if stated is not None and given is not None and str(stated) != str(given) and not overrule:
            said = f"says {stated}, and --{flag} says {given}; drop the flag, or leave the file out"
            raise record.error(column, said)
        found = str(given if stated is None or (overrule and given is not None) else stated)
        return "" if found == UNKNOWN and flag in _MAY_BE_UNKNOWN else found


_MAY_BE_UNKNOWN = frozenset(("engine", "engine-version", "date"))

_DAY = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"


class Day(click.ParamType[str]):
    """A day, or that it is unknown."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """As the kinds have it: 2026-03-27."""
        import re  # noqa: PLC0415 - rarely used

        if value != UNKNOWN and not re.fullmatch(_DAY, str(value)):
            self.fail(f"{value!r} is not a day such as 2026-03-27", param, ctx)
        return str(value)


def results_options(*, skipped: str) -> Callable[[_Command], _Command]:
    """The argument and the options of a command that reads results of a benchmark.

    ``skipped`` is what --skip-rates leaves out, in the words of the tool.
    """
    stack: tuple[Callable[[Any], Any], ...] = (
        click.argument(
            "paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True)
        ),
        options_of(*_OPTIONS),
        click.option(
            "--class",
            "class",
            metavar="NAME",
            help="The AcceleratorClass that was measured: of -f, or one that ships.",
        ),
        statistic_option(),
        click.option("--skip-rates", is_flag=True, help=f"Leave out {skipped}, and say how many."),
    )

    def decorate(command: _Command) -> _Command:
        for part in reversed(stack):
            command = part(command)
        return command

    return decorate


def options_of(*names: str) -> Callable[[_Command], _Command]:
    """Those of these names."""

    def decorate(command: _Command) -> _Command:
        for name in reversed(names):
            command = _OPTIONS[name](command)
        return command

    return decorate


def statistic_option(*, required: bool = False) -> Callable[[_Command], _Command]:
    """--statistic; ``required`` where the format does not say what its figures are."""
    choice = click.Choice(list(STATISTICS))
    if required:
        said = "What the figures are over requests: the file does not say. Required."
        return click.option("--statistic", type=choice, required=True, help=said)
    said = "Which of the statistics in the results to take, for TTFT and TPOT alike. Default: mean."
    return click.option("--statistic", type=choice, default="mean", help=said)


_OPTIONS: Mapping[str, Callable[[Any], Any]] = {
    "output": click.option(
        "-o",
        "--output",
        default="-",
        metavar="FILE",
        help="Where to write the manifests; - (the default) is standard output.",
    ),
    "startup_seconds": click.option(
        "--startup-seconds",
        type=click.IntRange(1, 86_400),
        required=True,
        metavar="N",
        help="Seconds from the start of the container until it serves, with the image on the node. Required: no result holds it.",
    ),
    "files": click.option(
        "-f",
        "--filename",
        "files",
        multiple=True,
        type=click.Path(path_type=Path, allow_dash=True),
        metavar="PATH",
        help="Manifests with AcceleratorClasses, and ModelProfiles with architectures, beside those that ship; may be repeated.",
    ),
    "config": click.option(
        "--config",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        metavar="FILE",
        help="The model's Hugging Face config.json: its architecture goes into the profile, and points are checked against it.",
    ),
    "model": click.option("--model", metavar="ID", help="The model's id on Hugging Face."),
    "chips": click.option("--chips", type=click.IntRange(1, 64), metavar="N", help="Chips of one replica."),
    "precision": click.option(
        "--precision", type=click.Choice(PRECISIONS), help="Number format of the weights."
    ),
    "engine": click.option(
        "--engine", metavar="NAME", help="The serving engine that was measured, such as vLLM; or unknown."
    ),
    "engine_version": click.option(
        "--engine-version", metavar="VERSION", help="Its version, such as 0.12.0; or unknown."
    ),
    "date": click.option(
        "--date",
        type=Day(),
        metavar="DAY",
        help="The day of the measurement, such as 2026-03-27; or unknown.",
    ),
    "variant": click.option(
        "--variant",
        metavar="NAME",
        help="The name of the variant; else it is made of class, chips and precision.",
    ),
    "profile": click.option(
        "--profile", metavar="NAME", help="The name of the ModelProfile; else it is that of the model."
    ),
    "tokens_per_step": click.option(
        "--tokens-per-step",
        type=click.FloatRange(1, 64),
        default=1.0,
        metavar="X",
        help="Mean tokens that a step yields, where the engine was measured with speculative decoding.",
    ),
}


def given(options: Mapping[str, Any]) -> Given:
    """The options of a command as click hands them on."""
    named = {name.replace("_", "-"): options.get(name) for name in _VALUES}
    return Given(
        values=named,
        startup_seconds=options["startup_seconds"],
        statistic=options.get("statistic"),
        files=options.get("files", ()),
        config=options.get("config"),
        output=options["output"],
        profile=options.get("profile"),
        tokens_per_step=options.get("tokens_per_step") or 1.0,
        skip_rates=options.get("skip_rates", False),
    )


_VALUES = ("model", "class", "chips", "precision", "engine", "engine_version", "date", "variant")


def refuse_unknown_precision(record: Record, field_: str, precision: str) -> str:
    """The precision itself. Raises BadInput if our schema has none of this name."""
    if precision not in PRECISIONS:
        raise record.error(field_, f"{precision!r} is no precision: there are {', '.join(PRECISIONS)}")
    return precision
