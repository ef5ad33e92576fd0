"""Tables on a terminal, drawn by rich, which also heeds NO_COLOR and the terminal's width."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chipwise.cli.sheet import Block, Sheet


def draw(blocks: Iterable[Block], console: Console | None = None) -> None:
    """Blocks one below the other."""
    console = console or Console(highlight=False)
    for block in blocks:
        console.print(_table(block) if isinstance(block, Sheet) else Text(block))
        if not isinstance(block, Sheet):
            console.print()


def _table(sheet: Sheet) -> Table:
    table = Table(title=sheet.title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for column in sheet.columns:
        table.add_column(column.title, justify="right" if column.right else "left", overflow="fold")
    for row in sheet.rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
