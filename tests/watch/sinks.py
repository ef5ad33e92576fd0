"""A sink that can be compared, and an extractor for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chipwise.kube.reflector import Key
from chipwise.kube.resources import Resource


class DictSink:
    """Facts by resource and key."""

    def __init__(self) -> None:
        self.facts: dict[Resource, dict[Key, str]] = {}
        self.replaced = 0

    def replace(self, resource: Resource, facts: Mapping[Key, str]) -> None:
        self.facts[resource] = dict(facts)
        self.replaced += 1

    def put(self, resource: Resource, key: Key, fact: str) -> None:
        self.facts.setdefault(resource, {})[key] = fact

    def drop(self, resource: Resource, key: Key) -> None:
        self.facts.setdefault(resource, {}).pop(key, None)

    def of(self, resource: Resource) -> dict[Key, str]:
        return self.facts.get(resource, {})


def named(_: Resource, document: Mapping[str, Any]) -> str | None:
    """The uid and version; None for what asks to be ignored; an error for what asks to be broken."""
    if document.get("broken"):
        raise KeyError("spec")
    metadata = document["metadata"]
    return None if document.get("ignore") else f"{metadata['uid']}@{metadata['resourceVersion']}"
