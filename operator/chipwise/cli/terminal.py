"""Tables on a terminal, drawn by rich, which also heeds NO_COLOR and the terminal's width."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chipwise.cli.sheet import Block, Sheet
from chipwise.cli.wrapping import widths, wrapped

_PADDING = 2
_EDGES = 2


def draw(blocks: Iterable[Block], console: Console | None = None) -> None:
    """Blocks one below the other."""
    console = console or Console(highlight=False)
    for block in blocks:
        console.print(_table(block, console.width) if isinstance(block, Sheet) else Text(block))
        console.print()


def _table(sheet: Sheet, width: int) -> Table:
    shown, left_out = _fitting(sheet, width)
    caption = f"{', '.join(left_out)} left out for want of width" if left_out else None
    table = Table(
        title=sheet.title or None,
        title_justify="left",
        title_style="bold",
        caption=caption,
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, _PADDING, 0, 0),
    )
    fitting = _widths(sheet, shown, width)
    for index in shown:
        column = sheet.columns[index]
        justify: Literal["left", "right"] = "right" if column.right else "left"
        table.add_column(column.title, justify=justify, overflow="fold", no_wrap=column.right)
    for row in sheet.rows:
        table.add_row(*(Text(wrapped(row[i], fitting[i]) if i in fitting else row[i]) for i in shown))
    return table


def _widths(sheet: Sheet, shown: list[int], width: int) -> dict[int, int]:
    """Of the columns of text; those of figures are as wide as they are."""
    texts = {index: [sheet.columns[index].title, *(row[index] for row in sheet.rows)] for index in shown}
    figures = [index for index in shown if sheet.columns[index].right]
    taken = sum(max(map(len, texts.pop(index))) for index in figures)
    left = width - taken - len(shown) * (_PADDING + 1) - _EDGES
    return dict(zip(texts, widths(list(texts.values()), left), strict=True))


def _fitting(sheet: Sheet, width: int) -> tuple[list[int], list[str]]:
    """The columns to show, and the titles of those left out."""
    widths = [
        max(len(row[i]) for row in (*sheet.rows, [c.title for c in sheet.columns]))
        for i in range(len(sheet.columns))
    ]
    shown = list(range(len(sheet.columns)))
    spare = sorted((c.spare, i) for i, c in enumerate(sheet.columns) if c.spare)
    left_out = []
    while spare and sum(widths[index] + _PADDING + 1 for index in shown) + _EDGES > width:
        _, dropped = spare.pop()
        shown.remove(dropped)
        left_out.append(dropped)
    return shown, [sheet.columns[index].title for index in sorted(left_out)]
