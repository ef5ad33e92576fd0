"""One document as the form of answer that was asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import click

from chipwise.cli.sheet import Block, show


def show_answer(document: Mapping[str, Any], form: str, blocks: Iterable[Block]) -> None:
    """To standard output: the document as json or yaml, ``blocks`` in any other form."""
    if form == "json":
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    elif form == "yaml":
        import yaml  # noqa: PLC0415 - only here

        click.echo(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120), nl=False)
    else:
        show(tuple(blocks))
