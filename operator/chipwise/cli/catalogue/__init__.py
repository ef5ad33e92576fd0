"""The work of ``chipwise catalog``. A section is one file here with a ``Section``, and one entry in ``SECTIONS``."""

from __future__ import annotations

import json
from collections.abc import Mapping

import click
import yaml

from chipwise.cli.catalogue import chips, models, pools
from chipwise.cli.catalogue.section import Document, Section, details
from chipwise.cli.errors import BadInput
from chipwise.cli.options import Source
from chipwise.cli.sheet import show
from chipwise.cli.source import snapshot
from chipwise.kube.resources import ACCELERATOR_CLASSES, ACCELERATOR_POOLS, MODEL_PROFILES

SECTIONS: Mapping[str, Section] = {
    "chips": chips.SECTION,
    "models": models.SECTION,
    "pools": pools.SECTION,
}
_READ = (ACCELERATOR_CLASSES, ACCELERATOR_POOLS, MODEL_PROFILES)


def answer(source: Source, name: str, wanted: str | None, output: str) -> None:
    """Print a section, or one of its entries. Raises BadInput."""
    section = SECTIONS[name]
    entries = chosen(section.documents(snapshot(source, _READ)), section, wanted)
    if output == "json":
        click.echo(json.dumps({name: entries}, indent=2, ensure_ascii=False))
    elif output == "yaml":
        text = yaml.safe_dump({name: entries}, sort_keys=False, allow_unicode=True, width=120)
        click.echo(text, nl=False)
    elif wanted is None:
        show((section.sheet(entries),) if entries else (f"There is no {section.kind}.",))
    else:
        show(tuple(details(section, entries[0])))


def chosen(entries: list[Document], section: Section, wanted: str | None) -> list[Document]:
    """All of them, or the one that is named. Raises BadInput with the known names."""
    if wanted is None:
        return entries
    found = [entry for entry in entries if entry["name"] == wanted]
    if not found:
        names = ", ".join(str(entry["name"]) for entry in entries)
        there = f"the known ones are {names}" if names else "there is none at all"
        raise BadInput(f"there is no {section.kind} {wanted}: {there}")
    return found
