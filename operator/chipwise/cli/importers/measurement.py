"""One measurement as any tool reports it: what was measured on what, the point, and where in which file each figure stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from chipwise.cli.errors import BadInput
from chipwise.cli.importers.fields import Record
from chipwise.cli.importers.problems import Problems
from chipwise.performance import Metric, Point
from chipwise.performance.bounds import BOUNDS

#: Names of statistics on the command line, and in our manifests.
STATISTICS: Mapping[str, str] = {"mean": "Mean", "p50": "P50", "p90": "P90", "p95": "P95", "p99": "P99"}


@dataclass(frozen=True, slots=True)
class Columns:
    """What a format calls the five figures of a point. Latencies are in milliseconds."""

    concurrency: str
    input_tokens: str
    output_tokens: str
    ttft: str
    tpot: str


@dataclass(frozen=True, slots=True, order=True)
class Setup:
    """What was measured: what differs in any of these is a variant of its own. ``details`` tell setups apart that share the rest."""

    model: str
    class_name: str
    chips: int
    precision: str
    engine: str = ""
    engine_version: str = ""
    details: tuple[str, ...] = ()
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One point, and what a message about it must name. ``date`` is empty if nobody knows it.

    ``records`` are objects of single figures, by the names of ``Columns``; the others stand in ``record``.
    """

    record: Record
    columns: Columns
    records: Mapping[str, Record]
    setup: Setup
    point: Point
    date: str = ""
    origin: str = ""
    tokens_per_step: float = field(default=1.0)

    def error(self, metric: Metric, message: str) -> BadInput:
        """What is wrong with a latency; raise it, or collect it."""
        name = metric.value.lower()
        return self.records.get(name, self.record).error(getattr(self.columns, name), message)


def read_point(
    problems: Problems, columns: Columns, record: Record, records: Mapping[str, Record], *, round_tokens: bool
) -> Point | None:
    """The five figures, or None and every problem with them.

    ``records`` says in which object a figure stands if not in ``record``. With ``round_tokens`` lengths are means over
    requests and become whole numbers.
    """
    values: dict[str, Decimal] = {}
    for name, column in _named(columns):
        holder = records.get(name, record)
        whole = name == "concurrency" or (name.endswith("tokens") and not round_tokens)
        value = problems.ask(partial(_read, holder, column, whole=whole))
        if value is None:
            continue
        number = value if whole else _rounded(value, tokens=name.endswith("tokens"))
        least, most = BOUNDS[name]
        if least <= number <= most:
            values[name] = number
            continue
        unit = " ms" if name in ("ttft", "tpot") else ""
        problems.add(holder.error(column, f"must be between {least:f} and {most:f}{unit}, not {value}"))
    if len(values) < len(BOUNDS):
        return None
    return Point(
        int(values["concurrency"]),
        int(values["input_tokens"]),
        int(values["output_tokens"]),
        float(values["ttft"]),
        float(values["tpot"]),
    )


def _read(holder: Record, column: str, *, whole: bool) -> Decimal:
    return Decimal(holder.count(column)) if whole else holder.number(column)


def _named(columns: Columns) -> Iterator[tuple[str, str]]:
    for name in BOUNDS:
        yield name, getattr(columns, name)


def _rounded(value: Decimal, *, tokens: bool) -> Decimal:
    return (
        value.to_integral_value()
        if tokens and value.adjusted() < len(str(BOUNDS["input_tokens"][1]))
        else value
    )
