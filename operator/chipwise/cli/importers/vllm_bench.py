"""The JSON of ``vllm bench serve --save-result``, as vllm/benchmarks/serve.py writes it.

A file has one object a run, several with ``--append-result``. A run is a point if its load was held at a concurrency
(``--max-concurrency``, no ``--request-rate``).
TTFT and TPOT are in milliseconds; TPOT leaves out the first token, as ours does. ``backend`` is the protocol of the client and says
nothing of the engine. What ``--metadata`` added under the names of our flags is taken as said.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chipwise.cli.importers.fields import Record
from chipwise.cli.importers.given import given, results_options
from chipwise.cli.importers.load import Load
from chipwise.cli.importers.measurement import Columns
from chipwise.cli.importers.reading import files_under, read_objects

if TYPE_CHECKING:
    from chipwise.cli.importers.assembly import Assembly

TOOL = "vllm bench serve"

EXAMPLES = """\b
Examples:
  chipwise import vllm-bench tests/data/vllm-bench --class h100-sxm --chips 2 --precision bf16 --engine vLLM --engine-version 0.12.0 --startup-seconds 180 -o profile.yaml
  chipwise import vllm-bench tests/data/vllm-bench --class h100-sxm --chips 2 --precision bf16 --engine vLLM --engine-version 0.12.0 --startup-seconds 180 --statistic p90
"""


@click.command("vllm-bench", epilog=EXAMPLES, short_help="Results of vllm bench serve.")
@results_options(skipped="runs that followed a request rate")
def vllm_bench(paths: tuple[Path, ...], **options: Any) -> None:
    """Turn results of vllm bench serve (--save-result) into a ModelProfile with measured points.

    PATH is a file, or a folder whose .json files are all such results; several become one list of points.
    """
    from chipwise.cli.importers.assembly import Assembly, each  # noqa: PLC0415 - pydantic: not for --help

    assembly = Assembly(TOOL, given(options))
    reader = _Reader(assembly)
    files = [path for path in files_under(paths, ("*.json",)) if not path.name.endswith(".pytorch.json")]
    for path in files:
        records = assembly.problems.ask(partial(read_objects, path))
        each(records or [], assembly.problems, reader.read)
    assembly.finish("Written by chipwise import vllm-bench.", left_out="run(s) that followed a request rate")


class _Reader:
    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        statistic = str(assembly.given.statistic)
        self._word = {"mean": "mean", "p50": "median"}.get(statistic, statistic)

    def read(self, record: Record) -> None:
        from chipwise.cli.importers.assembly import Stated  # noqa: PLC0415 - as above

        if not record.has("completed") or not record.has("total_output_tokens"):
            raise record.error(
                "completed", "is required: this is no result of vllm bench serve for generation"
            )
        if record.values.get("request_rate", "inf") != "inf" or not record.has("max_concurrency"):
            field = "max_concurrency" if record.values.get("request_rate", "inf") == "inf" else "request_rate"
            said = "the load was not held at a concurrency: run with --max-concurrency and without --request-rate, or --skip-rates"
            self._assembly.leave_out(record.error(field, said))
            return
        completed = record.count("completed")
        failed = record.count("failed", zero=True) if record.has("failed") else 0
        load = Load(completed, failed, record.count("max_concurrency"))
        load.settle({"answered": (record, "completed"), "failed": (record, "failed")})
        means = {
            "mean input tokens": record.number("total_input_tokens") / completed,
            "mean output tokens": record.number("total_output_tokens") / completed,
        }
        ttft, tpot = f"{self._word}_ttft_ms", f"{self._word}_tpot_ms"
        for field in (ttft, tpot):
            if not record.has(field):
                raise record.error(field, f"is required: {self._hint()}")
        columns = Columns("max_concurrency", "mean input tokens", "mean output tokens", ttft, tpot)
        lengths = Record(record.path, record.place, means)
        accepted = (
            record.number("spec_decode_acceptance_length")
            if record.has("spec_decode_acceptance_length")
            else None
        )
        stated = Stated(
            {
                **{flag: _metadata(record, flag) for flag in _METADATA},
                "model": record.text("model_id"),
                "date": _day(record),
            },
            tokens_per_step=float(accepted) if accepted else None,
        )
        self._assembly.add(record, columns, stated, {"input_tokens": lengths, "output_tokens": lengths})

    def _hint(self) -> str:
        if self._word in ("mean", "median"):
            return "run with ttft and tpot among --percentile-metrics, and a tokenizer"
        return f"run with --metric-percentiles {self._word[1:]}, or take another --statistic"


_METADATA = ("class", "chips", "precision", "engine", "engine-version")


def _metadata(record: Record, flag: str) -> str | None:
    """What ``--metadata`` of the run said under the name of a flag."""
    value = record.values.get(flag, record.values.get(flag.replace("-", "_")))
    return value if isinstance(value, str) and value else None


def _day(record: Record) -> str | None:
    """20260327-104512 as a day."""
    text = record.values.get("date")
    if text is None:
        return None
    if not isinstance(text, str) or len(text) < 8 or not text[:8].isdecimal():
        raise record.error("date", f"must be a date such as 20260327-104512, not {text!r}")
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}"
