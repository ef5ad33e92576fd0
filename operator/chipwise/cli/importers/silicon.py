"""Rows of measurements as a CSV file, with the columns of aiconfigurator's silicon sample: one row a point.

Chips of a replica are ``tp_size`` x ``pp_size`` x ``attention_dp_size``, which is blank or 0 without data parallelism. ``system`` is the
chip. Rows of one model, chip, precision, engine and parallelism are one variant. The file does not say what its latencies are over
requests. Where a row leaves a cell empty, the flag of that name fills it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chipwise.cli.errors import BadInput
from chipwise.cli.importers.fields import Record
from chipwise.cli.importers.given import given, options_of, statistic_option
from chipwise.cli.importers.measurement import Columns
from chipwise.cli.importers.reading import read_rows
from chipwise.reasons import Reason

if TYPE_CHECKING:
    from chipwise.catalog.cases import Sizes
    from chipwise.catalog.layouts import Parts
    from chipwise.cli.importers.assembly import Assembly

SIZES = ("tp_size", "pp_size", "attention_dp_size", "moe_ep_size")
REQUIRED = (
    *("model_path", "system", "precision", "backend", "backend_version", "silicon_data_source"),
    *("tp_size", "pp_size", "attention_dp_size", "concurrency", "isl", "osl"),
    *("silicon_ttft_ms", "silicon_tpot_ms"),
)
NUMBERS = (
    *("tp_size", "pp_size", "attention_dp_size", "moe_tp_size", "moe_ep_size"),
    *("concurrency", "isl", "osl", "silicon_ttft_ms", "silicon_tpot_ms"),
)
COLUMNS = Columns("concurrency", "isl", "osl", "silicon_ttft_ms", "silicon_tpot_ms")

#: Of ``silicon_data_source``: what the point says already.
_TOLD = ("silicon_concurrency=", "measured=", "model=", "wip=")

EXAMPLES = """\b
Examples:
  chipwise import silicon operator/chipwise/catalog/data/silicon/serving_measurements.csv --statistic mean --where model_path=openai/gpt-oss-120b --where system=h200_sxm --startup-seconds 180 --date unknown --engine-version unknown -o profile.yaml
"""


@click.command("silicon", epilog=EXAMPLES, short_help="A CSV file with a row for each measurement.")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@options_of(
    "output",
    "startup_seconds",
    "files",
    "config",
    "precision",
    "engine_version",
    "date",
    "profile",
    "tokens_per_step",
)
@click.option(
    "--class",
    "classes",
    multiple=True,
    metavar="SYSTEM=NAME",
    help="The AcceleratorClass of a system in the file; may be repeated. Left out, the one that is named like the system, or ships.",
)
@click.option(
    "--where",
    "conditions",
    multiple=True,
    metavar="COLUMN=VALUE",
    help="Only rows whose column is VALUE, or with != is not; may be repeated. Rows left out are counted in a comment.",
)
@statistic_option(required=True)
def silicon(path: Path, *, classes: Sequence[str], conditions: Sequence[str], **options: Any) -> None:
    """Turn a CSV file of measurements into ModelProfiles with measured points.

    FILE has the columns model_path, system, precision, backend, backend_version, silicon_data_source, tp_size, pp_size,
    attention_dp_size, concurrency, isl, osl, silicon_ttft_ms and silicon_tpot_ms; id, moe_ep_size and gemm_quant_mode are read if there.
    """
    from chipwise.cli.importers.assembly import Assembly, each  # noqa: PLC0415 - pydantic: not for --help

    fill = given(options)
    assembly = Assembly("silicon CSV", replace(fill, values={}))
    reader = _Reader(assembly, fill.values, _systems(classes))
    rows = read_rows(path, REQUIRED, NUMBERS)
    asked = _conditions(conditions, path, rows)
    chosen = [row for row in rows if all(holds(row) for holds in asked)]
    if not chosen:
        raise BadInput(f"{path}: no row has {' and '.join(conditions)}")
    each(chosen, assembly.problems, reader.read)
    if reader.twice:
        assembly.note(
            f"{len(reader.twice)} rows count the chips of expert parallelism twice, such as 64 for tp8 with ep8; they are read as run."
        )
    if len(chosen) < len(rows):
        assembly.note(
            f"{len(rows) - len(chosen)} of {len(rows)} rows were left out by --where {' --where '.join(conditions)}."
        )
    assembly.finish(f"Written by chipwise import silicon from {path.name}.")


@dataclass(frozen=True, slots=True)
class _Reader:
    """``fill`` has what flags say of empty cells, ``systems`` the classes that were named for systems."""

    assembly: Assembly
    fill: Mapping[str, str | int | None]
    systems: Mapping[str, str]
    twice: list[Record] = field(default_factory=list)

    def read(self, row: Record) -> None:
        from chipwise.catalog.layouts import impossible  # noqa: PLC0415 - as above
        from chipwise.catalog.measurements import SIZE_COLUMNS  # noqa: PLC0415 - as above
        from chipwise.cli.importers.assembly import Stated  # noqa: PLC0415 - as above

        problems = self.assembly.problems
        sizes = {name: problems.ask(partial(_size, row, name, blank=name != "tp_size")) for name in SIZES}
        model, system, engine = (
            problems.ask(partial(row.text, column)) for column in ("model_path", "system", "backend")
        )
        if model is None or system is None or engine is None or None in sizes.values():
            return
        told, twice = _once(row, sizes)
        if wrong := impossible(told, self._parts(model)):
            problems.add(row.error(SIZE_COLUMNS[wrong.size], f"{Reason.INVALID}: {wrong.message}"))
            return
        sizes = {name: getattr(told, size) for size, name in SIZE_COLUMNS.items()}
        if twice:
            self.twice.append(row)
        source = str(row.values.get("silicon_data_source", ""))
        measured = re.search(r"measured=(\d{4}-\d\d-\d\d)", source)
        stated = {
            "model": model,
            "class": self.systems.get(system, system),
            "chips": told.chips,
            "precision": row.values.get("precision") or self.fill.get("precision"),
            "engine": engine,
            "engine-version": row.values.get("backend_version") or self.fill.get("engine-version"),
            "date": measured[1] if measured else self.fill.get("date"),
        }
        said = Stated(stated, frozenset(), _CELLS, _details(row, sizes), _origin(source))
        self.assembly.add(row, COLUMNS, said, round_tokens=False)

    def _parts(self, model: str) -> Parts | None:
        """What chips can share of the model, where somebody stated its shape."""
        from chipwise.catalog.layouts import Parts  # noqa: PLC0415 - as above

        shape = self.assembly.architecture(model)
        if shape is None:
            return None
        return Parts(shape["layers"], shape.get("attentionHeads"), shape.get("experts") or 0)


_CELLS = {
    "class": "system",
    "chips": "tp_size",
    "precision": "precision",
    "engine-version": "backend_version",
    "date": "silicon_data_source",
}


def _once(row: Record, sizes: Mapping[str, int | None]) -> tuple[Sizes, bool]:
    """The sizes without what was counted twice, as the estimator reads such rows, and whether there was something."""
    from chipwise.catalog.cases import Sizes  # noqa: PLC0415 - not for --help
    from chipwise.catalog.measurements import sizes_of  # noqa: PLC0415 - as above

    told = Sizes(
        tensor=sizes["tp_size"] or 1,
        pipeline=sizes["pp_size"] or 1,
        data=sizes["attention_dp_size"] or 1,
        expert=sizes["moe_ep_size"] or 1,
    )
    found = sizes_of(told, str(row.values.get("name") or ""))
    return found, found != told


def _size(row: Record, column: str, *, blank: bool) -> int:
    """A degree of parallelism; blank or 0 is 1 where that may be so."""
    if blank and not row.has(column):
        return 1
    return row.count(column, zero=blank) or 1


def _details(row: Record, sizes: Mapping[str, int | None]) -> tuple[str, ...]:
    """What tells setups apart on as many chips: parallelism, and the number format of matrix products."""
    parts = [
        f"tp{sizes['tp_size']}",
        f"pp{sizes['pp_size']}" if (sizes["pp_size"] or 1) > 1 else "",
        f"dp{sizes['attention_dp_size']}" if (sizes["attention_dp_size"] or 1) > 1 else "",
        f"ep{sizes['moe_ep_size']}" if (sizes["moe_ep_size"] or 1) > 1 else "",
        str(row.values.get("gemm_quant_mode", "")),
    ]
    return tuple(part for part in parts if part)


def _origin(source: str) -> str:
    parts = [part.strip() for part in source.split(";")]
    return "; ".join(part for part in parts if part and not part.startswith(_TOLD))


def _systems(classes: Sequence[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for one in classes:
        system, equals, name = one.partition("=")
        if not (system and equals and name):
            raise click.UsageError(f"--class {one}: must be SYSTEM=NAME, such as h100_sxm=h100")
        found[system] = name
    return found


def _conditions(
    conditions: Sequence[str], path: Path, rows: Sequence[Record]
) -> list[Callable[[Record], bool]]:
    """Each as a question to a row. Raises BadInput for a column that no row has."""
    found: list[Callable[[Record], bool]] = []
    have = {column for row in rows for column in row.values}
    for one in conditions:
        matched = re.fullmatch(r"([^=!]+)(!?)=(.*)", one)
        if matched is None:
            raise click.UsageError(f"--where {one}: must be COLUMN=VALUE or COLUMN!=VALUE")
        column, unlike, value = ("name" if matched[1] == "id" else matched[1]), bool(matched[2]), matched[3]
        if column not in have:
            raise BadInput(f"{path}: --where {one}: no row has a column {matched[1]}")
        found.append(partial(_holds, column, value, unlike))
    return found


def _holds(column: str, value: str, unlike: bool, row: Record) -> bool:
    return (str(row.values.get(column, "")) == value) is not unlike
