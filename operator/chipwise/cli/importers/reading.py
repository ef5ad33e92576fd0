"""From files to records: JSON, several JSON objects after each other, YAML, and CSV. Raises BadInput with file, line and column."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from io import StringIO
from pathlib import Path
from typing import Any

from chipwise.cli.errors import BadInput
from chipwise.cli.importers.fields import Record

#: A cell longer than this is no figure; the csv module's own limit.
_CELL = 131_072

#: A number as programs write it. Python's own reading is wider: it takes 1_000, and digits of other scripts.
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,9})?")


def text_of(path: Path) -> str:
    """What a file holds; a byte order mark is passed over."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: is not UTF-8: {error}") from error


def named_text(path: Path) -> tuple[str, str]:
    """What a file is called in messages, and its text; - is standard input."""
    if str(path) != "-":
        return str(path), text_of(path)
    name = "standard input"
    try:
        return name, sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{name}: is not UTF-8: {error}") from error


def read_json(path: Path) -> Record:
    """The object in a JSON file, its numbers exact."""
    found = read_objects(path)
    if len(found) != 1:
        raise BadInput(f"{path}: must hold one object, not {len(found)}")
    return found[0]


def read_objects(path: Path) -> list[Record]:
    """The objects of a file that holds one or, after each other, several."""
    found = list(_values(path, text_of(path)))
    if not found:
        raise BadInput(f"{path}: is empty")
    places = [""] if len(found) == 1 else [f"object {number}" for number in range(1, len(found) + 1)]
    return [_record(path, place, value) for place, value in zip(places, found, strict=True)]


def _values(path: Path, text: str) -> Iterator[Any]:
    decoder, at = json.JSONDecoder(parse_float=Decimal), _blank(text, 0)
    while at < len(text):
        try:
            value, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            where = f"in line {error.lineno}, column {error.colno}"
            raise BadInput(f"{path}: is not JSON {where}: {error.msg}") from error
        except RecursionError as error:
            raise BadInput(f"{path}: is nested too deeply") from error
        except (ValueError, InvalidOperation) as error:  # a number of thousands of digits
            raise BadInput(f"{path}: is not JSON: {error}") from error
        yield value
        at = _blank(text, at)


def _blank(text: str, at: int) -> int:
    """Where the next thing stands after white space."""
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def read_document(path: Path) -> Record:
    """The object in a JSON file, or in a YAML file, which ends in .yaml or .yml."""
    if path.suffix.lower() not in (".yaml", ".yml"):
        return read_json(path)
    import yaml  # noqa: PLC0415 - not for --help

    try:
        found = yaml.load(text_of(path), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except yaml.YAMLError as error:
        raise BadInput(f"{path}: is not YAML: {' '.join(str(error).split())}") from error
    except (RecursionError, ValueError) as error:
        raise BadInput(f"{path}: is not YAML: {error}") from error
    return _record(path, "", _exact(found))


def _exact(value: Any) -> Any:
    """YAML's floats as the decimals that were written."""
    if isinstance(value, dict):
        return {str(key): _exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_exact(item) for item in value]
    return Decimal(repr(value)) if isinstance(value, float) and _finite(value) else value


def _finite(value: float) -> bool:
    return abs(value) < float("inf")


def read_rows(path: Path, columns: Sequence[str], numbers: Iterable[str]) -> list[Record]:
    """The rows of a CSV file, which must have these columns. Those in ``numbers`` become exact; empty cells are missing.

    A row is named by its line in the file, and by its ``id`` if it has that column.
    """
    text, numeric = text_of(path), frozenset(numbers)
    if any(len(line) > _CELL for line in StringIO(text, newline="")):
        raise BadInput(f"{path}: has a line of more than {_CELL} characters: this is no table")
    table = read_table(text, str(path), lambda header: [name for name in columns if name not in header])
    found: list[Record] = []
    for line, cells in zip(table.lines, table.rows, strict=True):
        named = dict(zip(table.header, cells, strict=True))
        title = named.get("id")
        values = {name: _cell(cell, exact=name in numeric) for name, cell in named.items() if cell.strip()}
        found.append(Record(path, f"row {line}", {**values, **({"name": title} if title else {})}))
    if not found:
        raise BadInput(f"{path}: has no row below its first")
    return found


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV as it stands, but for empty lines: row i ends in line ``lines[i]`` and has a cell for each column."""

    header: list[str]
    lines: list[int]
    rows: list[list[str]]


def read_table(text: str, name: str, lacking: Callable[[Sequence[str]], Sequence[str]]) -> Table:
    """Read a CSV. ``lacking`` says which columns a header lacks. Raises BadInput with ``name``, and the row or the column."""
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        table = Table([each.strip() for each in next(reader, [])], [], [])
        header = table.header
        if twice := sorted({each for each in header if header.count(each) > 1}):
            raise BadInput(f"{name}: has the column(s) {', '.join(twice)} twice")
        if missing := lacking(header):
            raise BadInput(
                f"{name}: lacks the column(s) {', '.join(missing)}; it has {', '.join(header) or 'none'}"
            )
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise BadInput(
                    f"{name}: row {reader.line_num}: has {len(cells)} cells, and the first row has {len(header)}"
                )
            table.lines.append(reader.line_num)
            table.rows.append(cells)
    except csv.Error as error:
        raise BadInput(f"{name}: row {reader.line_num}: is not CSV: {error}") from error
    return table


def _cell(cell: str, *, exact: bool) -> str | Decimal:
    """A number where one is wanted and one stands there; a text is left for the reader to refuse."""
    text = cell.strip()
    return Decimal(text) if exact and _NUMBER.fullmatch(text) else text


def _record(path: Path, place: str, value: Any) -> Record:
    if not isinstance(value, dict):
        kind = "a list" if isinstance(value, list) else "null" if value is None else repr(value)
        where = f"{path}: {place}" if place else str(path)
        raise BadInput(f"{where}: must hold an object, not {kind}")
    return Record(path, place, value)


def files_under(paths: Sequence[Path], patterns: Sequence[str]) -> list[Path]:
    """The files that were named, and of folders those that match a pattern, recursively; each once, in order of name."""
    found: set[Path] = set()
    for path in paths:
        if not path.is_dir():
            found.add(path)
            continue
        inside = {file for pattern in patterns for file in path.rglob(pattern) if file.is_file()}
        if not inside:
            raise BadInput(f"{path}: has no file {' or '.join(patterns)}")
        found |= inside
    return sorted(found)
