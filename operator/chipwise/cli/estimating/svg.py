"""A drawing on two logarithmic axes as SVG text: shapes, words and scales, nothing about what is drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

INK, QUIET, GRID, PAPER = "#1b2733", "#5c6b7a", "#e3e8ee", "#ffffff"
Places = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Scale:
    """From figures, low to high, to places, begin to end, by their logarithm."""

    low: float
    high: float
    begin: float
    end: float

    def __call__(self, figure: float) -> float:
        """The place of a figure; one outside is put on the edge."""
        share = math.log(min(max(figure, self.low), self.high) / self.low) / math.log(self.high / self.low)
        return self.begin + share * (self.end - self.begin)

    def ticks(self) -> list[float]:
        """1, 2 and 5 of every decade within."""
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        every = (part * 10.0**decade for decade in range(first, last + 1) for part in (1, 2, 5))
        return [each for each in every if self.low * 0.999 <= each <= self.high * 1.001]


@dataclass(slots=True)
class Drawing:
    """Elements in the order in which they are laid over each other."""

    width: int
    height: int
    title: str
    parts: list[str] = field(default_factory=list)

    def line(self, places: Places, colour: str, **style: object) -> None:
        """A line through places."""
        self._shape(
            "polyline", places, {"fill": "none", "stroke": colour, "stroke-linejoin": "round", **style}
        )

    def area(self, places: Places, colour: str, **style: object) -> None:
        """What is within places."""
        self._shape("polygon", places, {"fill": colour, "stroke": "none", **style})

    def dots(self, places: Places, colour: str, radius: float) -> None:
        """A dot on every place."""
        self.parts += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{colour}" stroke="{PAPER}" stroke-width="0.8"/>'
            for x, y in places
        ]

    def box(self, x: float, y: float, width: float, height: float, colour: str, **style: object) -> None:
        """A rectangle."""
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"{_style(style)}/>'
        )

    def text(self, x: float, y: float, words: str, colour: str = INK, **style: object) -> None:
        """Words; 12 pixels high and to the right of x unless told otherwise."""
        told = _style({"font_size": 12, **style})
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}"{told}>{escape(words)}</text>')

    def render(self) -> str:
        """The file. The same drawing gives the same bytes."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" width="{self.width}" '
            f'height="{self.height}" role="img" aria-label={quoteattr(self.title)} '
            'font-family="system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif">'
        )
        paper = f'<rect width="{self.width}" height="{self.height}" rx="10" fill="{PAPER}"/>'
        return "\n".join((head, f"<title>{escape(self.title)}</title>", paper, *self.parts, "</svg>")) + "\n"

    def _shape(self, kind: str, places: Places, style: dict[str, object]) -> None:
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        self.parts.append(f'<{kind} points="{points}"{_style(style)}/>')


def spread_out(wanted: Iterable[float], gap: float, low: float, high: float) -> list[float]:
    """Places near the wanted ones, in their order, at least ``gap`` apart and within low and high as far as they fit.

    Neighbours that are too close become one group around the middle of what they wanted, over and over.
    """
    listed = list(wanted)
    order = sorted(range(len(listed)), key=lambda number: listed[number])
    groups: list[tuple[list[int], float]] = []
    for number in order:
        groups.append(([number], listed[number]))
        while len(groups) > 1:
            (first, at), (second, then) = groups[-2:]
            if then - at >= gap * (len(first) + len(second)) / 2:
                break
            joined = [*first, *second]
            middle = sum(listed[each] for each in joined) / len(joined)
            groups[-2:] = [(joined, middle)]
        members, middle = groups[-1]
        half = gap * (len(members) - 1) / 2
        groups[-1] = members, max(min(middle, high - half), low + half)
    found = [0.0] * len(listed)
    for members, middle in groups:
        for place, number in enumerate(members):
            found[number] = middle + gap * (place - (len(members) - 1) / 2)
    return found


def _style(style: dict[str, object]) -> str:
    return "".join(f' {name.replace("_", "-")}="{value}"' for name, value in style.items())
