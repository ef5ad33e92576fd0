"""The value of ``priorities`` in the ConfigMap ``cluster-autoscaler-priority-expander``: our entries between two comment lines, others kept.

What Cluster Autoscaler does with it was measured with 1.35.2 and agrees with ``kubernetes/autoscaler:cluster-autoscaler/expander/priority``:
the value is a YAML map from integers to lists of patterns of Go's regexp that are searched for in the group's id; the highest number that matches
wins; a tie is decided at random; a number given twice loses a list; anything that does not parse makes the whole map count for nothing;
numbers below -1 never match; a group that nothing matches is not used.

So each group of ours has a number of its own above all that others have given, its pattern is anchored and quoted, and a lowest entry
matches everything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

from chipwise.autoscaling.common_yaml import NotAlikeError, composed
from chipwise.autoscaling.patterns import is_pattern
from chipwise.reasons import Reason, Refusal

CONFIG_MAP = "cluster-autoscaler-priority-expander"
KEY = "priorities"

_BEGIN = "# BEGIN chipwise"
_END = "# END chipwise"
_BEGIN_LINE = f"{_BEGIN}: one order of node groups; what is changed between these two lines is written anew"
_STEP = 10
#: The least number that can match: the expander starts from -1 and wants at least as much.
_LEAST = -1
#: Far inside a Go int, and beyond what a person writes.
_MOST = 10**15
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)")
_EVERYTHING = frozenset({"", ".*", "^.*", ".*$", "^.*$", "(.*)"})
#: What regexp.QuoteMeta of Go quotes.
_META = re.compile(r"[\\.+*?()|\[\]{}^$]")
_NULL = "tag:yaml.org,2002:null"
#: Go counts in 64 bits.
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1

Entries = Mapping[int, Sequence[str]]


def quoted(group: str) -> str:
    """The RE2 pattern that matches this id and no other."""
    return "^" + _META.sub(r"\\\g<0>", group) + "$"


class Unusable(ValueError):  # noqa: N818 - it is a state of the text
    """The text is not read as it was meant, or has no room for our entries. The message is a sentence without its subject."""

    @property
    def refusal(self) -> Refusal:
        """The same, typed."""
        message = f"{KEY} in the ConfigMap {CONFIG_MAP} was left as it is: {self}"
        return Refusal(Reason.PRIORITIES_UNUSABLE, message)


def rendered(text: str | None, order: Sequence[str]) -> str:
    """``text`` with our entries for ``order``, what to try first first. What others wrote stays as it is, byte for byte.

    Raises Unusable for a text that Cluster Autoscaler would not read as it was meant, or in which there is no room.
    """
    if not order and (text is None or _BEGIN not in text):
        return text or ""
    parts = _parted(text or "")
    theirs = parsed(parts.theirs)
    ours = _ours(theirs, order)
    found = parts.with_block(_block(ours, parts.indent)) if ours else parts.theirs
    if _again(found) != {**theirs, **ours}:
        raise Unusable(
            "entries cannot be added to it as it is written: write it as a block, one 'NUMBER:' a line with its '- PATTERN' below"
        )
    return found


def parsed(text: str) -> dict[int, list[str]]:
    """The map as Cluster Autoscaler reads it; empty for nothing but comments. Raises Unusable."""
    try:
        node = composed(text)
    except NotAlikeError as error:
        raise Unusable(str(error)) from error
    if node is None:
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise Unusable("it is no map of numbers to lists of patterns")
    found: dict[int, list[str]] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode) or not _NUMBER.fullmatch(key.value):
            raise Unusable(f"{_shown(key)} is no whole number")
        if key.style is not None:
            raise Unusable(
                f"the number {key.value} is in quotes, which not every Cluster Autoscaler reads: take them away"
            )
        number = int(key.value)
        if not _SMALLEST <= number <= _LARGEST:
            raise Unusable(f"the number {number} is too large")
        if number in found:
            raise Unusable(f"the number {number} is given twice, and one of its lists is lost")
        found[number] = _patterns(value)
    return found


def _again(text: str) -> dict[int, list[str]] | None:
    try:
        return parsed(text)
    except Unusable:
        return None


def _patterns(node: yaml.Node) -> list[str]:
    if isinstance(node, yaml.ScalarNode) and node.tag == _NULL:
        return []
    if not isinstance(node, yaml.SequenceNode):
        raise Unusable(f"{_shown(node)} is no list of patterns")
    found = []
    for each in node.value:
        if not isinstance(each, yaml.ScalarNode) or each.tag == _NULL:
            raise Unusable(f"{_shown(each)} is no pattern")
        if not is_pattern(each.value):
            raise Unusable(f"{each.value!r} is no pattern that Cluster Autoscaler surely takes")
        found.append(each.value)
    return found


@dataclass(frozen=True, slots=True)
class _Parts:
    """A text without our block, where the block was (a line number), and how far the entries of others are indented."""

    lines: tuple[str, ...]
    at: int
    indent: str

    @property
    def theirs(self) -> str:
        return "".join(self.lines)

    def with_block(self, block: Sequence[str]) -> str:
        before = "".join(self.lines[: self.at])
        if before and not before.endswith("\n"):
            before += "\n"
        return before + "".join(f"{line}\n" for line in block) + "".join(self.lines[self.at :])


def _parted(text: str) -> _Parts:
    lines = text.splitlines(keepends=True)
    begins = [at for at, line in enumerate(lines) if line.lstrip().startswith(_BEGIN)]
    ends = [at for at, line in enumerate(lines) if line.lstrip().startswith(_END)]
    if not begins and not ends:
        return _Parts(tuple(lines), len(lines), _indent(lines))
    if len(begins) != 1 or len(ends) != 1 or ends[0] < begins[0]:
        raise Unusable(
            f"the lines '{_BEGIN}' and '{_END}' do not enclose one block: delete them and what is between"
        )
    rest = [*lines[: begins[0]], *lines[ends[0] + 1 :]]
    return _Parts(tuple(rest), begins[0], _indent(rest))


def _indent(lines: Sequence[str]) -> str:
    """Of the first line that says something."""
    for line in lines:
        words = line.strip()
        if words and not words.startswith(("#", "---", "%")):
            return line[: len(line) - len(line.lstrip(" "))]
    return ""


def _ours(theirs: Entries, order: Sequence[str]) -> dict[int, list[str]]:
    if not order:
        return {}
    above = max([0, *theirs])
    if above + _STEP * len(order) > _MOST:
        raise Unusable(f"the number {above} leaves no room above it: use smaller ones")
    found = {above + _STEP * (len(order) - at): [quoted(group)] for at, group in enumerate(order)}
    counted = [number for number in theirs if number >= _LEAST and theirs[number]]
    if any(_EVERYTHING.intersection(theirs[number]) for number in counted):
        return found
    low = next((n for n in (0, _LEAST) if n < min(counted, default=1) and n not in theirs), None)
    if low is None:
        raise Unusable(
            f"the number {_LEAST} is taken, and the entry that matches all other groups must be below all others: use larger ones"
        )
    return {**found, low: [".*"]}


def _block(ours: Entries, indent: str) -> list[str]:
    entries = [
        line
        for number in sorted(ours, reverse=True)
        for line in (f"{number}:", *(f"  - {_scalar(pattern)}" for pattern in ours[number]))
    ]
    return [f"{indent}{line}" for line in (_BEGIN_LINE, *entries, _END)]


def _scalar(text: str) -> str:
    """A single-quoted YAML scalar."""
    return "'" + text.replace("'", "''") + "'"


def _shown(node: yaml.Node) -> str:
    return (
        repr(node.value)
        if isinstance(node, yaml.ScalarNode)
        else f"what stands in line {node.start_mark.line + 1}"
    )
