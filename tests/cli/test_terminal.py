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


def test_a_narrow_terminal_leaves_out_what_can_be_spared_and_says_so():
    sheet = Sheet(
        "", (Column("NAME"), Column("A", spare=1), Column("B", spare=2)), (("x" * 20, "a" * 20, "b" * 20),)
    )
    texts = []
    for width in (80, 60, 40, 30):
        out = io.StringIO()
        draw((sheet,), Console(file=out, width=width))
        texts.append(out.getvalue())
    assert [letter in texts[0] for letter in ("xxx", "aaa", "bbb")] == [True, True, True]
    assert [letter in texts[1] for letter in ("xxx", "aaa", "bbb")] == [True, True, False]
    assert [letter in texts[2] for letter in ("xxx", "aaa", "bbb")] == [True, False, False]
    assert "B left out for want of width" in texts[1]
    assert "A, B left out" in texts[2]
