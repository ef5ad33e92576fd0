"""The frontier as a drawing: dollars for a million tokens against TPOT, a line a chip, a colour a vendor, and who is cheapest where."""

from __future__ import annotations

import colorsys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chipwise.catalog.frontier import OBJECTIVES, OfChip, Wanted, Way, cheapest
from chipwise.cli.estimating.svg import GRID, INK, PAPER, QUIET, Drawing, Scale, spread_out

WIDTH, HEIGHT = 1040, 680
LEFT, RIGHT, TOP, BOTTOM = 74, 880, 116, 560
STRIP = 22
SLOWEST = 100.0
"""TPOT in milliseconds beyond which nobody reads along."""

_HUES = {"NVIDIA": 0.27, "AMD": 0.01, "AWS": 0.08, "Microsoft": 0.58, "Google": 0.77, "Intel": 0.49}
_OTHER = 0.9
_SHADES = ((0.0, 0.30), (0.07, 0.40), (-0.05, 0.38), (0.03, 0.48), (0.11, 0.30), (-0.03, 0.52))
"""By how much hue is turned, and lightness: neighbours in price are told apart, and still of one vendor."""


@dataclass(frozen=True, slots=True)
class _Line:
    """``best`` is whether the chip is the cheapest somewhere."""

    of: OfChip
    colour: str
    best: bool

    @property
    def shown(self) -> list[Way]:
        return [way for way in self.of.ways if way.tpot_ms[0] <= SLOWEST]


def drawn(model: str, wanted: Wanted, found: Sequence[OfChip]) -> str:
    """The SVG. ``found`` has at least one chip."""
    winners = _winners(found)
    lines = _lines(found, {each.chip.name for _, _, each in winners})
    ways = [way for line in lines for way in line.shown] or [way for each in found for way in each.ways]
    x = Scale(
        min(way.tpot_ms[0] for way in ways) * 0.85,
        max(SLOWEST, *(way.tpot_ms[0] for way in ways)),
        LEFT,
        RIGHT,
    )
    costs = [way.cost[0] for way in ways]
    y = Scale(min(costs) * 0.7, max(costs) * 1.3, BOTTOM, TOP)
    drawing = Drawing(WIDTH, HEIGHT, f"Cost of a million output tokens of {model} against TPOT, by chip")
    _frame(drawing, x, y)
    for line in sorted(lines, key=lambda each: each.best):
        _chip(drawing, line, x, y)
    _names_of(drawing, lines, y)
    _strip(drawing, winners, {line.of.chip.name: line.colour for line in lines}, x)
    _words(drawing, model, wanted, found)
    _legend(drawing, lines)
    return drawing.render()


def _winners(found: Sequence[OfChip]) -> list[tuple[float, float, OfChip]]:
    """From which TPOT to which who is cheapest."""
    edges = sorted({way.tpot_ms[0] for each in found for way in each.ways if way.tpot_ms[0] <= SLOWEST})
    told: list[tuple[float, float, OfChip]] = []
    for begin, end in zip(edges, [*edges[1:], SLOWEST], strict=True):
        best = cheapest(found, begin)
        if best is None:
            continue
        if told and told[-1][2] is best[0]:
            told[-1] = told[-1][0], end, best[0]
        else:
            told.append((begin, end, best[0]))
    return told


def _lines(found: Sequence[OfChip], best: set[str]) -> list[_Line]:
    """Colours: one hue a vendor, its chips in shades of it."""
    lines = []
    for vendor in sorted({each.chip.vendor for each in found}):
        own = sorted(
            (each for each in found if each.chip.vendor == vendor), key=lambda each: each.ways[-1].cost[0]
        )
        for place, each in enumerate(own):
            turn, light = _SHADES[place % len(_SHADES)] if len(own) > 1 else (0.0, 0.42)
            red, green, blue = colorsys.hls_to_rgb(
                (_HUES.get(vendor, _OTHER) + turn * min(len(own), len(_SHADES)) / len(_SHADES)) % 1,
                light,
                0.72,
            )
            colour = f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
            lines.append(_Line(each, colour, each.chip.name in best))
    return lines


def _frame(drawing: Drawing, x: Scale, y: Scale) -> None:
    for cost in y.ticks():
        drawing.line([(LEFT, y(cost)), (RIGHT, y(cost))], GRID)
        drawing.text(LEFT - 10, y(cost) + 4, f"${cost:g}", QUIET, text_anchor="end")
    for tpot in sorted(each for each in {*x.ticks(), *OBJECTIVES} if x.low <= each <= x.high):
        own = tpot in OBJECTIVES
        drawing.line(
            [(x(tpot), TOP), (x(tpot), BOTTOM)],
            "#c4ced8" if own else GRID,
            stroke_dasharray="3 4" if own else "none",
        )
        drawing.text(x(tpot), BOTTOM + STRIP + 24, f"{tpot:g}", QUIET, text_anchor="middle")
    drawing.line([(LEFT, TOP), (LEFT, BOTTOM), (RIGHT, BOTTOM)], "#9aa8b5")
    middle = (LEFT + RIGHT) / 2
    drawing.text(
        middle, BOTTOM + STRIP + 46, "mean time per output token, milliseconds", INK, text_anchor="middle"
    )
    side = (TOP + BOTTOM) / 2
    drawing.text(
        20, side, "$ for a million output tokens", INK, text_anchor="middle", transform=f"rotate(-90 20 {side:g})"
    )  # fmt: skip


def _chip(drawing: Drawing, line: _Line, x: Scale, y: Scale) -> None:
    """The band, the line, and on from its cheapest way to the right: whoever waits longer pays no more."""
    ways = line.shown
    if not ways:
        return
    if line.best:
        low = [(x(way.tpot_ms[1]), y(way.cost[1])) for way in ways]
        high = [(x(way.tpot_ms[2]), y(way.cost[2])) for way in ways]
        drawing.area([*low, *reversed(high)], line.colour, fill_opacity=0.11)
    places = [(x(way.tpot_ms[0]), y(way.cost[0])) for way in ways]
    drawing.line(
        [places[-1], (RIGHT, places[-1][1])],
        line.colour,
        stroke_width=1,
        stroke_dasharray="1 4",
        stroke_opacity=0.8,
    )
    drawing.line(
        places, line.colour, stroke_width=2.8 if line.best else 1.3, stroke_opacity=1 if line.best else 0.75
    )
    drawing.dots(places, line.colour, 3 if line.best else 1.8)


def _names_of(drawing: Drawing, lines: Sequence[_Line], y: Scale) -> None:
    """Names at the right, each beside the end of its line or joined with it."""
    ends = [(line, y(line.shown[-1].cost[0])) for line in lines if line.shown]
    places = spread_out((at for _, at in ends), 16, TOP + 6, BOTTOM - 4)
    for (line, at), place in zip(ends, places, strict=True):
        drawing.line(
            [(RIGHT + 2, at), (RIGHT + 12, at), (RIGHT + 24, place), (RIGHT + 30, place)], line.colour
        )
        drawing.text(
            RIGHT + 34, place + 4, line.of.chip.name, line.colour, font_weight=700 if line.best else 400
        )


def _strip(
    drawing: Drawing, winners: Sequence[tuple[float, float, OfChip]], colours: dict[str, str], x: Scale
) -> None:
    """Below the axis: who is cheapest from where to where."""
    for begin, end, each in winners:
        left, width = x(begin), x(end) - x(begin)
        drawing.box(left, BOTTOM + 5, max(width - 1, 0.5), STRIP - 7, colours[each.chip.name], rx=2)
        if width > 8 * len(each.chip.name):
            drawing.text(
                left + width / 2, BOTTOM + 16.5, each.chip.name, PAPER, text_anchor="middle", font_size=11, font_weight=600
            )  # fmt: skip
    drawing.text(RIGHT + 8, BOTTOM + 16.5, "cheapest", QUIET, font_size=11)


def _words(drawing: Drawing, model: str, wanted: Wanted, found: Sequence[OfChip]) -> None:
    drawing.text(LEFT, 38, f"{model}: what a million output tokens costs", INK, font_size=20, font_weight=700)
    drawing.text(
        LEFT,
        60,
        f"{wanted.input_tokens:g} input and {wanted.output_tokens:g} output tokens, mean TTFT at most {wanted.ttft_ms / 1000:g} s; "
        "each point the cheapest number of chips, precision and concurrency",
        QUIET,
        font_size=13,
    )
    for number, text in enumerate(_small_print(found)):
        drawing.text(LEFT, HEIGHT - 30 + 16 * number, text, QUIET, font_size=11)


def _small_print(found: Sequence[OfChip]) -> Iterator[str]:
    prices = {way.price for each in found for way in each.ways}
    lists = sorted({f"{p.cloud} {p.region} {p.date}" for p in prices if p.instance})
    stated = sorted({each.chip.name for each in found if any(not way.price.instance for way in each.ways)})
    told = [
        f"On-demand prices: {', '.join(lists)}" if lists else "",
        f"as stated: {', '.join(stated)}" if stated else "",
    ]
    yield "; ".join(filter(None, told)) + ". A replica costs its chips' part of the machine."
    yield "Estimated. Shaded: what 90 % of measurements are expected in, for the chips that are cheapest somewhere. Accuracy beyond NVIDIA is unproven."


def _legend(drawing: Drawing, lines: Sequence[_Line]) -> None:
    at = float(LEFT)
    for vendor in sorted({line.of.chip.vendor for line in lines}):
        own = [line for line in lines if line.of.chip.vendor == vendor]
        colour = own[0].colour
        drawing.box(at, 81, 18, 4, colour, rx=2)
        drawing.text(at + 24, 87, vendor, INK, font_size=12)
        at += 44 + 7.2 * len(vendor)
