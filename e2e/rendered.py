"""The chart as Helm renders it, and what tests ask of the documents."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
CHART = ROOT / "charts" / "chipwise"
RELEASE, NAMESPACE = "chipwise", "chipwise-system"

Document = dict[str, Any]

#: Every feature that is off by default, but for what needs the Prometheus operator's kinds.
EVERY_FEATURE: dict[str, Any] = {
    "autoscaling.karpenter.enabled": True,
    "autoscaling.karpenter.nodeOverlays": True,
    "autoscaling.clusterAutoscaler.enabled": True,
    "autoscaling.clusterAutoscaler.priorityExpander": True,
    "autoscaling.clusterAutoscaler.provisioningRequests": True,
    "autoscaling.spare.enabled": True,
    "autoscaling.expander.enabled": True,
}
READ = {"get", "list", "watch"}
MONITORING: dict[str, Any] = {
    "monitoring.serviceMonitor.enabled": True,
    "monitoring.prometheusRule.enabled": True,
}


class Chart:
    """One Helm, and the chart of this tree."""

    def __init__(self, helm: Path) -> None:
        self.helm = helm

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """``helm`` with these arguments."""
        return subprocess.run([str(self.helm), *arguments], capture_output=True, text=True, check=False)

    def text(self, values: Mapping[str, Any]) -> str:
        """What `helm template` prints under these values, dotted path to value."""
        done = self.run("template", RELEASE, str(CHART), "--namespace", NAMESPACE, *settings(values))
        assert done.returncode == 0, done.stderr
        return done.stdout

    def documents(self, values: Mapping[str, Any]) -> list[Document]:
        """The same, read."""
        return [document for document in yaml.safe_load_all(self.text(values)) if document]

    def render(self, **values: Any) -> list[Document]:
        """The same by keywords, with two underscores for a dot."""
        return self.documents({name.replace("__", "."): value for name, value in values.items()})


def settings(values: Mapping[str, Any]) -> list[str]:
    """The flags of Helm that set these values."""
    return [f"--set-json={path}={json.dumps(value)}" for path, value in values.items()]


def of_kind(documents: list[Document], kind: str) -> list[Document]:
    """All documents of a kind."""
    return [document for document in documents if document["kind"] == kind]


def the(documents: list[Document], kind: str, name: str = RELEASE) -> Document:
    """The one document of this kind and name."""
    (found,) = [each for each in of_kind(documents, kind) if each["metadata"]["name"] == name]
    return found


def container(documents: list[Document], name: str = RELEASE) -> Document:
    """The one container of a Deployment."""
    (only,) = pod(documents, name)["containers"]
    return dict(only)


def pod(documents: list[Document], name: str = RELEASE) -> Document:
    """The pod spec of a Deployment."""
    return dict(the(documents, "Deployment", name)["spec"]["template"]["spec"])


def roles_of(documents: list[Document], account: str = RELEASE) -> list[Document]:
    """The roles that are bound to a ServiceAccount."""
    bound = {
        (each["roleRef"]["kind"], each["roleRef"]["name"], each["metadata"].get("namespace"))
        for each in documents
        if each["kind"].endswith("RoleBinding")
        and ("ServiceAccount", account) in {(one["kind"], one["name"]) for one in each.get("subjects") or ()}
    }
    return [
        each
        for each in documents
        if (each["kind"], each["metadata"]["name"], each["metadata"].get("namespace")) in bound
    ]


def grants(documents: list[Document], account: str = RELEASE) -> set[tuple[str, str, str]]:
    """(group, resource, verb), one for each thing that the ServiceAccount may do."""
    return {
        (group, resource, verb)
        for role in roles_of(documents, account)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
