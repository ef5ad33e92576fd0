"""Tables on a terminal."""

from __future__ import annotations

import io
import re

import pytest
from chipwise.cli.sheet import Column, Sheet, plain
from chipwise.cli.terminal import draw
from chipwise.cli.wrapping import wrapped
from hypothesis import given
from hypothesis import strategies as st
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


def drawn(sheet: Sheet, width: int) -> str:
    out = io.StringIO()
    draw((sheet,), Console(file=out, width=width))
    return out.getvalue()


NAMES = ("serving/code-assist", "serving/moderation", "h100-x2-fp8", "not placed: NoFeasibleVariant")


@pytest.mark.parametrize("width", range(48, 120))
def test_a_name_is_broken_at_its_joints_only(width):
    """Not serving/code-a and ssist: what stands in a line must be found again."""
    rows = tuple((name, NAMES[-1], "1234.56", NAMES[2]) for name in NAMES)
    columns = (Column("WORKLOAD"), Column("PLANNED"), Column("$/H", right=True), Column("NOW"))
    words = set(re.findall(r"[\w.]+", drawn(Sheet("", columns, rows), width)))
    parts = {"serving", "code", "assist", "moderation", "h100", "x2", "fp8", "not", "placed"}
    camel = {"NoFeasibleVariant", "No", "NoFeasible", "Feasible", "FeasibleVariant", "Variant"}
    assert words <= parts | camel | {"1234.56", "WORKLOAD", "PLANNED", "H", "NOW"}
    assert parts <= words


def test_the_lines_of_a_narrow_table_are_no_wider_than_the_terminal():
    for width in range(20, 90):
        text = drawn(Sheet("", (Column("WORKLOAD"), Column("WHY")), ((NAMES[0], "x" * 40),)), width)
        assert max(map(len, text.splitlines())) <= width


@given(st.text("ab/- X", max_size=60), st.integers(1, 30))
def test_wrapping_loses_nothing(text, width):
    found = wrapped(text, width)
    assert all(len(line) <= width for line in found.split("\n"))
    assert found.replace("\n", "").replace(" ", "") == text.replace(" ", "")
