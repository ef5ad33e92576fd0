"""One entry of a data file, read strictly: what is missing, misspelt or of the wrong type is an error that names entry and field."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar


class BrokenCatalogue(Exception):  # noqa: N818 - it is what is wrong
    """A data file that does not say what it must; the message names file, entry and field."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Record:
    """The fields of one entry, and where it stands, such as ``chips.yaml, h100-sxm``."""

    fields: Mapping[str, Any]
    where: str

    def only(self, known: Iterable[str]) -> Record:
        """The same. Raises BrokenCatalogue for a field that is not known."""
        unknown = sorted(set(self.fields) - set(known))
        if unknown:
            raise BrokenCatalogue(f"{self.where}: unknown field {unknown[0]}")
        return self

    def text(self, name: str) -> str:
        """A text that is not empty."""
        return self._of(name, str, "a text")

    def some_text(self, name: str) -> str | None:
        """A text, or None where it is left out or null."""
        return None if self.fields.get(name) is None else self.text(name)

    def count(self, name: str, least: int = 1) -> int:
        """A whole number of at least ``least``."""
        found = self._of(name, int, "a whole number")
        if isinstance(found, bool) or found < least:
            raise BrokenCatalogue(f"{self.where}: {name} must be at least {least}, not {found}")
        return found

    def some_count(self, name: str) -> int | None:
        """A whole number above 0, or None where it is left out or null."""
        return None if self.fields.get(name) is None else self.count(name)

    def texts(self, name: str, *, least: int = 0) -> tuple[str, ...]:
        """A list of at least so many texts; left out, none."""
        found = self.fields.get(name, [])
        if not isinstance(found, list) or not all(isinstance(each, str) and each for each in found):
            raise BrokenCatalogue(f"{self.where}: {name} must be a list of texts")
        if len(found) < least or len(set(found)) < len(found):
            raise BrokenCatalogue(f"{self.where}: {name} must name at least {least}, each once")
        return tuple(found)

    def under(self, name: str) -> Record:
        """The map of this name."""
        found = self.fields.get(name)
        if not isinstance(found, dict):
            raise BrokenCatalogue(f"{self.where}: {name} must be a map")
        return Record(found, f"{self.where}, {name}")

    def _of(self, name: str, kind: type[T], words: str) -> T:
        found = self.fields.get(name)
        if not isinstance(found, kind) or found == "":
            raise BrokenCatalogue(f"{self.where}: {name} must be {words}, not {found!r}")
        return found


def entries(document: Any, key: str, file: str, read: Callable[[Record], T]) -> tuple[T, ...]:
    """Every entry of the list ``key`` of a data file. Raises BrokenCatalogue."""
    found = document.get(key) if isinstance(document, dict) else None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise BrokenCatalogue(f"{file}: {key} must be a list of maps")
    return tuple(read(Record(each, f"{file}, {each.get('name', 'an entry without name')}")) for each in found)


def sourced(names: tuple[str, ...], sources: Mapping[str, str], where: str) -> tuple[str, ...]:
    """The same names. Raises BrokenCatalogue for a source that the file does not describe."""
    unknown = [name for name in names if name not in sources]
    if unknown:
        raise BrokenCatalogue(f"{where}: the source {unknown[0]} is not described at the top of the file")
    return names
