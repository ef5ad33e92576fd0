"""What a section of the catalogue is, and how figures that nobody published are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from chipwise.cli.sheet import Block, Column, Sheet
from chipwise.reasons import Refusal

Document = dict[str, Any]
World = TypeVar("World")

UNPUBLISHED = "not published"


@dataclass(frozen=True, slots=True)
class Section(Generic[World]):
    """What of a world is shown: a cluster's objects, or what ships. Entries as documents in order of name, their table, and one entry as labelled lines with the tables that belong to it."""

    kind: str
    documents: Callable[[World], list[Document]]
    sheet: Callable[[list[Document]], Sheet]
    lines: Callable[[Document], list[tuple[str, str]]]
    more: Callable[[Document], tuple[Block, ...]] = lambda _: ()


def details(section: Section[Any], entry: Document) -> Iterator[Block]:
    """One entry by itself."""
    yield Sheet("", (Column(section.kind.upper()), Column(str(entry["name"]))), tuple(section.lines(entry)))
    yield from section.more(entry)


def published(value: object, unit: str = "") -> str:
    """A figure with its unit, or that there is none."""
    if value in (None, "", {}, []):
        return UNPUBLISHED
    return f"{value} {unit}".rstrip()


def use(refusal: Refusal | None) -> Document:
    """Whether an entry can be used, and why not."""
    return {
        "usable": refusal is None,
        "reason": refusal.reason.value if refusal else None,
        "message": refusal.message if refusal else None,
    }


def usable(entry: Document) -> str:
    """The same in words."""
    return "yes" if entry["usable"] else f"no, {entry['reason']}: {entry['message']}"
