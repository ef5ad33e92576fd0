"""What Cluster Autoscaler's priority expander does with a ConfigMap, row by row as it was measured (1.35.2), and nothing of ours.

Patterns are searched for by RE2, which Go's regexp is a dialect of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import re2
import yaml


@dataclass(frozen=True)
class Outcome:
    """``picked`` are the groups among which chance decides; ``warnings`` are reasons of Warning events."""

    picked: frozenset[str]
    warnings: tuple[str, ...] = ()


def expand(text: str | None, offered: frozenset[str]) -> Outcome:
    """One decision."""
    if text is None:
        return Outcome(offered)  # missing: random, without a word
    entries = _entries(text)
    if not entries:
        return Outcome(offered, ("PriorityConfigMapInvalid",))
    numbers = {
        group: [n for n, patterns in entries.items() if n >= -1 and any(p.search(group) for p in patterns)]
        for group in sorted(offered)
    }
    listed = {group: max(found) for group, found in numbers.items() if found}
    if not listed:
        return Outcome(offered, ("PriorityConfigMapNoGroupMatched",))
    top = max(listed.values())
    warnings = ("PriorityConfigMapNotMatchedGroup",) * (len(offered) - len(listed))
    return Outcome(frozenset(group for group, number in listed.items() if number == top), warnings)


def _entries(text: str) -> dict[int, list[Any]] | None:
    try:
        found: Any = yaml.safe_load(text)  # a number twice: the last one wins, as in Go
        if not isinstance(found, dict):
            return None
        return {_number(n): [_compiled(str(p)) for p in patterns or ()] for n, patterns in found.items()}
    except (yaml.YAMLError, re2.error, TypeError, ValueError):
        return None


def _number(key: Any) -> int:
    if isinstance(key, bool | float):
        raise TypeError(key)
    return int(key)


def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)
