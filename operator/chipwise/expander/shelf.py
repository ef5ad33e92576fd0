"""Keeps what the reflectors bring, and makes the book of it when it is next asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chipwise.cluster.extract import extract
from chipwise.expander.book import Book, Key, book_of
from chipwise.kube.protocol import Kube
from chipwise.kube.reflector import Reflector
from chipwise.kube.resources import ACCELERATOR_POOLS, DEPLOYMENTS, INFERENCE_WORKLOADS, Resource
from chipwise.rendering import bridge


class Shelf:
    """A sink for the watches of workloads, pools and bridges."""

    def __init__(self) -> None:
        self._facts: dict[Resource, dict[Key, Any]] = {}
        self._book: Book | None = None

    def replace(self, resource: Resource, facts: Mapping[Key, Any]) -> None:
        """Know exactly ``facts`` of one resource."""
        self._facts[resource], self._book = dict(facts), None

    def put(self, resource: Resource, key: Key, fact: Any) -> None:
        """Know ``fact`` at ``key``."""
        self._facts.setdefault(resource, {})[key] = fact
        self._book = None

    def drop(self, resource: Resource, key: Key) -> None:
        """Know nothing at ``key``."""
        if self._facts.get(resource, {}).pop(key, None) is not None:
            self._book = None

    def book(self) -> Book:
        """What is known."""
        if self._book is None:
            known = [
                self._facts.get(each, {}) for each in (INFERENCE_WORKLOADS, ACCELERATOR_POOLS, DEPLOYMENTS)
            ]
            self._book = book_of(*known)
        return self._book


def reflectors_of(kube: Kube, shelf: Shelf) -> Sequence[Reflector[Any]]:
    """Everything that an answer rests on. Of Deployments only bridges are kept: the owner of other pods is told by its name."""
    ours = [Reflector(kube, each, shelf, extract) for each in (INFERENCE_WORKLOADS, ACCELERATOR_POOLS)]
    bridges = Reflector(kube, DEPLOYMENTS, shelf, _bridge, label_selector=bridge.BRIDGE_LABEL)
    return (*ours, bridges)


def _bridge(resource: Resource, raw: Mapping[str, Any]) -> bridge.Bridge | None:
    del resource
    return bridge.read(raw)
