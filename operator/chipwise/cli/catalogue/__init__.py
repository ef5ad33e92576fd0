"""The work of ``chipwise catalog``. A section is one file here with a ``Section``, and one entry in ``OBJECTS`` or ``SHIPPED``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chipwise.cli.answers import show_answer
from chipwise.cli.catalogue import (
    chips,
    models,
    pools,
    shipped_chips,
    shipped_instances,
    shipped_models,
    shipped_prices,
)
from chipwise.cli.catalogue.asked import Asked
from chipwise.cli.catalogue.section import Document, Section, details
from chipwise.cli.errors import BadInput
from chipwise.cli.options import Source
from chipwise.cli.sheet import Block
from chipwise.cli.source import snapshot
from chipwise.cluster.snapshot import Snapshot
from chipwise.kube.resources import ACCELERATOR_CLASSES, ACCELERATOR_POOLS, MODEL_PROFILES

OBJECTS: Mapping[str, Section[Snapshot]] = {
    "chips": chips.SECTION,
    "models": models.SECTION,
    "pools": pools.SECTION,
}
SHIPPED: Mapping[str, Section[Asked]] = {
    "chips": shipped_chips.SECTION,
    "models": shipped_models.SECTION,
    "instances": shipped_instances.SECTION,
    "prices": shipped_prices.SECTION,
}
_READ = (ACCELERATOR_CLASSES, ACCELERATOR_POOLS, MODEL_PROFILES)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A section, perhaps one entry of it, and the form of the answer."""

    section: str
    name: str | None
    output: str


def of_objects(source: Source, wanted: Wanted) -> None:
    """Print what the manifests or the cluster have. Raises BadInput."""
    section = OBJECTS[wanted.section]
    _print(section, chosen(section.documents(snapshot(source, _READ)), section, wanted.name), wanted)


def of_what_ships(asked: Asked, wanted: Wanted) -> None:
    """Print what the catalogue has. Raises BadInput."""
    section = SHIPPED[wanted.section]
    _print(section, section.documents(asked), wanted)


def _print(section: Section[Any], entries: list[Document], wanted: Wanted) -> None:
    show_answer({wanted.section: entries}, wanted.output, _blocks(section, entries, wanted))


def _blocks(section: Section[Any], entries: list[Document], wanted: Wanted) -> Iterator[Block]:
    if wanted.name is not None and len(entries) == 1:
        yield from details(section, entries[0])
    else:
        yield section.sheet(entries) if entries else f"There is no {section.kind}."


def chosen(entries: list[Document], section: Section[Any], wanted: str | None) -> list[Document]:
    """All of them, or the one that is named. Raises BadInput with the known names."""
    if wanted is None:
        return entries
    found = [entry for entry in entries if entry["name"] == wanted]
    if not found:
        names = ", ".join(str(entry["name"]) for entry in entries)
        there = f"the known ones are {names}" if names else "there is none at all"
        raise BadInput(f"there is no {section.kind} {wanted}: {there}")
    return found
