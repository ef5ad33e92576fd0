"""On somebody's own cluster (`CLUSTER=existing`): what the demo may touch is what it made, and it knows that by a label.

The kinds themselves stay when the demo is removed, as they do when the chart is uninstalled.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from e2e.cluster import Cluster, ClusterError
from e2e.cluster.commands import run

Document = dict[str, Any]

MARK = "chipwise.dev/demo"
_KINDS = ("acceleratorclasses", "acceleratorpools", "modelprofiles", "placementpolicies")


def marked(document: Document) -> Document:
    """The same document with the label that says whose it is."""
    document["metadata"].setdefault("labels", {})[MARK] = "true"
    return document


def refuse_foreign(cluster: Cluster, namespaces: Iterable[str]) -> None:
    """Raise ClusterError if one of the namespaces is there, or chipwise is in use; nothing is kept of the cluster then."""
    for name in namespaces:
        if _names(cluster, "namespace", name):
            cluster.delete()
            raise ClusterError(f"this cluster has a namespace {name}, which the demo wants for itself")
    if _names(cluster, "customresourcedefinition", "acceleratorpools.chipwise.dev"):
        found = [name for kind in _KINDS for name in _names(cluster, kind)]
        if found:
            cluster.delete()
            raise ClusterError(f"chipwise is in use on this cluster: it has {found[0]}")


def clear(cluster: Cluster, system: str) -> None:
    """Remove the demo's objects; `system` is the namespace of its Helm release."""
    if _names(cluster, "namespace", system, "-l", MARK):
        uninstall = ["uninstall", "chipwise", "--namespace", system, "--ignore-not-found", "--wait"]
        run([cluster.helm, *uninstall], env=cluster.environment)
    kinds = ["namespaces", "nodes"]
    if _names(cluster, "customresourcedefinition", "acceleratorpools.chipwise.dev"):
        kinds += _KINDS
    for kind in kinds:
        cluster.run_kubectl("delete", kind, "-l", MARK, "--ignore-not-found", timeout=180)


def _names(cluster: Cluster, kind: str, *which: str) -> list[str]:
    if "-l" in which:
        name, *selector = which
        field = [f"--field-selector=metadata.name={name}"]
        return cluster.run_kubectl("get", kind, *field, *selector, "-o", "name").split()
    return cluster.run_kubectl("get", kind, *which, "--ignore-not-found", "-o", "name").split()
