"""Estimates against measurements as a scatter on logarithmic axes: one SVG file for each split, TPOT beside TTFT."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from chipwise.catalog.measurements import Measurements
from chipwise.performance.estimator import Figures
from numpy.typing import NDArray

from benchmarks.accuracy.foretold import Told

SIDE, LEFT, TOP, GAP = 380, 64, 64, 92
COLOURS = {"h100-sxm": "#0072b2", "h200": "#56b4e9", "b200": "#d55e00", "gb200": "#e69f00"}
"""Okabe and Ito's palette: told apart by people who see few colours."""


def draw(rows: Measurements, told: Told, where: Path) -> None:
    """Write the file."""
    width, height = LEFT + 2 * SIDE + GAP + 24, TOP + SIDE + 76
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12" fill="#222">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{LEFT}" y="24" font-size="16" font-weight="600">({told.split.letter}) {told.split.name}</text>',
        f'<text x="{LEFT}" y="44" fill="#555">estimate against measurement, {int(told.asked.sum())} rows held out; dashed: off by half or double</text>',
        *_panel(LEFT, "TPOT", told.tpot, rows.tpot_ms, rows, told.asked),
        *_panel(LEFT + SIDE + GAP, "TTFT", told.ttft, rows.ttft_ms, rows, told.asked),
        *_legend(height - 18, sorted(set(rows.table.accelerator[told.asked]))),
        "</svg>",
    ]
    where.write_text("\n".join(parts) + "\n", encoding="utf-8")


def _panel(
    left: float,
    name: str,
    of: Figures,
    measured: NDArray[np.float64],
    rows: Measurements,
    which: NDArray[np.bool_],
) -> Iterator[str]:
    known = np.concatenate([of.value[which], measured[which]])
    low, high = np.floor(np.log10(known.min()) * 2) / 2, np.ceil(np.log10(known.max()) * 2) / 2

    def at(value: float) -> float:
        return float(SIDE * (np.log10(value) - low) / (high - low))

    yield f'<rect x="{left}" y="{TOP}" width="{SIDE}" height="{SIDE}" fill="#fafafa" stroke="#999"/>'
    for tick in (m * 10.0**e for e in range(int(np.floor(low)), int(np.ceil(high)) + 1) for m in (1, 2, 5)):
        if not low <= np.log10(tick) <= high:
            continue
        x, y = left + at(tick), TOP + SIDE - at(tick)
        yield f'<path d="M{x:.1f} {TOP}V{TOP + SIDE}M{left} {y:.1f}H{left + SIDE}" stroke="#e4e4e4"/>'
        yield f'<text x="{x:.1f}" y="{TOP + SIDE + 16}" text-anchor="middle">{tick:g}</text>'
        yield f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>'
    for factor, style in (
        (1.0, 'stroke="#222"'),
        (0.5, 'stroke="#888" stroke-dasharray="4 4"'),
        (2.0, 'stroke="#888" stroke-dasharray="4 4"'),
    ):
        a, b = max(low, low - np.log10(factor)), min(high, high - np.log10(factor))
        ends = [(left + at(10**v), TOP + SIDE - at(10**v * factor)) for v in (a, b)]
        yield f'<path d="M{ends[0][0]:.1f} {ends[0][1]:.1f}L{ends[1][0]:.1f} {ends[1][1]:.1f}" {style} fill="none"/>'
    for row in np.flatnonzero(which):
        colour = COLOURS.get(rows.cases[row].accelerator, "#999")
        yield (
            f'<circle cx="{left + at(measured[row]):.1f}" cy="{TOP + SIDE - at(of.value[row]):.1f}" r="2.4" '
            f'fill="{colour}" fill-opacity="0.55"/>'
        )
    yield f'<text x="{left + SIDE / 2}" y="{TOP + SIDE + 34}" text-anchor="middle">{name} measured, ms</text>'
    yield (
        f'<text transform="translate({left - 44} {TOP + SIDE / 2}) rotate(-90)" text-anchor="middle">{name} estimated, ms</text>'
    )


def _legend(y: float, chips: list[str]) -> Iterator[str]:
    for number, chip in enumerate(chips):
        x = LEFT + number * 110
        yield f'<circle cx="{x}" cy="{y - 4}" r="5" fill="{COLOURS.get(chip, "#999")}"/><text x="{x + 10}" y="{y}">{chip}</text>'
