"""The JSON of NVIDIA AIPerf, profile_export_aiperf.json, and that of its forerunner GenAI-Perf, profile_export_genai_perf.json.

A run is a point if a concurrency was held: AIPerf says so in the profiling phase of its ``input_config`` (before schema 1.1 in ``loadgen``),
GenAI-Perf in the ``stimulus``. TPOT is ``inter_token_latency``, which in both leaves out the first token.
"""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chipwise.cli.importers.fields import Record
from chipwise.cli.importers.given import given, results_options
from chipwise.cli.importers.load import Load
from chipwise.cli.importers.measurement import Columns
from chipwise.cli.importers.reading import files_under, read_json

if TYPE_CHECKING:
    from chipwise.cli.importers.assembly import Assembly

#: Milliseconds of the units that a latency may have.
UNITS = {
    "ms": Decimal(1),
    "s": Decimal(1000),
    "sec": Decimal(1000),
    "us": Decimal("0.001"),
    "ns": Decimal("0.000001"),
}

EXAMPLES = """\b
Examples:
  chipwise import aiperf tests/data/aiperf --class h100-sxm --chips 2 --precision bf16 --engine vLLM --engine-version 0.12.0 --startup-seconds 180 -o profile.yaml
  chipwise import aiperf tests/data/genai-perf --class h100-sxm --chips 2 --precision bf16 --engine vLLM --engine-version 0.12.0 --startup-seconds 180 --date 2026-03-27
"""


@click.command("aiperf", epilog=EXAMPLES, short_help="Results of AIPerf and GenAI-Perf.")
@results_options(skipped="runs that held no concurrency")
def aiperf(paths: tuple[Path, ...], **options: Any) -> None:
    """Turn results of NVIDIA AIPerf or GenAI-Perf into a ModelProfile with measured points.

    PATH is a result, or a folder with results named *_aiperf.json or *_genai_perf.json. Several become one list of points.
    """
    from chipwise.cli.importers.assembly import Assembly  # noqa: PLC0415 - pydantic: not for --help

    assembly = Assembly("AIPerf", given(options))
    reader = _Reader(assembly)
    for path in files_under(paths, ("*_aiperf.json", "*_genai_perf.json")):
        record = assembly.problems.ask(partial(read_json, path))
        if record is not None:
            assembly.problems.ask(partial(reader.read, record))
    assembly.finish("Written by chipwise import aiperf.", left_out="run(s) that held no concurrency")


class _Reader:
    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        statistic = str(assembly.given.statistic)
        self._figure = "avg" if statistic == "mean" else statistic

    def read(self, record: Record) -> None:
        from chipwise.cli.importers.assembly import Stated  # noqa: PLC0415 - as above

        config = record.record("input_config")
        held = _held(config)
        if held is None:
            said = (
                "the load was not held at a concurrency: run with --concurrency alone, or give --skip-rates"
            )
            self._assembly.leave_out(config.error("", said))
            return
        _settle(record, held.count("concurrency"))
        ttft, tpot = (self._latency(record, name) for name in ("time_to_first_token", "inter_token_latency"))
        lengths = {
            "input_tokens": record.record("input_sequence_length"),
            "output_tokens": record.record("output_sequence_length"),
        }
        tool = f"AIPerf {record.text('aiperf_version')}" if record.has("aiperf_version") else "GenAI-Perf"
        stated = Stated({"model": _model(config), "date": _day(record)}, origin=tool)
        columns = Columns("concurrency", "avg", "avg", self._figure, self._figure)
        self._assembly.add(
            record, columns, stated, {"concurrency": held, "ttft": ttft, "tpot": tpot, **lengths}
        )

    def _latency(self, record: Record, name: str) -> Record:
        """The metric in milliseconds. Only a run with --streaming has it."""
        if not record.has(name):
            raise record.error(name, "is required: run with --streaming")
        metric = record.record(name)
        unit = metric.text("unit")
        if unit not in UNITS:
            raise metric.error("unit", f"must be one of {', '.join(UNITS)}, not {unit!r}")
        if unit == "ms" or not metric.has(self._figure):
            return metric
        value = metric.number(self._figure)
        return Record(metric.path, metric.place, {**metric.values, self._figure: value * UNITS[unit]})


def _held(config: Record) -> Record | None:
    """The object that has the ``concurrency`` that was held; None if the load followed a rate, a schedule or users."""
    if config.has("phases"):
        profiling = [
            phase
            for phase in config.records("phases")
            if "profiling" in (phase.values.get("kind"), phase.values.get("name"))
        ]
        if len(profiling) != 1:
            raise config.error("phases", f"must have one profiling phase, not {len(profiling)}")
        return profiling[0] if profiling[0].values.get("type") == "concurrency" else None
    if config.has("perf_analyzer"):
        stimulus = config.within("perf_analyzer", "stimulus")
        return stimulus if stimulus.has("concurrency") else None
    if config.has("loadgen"):
        loadgen = config.record("loadgen")
        rate = any(loadgen.values.get(key) for key in ("request_rate", "user_centric_rate", "fixed_schedule"))
        return None if rate or not loadgen.has("concurrency") else loadgen
    raise config.error("phases", "is required: this is no result of AIPerf or GenAI-Perf")


def _settle(record: Record, concurrency: int) -> None:
    if record.has("was_cancelled") and record.flag("was_cancelled"):
        raise record.error("was_cancelled", "the run was cancelled: what it measured is not this load")
    done = record.record("request_count")
    errors = record.record("error_request_count") if record.has("error_request_count") else None
    failed = errors.count("avg", zero=True) if errors else 0
    load = Load(done.count("avg", zero=True), failed, concurrency)
    load.settle({"answered": (done, "avg"), "failed": (errors or done, "avg")})


def _model(config: Record) -> str | None:
    """The one model; None if there are several."""
    names: list[Any] = []
    if config.has("models"):
        names = [item.values.get("name") for item in config.record("models").records("items")]
    elif config.has("model_names"):
        names = list(config.values["model_names"])
    elif config.has("endpoint"):
        names = list(config.record("endpoint").values.get("model_names") or ())
    return names[0] if len(names) == 1 and isinstance(names[0], str) and names[0] else None


def _day(record: Record) -> str | None:
    """The day on which the run started, by its own clock. GenAI-Perf keeps none."""
    if not record.has("start_time"):
        return None
    started = record.text("start_time")
    if len(started) < 10 or not started[:10].replace("-", "").isdecimal():
        raise record.error("start_time", f"must be a time such as 2026-03-27T10:45:12, not {started!r}")
    return started[:10]
