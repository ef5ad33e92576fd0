"""Text answers: paragraphs and tables, plain in a pipe (aligned, no colour, no lines), drawn by rich on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import click

_GAP = "  "


@dataclass(frozen=True, slots=True)
class Column:
    """``right`` aligns figures. A terminal too narrow for the table leaves out columns with ``spare``, the highest first."""

    title: str
    right: bool = False
    spare: int = 0


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


Block = str | Sheet


def show(blocks: Sequence[Block]) -> None:
    """To standard output, as fits it."""
    if sys.stdout.isatty():
        from chipwise.cli.terminal import draw  # noqa: PLC0415 - rich: only for a terminal

        draw(blocks)
    else:
        click.echo(plain(blocks), nl=False)


def plain(blocks: Iterable[Block]) -> str:
    """Aligned text, an empty line between blocks."""
    return "\n".join(_table(block) if isinstance(block, Sheet) else block + "\n" for block in blocks)


def _table(sheet: Sheet) -> str:
    rows = [tuple(column.title for column in sheet.columns), *sheet.rows]
    widths = [max(len(row[index]) for row in rows) for index in range(len(sheet.columns))]
    lines = [sheet.title] if sheet.title else []
    for row in rows:
        cells = [
            cell.rjust(width) if column.right else cell.ljust(width)
            for cell, width, column in zip(row, widths, sheet.columns, strict=True)
        ]
        lines.append(_GAP.join(cells).rstrip())
    return "\n".join(lines) + "\n"
