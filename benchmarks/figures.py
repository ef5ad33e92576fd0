"""A measured figure, the bar it is held against, and the two forms in which results are kept: JSON to compare, Markdown to read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
COMMAND = "make bench"


@dataclass(frozen=True, slots=True)
class Figure:
    """``value`` in ``unit``; ``at_most`` is the bar, None where there is none. ``name`` is stable: the README refers to it."""

    name: str
    what: str
    value: float
    unit: str
    at_most: float | None = None

    @property
    def holds(self) -> bool | None:
        """Whether the bar is kept; None without one."""
        return None if self.at_most is None else self.value <= self.at_most


def rounded(value: float) -> float:
    """Three significant digits below a thousand, whole numbers above."""
    return float(f"{value:.3g}") if abs(value) < 1000 else float(round(value))


def shown(value: float) -> str:
    """A figure as the tables print it."""
    return f"{value:.3f}".rstrip("0").rstrip(".") if abs(value) < 1000 else f"{value:,.0f}"


def merged(
    before: Mapping[str, Any], parts: Mapping[str, Sequence[Figure]], date: str, machine: Mapping[str, Any]
) -> dict[str, Any]:
    """The results with some parts measured anew. A part is one run: its figures are replaced together."""
    found = dict(before.get("parts", {}))
    for name, figures in parts.items():
        found[name] = {
            "measured": date,
            "machine": dict(machine),
            "figures": [{**asdict(figure), "holds": figure.holds} for figure in figures],
        }
    return {"command": COMMAND, "parts": dict(sorted(found.items()))}


def _measured(part: Mapping[str, Any], machine: Mapping[str, Any]) -> str:
    where = f"{machine['cores']} cores with {machine['memoryGiB']} GiB, Python {machine['python']}"
    return f"Measured {part['measured']} on {where}. Load average before: {machine['loadBefore']}."


def markdown(results: Mapping[str, Any]) -> str:
    """One table of everything that was measured."""
    lines = [
        "# Results",
        "",
        f"Written by `{results['command']}`. Do not edit: the README's figures are compared with results.json by a test.",
    ]
    for name, part in results["parts"].items():
        machine = part["machine"]
        lines += [
            "",
            f"## {name}",
            "",
            _measured(part, machine),
            "",
            "| figure | what | measured | at most | kept |",
            "| --- | --- | --- | --- | --- |",
        ]
        for figure in part["figures"]:
            bar = "" if figure["at_most"] is None else f"{shown(figure['at_most'])} {figure['unit']}"
            kept = {True: "yes", False: "**no**", None: ""}[figure["holds"]]
            value = f"{shown(figure['value'])} {figure['unit']}"
            lines.append(f"| {figure['name']} | {figure['what']} | {value} | {bar} | {kept} |")
    return "\n".join(lines) + "\n"


def load() -> dict[str, Any]:
    """What was measured last; empty before the first time."""
    path = RESULTS / "results.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def save(results: Mapping[str, Any]) -> None:
    """Write both forms."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (RESULTS / "results.md").write_text(markdown(results))
