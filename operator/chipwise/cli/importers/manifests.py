"""Writing manifests: names that Kubernetes accepts, documents checked before they are written, a comment above each group of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from chipwise.cli.errors import BadInput
from chipwise.cli.importers.fields import Record

API_VERSION = "chipwise.dev/v1alpha1"
#: Digits after the point of a decimal that does not end; a Kubernetes string of ours holds 20 characters.
_DIGITS = Decimal("0.000000000001")

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Section:
    """Documents from one place, and what a reader must know of them."""

    comment: str
    documents: tuple[Document, ...]


class Names:
    """Names of one kind as Kubernetes accepts them. Two different ones that would become one are refused."""

    def __init__(self) -> None:
        self._taken: dict[str, str] = {}

    def safe(self, record: Record, field: str) -> str:
        """The name in ``field``: lower case, with hyphens for everything but letters and digits."""
        given = record.text(field)
        name = re.sub(r"[^a-z0-9]+", "-", given.lower()).strip("-")
        if not name or len(name) > 63:  # the longest label of a domain name
            raise record.error(
                field, f"{given!r} makes no Kubernetes name: up to 63 letters, digits and hyphens"
            )
        if self._taken.setdefault(name, given) != given:
            raise record.error(
                field, f"{given!r} and {self._taken[name]!r} would both be named {name}; rename one"
            )
        return name

    def new(self, record: Record, field: str) -> str:
        """The same for a name that nothing else has."""
        if record.text(field) in self._taken.values():
            raise record.error(field, f"{record.text(field)!r} is there twice; keep one")
        return self.safe(record, field)


def manifest(kind: str, name: str, spec: Mapping[str, Any], namespace: str | None = None) -> Document:
    """A document of our group."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": dict(spec)}


def decimal(value: Decimal) -> str:
    """Without an exponent and without zeros at the end."""
    rounded = value.quantize(_DIGITS) if value.as_tuple().exponent < _DIGITS.as_tuple().exponent else value  # type: ignore[operator]
    text = format(rounded, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def check(source: Path, sections: Iterable[Section]) -> None:
    """Raises BadInput if chipwise would not accept what it is about to write."""
    from chipwise.api import InvalidObject, parse  # noqa: PLC0415 - pydantic: not for --help

    for section in sections:
        for document in section.documents:
            if document["apiVersion"] != API_VERSION:
                continue
            try:
                parse(document)
            except InvalidObject as error:
                raise BadInput(f"{source}: makes an object that chipwise does not accept: {error}") from error


def render(header: str, sections: Iterable[Section]) -> str:
    """YAML with the comments above."""
    import yaml  # noqa: PLC0415 - not for --help

    parts = [_comment(header)]
    for section in sections:
        parts.append(_comment(section.comment))
        parts += [
            "---\n" + yaml.safe_dump(document, sort_keys=False, width=120, allow_unicode=True)
            for document in section.documents
        ]
    return "\n".join(parts)


def _comment(text: str) -> str:
    return "".join(f"# {line}".rstrip() + "\n" for line in text.splitlines())


def write(text: str, output: str) -> None:
    """To standard output for ``-``, else to a file. Raises BadInput."""
    if output == "-":
        click.echo(text, nl=False)
        return
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{output}: cannot be written: {error.strerror}") from error
