"""One decision as an SVG: for each workload what every chip would cost, which was chosen, and why the others were not.

It has a background of its own and a dark dress for those who prefer one, so that it is legible wherever it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any

Document = dict[str, Any]

_WIDTH = 900
_LEFT, _POOL, _BAR, _LONGEST = 28, 270, 340, 280
_HEAD, _ROW, _GAP, _FOOT = 92, 24, 22, 92
_STYLE = """
  text { font: 13px ui-sans-serif, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
  .title { font-size: 18px; font-weight: 600; }
  .name { font-size: 15px; font-weight: 600; }
  .soft { fill: #59636e; }
  .strong { font-weight: 600; }
  .card { fill: #ffffff; stroke: #d1d9e0; }
  .rule { stroke: #d1d9e0; }
  .bar { fill: #c3ccd6; }
  .chosen { fill: #1a7f37; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .soft { fill: #9da7b3; }
    .card { fill: #0d1117; stroke: #3d444d; }
    .rule { stroke: #3d444d; }
    .bar { fill: #4a535e; }
    .chosen { fill: #3fb950; }
  }"""
_MISSED = re.compile(r"^.*?(\w+) \w+ is at best ([0-9.]+ ms), above ([0-9.]+ ms).*$", re.DOTALL)


def decision_picture(plan: Document, documents: Iterable[Document]) -> str:
    """The SVG of a plan as `chipwise plan -o json` gives it; `documents` hold its workloads' objectives and traffic."""
    asked = {each["metadata"]["name"]: each["spec"] for each in documents if _is_workload(each)}
    most = max(
        float(each["amortisedPerHour"])
        for workload in plan["workloads"]
        for each in workload["candidates"]
        if each["feasible"]
    )
    body: list[str] = []
    top = _HEAD
    for workload in plan["workloads"]:
        body.append(f'<line class="rule" x1="{_LEFT}" x2="{_WIDTH - _LEFT}" y1="{top}" y2="{top}"/>')
        body.extend(_block(workload, asked[workload["name"]], top + _GAP, _LONGEST / most))
        top += _GAP + _ROW * max(3, len(workload["candidates"])) + 6
    height = top + _FOOT
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="img">',
            f"<title>{escape(_title(plan))}</title>",
            f"<style>{_STYLE}\n</style>",
            f'<rect class="card" x="0.5" y="0.5" width="{_WIDTH - 1}" height="{height - 1}" rx="8"/>',
            *_head(plan),
            *body,
            *_foot(top),
            "</svg>",
            "",
        )
    )


def _is_workload(document: Document) -> bool:
    return bool(document["kind"] == "InferenceWorkload")


def _title(plan: Document) -> str:
    summary = plan["summary"]
    was, would = (float(summary[key]) for key in ("currentCostPerHour", "costPerHour"))
    return f"One decision for all workloads together: {was:.2f} $/h would become {would:.2f} $/h"


def _head(plan: Document) -> Iterator[str]:
    yield _text(_LEFT, 38, _title(plan), "title")
    said = "For the declared traffic within the declared latency: replicas and $/h on each chip, nodes taken as full."
    yield _text(_LEFT, 64, said, "soft")


def _block(workload: Document, spec: Document, top: int, scale: float) -> Iterator[str]:
    traffic = spec["traffic"]
    peak = traffic.get("peakRequestsPerSecond", traffic["meanRequestsPerSecond"])
    objectives = ", ".join(f"{each['metric']} ≤ {_spaced(each['threshold'])}" for each in spec["objectives"])
    yield _text(_LEFT, top + 10, workload["name"], "name")
    yield _text(_LEFT, top + 32, objectives, "soft")
    yield _text(_LEFT, top + 52, f"{float(peak):g} requests/s at the peak", "soft")
    for number, candidate in enumerate(sorted(workload["candidates"], key=lambda each: str(each["pool"]))):
        yield from _line(workload, candidate, top + _ROW * number, scale)


def _line(workload: Document, candidate: Document, top: int, scale: float) -> Iterator[str]:
    middle = top + 10
    chosen = candidate["chosen"]
    yield _text(_POOL, middle, candidate["pool"], "strong" if chosen else "soft")
    if not candidate["feasible"]:
        best = _MISSED.sub(r"\1 at best \2, above \3", candidate["message"])
        yield _text(_BAR, middle, best + _here(workload, candidate), "soft")
        return
    cost = float(candidate["amortisedPerHour"])
    length = max(2.0, cost * scale)
    kind = "chosen" if chosen else "bar"
    yield f'<rect class="{kind}" x="{_BAR}" y="{top - 2}" width="{length:.1f}" height="15" rx="2"/>'
    each = candidate["chips"] // candidate["replicas"]
    said = f"{cost:.2f} $/h, {candidate['replicas']} x {each} chip{'s' if each > 1 else ''}"
    said += f": {_fate(workload)}" if chosen else _here(workload, candidate)
    yield _text(_BAR + length + 8, middle, said, "strong" if chosen else "soft")


def _fate(workload: Document) -> str:
    if workload["mode"] == "Off":
        return "proposed, mode Off"
    return "stays" if workload["decision"] == "Stay" else "chosen"


def _here(workload: Document, candidate: Document) -> str:
    current = workload["current"]
    at_home = current and (current["pool"], current["variant"]) == (candidate["pool"], candidate["variant"])
    return " (runs here)" if at_home else ""


def _foot(top: int) -> Iterator[str]:
    said = (
        "The totals are whole nodes, count what is only proposed, and leave out what nothing can serve.",
        "Drawn by `python -m e2e.demo --picture` from examples/. H100: measured speeds, public prices. MI300X: public price,",
        "speeds scaled from the H100's, not measured. Maia: speeds likewise; its price and resource name are made up.",
    )
    yield f'<line class="rule" x1="{_LEFT}" x2="{_WIDTH - _LEFT}" y1="{top}" y2="{top}"/>'
    for number, line in enumerate(said):
        yield _text(_LEFT, top + 28 + 20 * number, line, "soft")


def _spaced(duration: str) -> str:
    """The figure apart from its unit."""
    return re.sub(r"([0-9])([ms])", r"\1 \2", duration)


def _text(left: float, base: float, said: str, kind: str) -> str:
    return f'<text class="{kind}" x="{left:g}" y="{base:g}">{escape(said)}</text>'
