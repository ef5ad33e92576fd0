"""Tables on a terminal."""

from __future__ import annotations

import io

from chipwise.cli.sheet import Column, Sheet, plain
from chipwise.cli.terminal import draw
from rich.console import Console

SHEET = Sheet(
    "Pools", (Column("POOL"), Column("$/H", right=True)), (("maia", "68.00"), ("[bold]h100", "1.00"))
)


def test_a_terminal_gets_colours_and_every_cell_as_it_is():
    """Brackets are no markup."""
    out = io.StringIO()
    draw(
        ("One line.", SHEET),
        Console(file=out, force_terminal=True, width=80, color_system="standard", highlight=False),
    )
    assert "\x1b[" in out.getvalue()
    assert all(text in out.getvalue() for text in ("One line.", "Pools", "maia", "68.00", "[bold]h100"))


def test_a_pipe_gets_columns():
    wanted = "One line.\n\nPools\nPOOL          $/H\nmaia        68.00\n[bold]h100   1.00\n"
    assert wanted == plain(("One line.", SHEET))
