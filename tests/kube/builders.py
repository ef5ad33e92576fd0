"""Objects as small as the tests need them."""

from __future__ import annotations

from typing import Any


def node(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}, "status": {"allocatable": {"cpu": "4"}}}


def pod(name: str, namespace: str = "prod", on: str = "") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"nodeName": on}}


def workload(name: str, namespace: str = "prod", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"mode": "Off", **spec}}
