"""The ConfigMap of the priority expander, against what Cluster Autoscaler does with one (``expander``)."""

from __future__ import annotations

import re

import pytest
import yaml
from chipwise.autoscaling.priorities import Unusable, parsed, quoted, rendered
from chipwise.reasons import Reason
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from tests.autoscaling.expander import expand
from tests.autoscaling.go_says import TAKES

names = st.text(
    st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), min_size=1, max_size=20
).filter(lambda name: name.strip() == name)
orders = st.lists(names, min_size=1, max_size=6, unique=True)
patterns = st.one_of(
    names.map(re.escape),
    st.sampled_from(TAKES),
    st.sampled_from([".*", "h100", "^cpu-", ".*spot.*", "[a-z]+", "a|b"]),
)
theirs = st.dictionaries(st.integers(-6, 200), st.lists(patterns, min_size=1, max_size=3), max_size=4)


def text_of(entries: dict[int, list[str]]) -> str:
    return yaml.safe_dump(entries, allow_unicode=False) if entries else ""


def written(text: str, order: list[str], entries: dict[int, list[str]]) -> str:
    """What is written; nothing is only where the lowest number is taken."""
    try:
        return rendered(text, order)
    except Unusable:
        assert -1 in entries
        reject()


@given(theirs, orders, st.data())
def test_what_we_write_never_ends_in_chance_nothing_or_a_warning(entries, order, data):
    """Whatever is on offer with a group of ours among it, the first of ours is picked; and without one nobody is warned."""
    text = written(text_of(entries), order, entries)
    offered = frozenset(data.draw(st.lists(st.one_of(st.sampled_from(order), names), min_size=1, max_size=6)))
    outcome = expand(text, offered)
    assert outcome.warnings == ()
    ours = [group for group in order if group in offered]
    assert not ours or outcome.picked == {ours[0]}


@given(theirs, orders, st.lists(names, min_size=1, max_size=4))
def test_among_groups_of_others_their_entries_decide_as_before(entries, order, foreign):
    text = written(text_of(entries), order, entries)
    offered = frozenset(foreign) - set(order)
    assume(offered)
    before = expand(text_of(entries), offered)
    if not before.warnings:
        assert expand(text, offered).picked == before.picked


@given(theirs, orders, orders)
def test_what_others_wrote_stays_byte_for_byte(entries, order, later):
    before = "# ours by hand\n" + text_of(entries) + "# the end\n"
    text = written(before, order, entries)
    assert text.startswith(before)
    again = rendered(text, later)
    assert again.startswith(before)
    assert rendered(again, order) == text
    assert rendered(again, ()) == before


@given(theirs, orders)
def test_writing_twice_changes_nothing(entries, order):
    text = written(text_of(entries), order, entries)
    assert rendered(text, order) == text


@given(names, names)
def test_a_pattern_matches_its_group_only(name, other):
    assert re.search(quoted(name), name)
    assert (re.search(quoted(name), other) is not None) == (name == other)


@given(names)
def test_only_what_go_allows_is_quoted(name):
    """RE2 refuses a backslash before a letter or digit that has no meaning there."""
    assert not re.search(r"\\[0-9A-Za-z]", quoted(name).replace("\\\\", ""))


BROKEN = {
    "bad YAML": "10: [",
    "a bad pattern": "10: ['h100(']",
    "a pattern that only Python knows": "10: ['h100(?!-spot)']",
    "a reference to a group": r"10: ['(a)\1']",
    "a float": "10.5: [h100]",
    "a word": "ten: [h100]",
    "a number twice": "10: [h100]\n10: [a100]",
    "a number twice, once in quotes": "10: [h100]\n'10': [a100]",
    "octal": "010: [h100]",
    "a list": "- h100",
    "a word alone": "h100",
    "a pattern that is no list": "10: h100",
    "a map for a pattern": "10: [{a: b}]",
    "JSON": '{"10": ["h100"]}',
    "two documents": "10: [a]\n---\n20: [b]",
    "the lowest numbers are taken": "0: [a]\n-1: [b]",
    "a number too large": "9223372036854775800: [a]",
    "half a block": "# BEGIN chipwise\n10: [a]",
    "a block turned round": "# END chipwise\n# BEGIN chipwise",
    "two blocks": "# BEGIN chipwise\n# END chipwise\n# BEGIN chipwise\n# END chipwise",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_broken_is_left_and_told(text):
    with pytest.raises(Unusable) as found:
        rendered(text, ["h100"])
    assert found.value.refusal.reason is Reason.PRIORITIES_UNUSABLE
    assert "left as it is" in found.value.refusal.message


@pytest.mark.parametrize(
    "text",
    ["10: ['\\pL+']", "10: ['[[:alpha:]]+$']", "10:\n- h100", "  10:\n    - a\n", "10:"],
)
def test_what_cluster_autoscaler_takes_is_taken(text):
    found = rendered(text, ["maia", "h100"])
    assert text in found


def test_indented_entries_get_company_that_is_indented_alike():
    found = rendered("  10:\n    - a\n", ["maia"])
    assert yaml.safe_load(found) == {10: ["a"], 20: ["^maia$"], 0: [".*"]}


def test_an_entry_of_others_for_everything_is_the_low_one():
    found = rendered("5: ['.*']", ["maia"])
    assert parsed(found) == {5: [".*"], 15: ["^maia$"]}


def test_how_it_reads():
    assert rendered(None, ["https://x/igs/maia.west", "it's"]) == (
        "# BEGIN chipwise: one order of node groups; what is changed between these two lines is written anew\n"
        "20:\n"
        r"  - '^https://x/igs/maia\.west$'" + "\n"
        "10:\n"
        "  - '^it''s$'\n"
        "0:\n"
        "  - '.*'\n"
        "# END chipwise\n"
    )
