"""What docs/chart.md says of the chart's values and alerts, from where they are: ``python -m charts.reference [--check]``.

A value is documented by the comment above it in values.yaml, and by nothing else. A value is what the schema does not go into further.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
CHART = ROOT / "charts" / "chipwise"
DOCUMENT = ROOT / "docs" / "chart.md"
VALUES = ("<!-- values: written by make chart-docs -->", "<!-- end of values -->")
ALERTS = ("<!-- alerts: written by make chart-docs -->", "<!-- end of alerts -->")


class Undocumented(Exception):  # noqa: N818 - it is what is wrong
    """A value without a comment, or a schema that does not know it."""


@dataclass(frozen=True, slots=True)
class Value:
    """One key of values.yaml. ``is_leaf`` is false for one that only holds others."""

    path: str
    default: Any
    words: str
    is_leaf: bool


def values(text: str, schema: dict[str, Any]) -> list[Value]:
    """Every key of a values file with its comment, in the order of the file. Raises Undocumented for a leaf without one."""
    lines = text.splitlines()
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(node, yaml.MappingNode):
        raise Undocumented("the values are no map")
    found = list(_walk(node, schema, schema.get("$defs", {}), lines, ""))
    if missing := [each.path for each in found if each.is_leaf and not each.words]:
        raise Undocumented(f"no comment above {', '.join(missing)}")
    return found


def _walk(
    node: yaml.MappingNode, schema: dict[str, Any], defs: dict[str, Any], lines: list[str], above: str
) -> Iterator[Value]:
    for key, child in node.value:
        path = f"{above}.{key.value}" if above else key.value
        inside = schema["properties"].get(key.value)
        if inside is None:
            raise Undocumented(f"the schema does not know {path}")
        inside = defs[inside["$ref"].rpartition("/")[2]] if "$ref" in inside else inside
        is_leaf = "properties" not in inside
        default = yaml.SafeLoader("").construct_object(child, deep=True) if is_leaf else None
        yield Value(path, default, _comment(lines, key.start_mark.line), is_leaf)
        if not is_leaf:
            yield from _walk(child, inside, defs, lines, path)


def _comment(lines: list[str], number: int) -> str:
    """The comment lines directly above a line, as one."""
    first = number
    while first and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return " ".join(line.strip().removeprefix("#").strip() for line in lines[first:number])


def values_table() -> str:
    """Of the chart's own values."""
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    found = values((CHART / "values.yaml").read_text(encoding="utf-8"), schema)
    rows = [
        f"| `{each.path}` | {f'`{json.dumps(each.default)}`' if each.is_leaf else ''} | {_cell(each.words)} |"
        for each in found
        if each.words
    ]
    return "\n".join(["| value | default | what it does |", "| --- | --- | --- |", *rows])


def alerts_table() -> str:
    """Of the chart's alerts."""
    alerts = yaml.safe_load((CHART / "files" / "alerts.yaml").read_text(encoding="utf-8"))
    rows = [
        f"| `{each['alert']}` | {each['severity']}, after {each['for']}{_where(each)} | {_cell(_plain(each['summary']))} "
        f"{_cell(each['description'])} |"
        for each in alerts
    ]
    return "\n".join(["| alert | severity | what it says |", "| --- | --- | --- |", *rows])


def _where(alert: dict[str, Any]) -> str:
    return f", with the {alert['of']}" if "of" in alert else ""


def _plain(summary: str) -> str:
    """Without the labels that Prometheus fills in."""
    return re.sub(r"\{\{ \$labels\.(\w+) \}\}", r"`\1`", summary)


def _cell(words: str) -> str:
    return words.replace("|", "\\|")


def written(text: str) -> str:
    """The document with both tables anew."""
    for (begin, end), table in ((VALUES, values_table()), (ALERTS, alerts_table())):
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise Undocumented(f"{DOCUMENT.name} has no place for a table: {begin}")
        text = f"{before}{begin}\n{table}\n{end}{after}"
    return text


def main(arguments: list[str] | None = None) -> int:
    """Write the document, or compare it; the exit code of the process."""
    parser = argparse.ArgumentParser(prog="python -m charts.reference", description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the document differs")
    options = parser.parse_args(arguments)
    committed = DOCUMENT.read_text(encoding="utf-8")
    text = written(committed)
    if options.check:
        if text != committed:
            print(f"{DOCUMENT.name} is stale; run: make chart-docs", file=sys.stderr)
        return int(text != committed)
    DOCUMENT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
