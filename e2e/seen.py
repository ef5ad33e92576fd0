"""Documents of a cluster as the snapshot that chipwise decides from, by the very code that its watches use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chipwise.cluster.extract import BY_KIND, extract
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.state import ClusterState
from chipwise.kube.reflector import Key, key_of
from chipwise.kube.resources import Resource


def seen(documents: Iterable[dict[str, Any]]) -> Snapshot:
    """Each names its kind; those of no interest to decisions are passed over."""
    facts: dict[Resource, dict[Key, Any]] = {}
    for document in documents:
        resource = BY_KIND.get(document["kind"])
        fact = extract(resource, document) if resource is not None else None
        if resource is not None and fact is not None:
            facts.setdefault(resource, {})[key_of(document)] = fact
    state = ClusterState()
    for resource, found in facts.items():
        state.replace(resource, found)
    return state.snapshot()
