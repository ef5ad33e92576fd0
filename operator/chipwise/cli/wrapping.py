"""Text in narrow columns: broken between words, names where they have a joint, and only in need in the middle of either."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

#: Where a name may be broken: behind a slash, a hyphen or a dot, and before a capital as in NoFeasibleVariant.
_JOINT = re.compile(r"(?<=[/.-])(?=[^\s/.-])|(?<=[a-z])(?=[A-Z])")


def widths(columns: Sequence[Sequence[str]], available: int) -> list[int]:
    """The width of each column of ``columns``, which are all their texts, so that together they take no more than ``available``.

    No narrower than their longest word if that can be, else than the longest part of a name, else in proportion to that.
    """
    natural = [max(map(len, texts), default=0) for texts in columns]
    if sum(natural) <= available:
        return natural
    words = [_longest(texts, str.split) for texts in columns]
    parts = [
        _longest(texts, lambda text: [part for word in text.split() for part in _JOINT.split(word)])
        for texts in columns
    ]
    least = words if sum(words) <= available else parts
    if sum(least) > available:
        return [max(1, available * one // sum(least)) for one in least]
    spare, wish = available - sum(least), sum(natural) - sum(least)
    return [low + spare * (most - low) // wish for low, most in zip(least, natural, strict=True)]


def wrapped(text: str, width: int) -> str:
    """``text`` in lines of at most ``width``."""
    lines = [""]
    for word in text.split():
        if len(word) <= width:
            _add(lines, word, width, " ")
            continue
        for number, part in enumerate(_JOINT.split(word)):
            _add(lines, part, width, "" if number else " ")
    return "\n".join(lines)


def _longest(texts: Sequence[str], split: Callable[[str], list[str]]) -> int:
    return max((len(part) for text in texts for part in split(text)), default=0)


def _add(lines: list[str], part: str, width: int, before: str) -> None:
    """To the last line if it fits there, else on new ones."""
    joined = f"{lines[-1]}{before}{part}" if lines[-1] else part
    if len(joined) <= width:
        lines[-1] = joined
        return
    pieces = [part[at : at + width] for at in range(0, len(part), width)]
    lines[-1:] = [*([lines[-1]] if lines[-1] else []), *pieces]
