"""Whatever the spelling, a variant changes the flags that it speaks of, and those alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chipwise.rendering.arguments import patched
from chipwise.rendering.manifest import RenderingRefused
from chipwise.rendering.target import ArgsPatch
from hypothesis import given
from hypothesis import strategies as st

from tests.rendering.command_lines import (
    Change,
    Item,
    Line,
    changed_lines,
    changes,
    command_lines,
    named,
    one_liners,
    read,
)


def _after(change: Change) -> list[Item]:
    return _items(patched(*change.line, change.patch))


def _items(line: Line) -> list[Item]:
    return [item for words in line for item in read(words)]


@given(changed_lines())
def test_what_the_variant_does_not_speak_of_stays_in_its_order_and_spelling(change: Change):
    """Not a word lost, doubled or moved, in command as in args; what is appended comes last."""

    def others(words: list[str]) -> list[str]:
        left = [item for item in read(words) if item.name not in change.set and item.name not in change.gone]
        return [word for item in left for word in item.words]

    command, args = patched(*change.line, change.patch)
    assert others(command) == others(change.line[0])
    assert others(args) == others(change.line[1]) + list(change.patch.append)


@given(changed_lines())
def test_a_flag_that_is_set_stands_there_once_with_its_value(change: Change):
    """However often, and in whichever spelling, the author had it."""
    after = _after(change)
    for flag, value in change.patch.set:
        assert [item.value for item in after if item.name == named(flag)] == [value]


@given(changed_lines())
def test_a_flag_that_is_removed_stands_nowhere_nor_does_the_opposite_of_one_that_is_set(change: Change):
    """One left over would win, for of a repeated flag the last does."""
    assert change.gone.isdisjoint(item.name for item in _after(change))


@given(changed_lines())
def test_a_flag_is_set_in_its_first_place_and_a_new_one_at_the_end(change: Change):
    """Among the words that stay, and before what is appended."""

    def place(item: Item) -> str | tuple[str, ...]:
        return item.name if item.name in change.set else item.words

    before = [place(item) for item in _items(change.line) if item.name not in change.gone]
    repeated = [at for at, found in enumerate(before) if found in change.set and found in before[:at]]
    expected = [found for at, found in enumerate(before) if at not in repeated]
    new = [flag for flag in change.set if flag not in before]
    assert [place(item) for item in _after(change)] == [
        *expected,
        *new,
        *map(place, read(change.patch.append)),
    ]


@given(changed_lines())
def test_a_flag_keeps_the_authors_spelling(change: Change):
    """Underscores and ``=`` as they were; only a value that looks like a flag itself is always joined."""
    first = {item.name: item for item in reversed(_items(change.line))}
    after = {item.name: item for item in _after(change)}
    for flag, value in change.patch.set:
        written, now = first.get(named(flag)), after[named(flag)]
        assert now.flag == (flag if written is None else written.flag)
        if value is not None and written is not None and not value.startswith("-"):
            assert now.is_joined == written.is_joined


@given(changed_lines())
def test_laying_flags_twice_is_laying_them_once(change: Change):
    """But for what is appended, which is taken as it stands."""
    flags = replace(change.patch, append=())
    once = patched(*change.line, flags)
    assert patched(*once, flags) == once


@given(command_lines())
def test_a_patch_that_says_nothing_changes_nothing(line: Line):
    assert patched(*line, ArgsPatch()) == line


@given(command_lines(), changed_lines())
def test_a_new_command_is_changed_as_if_it_were_the_authors(line: Line, change: Change):
    """The author's own command is forgotten, and the args stay."""
    command, args = change.line
    assert patched(line[0], args, change.patch, command) == patched(command, args, change.patch)


@given(command_lines(), changes(), st.lists(st.sampled_from(["--all", "new", ""]), max_size=3))
def test_a_replacement_takes_the_place_of_all_arguments(line: Line, patch: ArgsPatch, words: list[str]):
    """The command stays the author's."""
    assert patched(*line, replace(patch, replace=tuple(words))) == (line[0], words)


@given(one_liners(), changes())
def test_flags_of_a_shell_one_liner_are_refused_however_it_is_cut(line: Line, patch: ArgsPatch):
    """They stand inside one word. A whole command with all its arguments may take its place."""
    if patch == ArgsPatch():
        assert patched(*line, patch) == line
        return
    with pytest.raises(RenderingRefused, match="ArgsNotPatchable"):
        patched(*line, patch)
    whole = replace(patch, replace=("m",))
    assert patched(*line, whole, ["vllm", "serve"]) == (["vllm", "serve"], ["m"])
