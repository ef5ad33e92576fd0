"""Placeholders give way to whoever comes, so nothing is planned around them: a snapshot without them, and who could not push them out.

The scheduler takes pods of a lower priority off a node for one that fits nowhere else. Not for pods whose PriorityClass never preempts,
or is as low: to these a placeholder is a pod like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chipwise.cluster.snapshot import Snapshot


def yielding(snapshot: Snapshot) -> Snapshot:
    """The same cluster with its placeholders apart from all other pods: they take no room, await none and keep no node alive."""
    found = {key: pod for key, pod in snapshot.pods.items() if pod.spare_for}
    if not found:
        return snapshot
    others = {key: pod for key, pod in snapshot.pods.items() if key not in found}
    return replace(snapshot, pods=others, placeholders=found)


def closed_by_placeholders(spec: Mapping[str, Any], snapshot: Snapshot) -> frozenset[str]:
    """Names of nodes with a placeholder that pods of this spec would not push out."""
    if not snapshot.placeholders:
        return frozenset()
    priority, preempts = _rank(spec, snapshot)
    return frozenset(
        pod.node
        for pod in snapshot.placeholders.values()
        if pod.node is not None and not (preempts and pod.priority < priority)
    )


def _rank(spec: Mapping[str, Any], snapshot: Snapshot) -> tuple[int, bool]:
    """(priority, whether it preempts) that admission will give pods of this spec."""
    name = spec.get("priorityClassName")
    if name:
        found = snapshot.priorities.get(name)
    else:
        found = next((fact for _, fact in sorted(snapshot.priorities.items()) if fact.is_default), None)
    return (0, True) if found is None else (found.value, found.preempts)
