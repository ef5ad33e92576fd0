"""Patterns and maps of the priority expander before Go itself: what chipwise takes, Go's regexp and YAML take and read alike."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from chipwise.autoscaling.patterns import is_pattern
from chipwise.autoscaling.priorities import Unusable, parsed, quoted, rendered
from hypothesis import given, settings
from hypothesis import strategies as st

from e2e.cluster.tools import obtain
from tests.autoscaling.go_says import NOT_READ, READ, REFUSES, TAKES


class Go:
    """One process that answers line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def _asked(self, **question: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def refuses(self, pattern: str) -> str:
        return str(self._asked(Pattern=pattern)["Error"])

    def matches(self, pattern: str, *names: str) -> list[bool]:
        return list(self._asked(Pattern=pattern, Names=names)["Matches"])

    def maps(self, text: str) -> list[dict[int, list[str]] | None]:
        """As each YAML library reads it; None where it does not."""
        found = self._asked(Text=text)["Maps"]
        return [
            None if each["Error"] else {int(n): list(p or ()) for n, p in (each["Map"] or {}).items()}
            for each in found
        ]


@pytest.fixture(scope="module")
def go() -> Iterator[Go]:
    with subprocess.Popen(
        [obtain(["go-says"])["go-says"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Go(process)
        process.terminate()


def test_the_tables_are_what_go_says(go: Go) -> None:
    assert [pattern for pattern in TAKES if go.refuses(pattern)] == []
    assert [pattern for pattern in REFUSES if not go.refuses(pattern)] == []
    for text in READ:
        assert go.maps(text) == [parsed(text)] * 2


PIECES = (
    *TAKES, *(each for each in REFUSES if each), *r"abz09-^$.*+?|()[]{}\,:<>=!P#é ", "{2}", "{40}", "{2,}", "(?", "(?P<n>", "[^", "[:alpha:]",
    r"\p{", r"\x{", r"\Q", r"\E", "\n", "\t", "\x00", "\u2028", "😀",
)  # fmt: skip


@settings(max_examples=2_000, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=6).map("".join))
def test_every_pattern_that_is_taken_compiles(go: Go, pattern: str) -> None:
    if is_pattern(pattern):
        assert go.refuses(pattern) == ""


LINES = (
    *(f"{text}\n" for text in (*READ, *NOT_READ.values())), "10:", "20:", "-1:", "0:", "\n", "\n  - ", "\n- ", " ", "  ", "^a", "b.*", "[a]",
    "['^x$']", "[", "]", ",", "{", "}", "# c\n", "---\n", "...\n", "'", '"', "''", "~", "true", "0x1F", "1_000", "2001-01-01", "<<: ", "!!str ",
    "&a ", "*a", "? ", "|\n  x\n", "\t", "\r\n", "\x85", "@a", "a: b", "- - a", "+3:", "010:", '"\\N"', "é",
)  # fmt: skip


@settings(max_examples=2_000, deadline=None)
@given(st.lists(st.sampled_from(LINES), max_size=7).map("".join), st.booleans())
def test_every_map_that_is_taken_is_read_alike(go: Go, text: str, ours: bool) -> None:
    """Others' text as it is, and with our entries in it."""
    try:
        text = rendered(text, ["maia", "h100 (east)"]) if ours else text
        found = parsed(text)
    except Unusable:
        return
    assert go.maps(text) == [found] * 2
    assert [p for patterns in found.values() for p in patterns if go.refuses(p)] == []


@settings(max_examples=500, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=20), st.data())
def test_our_pattern_matches_its_group_and_no_other(go: Go, name: str, data: st.DataObject) -> None:
    other = data.draw(st.sampled_from([name + "x", "x" + name, name[:-1], name.swapcase(), f"{name}\n"]))
    assert go.matches(quoted(name), name, other) == [True, other == name]
