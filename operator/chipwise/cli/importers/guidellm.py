"""The report of GuideLLM, benchmarks.json or benchmarks.yaml, as its GenerativeBenchmarksReport is written (report versions 1 and 2).

A benchmark is a point if its strategy held a concurrency: ``concurrent`` with its ``streams``, ``synchronous`` with one. TPOT is
``inter_token_latency_ms``, which leaves out the first token; GuideLLM's own ``time_per_output_token_ms`` counts it in. The figures are
of requests that succeeded.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chipwise.cli.importers.fields import Record
from chipwise.cli.importers.given import given, results_options
from chipwise.cli.importers.load import Load
from chipwise.cli.importers.measurement import Columns
from chipwise.cli.importers.reading import files_under, read_document

if TYPE_CHECKING:
    from chipwise.cli.importers.assembly import Assembly

TOOL = "GuideLLM"

EXAMPLES = """\b
Examples:
  chipwise import guidellm tests/data/guidellm/benchmarks.json --class h100-sxm --chips 2 --precision bf16 --engine vLLM --engine-version 0.12.0 --startup-seconds 180 -o profile.yaml
"""


@click.command("guidellm", epilog=EXAMPLES, short_help="Reports of GuideLLM.")
@results_options(skipped="benchmarks that followed a request rate")
def guidellm(paths: tuple[Path, ...], **options: Any) -> None:
    """Turn reports of GuideLLM (JSON or YAML) into a ModelProfile with measured points.

    PATH is a report, or a folder with reports named benchmarks.json or benchmarks.yaml. All benchmarks become one list of points.
    """
    from chipwise.cli.importers.assembly import Assembly, each  # noqa: PLC0415 - pydantic: not for --help

    assembly = Assembly(TOOL, given(options))
    reader = _Reader(assembly)
    for path in files_under(paths, ("benchmarks.json", "benchmarks.yaml", "benchmarks.yml")):
        report = assembly.problems.ask(partial(read_document, path))
        if report is None:
            continue
        benchmarks = assembly.problems.ask(partial(report.records, "benchmarks"))
        each(benchmarks or [], assembly.problems, partial(reader.read, report))
    assembly.finish(
        "Written by chipwise import guidellm.", left_out="benchmark(s) that followed a request rate"
    )


class _Reader:
    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly

    def read(self, report: Record, benchmark: Record) -> None:
        from chipwise.cli.importers.assembly import Stated  # noqa: PLC0415 - as above

        strategy = benchmark.within("config", "strategy")
        concurrency = _streams(strategy)
        if concurrency is None:
            said = f"{strategy.text('type_')} held no concurrency: run with the profile concurrent, or give --skip-rates"
            self._assembly.leave_out(strategy.error("type_", said))
            return
        metrics = benchmark.record("metrics")
        _settle(metrics, concurrency)
        held = Record(strategy.path, strategy.place, {"streams": concurrency})
        statistic = str(self._assembly.given.statistic)
        figure = "mean" if statistic == "mean" else statistic
        ttft, tpot = (
            _distribution(metrics, name, statistic)
            for name in ("time_to_first_token_ms", "inter_token_latency_ms")
        )
        lengths = {
            name: metrics.within(field, "successful")
            for name, field in (
                ("input_tokens", "prompt_token_count"),
                ("output_tokens", "output_token_count"),
            )
        }
        stated = Stated({"model": _model(report, benchmark), "date": _day(benchmark)})
        columns = Columns("streams", "mean", "mean", figure, figure)
        self._assembly.add(
            benchmark, columns, stated, {"concurrency": held, "ttft": ttft, "tpot": tpot, **lengths}
        )


def _streams(strategy: Record) -> int | None:
    """The concurrency that was held; None if there was none."""
    kind = strategy.text("type_")
    if kind == "synchronous":
        return 1
    return strategy.count("streams") if kind == "concurrent" else None


def _distribution(metrics: Record, name: str, statistic: str) -> Record:
    """Where the statistic of a metric stands."""
    found = metrics.within(name, "successful")
    return found if statistic == "mean" else found.record("percentiles")


def _settle(metrics: Record, concurrency: int) -> None:
    totals = metrics.record("request_totals")
    load = Load(totals.count("successful", zero=True), totals.count("errored", zero=True), concurrency)
    load.settle({"answered": (totals, "successful"), "failed": (totals, "errored")})


def _model(report: Record, benchmark: Record) -> str | None:
    """From the backend of the benchmark (0.8), or the arguments of the report (before)."""
    for holder, path in ((benchmark, ("config", "backend")), (report, ("args",))):
        found: Any = holder.values
        for key in (*path, "model"):
            found = found.get(key) if isinstance(found, dict) else None
        if isinstance(found, str) and found:
            return found
    return None


def _day(benchmark: Record) -> str | None:
    """The day, in UTC, on which the benchmark started."""
    if not benchmark.has("start_time"):
        return None
    started = benchmark.number("start_time")
    if not 0 < started < Decimal(32_503_680_000):  # the year 3000
        raise benchmark.error("start_time", f"must be seconds since 1970, not {started}")
    return datetime.fromtimestamp(float(started), UTC).date().isoformat()
