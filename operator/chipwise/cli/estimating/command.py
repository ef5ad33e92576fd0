"""The options of ``chipwise estimate`` as questions; what is required for one and what does not go with it is refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from chipwise.catalog.sizing import Stated
from chipwise.cli.estimating.asked import Asked, Load, Said, market
from chipwise.cli.estimating.basis import basis
from chipwise.performance.estimator import Serving

Options = Mapping[str, Any]
_OF_CASES = {
    "accelerators": "--accelerator",
    "chips": "--chips",
    "tensor": "--tensor-parallel",
    "pipeline": "--pipeline-parallel",
    "data": "--data-parallel",
    "expert": "--expert-parallel",
    "concurrencies": "--concurrency",
    "objectives": "--objective",
}
_OF_SERVERS = {
    "batched_tokens": "--batched-tokens",
    "held_steps": "--held-steps",
    "equal_lengths": "--equal-lengths/--varied-lengths",
}
_OF_BOTH = {
    "model": "--model",
    "precisions": "--precision",
    "engine": "--engine",
    "engine_version": "--engine-version",
    "cloud": "--cloud",
    "regions": "--region",
    "prices": "--price",
}


def of_rows(rows: Path, output: str, options: Options) -> None:
    """Answer a table."""
    from chipwise.cli.estimating.rows import answer_rows  # noqa: PLC0415 - its own question

    _without(options, _OF_CASES | _OF_BOTH | _OF_SERVERS | {"plot": "--plot"}, "--rows: the columns say it")
    answer_rows(rows, output, basis(options["models"], options["measurements"]))


def of_case(form: str, options: Options) -> bool:
    """Answer one case, or one on several chips or at several loads. Whether all of it has an answer."""
    from chipwise.cli.estimating.case import answer_cases  # noqa: PLC0415 - its own question

    for name, flag in (
        ("model", "--model"),
        ("accelerators", "--accelerator"),
        ("concurrencies", "--concurrency"),
    ):
        if not options[name]:
            raise click.UsageError(f"{flag} is required; or give --rows or --frontier")
    _without(options, {"plot": "--plot"}, "one case: it draws a frontier")
    where = market(options["cloud"], options["regions"], options["prices"])
    return answer_cases(_asked(options), where, basis(options["models"], options["measurements"]), form)


def of_frontier(model: str, form: str, options: Options) -> bool:
    """Answer which chip is cheapest at which TPOT. Whether any is."""
    from chipwise.cli.estimating.frontier import answer_frontier  # noqa: PLC0415 - its own question

    if form == "csv":
        raise click.UsageError("-o csv: a frontier is a table, json or yaml")
    _without(options, {"model": "--model", **_OF_CASES}, "--frontier: it tries them all")
    _without(
        options,
        _OF_SERVERS,
        "--frontier: its servers are as in what was measured of a model, else as by default",
    )
    where = market(options["cloud"], options["regions"], options["prices"])
    given = basis(options["models"], options["measurements"])
    asked = _asked({**options, "model": model})
    return answer_frontier(asked, options["ttft_limit"], where, given, Said(form, options["plot"]))


def _asked(options: Options) -> Asked:
    return Asked(
        model=options["model"],
        accelerators=options["accelerators"],
        precisions=options["precisions"],
        sizes=Stated(
            options["chips"], options["tensor"], options["pipeline"], options["data"], options["expert"]
        ),
        engine=options["engine"],
        engine_version=options["engine_version"],
        load=Load(options["input_tokens"], options["output_tokens"], options["concurrencies"]),
        objectives=options["objectives"],
        serving=Serving(options["batched_tokens"], options["held_steps"], options["equal_lengths"]),
    )


def _without(options: Options, flags: Mapping[str, str], of: str) -> None:
    given = [flag for name, flag in flags.items() if options.get(name) not in (None, "", ())]
    if given:
        raise click.UsageError(f"{given[0]} does not go with {of}")
