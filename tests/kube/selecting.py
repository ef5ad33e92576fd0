"""Label and field selectors, as far as the tests need them: ``a=b``, ``a!=b``, ``a``, ``!a``, joined by commas."""

from __future__ import annotations

from typing import Any


def matches(document: dict[str, Any], labels: str | None, fields: str | None) -> bool:
    """Whether a document is selected by both."""
    found = document["metadata"].get("labels") or {}
    by_label = all(_label(found, term) for term in _terms(labels))
    return by_label and all(_field(document, term) for term in _terms(fields))


def _terms(selector: str | None) -> list[str]:
    assert "(" not in (selector or ""), "set-based selectors are not supported by the fake"
    return [term for term in (selector or "").split(",") if term]


def _label(found: dict[str, str], term: str) -> bool:
    if "!=" in term:
        name, value = term.split("!=")
        return found.get(name) != value
    if "=" in term:
        name, value = term.replace("==", "=").split("=")
        return found.get(name) == value
    return term[1:] not in found if term.startswith("!") else term in found


def _field(document: dict[str, Any], term: str) -> bool:
    name, value = term.replace("!=", "=").replace("==", "=").split("=")
    found: Any = document
    for step in name.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return ((found or "") == value) != ("!=" in term)
